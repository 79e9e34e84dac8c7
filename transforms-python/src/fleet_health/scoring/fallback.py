"""``threshold_fallback``: rules over features that score while no model does. A null never fires, a flag is never null.

Rules are coarse on purpose: they say what nobody would argue with. No rule fires: 0, one: a score above the threshold,
two or more: a higher one, as the profile grades them.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.ids import natural_key_id
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import Fallback, FallbackRule

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONTRIBUTORS = 5


def fallback_of(profile: Profile) -> Fallback:
    """Raises ProfileReferenceError for a profile without a ``fallback`` section."""
    if profile.fallback is None:
        raise ProfileReferenceError(profile.profile, None, "no `fallback` section", "Add rules, or run no fallback.")
    return profile.fallback


def fired_rules(features: Mapping[str, float | None], profile: Profile) -> list[str]:
    """The features whose rules fire on one window, in the order of the profile; missing, null and NaN never fire."""
    return [rule.feature for rule in fallback_of(profile).rules if _holds(rule, features)]


def _holds(rule: FallbackRule, features: Mapping[str, float | None]) -> bool:
    value = _number(features.get(rule.feature))
    if value is None or not _COMPARE[rule.op](value, rule.value):
        return False
    if rule.gate is None:
        return True
    gate = _number(features.get(rule.gate.feature))
    return bool(_COMPARE[rule.gate.op](rule.gate.null_as if gate is None else gate, rule.gate.value))


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def fallback_scores(features: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract 5 that rules give.

    Args:
        features: ``device_features`` of the windows to score, plus ``scored_at``, the time of the run that does it.
        profile: rules and grades.

    Returns:
        one row per row of ``features``, whatever its completeness: a rule needs one feature and not a vector.
        ``top_contributors`` are the features that fired, in the order of the profile and at most five, each of strength
        1; null when none fired. Nothing is imputed.
    """
    fallback = fallback_of(profile)
    fires = [_fires(rule) for rule in fallback.rules]
    count = functools.reduce(operator.add, (fired.cast("int") for fired in fires))
    none, one, more = (F.lit(float(score)) for score in fallback.scores)
    told = F.array_compact(
        F.array(*(F.when(fired, F.lit(rule.feature)) for rule, fired in zip(fallback.rules, fires, strict=True)))
    )
    names = F.slice(told, 1, _CONTRIBUTORS)
    constants = {
        "model_id": F.lit(fallback.model_id),
        "model_version": F.lit(fallback.model_version),
        "granularity": F.lit("fleet"),
        "threshold_used": F.lit(float(fallback.threshold)),
        "imputed_feature_count": F.lit(0),
    }
    rows = features.withColumns({**constants, "_fired": count, "_names": names})
    score = F.when(F.col("_fired") == 0, none).when(F.col("_fired") == 1, one).otherwise(more)
    rows = rows.withColumns(
        {
            "anomaly_score": score,
            "top_contributors": F.when(F.col("_fired") > 0, F.col("_names")),
            "contributor_scores": F.when(F.col("_fired") > 0, F.array_repeat(F.lit(1.0), F.size("_names"))),
        }
    )
    key = (
        F.col("device_id"),
        F.unix_micros("window_start"),
        F.unix_micros("window_end"),
        *(F.col(name) for name in ("model_id", "model_version", "granularity")),
    )
    rows = rows.withColumns(
        {
            "anomaly_flag": F.col("anomaly_score") > F.col("threshold_used"),
            "score_id": natural_key_id("score", *key),
        }
    )
    return conform(rows, SCORES_SCHEMA)


def _fires(rule: FallbackRule) -> Column:
    value = F.col(rule.feature)
    holds: Column = _COMPARE[rule.op](value, F.lit(float(rule.value))) & ~F.isnan(value)
    if rule.gate is not None:
        gate = F.col(rule.gate.feature)
        known = F.when(F.isnan(gate), F.lit(None)).otherwise(gate)
        passed: Column = _COMPARE[rule.gate.op](
            F.coalesce(known, F.lit(float(rule.gate.null_as))), F.lit(float(rule.gate.value))
        )
        holds = holds & passed
    return F.coalesce(holds, F.lit(False))
