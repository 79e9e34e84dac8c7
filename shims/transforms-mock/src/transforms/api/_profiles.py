"""Spark profiles that change results, and the settings behind them; every other profile only sizes machines."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from transforms._names import caller, in_order
from transforms.errors import TransformTypeError

_LEGACY = "spark.sql.legacy."
_REBASE = {
    f"spark.sql.{source}.datetimeRebaseModeIn{direction}": "LEGACY"
    for source in ("avro", "parquet")
    for direction in ("Read", "Write")
}

RESULT_PROFILES: dict[str, dict[str, str]] = {
    "LEGACY_TIME_PARSER_POLICY": {f"{_LEGACY}timeParserPolicy": "LEGACY"},
    "TIME_PARSER_POLICY_CORRECTED": {f"{_LEGACY}timeParserPolicy": "CORRECTED"},
    "LEGACY_DATETIME_REBASE_MODE": _REBASE,
    "LEGACY_ALLOW_UNTYPED_SCALA_UDF": {f"{_LEGACY}allowUntypedScalaUDF": "true"},
    "LEGACY_ALLOW_NEGATIVE_DECIMAL_SCALE": {f"{_LEGACY}allowNegativeScaleOfDecimal": "true"},
    "LEGACY_ALLOW_HASH_ON_MAPTYPE": {f"{_LEGACY}allowHashOnMapType": "true"},
    "LEGACY_NAME_NON_STRUCT_GROUPING_KEY_AS_VALUE": {f"{_LEGACY}dataset.nameNonStructGroupingKeyAsValue": "true"},
    "LEGACY_ARRAY_EXISTS_NULL_HANDLING": {f"{_LEGACY}followThreeValuedLogicInArrayExists": "false"},
    "LEGACY_ALLOW_AMBIGUOUS_SELF_JOIN": {"spark.sql.analyzer.failAmbiguousSelfJoin": "false"},
    "LEGACY_FROM_DAYTIME_STRING": {f"{_LEGACY}fromDayTimeString.enabled": "true"},
    "LEGACY_DATETIME_STRING_COMPARISON": {f"{_LEGACY}typeCoercion.datetimeToString.enabled": "true"},
    "SPARK_ALLOW_INT96_AS_TIMESTAMP": {"spark.sql.parquet.int96AsTimestamp": "true"},
    "LAST_MAP_KEY_WINS": {"spark.sql.mapKeyDedupPolicy": "LAST_WIN"},
    "CROSS_JOIN_ENABLED": {"spark.sql.crossJoin.enabled": "true"},
}


def profile_names(owner: str, given: Any) -> tuple[str, ...]:
    """One profile or several as a tuple.

    Raises:
        TransformTypeError: neither a name nor a list of names.
    """
    names = () if given is None else (given,) if isinstance(given, str) else given
    # A transform is iterable no more than it is a name, and a bare decorator hands one in.
    named = in_order(names) if isinstance(names, list | tuple | set | frozenset | Generator) else None
    if named is None or not all(isinstance(name, str) for name in named):
        raise TransformTypeError(f"{owner} is a name or a list of names, got {given!r}.", caller())
    return named


def result_settings(profiles: Iterable[str]) -> dict[str, str]:
    """Spark settings of those profiles that change results; evaluated left to right, later ones win."""
    settings: dict[str, str] = {}
    for profile in profiles:
        settings |= RESULT_PROFILES.get(profile, {})
    return settings
