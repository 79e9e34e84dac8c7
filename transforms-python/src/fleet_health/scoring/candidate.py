"""``shadow_model_scores`` and ``canary_comparison``: what the version that does not drive alerts says.

Two versions share the windows of a live canary: the candidate drives alerts of some devices, by the hash of their ids,
and the champion of all others. Each window is scored by the other version too, into a dataset that no alert reads.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import COMPARISON_SCHEMA, SHADOW_SCHEMA
from fleet_health.model_input.released import Roles, in_share, version_of
from fleet_health.scoring.scores import model_scores, unscored

_WINDOW = ("device_id", "window_start", "window_end", "granularity")


def driving_scores(
    champion_input: DataFrame, candidate_input: DataFrame | None, features: DataFrame, before: DataFrame, roles: Roles
) -> DataFrame:
    """The new rows of ``model_scores``: those that may wake somebody.

    Args:
        champion_input: vectors filled for the champion.
        candidate_input: vectors filled for the candidate; may be left out without a live canary.
        features: ``device_features``.
        before: ``model_scores`` so far.
        roles: who drives alerts, and of which share of devices; a champion that was halted scores nothing.
    """
    if roles.halted:
        return before.where("false")
    share = roles.alerting_share
    if candidate_input is None or not share:
        return model_scores(unscored(champion_input, before, roles.champion), features, roles.champion)
    canary = in_share(F.col("device_id"), share)
    champions = model_scores(unscored(champion_input.where(~canary), before, roles.champion), features, roles.champion)
    candidates = unscored(candidate_input.where(canary), before, roles.candidate)
    return champions.unionByName(model_scores(candidates, features, roles.candidate))


def shadow_scores(
    champion_input: DataFrame, candidate_input: DataFrame, features: DataFrame, before: DataFrame, roles: Roles
) -> DataFrame:
    """The new rows of ``shadow_model_scores``: of each window the version that does not drive its alerts.

    Args:
        champion_input: vectors filled for the champion.
        candidate_input: vectors filled for the candidate.
        features: ``device_features``.
        before: ``shadow_model_scores`` so far.
        roles: of both; there is a candidate.
    """
    share = roles.alerting_share
    served = ~in_share(F.col("device_id"), share) if share else in_share(F.col("device_id"), roles.fraction)
    rows = model_scores(unscored(candidate_input.where(served), before, roles.candidate), features, roles.candidate)
    if share:
        others = unscored(champion_input.where(~served), before, roles.champion)
        rows = rows.unionByName(model_scores(others, features, roles.champion))
    return conform(rows.withColumn("deployment_role", F.lit(roles.stage)), SHADOW_SCHEMA)


def canary_comparison(shadow: DataFrame, production: DataFrame, roles: Roles) -> DataFrame:
    """Both scores of every window that both versions scored.

    Args:
        shadow: rows of ``shadow_model_scores`` to compare.
        production: ``model_scores``.
        roles: the two versions; rows of others are left out.

    Returns:
        one row per window; none without a candidate.
    """
    # without a candidate no row names one
    tried = "" if roles.candidate is None else version_of(roles.candidate)
    names = {"champion": version_of(roles.champion), "candidate": tried}
    sides = [_side(shadow, "there", "scored_at"), _side(production, "here")]
    pairs = sides[0].join(sides[1], list(_WINDOW))
    champion_here = (F.col("here_by") == F.lit(names["champion"])) & (F.col("there_by") == F.lit(names["candidate"]))
    champion_there = (F.col("there_by") == F.lit(names["champion"])) & (F.col("here_by") == F.lit(names["candidate"]))
    told = {
        f"{who}_{what}": F.when(champion_here, F.col(f"{near}_{what}")).otherwise(F.col(f"{far}_{what}"))
        for who, near, far in (("champion", "here", "there"), ("candidate", "there", "here"))
        for what in ("score", "flag")
    }
    run = F.date_format("scored_at", "yyyy-MM-dd'T'HH:mm:ss")
    rows = pairs.where(champion_here | champion_there).withColumns(told)
    rows = rows.withColumns(
        {
            "score_diff": F.col("candidate_score") - F.col("champion_score"),
            "comparison_id": F.concat_ws(" ", F.lit(names["candidate"]), F.lit("vs"), F.lit(names["champion"]), run),
        }
    )
    return conform(rows, COMPARISON_SCHEMA)


def _side(scores: DataFrame, name: str, *more: str) -> DataFrame:
    by = F.concat_ws(" ", "model_id", "model_version").alias(f"{name}_by")
    told = (F.col("anomaly_score").alias(f"{name}_score"), F.col("anomaly_flag").alias(f"{name}_flag"))
    return scores.select(*_WINDOW, *more, by, *told)
