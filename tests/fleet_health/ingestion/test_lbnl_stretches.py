"""The stretches of the measured campaigns that hold their known defects: what came in, what became of it.

The whole campaigns (``test_lbnl.py``) are twenty times as many rows.
"""

from __future__ import annotations

import functools
import gzip
import io
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from fleet_health.contracts.raw import raw_columns, raw_schema
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.registry import declared_registry
from fleet_health.profiles.loader import shipped_profile

pytestmark = pytest.mark.nightly

LBNL = Path(__file__).resolve().parents[3] / "data" / "lbnl_ahu"
MZVAV, CAV, VAV = "AHU-ERS-A-MZVAV", "AHU-X3A-CAV-2017S", "AHU-X3A-VAV-2017F"
# First and last line of the file, both included; the header is line 1.
STRETCHES = {"szcav.csv.gz": (4_100, 4_199), "szvav.csv.gz": (2, 1_300), "mzvav_2_1.csv.gz": (1_300, 2_699)}


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> pd.DataFrame:
    """Every line of the stretches with its verdict: read without Spark, judged in one job."""
    profile = shipped_profile("air_handler")
    parts = []
    for name, (first, last) in STRETCHES.items():
        lines = gzip.decompress((LBNL / name).read_bytes()).splitlines(keepends=True)
        content = gzip.compress(b"".join([lines[0], *lines[first - 1 : last]]))
        # of each file on its own, because a column that a file lacks has no type
        parts += list(parse_file(io.BytesIO(content), name, profile))
    assert all(part["reason"].isna().all() for part in parts)  # no line is malformed
    schema = raw_schema(profile)
    frames = [spark.createDataFrame(part[list(raw_columns(profile))], schema) for part in parts]
    raw = functools.reduce(DataFrame.unionByName, frames)
    return judge(raw, declared_registry(spark, profile), profile).toPandas()


@pytest.fixture(scope="module")
def clean(judged: pd.DataFrame) -> pd.DataFrame:
    return judged[judged["outcome"] == "CLEAN"]


def test_every_row_is_accounted_for(judged: pd.DataFrame, clean: pd.DataFrame) -> None:
    counts = judged.fillna({"reason": "NONE"}).groupby(["source_file", "outcome", "reason"]).size().to_dict()
    assert counts == {
        ("szcav.csv.gz", "CLEAN", "NONE"): 100,
        ("szvav.csv.gz", "CLEAN", "NONE"): 1_299,
        ("mzvav_2_1.csv.gz", "CLEAN", "NONE"): 1_399,
        ("mzvav_2_1.csv.gz", "QUARANTINE", "IMPOSSIBLE_ROW"): 1,
    }
    assert clean["device_id"].value_counts().to_dict() == {MZVAV: 1_399, VAV: 1_299, CAV: 100}
    assert clean["event_id"].is_unique


def test_every_defect_has_its_flag_and_nothing_else_has_one(clean: pd.DataFrame) -> None:
    flags = {
        device: Counter(f for row in rows for f in row) for device, rows in clean.groupby("device_id").quality_flags
    }
    damper = int((clean["exhaust_damper"] < 0).sum())
    assert damper == 474
    assert flags == {
        MZVAV: {},
        CAV: {"UNREADABLE_VALUE": 15},
        VAV: {"UNREADABLE_VALUE": 1, "SENSOR_GAP": 590, "SUSPECT_VALUE": damper},
    }


def test_text_is_null_and_the_heat_of_the_leaking_valve_is_kept(clean: pd.DataFrame) -> None:
    mixed = clean.set_index("device_id")["mixed_air_temperature"]
    assert mixed.isna().groupby(level=0).sum().to_dict() == {MZVAV: 0, CAV: 15, VAV: 0}
    assert (mixed > (100.0 - 32.0) * 5.0 / 9.0).groupby(level=0).sum().to_dict() == {MZVAV: 113, CAV: 0, VAV: 0}


def test_the_row_of_zeros_is_held_back(judged: pd.DataFrame) -> None:
    (row,) = judged[judged["outcome"] == "QUARANTINE"].to_dict("records")
    assert str(row["timestamp_utc"]) == "2007-08-29 03:57:00"  # 21:57 of the day before, local standard time
    assert (row["reason"], row["rule"]) == ("IMPOSSIBLE_ROW", "AHU-01")
    assert row["line_number"] == 1_319 - 1_300 + 2
    assert "IMPOSSIBLE_ROW" in row["quality_flags"]


def test_times_are_utc_and_pressure_is_pascal(clean: pd.DataFrame) -> None:
    first = clean.groupby("device_id")["timestamp_utc"].min().map(str).to_dict()
    assert first == {
        MZVAV: "2007-08-29 03:38:00",
        CAV: "2017-03-16 04:18:00",
        VAV: "2017-09-11 08:00:00",
    }
    assert (clean["timestamp_utc"] == clean["timestamp_ingested"]).all()
    pressure = clean["duct_static_pressure"].max() / 249.08891  # one inch of water
    assert pressure == pytest.approx(round(pressure, 2))
    assert 1.0 < pressure < 2.5
