"""Windows to vectors by name: what a model lists, in its order, and nothing that is not a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.ids import natural_key_id_of
from fleet_health.model_input.errors import (
    MissingFeatureError,
    NotANumberError,
    OtherFeaturesError,
    WrongVersionError,
)
from fleet_health.model_input.imputation import FillConstants, Filler
from fleet_health.profiles.learning import Imputation

COMPLETENESS = "SENSOR_COMPLETENESS_BELOW_GATE"
NOTHING_TO_FILL_WITH = "NOTHING_TO_FILL_WITH"
REASONS = (COMPLETENESS, NOTHING_TO_FILL_WITH)

_MADE = (
    T.StructField("feature_vector", T.ArrayType(T.DoubleType())),
    T.StructField("imputed_feature_count", T.IntegerType()),
    T.StructField("unfilled", T.ArrayType(T.StringType())),
)


def features_id(names: Iterable[str]) -> str:
    """What stands for these features in this order. Position is meaning."""
    return natural_key_id_of("features", *names)


def refuse_other_features(model_id: str, expected: Sequence[str], found: str) -> None:
    """Raises :class:`OtherFeaturesError` unless ``found`` is the :func:`features_id` of ``expected``."""
    wanted = features_id(expected)
    if found != wanted:
        raise OtherFeaturesError(model_id, wanted, found)


def refuse_other_version(model_id: str, expected: str, found: str) -> None:
    """Raises :class:`WrongVersionError` unless the vectors were filled for the version that scores them."""
    if expected != found:
        raise WrongVersionError(model_id, expected, found)


def refuse_missing_columns(model_id: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """Raises :class:`MissingFeatureError` with every feature of ``names`` that is not in ``columns``."""
    missing = tuple(name for name in names if name not in columns)
    if missing:
        raise MissingFeatureError(model_id, missing, tuple(columns))


def refuse_odd_values(devices: pd.Series[str], odd: pd.Series[str]) -> None:
    """Raises :class:`NotANumberError` for the first row in which ``odd`` names a feature."""
    wrong = odd.notna().to_numpy()
    if wrong.any():
        place = int(wrong.argmax())
        raise NotANumberError(str(devices.iloc[place]), str(odd.iloc[place]))


def vectors(
    rows: DataFrame, wanted: Column, constants: FillConstants, imputation: Imputation, model_id: str
) -> DataFrame:
    """A complete vector for every wanted window.

    Args:
        rows: windows in the shape of ``device_features`` plus ``cohort_id``, one row per key. All of a device's
            windows should be here: those that are not wanted are still history to fill from.
        wanted: which of them need a vector.
        constants: the features in order, and what was frozen for them.
        imputation: how old a value may be.
        model_id: named in errors.

    Returns:
        ``rows`` without its feature columns plus ``feature_vector``, ``imputed_feature_count`` and ``unfilled``: the
        features that nothing could stand in for, null when the vector is complete. A device's windows meet in one
        partition in the order of their time, so neither files nor tasks show in the result.

    Raises:
        MissingFeatureError: a feature is no column of ``rows``.
        NotANumberError: (when computed) a value is NaN or infinite.
    """
    names = list(constants.names)
    refuse_missing_columns(model_id, names, rows.columns)
    carried = [field for field in rows.schema if field.name not in names or field.name in _KEPT]
    # a feature may be carried as well (sensor_completeness), so vector values travel under their position
    inside = [f"_v{place}" for place in range(len(names))]
    infinite = F.lit(float("inf"))
    odd = [
        F.when(F.isnan(name) | (F.abs(F.col(name).cast("double")) == infinite), F.lit(name)).alias(name)
        for name in names
        if isinstance(rows.schema[name].dataType, T.DoubleType)
    ]
    ordered = (
        rows.select(
            *(field.name for field in carried),
            *(F.col(name).cast("double").alias(place) for name, place in zip(names, inside, strict=True)),
            F.unix_micros("window_end").alias("_micros"),
            wanted.alias("_wanted"),
            (F.coalesce(*odd) if odd else F.lit(None).cast("string")).alias("_odd"),
        )
        .repartition("device_id")
        .sortWithinPartitions("device_id", "window_duration_minutes", "_micros")
    )
    placed = FillConstants(tuple(inside), constants.medians, constants.cohort_medians)
    output = [field.name for field in carried]

    def fill(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        filler = Filler(placed, imputation.max_age_of)
        for batch in batches:
            if not len(batch):
                continue
            refuse_odd_values(batch["device_id"], batch["_odd"])
            made, counts, missing = filler.fill(batch.rename(columns={"_micros": "micros"}))
            kept = batch["_wanted"].to_numpy(dtype=bool)
            if not kept.any():
                continue  # nothing but history, which the filler has now seen
            incomplete = missing.any(axis=1)
            yield batch.loc[kept, output].assign(
                feature_vector=list(made[kept]),
                imputed_feature_count=counts[kept],
                unfilled=[
                    [names[place] for place in np.flatnonzero(row)] if short else None
                    for row, short in zip(missing[kept], incomplete[kept], strict=True)
                ],
            )

    return ordered.mapInPandas(fill, T.StructType([*carried, *_MADE]))


_KEPT = ("sensor_completeness",)
"""Features that are wanted beside the vector as well."""
