"""Sensors that count (hours run, starts, energy): what they gained in a day, and whether they started again.

What a counter shows only ever grows, so its value lies beyond all earlier ones on every healthy day and says nothing
about drift; what it gains in a day can be compared. One that begins anew belongs to another controller, or to one that
was erased: whatever else such a device tells may mean something else from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

STARTED_AGAIN = 0.5
"""A counter below this share of what it had reached has started again. One that lost its last minutes in a power cut,
or whose readings came in another order, stands a little lower than before and has not."""
MANY = 0.01
"""Devices of a hundred: in a large fleet single controllers are replaced every day."""


def gained(rows: DataFrame, counters: Sequence[str]) -> DataFrame:
    """By ``device_id`` and ``day``: what each counter gained, and ``<counter>_restarted`` as 0 or 1.

    Args:
        rows: ``device_id``, ``day`` (any order), ``timestamp_utc`` and the counters.
        counters: columns of doubles; null readings are passed over, and a day of them has neither figure.
    """
    extremes, figures = [], []
    for s in counters:
        # the value decides between readings of one instant, so that the same rows always give the same figures
        moment = f"IF(`{s}` IS NULL, NULL, struct(timestamp_utc, `{s}`))"
        for name, told in (("first", f"min_by(`{s}`, {moment})"), ("last", f"max_by(`{s}`, {moment})")):
            extremes.append(f"{told} AS `{s}_{name}`")
        extremes += [f"min(`{s}`) AS `{s}_low`", f"max(`{s}`) AS `{s}_high`"]
        first, last, low, high = (f"`{s}_{name}`" for name in ("first", "last", "low", "high"))
        # one odd reading within the day is no restart: the counter must also have stayed below
        within = f"{low} < {STARTED_AGAIN}D * {first} AND {last} < {STARTED_AGAIN}D * {high}"
        before = f"lag({last}) OVER (PARTITION BY device_id ORDER BY day)"
        overnight = f"coalesce({first} < {STARTED_AGAIN}D * {before}, false)"
        figures += [
            f"IF({within}, {high} - {first} + {last} - {low}, IF({last} < {first}, 0D, {last} - {first})) AS `{s}`",
            f"double({within} OR {overnight}) AS `{s}_restarted`",
        ]
    days = rows.groupBy("device_id", "day").agg(*map(F.expr, extremes))
    return days.selectExpr("device_id", "day", *figures)
