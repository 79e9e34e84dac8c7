"""Scores around maintenance: the last before its day and the first after it, of the same device."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.ingestion.work_orders import work_orders
from fleet_health.monitoring.maintenance import MAINTENANCE_SCHEMA, maintenance_events
from fleet_health.profiles.loader import shipped_profile

QUARTER = pd.Timedelta(minutes=15)


def score(device: str, start: str, value: float, scored: str = "2026-03-20T00:00:00Z") -> dict[str, Any]:
    begins = pd.Timestamp(start)
    times = {"window_start": begins, "window_end": begins + QUARTER, "scored_at": pd.Timestamp(scored)}
    return {"device_id": device, "anomaly_score": value, **times}


@pytest.mark.nightly
def test_an_order_has_the_scores_around_its_day(spark: SparkSession) -> None:
    scores = [
        score("D1", "2026-03-07T23:30:00Z", 0.7),
        score("D1", "2026-03-07T23:45:00Z", 0.8),  # ends when the day begins
        score("D1", "2026-03-07T23:45:00Z", 0.9, "2026-03-21T00:00:00Z"),  # the same window, scored again
        score("D1", "2026-03-08T12:00:00Z", 0.99),  # while somebody worked on it
        score("D1", "2026-03-08T23:50:00Z", 0.5),  # begins on the day
        score("D1", "2026-03-09T00:00:00Z", 0.2),
        score("D1", "2026-03-09T00:15:00Z", 0.1),
        score("D2", "2026-03-07T23:45:00Z", 0.3),
    ]
    table = pd.DataFrame(
        [("W1", "D1", "2026-03-08"), ("W2", "D2", "2026-03-08"), ("W3", "D3", "2026-03-08"), ("W4", "D1", "")],
        columns=["event_id", "device_id", "completed_date"],
    ).assign(event_type="corrective")
    orders = work_orders(table, shipped_profile("refrigeration"), "d")
    found = maintenance_events(orders, spark.createDataFrame(pd.DataFrame(scores)))
    assert found.schema.names == MAINTENANCE_SCHEMA.names
    near = ["event_id", "pre_maintenance_anomaly_score", "post_maintenance_anomaly_score"]
    assert sorted(tuple(row) for row in found.select(near).collect()) == [
        *(("W1", 0.9, 0.2), ("W2", 0.3, None), ("W3", None, None), ("W4", None, None))
    ]
