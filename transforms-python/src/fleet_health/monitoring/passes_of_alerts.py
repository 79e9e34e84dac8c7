"""Figures of alerts: how many, how urgent, how sudden, and whether they led to useful work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pyspark.sql import Row
from pyspark.sql import functions as F

from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY, HOUR, Pass, Told, Watched, figure, ratio, rows_of
from fleet_health.profiles.model import Profile

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
URGENT = ("HIGH", "CRITICAL")
URGENT_HOURS = 6
"""Hours at whose end the urgent devices of 24 hours are counted."""
BURST = 600
"""Seconds in which urgent alerts of the stream are counted together."""


def _alerts(watched: Watched) -> Iterator[Told]:
    """By day and severity; and at the end of each of the last hours, devices with an urgent alert in 24 hours."""
    scored = watched["model_scores"]
    span = ("min(unix_timestamp(window_end)) AS first", "max(unix_timestamp(window_end)) AS last")
    # an aggregate of all rows has one row
    told = scored.agg(*map(F.expr, span)).collect()[0]
    alerts = watched["device_alerts"].where("NOT suppressed AND alert_type != 'ANOMALY_RESOLVED'")
    day = F.expr(f"unix_timestamp(window_end) DIV {DAY} * {DAY} AS day")
    counts = {
        (row["day"], row["severity"]): row["count"] for row in rows_of(alerts.groupBy(day, "severity").count(), "*")
    }
    if told["last"] is not None:
        # a day without alerts counts as none and not as unknown
        for at in range(told["first"] // DAY * DAY, told["last"] + 1, DAY):
            for severity in SEVERITIES:
                yield figure("alerts_raised", counts.get((at, severity), 0), severity, at)
    now, (active, _) = (told["last"] or 0) // HOUR * HOUR, watched.units
    age = f"({now} - unix_timestamp(window_end) DIV {HOUR} * {HOUR})"
    urgent = alerts.where(f"severity IN {URGENT} AND {age} >= 0 AND {age} < {DAY + URGENT_HOURS * HOUR}")
    inside = [
        f"max(int({age} >= {back * HOUR} AND {age} < {back * HOUR + DAY})) AS n_{back}" for back in range(URGENT_HOURS)
    ]
    devices = urgent.groupBy("device_id").agg(*map(F.expr, inside))
    # an aggregate of all rows has one row
    row = devices.agg(*(F.sum(f"n_{back}").alias(f"n_{back}") for back in range(URGENT_HOURS))).collect()[0]
    for back in range(URGENT_HOURS):
        yield figure("urgent_share", ratio(row[f"n_{back}"] or 0, active), period=now - back * HOUR, rows=active)


def _stream(watched: Watched) -> Iterator[Told]:
    """Most urgent alerts in the fullest ten minutes of the newest day."""
    slots, urgent = DAY // BURST, watched["streaming_alerts"].where("severity = 'CRITICAL' AND NOT suppressed")
    bursts = urgent.groupBy(F.expr(f"unix_timestamp(alert_created_at) DIV {BURST} AS slot")).count()
    counts = {row["slot"]: row["count"] for row in rows_of(bursts.orderBy(F.desc("slot")).limit(slots), "*")}
    last = max(counts, default=0)
    yield figure("streaming_burst", max((n for slot, n in counts.items() if slot > last - slots), default=0))


def _no_stream(profile: Profile) -> str | None:
    return None if profile.streaming else "the profile declares no streaming rules"


def _effectiveness(watched: Watched) -> Iterator[Told]:
    """By week over the urgent severities together; and each region against the fleet."""
    told = ("model_id", "severity", "region", "alerts_total", "alerts_reviewed", "alerts_false_positive AS wrong")
    more = ("acknowledged_in_sla_rate", "maintenance_lift", "median_lead_time_hours")
    cells: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows_of(watched["alert_effectiveness_metrics"], "unix_timestamp(week_start) AS week", *told, *more):
        cells[row["model_id"], row["week"]].append(row)
    for (model, week), rows in cells.items():
        yield from _urgent(model, week, [row for row in rows if row["severity"] in URGENT and row["region"] == ALL])
        every = [row for row in rows if row["severity"] == ALL]
        for whole in (row for row in every if row["region"] == ALL):
            if whole["maintenance_lift"] is not None:
                yield figure("maintenance_lift", whole["maintenance_lift"], model, week)
            if whole["median_lead_time_hours"] is not None:
                yield figure("lead_time", whole["median_lead_time_hours"], model, week)
            expected = ratio(whole["wrong"], whole["alerts_reviewed"])
            for row in every:
                if row["region"] != ALL and row["alerts_reviewed"] > 0:
                    share, part = row["wrong"] / row["alerts_reviewed"], f"{model} {row['region']}"
                    yield figure("slice_false_positives", share, part, week, expected, row["alerts_reviewed"])


def _urgent(model: str, week: int, rows: list[Row]) -> Iterator[Told]:
    reviewed = sum(row["alerts_reviewed"] for row in rows)
    if reviewed > 0:
        yield figure("false_positives", sum(row["wrong"] for row in rows) / reviewed, model, week, rows=reviewed)
    known = [row for row in rows if row["acknowledged_in_sla_rate"] is not None]
    if known:
        total = sum(row["alerts_total"] for row in rows)
        in_time = sum(row["acknowledged_in_sla_rate"] * row["alerts_total"] for row in known)
        yield figure("acknowledged_in_time", in_time / total, model, week, rows=total)


_EFFECTS = ("false_positives", "slice_false_positives", "acknowledged_in_time", "maintenance_lift", "lead_time")

PASSES = (
    Pass(("alerts_raised", "urgent_share"), ("device_alerts", "model_scores", "device_registry"), _alerts),
    Pass(("streaming_burst",), ("streaming_alerts",), _stream, _no_stream),
    Pass(
        _EFFECTS,
        ("alert_effectiveness_metrics",),
        _effectiveness,
        quiet=dict.fromkeys(_EFFECTS, "no alert was reviewed, or no maintenance was recorded"),
    ),
)
