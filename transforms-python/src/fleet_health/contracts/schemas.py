"""Contract to Spark schema, for one fleet."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from pyspark.sql import types as T

from fleet_health.contracts.loader import shipped_contract
from fleet_health.contracts.model import Column, EachColumn, Parsed
from fleet_health.profiles.model import Profile

COUNTS = ("reading_count", "quality_flag_count")
"""The features that are whole numbers."""

_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(),
    "timestamp": T.TimestampType(),
    "date": T.DateType(),
    "double": T.DoubleType(),
    "long": T.LongType(),
    "integer": T.IntegerType(),
    "boolean": T.BooleanType(),
    "array<string>": T.ArrayType(T.StringType()),
    "array<double>": T.ArrayType(T.DoubleType()),
    "map<string,double>": T.MapType(T.StringType(), T.DoubleType()),
}


def schema_of(dataset: str, profile: Profile | None = None) -> T.StructType:
    """The columns of a dataset without its partitions: contract columns, then additions, in their order.

    Args:
        dataset: the contract's name.
        profile: the fleet; may be left out where no column depends on it.

    Raises:
        ContractMissingError: no such contract.
        ValueError: the contract has a column for each sensor or feature, and no profile was given.
    """
    return _fields(shipped_contract(dataset), profile)


def stored_schema(dataset: str, profile: Profile | None = None) -> T.StructType:
    """What lies in the dataset: :func:`schema_of`, then the partition columns (dates)."""
    parsed = shipped_contract(dataset)
    days = [T.StructField(name, T.DateType()) for name in parsed.partitions]
    return T.StructType([*_fields(parsed, profile).fields, *days])


@functools.cache
def plain_schema(dataset: str) -> T.StructType:
    """:func:`schema_of` of a dataset that looks the same for every fleet."""
    return schema_of(dataset)


def sensor_fields(profile: Profile) -> list[T.StructField]:
    """One nullable column per sensor, in the profile's order."""
    return [T.StructField(sensor.name, _TYPES[sensor.type]) for sensor in profile.sensors]


def feature_fields(profile: Profile) -> list[T.StructField]:
    """One nullable column per feature, in the profile's order; counts are whole numbers."""
    whole, real = T.IntegerType(), T.DoubleType()
    return [T.StructField(feature.name, whole if feature.name in COUNTS else real) for feature in profile.features]


def property_fields(profile: Profile) -> list[T.StructField]:
    """One nullable column per property that the profile shows, in its order."""
    return [T.StructField(shown.name, T.DoubleType()) for shown in profile.properties]


def threshold_fields(profile: Profile) -> list[T.StructField]:
    """One nullable column per limit and stored average of the streaming rules, in their order."""
    rules = profile.streaming.rules if profile.streaming is not None else ()
    return [T.StructField(name, T.DoubleType()) for rule in rules for name in rule.columns]


_EACH = {
    "sensor": sensor_fields,
    "feature": feature_fields,
    "property": property_fields,
    "threshold": threshold_fields,
}


def _fields(parsed: Parsed, profile: Profile | None) -> T.StructType:
    return T.StructType([field for column in parsed.stored for field in _expanded(column, parsed, profile)])


def _has(profile: Profile, key: str) -> bool:
    merge = profile.source.merge
    return merge is not None and (not key.endswith("across_files") or merge.across_files)


def _expanded(column: Column | EachColumn, parsed: Parsed, profile: Profile | None) -> Iterator[T.StructField]:
    if isinstance(column, Column):
        if column.only_with is not None and (profile is None or not _has(profile, column.only_with)):
            return
        yield T.StructField(column.name, _TYPES[column.type])
    elif profile is None:
        raise ValueError(f"{parsed.contract.dataset} has one column per {column.each}: name the profile")
    else:
        yield from _EACH[column.each](profile)
