"""Shape and checks of ``model_input`` (contract 4) and ``model_input_exclusions``."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import types as T

from fleet_health.contracts.checks import in_range, in_set, non_null, primary_key, schema_equals
from transforms import expectations as E
from transforms.api import Check

GRANULARITIES = ("fleet", "cohort", "device")

_KEY = [
    T.StructField("device_id", T.StringType()),
    T.StructField("window_start", T.TimestampType()),
    T.StructField("window_end", T.TimestampType()),
    T.StructField("model_id", T.StringType()),
    T.StructField("granularity", T.StringType()),
]

MODEL_INPUT_SCHEMA = T.StructType(
    [
        *_KEY,
        T.StructField("feature_vector", T.ArrayType(T.DoubleType())),
        T.StructField("feature_names", T.ArrayType(T.StringType())),
        T.StructField("sensor_completeness", T.DoubleType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("cohort_id", T.StringType()),
        T.StructField("imputed_feature_count", T.IntegerType()),
    ]
)

EXCLUSIONS_SCHEMA = T.StructType(
    [
        *_KEY,
        T.StructField("model_version", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("sensor_completeness", T.DoubleType()),
        T.StructField("unfilled", T.ArrayType(T.StringType())),
    ]
)

_NAMES = [field.name for field in _KEY]


def model_input_checks(completeness_min: float) -> list[Check]:
    complete = "models crash or answer with NaN where a value is missing"
    return [
        schema_equals("MIN-00", MODEL_INPUT_SCHEMA),
        primary_key("MIN-01", _NAMES, "one vector per device, window and model"),
        *non_null("MIN-02", ["feature_vector", "feature_names"], complete),
        in_range("MIN-05", "sensor_completeness", completeness_min, 1.0, "with fewer sensors a score is not trusted"),
        in_set("MIN-06", "granularity", GRANULARITIES, "closed list"),
        Check(
            E.col("imputed_feature_count").gte(0),
            "MIN-08 imputed_feature_count >= 0",
            description="how much of a vector was measured must be known for every score",
        ),
    ]


def exclusion_checks(reasons: Sequence[str]) -> list[Check]:
    return [
        schema_equals("MIX-00", EXCLUSIONS_SCHEMA),
        primary_key("MIX-01", _NAMES, "a window is left out once"),
        in_set("MIX-02", "reason", reasons, "whoever misses a score must find out why"),
    ]
