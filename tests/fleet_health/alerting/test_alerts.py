"""Alerts of the measured campaigns: complete rows, right deadlines, stable ids."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def alerts(lbnl: Any) -> pd.DataFrame:
    return lbnl.frame("device_alerts").toPandas()


def test_deadlines_follow_severity(alerts: pd.DataFrame) -> None:
    minutes = (alerts["sla_deadline"] - alerts["alert_created_at"]).dt.total_seconds() / 60
    assert minutes.groupby(alerts["severity"]).unique().map(list).to_dict() == {
        "CRITICAL": [30.0],
        "HIGH": [120.0],
        "MEDIUM": [240.0],
        "LOW": [1440.0],
    }


def test_rows_are_complete_and_unique(alerts: pd.DataFrame) -> None:
    assert alerts["alert_id"].is_unique
    assert (alerts["first_detected_at"] <= alerts["alert_created_at"]).all()
    sites = alerts.groupby("device_id")["site_id"].unique().map(list).to_dict()
    assert sites["AHU-ERS-A-MZVAV"] == ["SITE-US-IA-ERS"]
    resolved = alerts["alert_type"] == "ANOMALY_RESOLVED"
    assert (alerts["resolved_at"].notna() == resolved).all()
    assert (alerts.loc[resolved, "status"] == "RESOLVED").all()
    assert (alerts.loc[~resolved, "status"] == "OPEN").all()


def test_words_name_window_features_and_deadline(alerts: pd.DataFrame) -> None:
    row = alerts[alerts["severity"] == "CRITICAL"].iloc[0]
    assert (
        row["title"] == f"CRITICAL: anomaly {row['alert_type'].removeprefix('ANOMALY_').lower()} on {row['device_id']}"
    )
    assert row["top_contributors"][0] in row["description"]
    assert f"{row['window_end']:%Y-%m-%d %H:%M} UTC" in row["description"]
    assert row["description"].endswith("Acknowledge within 30 minutes.")


def test_suppressed_alerts_are_kept_and_loud_ones_do_not_repeat(alerts: pd.DataFrame) -> None:
    assert alerts["suppressed"].any()
    rank = {"LOW": 0, "MEDIUM": 1, "HIGH": 2, "CRITICAL": 3}
    loud = alerts[~alerts["suppressed"] & alerts["alert_type"].isin(["ANOMALY_DETECTED", "ANOMALY_SUSTAINED"])]
    loud = loud.assign(cause=loud["top_contributors"].map(lambda c: c[0]), rank=loud["severity"].map(rank))
    # what opens again after a resolution is told again, so repeats are counted between two resolutions
    over = {
        device: r["window_end"] for device, r in alerts[alerts["alert_type"] == "ANOMALY_RESOLVED"].groupby("device_id")
    }
    era = [
        int((over[d] < end).sum()) if d in over else 0
        for d, end in zip(loud["device_id"], loud["window_end"], strict=True)
    ]
    loud = loud.assign(era=era)
    for _, rows in loud.sort_values("window_end").groupby(["device_id", "cause", "era"]):
        apart = rows["window_end"].diff()
        assert ((apart.isna()) | (apart >= pd.Timedelta(hours=4)) | (rows["rank"].diff() > 0)).all()
