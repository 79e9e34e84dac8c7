"""Shape and checks of ``feature_baselines`` (contract 3b) and ``feature_definitions``."""

from __future__ import annotations

import itertools

from pyspark.sql import types as T

from fleet_health.contracts.checks import in_set, non_null, not_after, primary_key, schema_equals
from transforms import expectations as E
from transforms.api import Check

GRANULARITIES = ("fleet", "cohort", "device")

BASELINES_SCHEMA = T.StructType(
    [
        T.StructField("feature_name", T.StringType()),
        T.StructField("granularity", T.StringType()),
        T.StructField("cohort_id", T.StringType()),
        T.StructField("device_id", T.StringType()),
        T.StructField("baseline_mean", T.DoubleType()),
        T.StructField("baseline_std", T.DoubleType()),
        T.StructField("baseline_p05", T.DoubleType()),
        T.StructField("baseline_p25", T.DoubleType()),
        T.StructField("baseline_p50", T.DoubleType()),
        T.StructField("baseline_p75", T.DoubleType()),
        T.StructField("baseline_p95", T.DoubleType()),
        T.StructField("computed_at", T.TimestampType()),
        T.StructField("training_window_start", T.TimestampType()),
        T.StructField("training_window_end", T.TimestampType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("bin_edges", T.ArrayType(T.DoubleType())),
        T.StructField("bin_fractions", T.ArrayType(T.DoubleType())),
        T.StructField("null_fraction", T.DoubleType()),
    ]
)
BASELINE_KEY = (
    "feature_name",
    "granularity",
    "cohort_id",
    "device_id",
    "computed_at",
    "window_duration_minutes",
    "model_id",
    "model_version",
)

DEFINITIONS_SCHEMA = T.StructType(
    [
        T.StructField("feature_name", T.StringType()),
        T.StructField("formula", T.StringType()),
        T.StructField("unit", T.StringType()),
        T.StructField("added_version", T.StringType()),
        T.StructField("available_since", T.DateType()),
    ]
)


def baseline_checks() -> list[Check]:
    level, cohort, device = E.col("granularity"), E.col("cohort_id"), E.col("device_id")
    scoped = E.any(
        E.all(level.equals("fleet"), cohort.is_null(), device.is_null()),
        E.all(level.equals("cohort"), cohort.non_null(), device.is_null()),
        E.all(level.equals("device"), device.non_null()),
    )
    shares = ("p05", "p25", "p50", "p75", "p95")
    steps = itertools.pairwise(shares)
    return [
        schema_equals("BAS-00", BASELINES_SCHEMA),
        in_set("BAS-01", "granularity", GRANULARITIES, "the scope decides which keys are filled"),
        Check(scoped, "BAS-02 scope and keys agree", description="a cohort without a name describes nobody"),
        *(not_after("BAS-03", f"baseline_{low}", f"baseline_{high}", "percentiles are ordered") for low, high in steps),
        Check(
            E.col("training_window_start").lt_col("training_window_end"),
            "BAS-04 training_window_start < training_window_end",
            description="an empty training window describes nothing",
        ),
    ]


def definition_checks() -> list[Check]:
    return [
        schema_equals("FDE-00", DEFINITIONS_SCHEMA),
        primary_key("FDE-01", ["feature_name"], "one name, one formula, for as long as a model may read it"),
        *non_null("FDE-02", ["formula", "unit", "added_version"], "a value without formula and unit cannot be judged"),
    ]
