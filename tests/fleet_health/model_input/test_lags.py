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
    rows = pd.DataFrame(
        [
            (device, 15, START + pd.Timedelta(minutes=15 * n), 10.0 * n + shift)
            for device, shift in (("a", 0.0), ("b", 0.5))
            for n in (0, 1, 2, 4)
        ]
        + [("a", 60, START, 99.0)],
        columns=["device_id", "window_duration_minutes", "window_end", "load"],
    )
    schema = "device_id string, window_duration_minutes int, window_end timestamp, load double"
    frame = spark.createDataFrame(rows, schema)
    cut_off = datetime(2026, 2, 1, 10, 15, tzinfo=UTC)  # the second window still counts
    made = with_lags(frame, [Lag("load", 1), Lag("load", 2)], cut_off).toPandas()
    table = made.set_index(["device_id", "window_duration_minutes", "window_end"]).sort_index()
    assert len(made) == len(rows)
    a = table.loc[("a", 15)]
    assert a["load_lag_1"].tolist()[1:3] == [0.0, 10.0]
    assert a["load_lag_1"].isna().tolist() == [True, False, False, True]  # 10:45 has a gap before it
    assert a["load_lag_2"].isna().tolist() == [True, True, False, True]  # two before 11:00 ended after the cut-off
    assert a["load_lag_2"].iloc[2] == 0.0
    assert table.loc[("b", 15)]["load_lag_1"].tolist()[1:3] == [0.5, 10.5]
    assert pd.isna(table.loc[("a", 60, START), "load_lag_1"])


def test_a_lag_looks_back() -> None:
    with pytest.raises(ValueError, match="a lag of 0 windows on 'load' is not in the past"):
        Lag("load", 0)
