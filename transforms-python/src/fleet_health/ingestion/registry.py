"""``device_registry``: one row per known unit, from the profile itself or from the asset system's CSV."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones as _zone_names

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.definition_errors import nearest
from fleet_health.profiles.model import Profile

LIST_SEPARATOR = ";"
DEPARTED = "decommissioned"

available_timezones = cache(_zone_names)
"""Walks a folder of six hundred files, hence once."""


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


def every_device(raw: DataFrame, profile: Profile) -> DataFrame:
    """A registry for a fleet that has none: each device of ``raw`` whose id the profile takes for one.

    What the profile says of one device, it says of all of them.
    """
    fleet = profile.registry.every_device
    if fleet is None:
        raise ValueError(f"profile {profile.profile!r} has a registry")  # the transform asks only without one
    facts = {
        **fleet.model_dump(exclude={"reason", "expected_sensors"}),
        "expected_readings_per_hour": profile.registry.expected_readings_per_hour,
        "updated_at": pd.to_datetime(str(profile.registry.updated_at), utc=True),
    }
    columns = []
    for field in REGISTRY_SCHEMA:
        value = F.col("device_id") if field.name == "device_id" else F.lit(facts.get(field.name))
        if field.name == "expected_sensors":
            value = F.array(*map(F.lit, fleet.expected_sensors))
        columns.append(value.cast(field.dataType).alias(field.name))
    sent = raw.select("device_id").distinct()
    if fleet.id_pattern is not None:
        sent = sent.where(F.col("device_id").rlike(f"^(?:{fleet.id_pattern})$"))
    return sent.select(*columns)


class RegistryRowError(ValueError):
    """The asset system's CSV says something that cannot be used.

    Attributes:
        dataset: where the CSV was read from.
        row: 1-based data row over all files; ``None`` when a column is meant.
        problem: what is wrong, and how it should be.
    """

    def __init__(self, dataset: str, row: int | None, problem: str) -> None:
        super().__init__(dataset, row, problem)
        self.dataset, self.row, self.problem = dataset, row, problem

    def __str__(self) -> str:
        place = self.dataset if self.row is None else f"{self.dataset}, data row {self.row}"
        return f"{place}: {self.problem}. Correct the CSV and ingest it again."


class RegistryShrunkError(ValueError):
    """A CSV holds far fewer devices than the registry in force, which therefore stays as it is.

    Attributes:
        dataset: where the CSV was read from.
        rows: devices in the CSV.
        before: devices in the registry in force.
        limit: the share of them that a CSV must hold.
    """

    def __init__(self, dataset: str, rows: int, before: int, limit: float) -> None:
        super().__init__(dataset, rows, before, limit)
        self.dataset, self.rows, self.before, self.limit = dataset, rows, before, limit

    def __str__(self) -> str:
        return (
            f"{self.dataset}: {self.rows} devices instead of {self.before}, less than {self.limit:.4g} of them; the "
            "registry in force stays. Ingest the complete export again, or lower `registry.kept_share_min` in the "
            "profile, with its reason, if so many devices did leave the fleet."
        )


def check_size(rows: int, before: int, profile: Profile) -> None:
    """Refuses a registry that lost more devices than can be true; a first registry (``before`` 0) may have any size.

    Args:
        rows: devices in the CSV.
        before: devices in the registry in force that have not left the fleet.
        profile: says how many may be missing at once.

    Raises:
        RegistryShrunkError: fewer than ``registry.kept_share_min`` of the devices before.
    """
    limit = profile.registry.kept_share_min.value
    if rows < limit * before:
        raise RegistryShrunkError(str(profile.registry.dataset), rows, before, limit)


def check_registry(table: pd.DataFrame, profile: Profile) -> None:
    """Refuses what would otherwise turn into nulls.

    Args:
        table: the CSV as text, with the columns of the contract.
        profile: the fleet; its sensors are the known ones.

    Raises:
        RegistryRowError: a column that must be there is not; a device has two rows; a time zone that does not exist; a
            rate that is no whole number above 0; a time that is none; a sensor that the profile does not have.
    """
    dataset = str(profile.registry.dataset)
    for name in ("device_id", "updated_at"):
        if name not in table:
            problem = f"column {name!r} is missing among {', '.join(map(repr, table.columns))}"
            raise RegistryRowError(dataset, None, f"{problem}; the file is UTF-8 text with commas")
    first: dict[str, int] = {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        cells = {str(name): str(value).strip() for name, value in row.items()}
        wrong = _problem(cells, profile)
        if wrong is None and cells["device_id"] in first:
            wrong = f"the device is in data row {first[cells['device_id']]} already; readings would count twice"
        first[cells["device_id"]] = number
        if wrong is not None:
            raise RegistryRowError(dataset, number, f"{wrong} (device {cells['device_id']!r})")


def _problem(cells: Mapping[str, str], profile: Profile) -> str | None:
    zone = cells.get("timezone", "")
    if zone and zone not in available_timezones():
        return f"time zone {zone!r} does not exist; use an IANA name such as Europe/Berlin"
    rate = cells.get("expected_readings_per_hour", "")
    if rate and not (rate.isdecimal() and int(rate) > 0):
        return f"expected_readings_per_hour {rate!r} is no whole number above 0"
    try:
        datetime.fromisoformat(cells["updated_at"])
    except ValueError:
        return f"updated_at {cells['updated_at']!r} is no time such as 2026-01-31T00:00:00Z"
    named = [name.strip() for name in cells.get("expected_sensors", "").split(LIST_SEPARATOR)]
    unknown = [name for name in named if name and name not in profile.sensor_names]
    return f"sensor {unknown[0]!r} is not declared. {nearest(unknown[0], profile.sensor_names)}" if unknown else None


def with_departed(listed: DataFrame, before: DataFrame) -> DataFrame:
    """``listed`` plus the units of ``before`` that it no longer holds: ``decommissioned``, and otherwise as they were.

    What such a unit sent stays clean and explainable; it only leaves every count of what a fleet should send.
    """
    gone = before.join(listed.select("device_id"), "device_id", "left_anti").withColumn("status", F.lit(DEPARTED))
    return listed.unionByName(gone.select(*listed.columns))


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
            value = F.split(value, rf"\s*{LIST_SEPARATOR}\s*")
        if field.name == "expected_readings_per_hour":
            value = F.coalesce(value.cast("int"), F.lit(profile.registry.expected_readings_per_hour))
        columns.append(value.cast(field.dataType).alias(field.name))
    return text.select(*columns)
