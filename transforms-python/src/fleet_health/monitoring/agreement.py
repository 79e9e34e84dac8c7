"""``model_agreement_metrics``: which devices models flag together, beyond what chance alone would give."""

from __future__ import annotations

import functools
import itertools
import operator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import AGREEMENT_SCHEMA
from fleet_health.monitoring.judgement import ALL

HIGH, LOW = 0.8, 0.3
BETWEEN = "|"


def agreement(scores: DataFrame) -> DataFrame:
    """The rows of contract M5, in one pass over the scores.

    A device counts as flagged on a day when one of its windows was; its score is its worst. Two models that score
    windows of different lengths are compared at the longer one.

    Args:
        scores: ``model_scores``; nothing comes of a single model.
    """
    by_model = scores.groupBy("model_id").agg(F.max("window_duration_minutes").alias("minutes"))
    # one row per model: some families
    models = [(row["model_id"], row["minutes"]) for row in by_model.collect()]
    spark = scores.sparkSession
    if len(models) < 2:
        return spark.createDataFrame([], AGREEMENT_SCHEMA)
    lengths, names = dict(models), sorted(name for name, _ in models)
    day = F.to_date(F.timestamp_seconds(F.unix_timestamp("window_end") - 1))
    flag, score = F.col("anomaly_flag").cast("int"), F.col("anomaly_score")
    worst = [
        F.max(F.when(F.col("model_id") == name, value)).alias(f"{name}_{kind}")
        for name in names
        for kind, value in (("flag", flag), ("score", score))
    ]
    wide = scores.groupBy(day.alias("evaluation_date"), "device_id").agg(*worst)
    pairs = list(itertools.combinations(names, 2))
    made = [_pair(a, b, max(lengths[a], lengths[b])) for a, b in pairs]
    made += [_everyone(names, max(lengths.values()))] if len(names) > 2 else []
    days = wide.groupBy("evaluation_date").agg(F.array(*made).alias("pairs"))
    rows = days.select("evaluation_date", F.explode("pairs").alias("pair")).select("evaluation_date", "pair.*")
    newest = F.broadcast(scores.agg(F.max("scored_at").alias("computed_at")))
    return conform(_rates(rows.where("devices_compared > 0")).crossJoin(newest), AGREEMENT_SCHEMA)


def _counted(condition: Column) -> Column:
    return F.count(F.when(condition, 1))


def _pair(a: str, b: str, minutes: int) -> Column:
    """Counts of one pair as a struct of aggregates."""
    first, second = F.col(f"{a}_flag"), F.col(f"{b}_flag")
    both = first.isNotNull() & second.isNotNull()
    one, other = F.col(f"{a}_score"), F.col(f"{b}_score")
    apart = ((one > HIGH) & (other < LOW)) | ((other > HIGH) & (one < LOW))
    return _counts(
        f"{a}{BETWEEN}{b}",
        minutes,
        _counted(both),
        _counted(both & (first == second)),
        _counted(both & (first == 1) & (second == 1)),
        _counted(both & (first == 1)),
        _counted(both & (second == 1)),
        _counted(both & apart),
    )


def _everyone(names: list[str], minutes: int) -> Column:
    flags = [F.col(f"{name}_flag") for name in names]
    scores = [F.col(f"{name}_score") for name in names]
    known = functools.reduce(operator.and_, (flag.isNotNull() for flag in flags))
    most, least = F.greatest(*flags), F.least(*flags)
    return _counts(
        ALL,
        minutes,
        _counted(known),
        _counted(known & (most == least)),
        _counted(known & (least == 1)),
        _counted(known & (most == 1)),
        _counted(known & (least == 1)),
        _counted(known & (F.greatest(*scores) > HIGH) & (F.least(*scores) < LOW)),
    )


def _counts(
    pair: str, minutes: int, n: Column, same: Column, together: Column, a: Column, b: Column, apart: Column
) -> Column:
    return F.struct(
        F.lit(pair).alias("pair_id"),
        F.lit(minutes).alias("window_duration_minutes"),
        n.alias("devices_compared"),
        same.alias("same"),
        together.alias("together"),
        a.alias("flagged_a"),
        b.alias("flagged_b"),
        apart.alias("high_disagreement_devices"),
    )


def _rates(rows: DataFrame) -> DataFrame:
    n, a, b = F.col("devices_compared"), F.col("flagged_a"), F.col("flagged_b")
    either = F.when(F.col("pair_id") == ALL, a).otherwise(a + b - F.col("together"))
    plain = F.col("same") / n
    chance = (a * b + (n - a) * (n - b)) / (n * n)
    kappa = F.when((F.col("pair_id") != ALL) & (chance < 1.0), (plain - chance) / (1.0 - chance))
    return rows.withColumns(
        {
            "agreement_rate": plain,
            "jaccard_flagged": F.when(either > 0, F.col("together") / either),
            "cohen_kappa": kappa,
        }
    )
