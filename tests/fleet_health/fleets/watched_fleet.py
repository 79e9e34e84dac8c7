"""Every dataset that monitoring reads, of a day on which all is well and of one with a fault for every metric."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from fleet_health.contracts.clean import CLEAN_FLAGS
from fleet_health.contracts.schemas import stored_schema
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
DEVICES = [f"D{n:03d}" for n in range(150)]
START = datetime(2026, 1, 5, tzinfo=UTC).replace(tzinfo=None)  # naive, as Spark takes it in a session of UTC
SENSORS = list(PROFILE.sensor_names)
MODEL = PROFILE.model.model_id
LAG_HOURS = 50
"""By so much windows lag on the faulty day."""
Row = dict[str, Any]
_FILLER = {
    "string": "x",
    "double": 0.5,
    "int": 1,
    "bigint": 1,
    "boolean": True,
    "timestamp": START,
    "date": START.date(),
}


def planted(spark: SparkSession, faulty: bool) -> dict[str, DataFrame]:
    """The datasets by contract name; columns that a row does not name hold a filler, or null where they may."""
    tables = {
        "device_registry": [_device(device) for device in DEVICES],
        "raw_sensor_readings": list(_raw(faulty)),
        "clean_sensor_readings": list(_clean(faulty)),
        "row_conservation": list(_conservation(faulty)),
        "data_quality_daily_summary": list(_summary(faulty)),
        "device_dropout_flags": list(_dropouts(faulty)),
        "device_features": list(_windows(faulty)),
        "feature_drift_metrics": list(_drift(faulty)),
        "ingestion_distribution_stats": list(_sensors(faulty)),
        "consistency_check_metrics": list(_consistency(faulty)),
        "model_drift_metrics": list(_scores(faulty)),
        "model_agreement_metrics": list(_agreement(faulty)),
        "scoring_run_metrics": list(_runs(faulty)),
        "model_scores": [{"window_end": hour(0)}, {"window_end": hour(24 * 20 - 1)}],
        "device_alerts": list(_alerts(faulty)),
        "streaming_alerts": list(_stream(faulty)),
        "alert_effectiveness_metrics": list(_effectiveness(faulty)),
    }
    return {name: frame(spark, name, rows) for name, rows in tables.items()}


def frame(spark: SparkSession, name: str, rows: list[Row]) -> DataFrame:
    """Rows in the shape of a contract."""
    schema = stored_schema(name, PROFILE)
    filled = [
        tuple(
            row[field.name]
            if field.name in row
            else (None if field.nullable else _FILLER.get(field.dataType.simpleString(), []))
            for field in schema
        )
        for row in rows
    ]
    # through Arrow, so that no Python worker has to hand the rows over
    return spark.createDataFrame(pd.DataFrame(filled, columns=schema.fieldNames()), schema)


def hour(n: float) -> datetime:
    """UTC, as Spark takes it in a session whose zone is UTC."""
    return START + timedelta(hours=n)


def _device(name: str) -> Row:
    return {
        "device_id": name,
        "status": "active",
        "expected_sensors": SENSORS,
        "expected_readings_per_hour": 1,
        "region": "north",
    }


def _raw(faulty: bool) -> Iterator[Row]:
    for n in range(8):
        # a full hour of raw rows, or four tenths of it in the last two that are over
        for device in DEVICES[:60] if faulty and n in (5, 6) else DEVICES:
            yield {
                "device_id": device,
                "timestamp_ingested": hour(n),
                "source_file": f"f{n}",
                "event_id": f"{device}-{n}",
            }


def _clean(faulty: bool) -> Iterator[Row]:
    values = dict.fromkeys(SENSORS) | {s.name: 1.0 if s.type == "double" else True for s in PROFILE.sensors}
    # the first hour is of the day of the windows that lag, or nobody would be known who could be missing in them
    for n in (-LAG_HOURS, *range(6 if faulty else 8)):
        late = faulty and n >= 4
        for device in DEVICES:
            row = {
                "device_id": device,
                "timestamp_utc": hour(n),
                "timestamp_ingested": hour(n),
                "quality_flags": [],
                **values,
            }
            if late:
                row |= {SENSORS[0]: None, "quality_flags": ["CLOCK_DRIFT", "RANGE_VIOLATION"]}
            yield row


def _conservation(faulty: bool) -> Iterator[Row]:
    for n in range(8):
        yield _fate(n, "CLEAN", "NONE", 150)
        if faulty:
            yield _fate(n, "DEAD_LETTER", "SCHEMA_MISMATCH", 5)
            yield _fate(n, "QUARANTINE", "DEVICE_UNKNOWN", 20)
            yield _fate(n, "DUPLICATE", "DUPLICATE_EVENT_ID", 10)


def _fate(n: int, outcome: str, reason: str, rows: int) -> Row:
    return {"source_file": f"f{n}", "outcome": outcome, "reason": reason, "device_id": "ALL", "rows": rows}


def _summary(faulty: bool) -> Iterator[Row]:
    for n in range(8):
        bad = faulty and n == 7
        day = (START + timedelta(days=n)).date()
        cells = {
            ("readings_total", "ALL", "ALL"): 1000.0,
            ("readings_clean", "source", "files"): 990.0 if bad else 1000.0,
        }
        cells |= {("flag_rate", "quality_flag", flag): 0.05 if bad else 0.01 for flag in CLEAN_FLAGS}
        cells["stuck_sensor_devices", "ALL", "ALL"] = 101.0 if bad else 0.0
        for (metric, name, value), figure in cells.items():
            yield {
                "summary_date": day,
                "metric_name": metric,
                "dimension_name": name,
                "dimension_value": value,
                "value": figure,
            }


def _dropouts(faulty: bool) -> Iterator[Row]:
    for n in (24, 48):
        for place, device in enumerate(DEVICES):
            silent = faulty and n == 48 and place < 101
            yield {
                "device_id": device,
                "evaluated_hour": hour(n),
                "dropout_type": "FULL_DROPOUT" if silent else "HEALTHY",
                "reading_count": 0 if silent else 60,
                "missing_sensors": [SENSORS[1]] if faulty and (place % 2 or place > 100) else [],
            }


def _windows(faulty: bool) -> Iterator[Row]:
    for length in PROFILE.windows_minutes:
        for back in (0, 1):
            end = hour(7 if length < 1440 else 24) - timedelta(minutes=length * back, hours=LAG_HOURS if faulty else 0)
            for device in DEVICES[:140] if faulty else DEVICES:
                yield {
                    "device_id": device,
                    "window_end": end,
                    "window_start": end - timedelta(minutes=length),
                    "window_duration_minutes": length,
                    "sensor_completeness": 0.7 if faulty else 1.0,
                    "computed_at": end,
                }


def _drift(faulty: bool) -> Iterator[Row]:
    far = {
        "psi_value": 1.2,
        "psi_day_before": 0.5,
        "ks_statistic": 0.5,
        "mean_shift_sigma": 2.5,
        "null_rate_delta": 0.1,
    }
    far |= {"out_of_range_fraction": 0.2, "soft_band_fraction": 0.2, "extreme_fraction": 0.02}
    near = {
        "psi_value": 0.01,
        "psi_day_before": 0.01,
        "ks_statistic": 0.01,
        "mean_shift_sigma": 0.1,
        "null_rate_delta": 0.0,
    }
    near |= {"out_of_range_fraction": 0.0, "soft_band_fraction": 0.002, "extreme_fraction": 0.0}
    shared = {"slice_name": "ALL", "slice_value": "ALL", "current_row_count": 9600, "drift_severity": "none"}
    minutes = PROFILE.model.window_duration_minutes
    for n in range(3):
        at = {"scoring_window_start": hour(n * 24), "window_duration_minutes": minutes, **shared}
        for feature in PROFILE.model_features:
            yield {"feature_name": feature, **at, **(far if faulty else near)}
        yield {"feature_name": "group:temperature", **at, "psi_value": 0.3 if faulty else 0.01}
        yield {"feature_name": "category:region", **at, "cramers_v": 0.2 if faulty else 0.0}
        p_value, change = (0.005, 0.5) if faulty else (0.5, 0.02)
        yield {"feature_name": "__vector__", **at, "mmd_p_value": p_value, "correlation_change": change}
        for feature in PROFILE.model_features:
            yield {"feature_name": feature, **at, "window_duration_minutes": 60, **(far if faulty else near)}


def _sensors(faulty: bool) -> Iterator[Row]:
    for sensor in SENSORS[:3]:
        told = {"slice_name": "ALL", "slice_value": "ALL", "deviation_sigma": -2.5 if faulty else 0.5}
        restarted = 0.02 if faulty else 0.01 if sensor == SENSORS[0] else None
        yield {"sensor_name": sensor, "period_start": hour(0), "restarted_share": restarted, **told}


def _consistency(faulty: bool) -> Iterator[Row]:
    for check in ("offline_vs_model_input", "offline_vs_ontology", "time_series_sync"):
        told = {
            "pairs_compared": 1000,
            "mismatches": 60 if faulty else 0,
            "sync_lag_minutes": 130.0 if faulty else 10.0,
        }
        yield {"check_id": check, "checked_at": hour(1), "feature_name": "f", **told}


def _scores(faulty: bool) -> Iterator[Row]:
    for n in range(36):
        bad = faulty and n >= 30
        wobble = 0.002 * (n % 3)
        figures = {
            f"score_{name}": value + wobble
            for name, value in (("mean", 0.3), ("p50", 0.3), ("p90", 0.5), ("p95", 0.6), ("p99", 0.7))
        }
        if bad:
            figures = {name: value + 0.3 for name, value in figures.items()}
        row = {
            "run_id": f"r{n}",
            "scored_at": hour(n),
            "model_id": MODEL,
            "devices_scored": 1000,
            "score_std": (0.01 if bad else 0.1) + wobble / 10,
            "anomaly_rate": 0.2 if bad else 0.05,
            "kl_vs_30d": 0.6 if bad else 0.01,
            "flag_flip_rate": 0.2 if bad else 0.03,
            "rank_correlation": 0.5 if bad else 0.97,
            "devices_in_both": 1000,
            "devices_flagged_in_either": 60,
            **figures,
        }
        yield {**row, "slice_name": "ALL", "slice_value": "ALL"}
        yield {**row, "slice_name": "region", "slice_value": "north"}


def _agreement(faulty: bool) -> Iterator[Row]:
    for n in range(10):
        bad = faulty and n >= 7
        told = {"jaccard_flagged": 0.05 if bad else 0.4, "agreement_rate": 0.7 if bad else 0.95}
        told |= {"high_disagreement_devices": 51 if bad else 2, "devices_compared": 1000}
        for pair in ("a|b", "ALL"):
            yield {"evaluation_date": (START + timedelta(days=n)).date(), "pair_id": pair, **told}


def _runs(faulty: bool) -> Iterator[Row]:
    for n in range(40):
        bad, failed = faulty and n >= 37, faulty and n == 20
        yield {
            "run_id": f"r{n}",
            "model_id": MODEL,
            "scheduled_at": hour(n),
            "features_available_at": hour(n),
            "finished_at": hour(n + (1 if faulty else 0.2)),
            "outcome": "FAILED" if failed else "SUCCEEDED",
            "devices_eligible": 150,
            "devices_scored": 130 if bad else 150,
            "rows_scored": 600,
            "excluded_low_completeness": 50 if bad else 0,
            "excluded_unimputable": 0,
            "devices_per_minute": 1000.0 if bad else 5000.0,
            "score_age_minutes": 250.0 if bad else 60.0,
        }


def _alerts(faulty: bool) -> Iterator[Row]:
    told = {"suppressed": False, "alert_type": "ANOMALY_DETECTED", "status": "OPEN"}
    for day in range(20):
        for n in range(6 if faulty and day >= 17 else 2):
            yield {
                "alert_id": f"{day}-{n}",
                "device_id": DEVICES[n],
                "severity": "LOW",
                "window_end": hour(24 * day + 1),
                **told,
            }
    if faulty:
        for device in DEVICES[:10]:
            yield {"alert_id": device, "device_id": device, "severity": "HIGH", "window_end": hour(24 * 20 - 8), **told}


def _stream(faulty: bool) -> Iterator[Row]:
    for n in range(101 if faulty else 1):
        yield {"alert_id": str(n), "severity": "CRITICAL", "suppressed": False, "alert_created_at": hour(3)}


def _effectiveness(faulty: bool) -> Iterator[Row]:
    for n in range(12):
        shared = {
            "week_start": (START + timedelta(weeks=n)).date(),
            "model_id": MODEL,
            "alerts_total": 60,
            "alerts_reviewed": 50,
        }
        shared |= {
            "acknowledged_in_sla_rate": 0.3 if faulty else 0.9,
            "median_lead_time_hours": 3.0 if faulty else 18.0,
        }
        shared["maintenance_lift"] = 1.0 if faulty else 2.0
        wrong = 20 if faulty else 3
        for severity in ("HIGH", "ALL"):
            yield {**shared, "severity": severity, "region": "ALL", "alerts_false_positive": wrong}
        yield {**shared, "severity": "ALL", "region": "north", "alerts_false_positive": 45 if faulty else 3}
