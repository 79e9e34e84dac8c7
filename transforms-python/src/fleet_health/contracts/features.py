"""Shape of ``device_features`` (contract 3), of the versions it is chosen from, and of the runs that write them."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.checks import in_range, in_set, non_null, not_after, schema_equals
from fleet_health.profiles.model import Profile
from transforms.api import Check

COUNTS = ("reading_count", "quality_flag_count")

RUNS_SCHEMA = T.StructType(
    [
        T.StructField("watermark", T.TimestampType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("readings_landed", T.LongType()),
        T.StructField("windows_written", T.LongType()),
        T.StructField("versions_rewritten", T.LongType()),
        T.StructField("readings_late", T.LongType()),
        T.StructField("readings_too_late", T.LongType()),
    ]
)


def features_schema(profile: Profile) -> T.StructType:
    """Key, every feature in the profile's order, and the instant at which the row could first be known."""
    values = [T.StructField(f.name, T.IntegerType() if f.name in COUNTS else T.DoubleType()) for f in profile.features]
    return T.StructType(
        [
            T.StructField("device_id", T.StringType()),
            T.StructField("window_start", T.TimestampType()),
            T.StructField("window_end", T.TimestampType()),
            T.StructField("window_duration_minutes", T.IntegerType()),
            *values,
            T.StructField("computed_at", T.TimestampType()),
        ]
    )


def version_checks(profile: Profile) -> list[Check]:
    """Of the rows alone: the key is checked where one version of each window is left."""
    return [
        schema_equals("FVR-00", features_schema(profile)),
        in_set("FVR-01", "window_duration_minutes", profile.windows_minutes, "only the declared lengths exist"),
        not_after("FVR-02", "window_end", "computed_at", "an open window would change its values later"),
        in_range("FVR-03", "reading_count", 1, None, "an empty window has no row at all"),
    ]


def run_checks(profile: Profile) -> list[Check]:
    return [
        schema_equals("FRN-00", RUNS_SCHEMA),
        *non_null("FRN-01", ["watermark"], "the next run starts from it"),
        in_set("FRN-02", "window_duration_minutes", profile.windows_minutes, "only the declared lengths exist"),
    ]
