"""Lag features: the device's own earlier windows, and none beyond the cut-off of a split."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.model_input.lags import Lag, with_lags

START = pd.Timestamp("2026-02-01 10:00")


@pytest.mark.case("XSN-FL-02")
def test_no_window_after_the_cut_off_is_joined(spark: SparkSession) -> None:
    quarters = [("a", n, 10.0 * n) for n in range(4)] + [
        ("b", 0, 0.5),
        ("b", 1, 10.5),
        ("gap", 0, 1.0),
        ("gap", 2, 2.0),
    ]
    rows = pd.DataFrame(
        [(device, 15, START + pd.Timedelta(minutes=15 * n), load) for device, n, load in quarters]
        + [("a", 60, START + pd.Timedelta(minutes=15), 99.0)],
        columns=["device_id", "window_duration_minutes", "window_end", "load"],
    )
    schema = "device_id string, window_duration_minutes int, window_end timestamp, load double"
    cut_off = datetime(2026, 2, 1, 10, 15, tzinfo=UTC)  # the second window still counts
    made = with_lags(spark.createDataFrame(rows, schema), [Lag("load", 1)], cut_off).toPandas()
    assert len(made) == len(rows)
    lags = {
        (
            row.device_id,
            row.window_duration_minutes,
            int((row.window_end - START).total_seconds() // 900),
        ): row.load_lag_1
        for row in made.itertuples()
    }
    null = [key for key, value in lags.items() if pd.isna(value)]
    # first windows, the hour, the window after a gap, and 10:45, whose predecessor ended after the cut-off
    assert sorted(null) == [("a", 15, 0), ("a", 15, 3), ("a", 60, 1), ("b", 15, 0), ("gap", 15, 0), ("gap", 15, 2)]
    assert [lags["a", 15, 1], lags["a", 15, 2], lags["b", 15, 1]] == [0.0, 10.0, 0.5]


def test_a_lag_looks_back() -> None:
    with pytest.raises(ValueError, match="a lag of 0 windows on 'load' is not in the past"):
        Lag("load", 0)
