"""Shape and checks of ``consistency_check_metrics`` (contract M11) and ``device_properties``."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.checks import in_set, non_null, not_after, primary_key, schema_equals
from fleet_health.profiles.model import Profile
from transforms import expectations as E
from transforms.api import Check

OFFLINE_VS_MODEL_INPUT = "offline_vs_model_input"
OFFLINE_VS_ONTOLOGY = "offline_vs_ontology"
CHECKS = (OFFLINE_VS_MODEL_INPUT, OFFLINE_VS_ONTOLOGY, "time_series_sync")
MODEL_INPUT_RATE_MAX = 0.001
ONTOLOGY_RATE_BELOW = 0.05

CONSISTENCY_SCHEMA = T.StructType(
    [
        T.StructField("check_id", T.StringType()),
        T.StructField("checked_at", T.TimestampType()),
        T.StructField("feature_name", T.StringType()),
        T.StructField("pairs_compared", T.LongType()),
        T.StructField("mismatches", T.LongType()),
        T.StructField("mismatch_rate", T.DoubleType()),
        T.StructField("max_abs_diff", T.DoubleType()),
        T.StructField("sync_lag_minutes", T.DoubleType()),
    ]
)


def properties_schema(profile: Profile) -> T.StructType:
    """The device, its declared properties in order, and the data time they were refreshed at."""
    return T.StructType(
        [
            T.StructField("device_id", T.StringType()),
            *(T.StructField(one.name, T.DoubleType()) for one in profile.properties),
            T.StructField("refreshed_at", T.TimestampType()),
        ]
    )


def properties_checks(profile: Profile) -> list[Check]:
    return [
        schema_equals("PRO-00", properties_schema(profile)),
        primary_key("PRO-01", ["device_id"], "a device has one value of each property"),
        *non_null("PRO-02", ["refreshed_at"], "a value of unknown age cannot be judged"),
    ]


INTEGRITY_SCHEMA = T.StructType(
    [
        T.StructField("labels", T.LongType()),
        T.StructField("labels_with_alert", T.LongType()),
        T.StructField("join_integrity", T.DoubleType()),
    ]
)


def integrity_checks() -> list[Check]:
    known = "a label about an alert that nobody raised cannot be learned from"
    return [
        schema_equals("LBJ-00", INTEGRITY_SCHEMA),
        Check(E.col("join_integrity").gte(1.0), "LBJ-01 every alert that is named exists", description=known),
    ]


def consistency_checks() -> list[Check]:
    check, rate = E.col("check_id"), E.col("mismatch_rate")
    served = E.any(E.negate(check.equals(OFFLINE_VS_MODEL_INPUT)), rate.lte(MODEL_INPUT_RATE_MAX))
    shown = E.any(E.negate(check.equals(OFFLINE_VS_ONTOLOGY)), rate.lt(ONTOLOGY_RATE_BELOW))
    return [
        schema_equals("CCM-00", CONSISTENCY_SCHEMA),
        primary_key("CCM-01", ["check_id", "checked_at", "feature_name"], "one row per check and feature"),
        not_after("CCM-02", "mismatches", "pairs_compared", "only what was compared can differ"),
        in_set("CCM-05", "check_id", CHECKS, "closed list"),
        Check(served, "CCM-03 model input tells what the features tell", on_error="WARN", description=_SERVED),
        Check(shown, "CCM-04 properties tell what the features tell", on_error="WARN", description=_SHOWN),
    ]


_SERVED = "one shared function should give no difference; one pair in a thousand is the allowance"
_SHOWN = "one refresh of delay is normal, and a twentieth of the fleet is a refresh that got stuck"
