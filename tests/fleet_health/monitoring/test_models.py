"""Agreement of models and reviews of alerts, against figures that chance or a hand gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fleet_health.monitoring.agreement import agreement
from fleet_health.monitoring.effectiveness import effectiveness
from fleet_health.monitoring.scores import BINS, divergence, with_divergence

DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.case("MST-05")
def test_agreement_by_chance_is_no_agreement(spark: SparkSession) -> None:
    model = F.explode(F.array(F.lit("a"), F.lit("b"))).alias("model_id")
    devices = spark.range(20_000).select(F.concat(F.lit("D"), "id").alias("device_id"), model)
    # a hash of device and model: two models that know nothing of each other
    lot = F.pmod(F.xxhash64("device_id", "model_id"), F.lit(10_000)) / 10_000.0
    scores = devices.select("*", (lot < 0.05).alias("anomaly_flag"), F.lit(0.5).alias("anomaly_score")).withColumns(
        {
            "window_end": F.lit(DAY.replace(tzinfo=None)),
            "scored_at": F.lit(DAY.replace(tzinfo=None)),
            "window_duration_minutes": F.lit(15),
        }
    )
    [row] = agreement(scores).collect()
    assert (row["pair_id"], row["devices_compared"], row["high_disagreement_devices"]) == ("a|b", 20_000, 0)
    assert row["agreement_rate"] == pytest.approx(0.905, abs=0.01)
    assert row["jaccard_flagged"] == pytest.approx(0.026, abs=0.01)
    assert row["cohen_kappa"] == pytest.approx(0.0, abs=0.02)
    assert agreement(scores.where("model_id = 'a'")).count() == 0


@pytest.mark.case("MST-10")
def test_twenty_nine_reviews_give_no_rate_and_thirty_do(spark: SparkSession) -> None:
    rows = []
    for model, reviewed in (("m29", 29), ("m30", 30)):
        for n in range(reviewed + 5):
            status = "OPEN" if n >= reviewed else "FALSE_POSITIVE" if n < 6 else "RESOLVED"
            rows.append((f"{model}-{n}", f"D{n}", model, "HIGH", status, n < 3, "ANOMALY_DETECTED", False))
    rows.append(("quiet", "D0", "m30", "HIGH", "FALSE_POSITIVE", False, "ANOMALY_DETECTED", True))
    names = ["alert_id", "device_id", "model_id", "severity", "status", "sla_breached", "alert_type", "suppressed"]
    table = pd.DataFrame(rows, columns=names)
    for name in ("first_detected_at", "alert_created_at", "sla_deadline", "resolved_at"):
        table[name] = pd.Timestamp(DAY)
    registry = spark.createDataFrame(
        [(f"D{n}", "active", None) for n in range(80)], "device_id string, status string, region string"
    )
    repaired = [(f"D{n}", "failure_confirmed", (DAY + timedelta(hours=12 + n)).replace(tzinfo=None)) for n in range(7)]
    repaired += [
        (f"D{n}", "planned_maintenance", (DAY + timedelta(hours=1)).replace(tzinfo=None)) for n in (70, 71, 72)
    ]
    labels = spark.createDataFrame(repaired, "device_id string, label_type string, event_timestamp timestamp")
    # of a work order only the day is known, here that of the alerts: it counts as done when the day is over
    order = F.col("device_id") == "D6"
    midnight = F.date_trunc("day", F.lit(DAY))
    labels = labels.withColumns(
        {
            "event_timestamp": F.when(order, midnight).otherwise(F.col("event_timestamp")),
            "label_source": F.when(order, "maintenance_system").otherwise("field_engineer"),
        }
    )
    found = effectiveness(spark.createDataFrame(table), labels, registry).toPandas()
    assert len(found) == 4  # each model at HIGH and ALL; no device has a region
    by_model = found[found["severity"] == "HIGH"].set_index("model_id")
    assert pd.isna(by_model.loc["m29", "false_positive_rate"])
    assert by_model.loc["m30", "false_positive_rate"] == 6 / 30
    assert by_model.loc["m30", ["alerts_total", "alerts_reviewed"]].tolist() == [35, 30]
    assert by_model.loc["m30", "acknowledged_in_sla_rate"] == pytest.approx(27 / 30)
    assert by_model.loc["m30", "median_lead_time_hours"] == 14.0
    # 7 of 35 flagged devices and 3 of the other 45
    assert by_model.loc["m30", "maintenance_lift"] == pytest.approx((7 / 35) / (3 / 45))


def test_divergence_by_hand() -> None:
    p, q = np.array([30.5, 70.5]) / 101, np.array([50.5, 50.5]) / 101
    assert divergence(np.array([30.0, 70.0]), np.array([50.0, 50.0])) == pytest.approx(float((p * np.log(p / q)).sum()))


def test_a_run_is_compared_with_the_thirty_days_before_it_of_its_own_slice_and_version() -> None:
    def run(days: float, place: int, version: str = "1.0.0", part: str = "ALL") -> dict[str, Any]:
        counts = [0.0] * BINS
        counts[place] = 10.0
        series = {"model_id": "m", "model_version": version, "slice_name": part, "slice_value": part}
        at = int(days * 86_400_000_000)
        return {"run_id": f"{version} {days}", "scored_at": at, "score_histogram": counts, **series}

    others = [run(30, 9, version="1.0.1"), run(30, 9, part="north")]
    earlier = [run(0.9, 5), run(1, 3), run(20, 3), *others]  # the first lies more than thirty days back
    again, new = run(20, 3), run(31, 4)
    found = with_divergence([again, new, run(40, 4, version="2.0.0")], earlier)
    assert [one["run_id"] for one in found] == ["1.0.0 31", "2.0.0 40"]  # what has a row already has none again
    before = np.zeros(BINS)
    before[3] = 20.0
    assert found[0]["kl_vs_30d"] == divergence(np.array(new["score_histogram"]), before)
    assert found[1]["kl_vs_30d"] is None
