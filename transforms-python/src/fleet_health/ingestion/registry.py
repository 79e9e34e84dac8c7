"""``device_registry``: one row per known unit, from the profile itself or from the asset system's CSV."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.profiles.model import Profile

LIST_SEPARATOR = ";"


def declared_registry(spark: SparkSession, profile: Profile) -> DataFrame:
    """The devices written in the profile, in the shape of contract R1."""
    rows = [
        {
            **device.model_dump(exclude={"reason"}),
            "expected_sensors": list(device.expected_sensors),
            "expected_readings_per_hour": profile.registry.expected_readings_per_hour,
        }
        for device in profile.registry.devices
    ]
    frame = pd.DataFrame(rows).reindex(columns=REGISTRY_SCHEMA.fieldNames())
    frame["updated_at"] = pd.to_datetime(str(profile.registry.updated_at), utc=True)
    nothing = [name for name in REGISTRY_SCHEMA.fieldNames() if frame[name].isna().all()]
    frame[nothing] = frame[nothing].astype("object").where(frame[nothing].notna(), None)
    return spark.createDataFrame(frame, REGISTRY_SCHEMA)


def registry_from_text(text: DataFrame, profile: Profile) -> DataFrame:
    """The asset system's CSV, read as text columns, in the shape of contract R1.

    Args:
        text: the columns of the contract as strings; ``expected_sensors`` separated by ``;``. Columns that are missing
            read as null, ``expected_readings_per_hour`` as the profile's default. ``updated_at`` must be there.
        profile: the fleet.
    """
    columns = []
    for field in REGISTRY_SCHEMA:
        value = F.trim(F.col(field.name)) if field.name in text.columns else F.lit(None).cast("string")
        value = F.when(value != "", value)
        if isinstance(field.dataType, T.ArrayType):
            value = F.split(value, LIST_SEPARATOR)
        if field.name == "expected_readings_per_hour":
            value = F.coalesce(value.cast("int"), F.lit(profile.registry.expected_readings_per_hour))
        columns.append(value.cast(field.dataType).alias(field.name))
    return text.select(*columns)
