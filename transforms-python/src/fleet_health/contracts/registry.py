"""Shape of ``device_registry`` (contract R1)."""

from __future__ import annotations

from pyspark.sql import types as T

REGISTRY_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("site_id", T.StringType()),
        T.StructField("region", T.StringType()),
        T.StructField("model", T.StringType()),
        T.StructField("install_date", T.DateType()),
        T.StructField("firmware_version", T.StringType()),
        T.StructField("status", T.StringType()),
        T.StructField("expected_sensors", T.ArrayType(T.StringType())),
        T.StructField("climate_zone", T.StringType()),
        T.StructField("cohort_id", T.StringType()),
        T.StructField("timezone", T.StringType()),
        T.StructField("expected_readings_per_hour", T.IntegerType()),
        T.StructField("updated_at", T.TimestampType()),
    ]
)

STATUSES = ("active", "inactive", "decommissioned")
