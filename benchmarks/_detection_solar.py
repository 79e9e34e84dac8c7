"""What the monitor of raw sensors says, day by day, about the log of a solar plant whose controller lost its memory.

Published: on 2017-03-17 its counters of seconds run start again from 0, and the plant is driven in another way from
then on, partly because of the season. The days come from the transform that the pipeline runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import Bench, Figure

PROFILE = Path(__file__).resolve().parent.parent / "docs" / "solar_thermal" / "solar_thermal.yaml"
REGIME_CHANGE = pd.Timestamp("2017-03-17")
FAR = 2.0
_MOMENTS = ["timestamp_utc", "timestamp_ingested"]


def solar(bench: Bench) -> Iterator[Figure]:
    files = sorted(bench.data.glob("*/*/????????.csv")) if bench.data else []
    if not files:
        bench.say("detection: the solar plant is skipped, because no --data DIR holds YEAR/MONTH/YYYYMMDD.csv")
        return
    days = _days(bench, files)
    restarts = days[days["restarted_share"] > 0]
    for day, found in restarts.groupby("period_start"):
        bench.say(f"detection: solar plant, {', '.join(sorted(found['sensor_name']))} started again on {day:%Y-%m-%d}")
    shifted = days[days["deviation_sigma"].abs() > FAR]
    judged = days[days["deviation_sigma"].notna()]
    for name, of_sensor in judged.groupby("sensor_name"):
        far = shifted[shifted["sensor_name"] == name]["period_start"]
        bench.say(
            f"detection: solar plant, {name} lay two deviations off on {len(far)} of {len(of_sensor)} days"
            f"{', among them the known one' if (far == REGIME_CHANGE).any() else ''}"
        )
    found = pd.to_datetime(restarts["period_start"].unique())
    least = min((abs((day - REGIME_CHANGE).days) for day in found), default=len(files))
    yield bench.share("days_from_known_regime_change_to_nearest_restart", [least], [1.0], limit=0.0)
    yield bench.share("other_days_with_a_restart", [sum(day != REGIME_CHANGE for day in found)], [1.0])
    of_days = judged["period_start"].nunique()
    yield bench.share("days_with_a_shifted_sensor", [shifted["period_start"].nunique()], [max(of_days, 1)])


def _days(bench: Bench, files: list[Path]) -> pd.DataFrame:
    """The rows of the whole plant as ``ingestion_distribution_stats`` has them."""
    from fleet_health.ingestion.deserialise import parse_file
    from fleet_health.monitoring.sensor_statistics import sensor_statistics
    from fleet_health.profiles.loader import load_profile

    profile, landed = load_profile(PROFILE), bench.scratch / "solar"
    landed.mkdir()
    names = [one.name for one in profile.sensors if one.type == "double"]
    for file in files:
        with file.open("rb") as stream:
            parts = [_read(part[part["reason"].isna()], names) for part in parse_file(stream, file.name, profile)]
        pd.concat(parts, ignore_index=True).to_parquet(landed / f"{file.stem}.parquet")
    spark = bench.spark()
    registry = spark.createDataFrame(
        [("SOLAR-1", "DE", None)], "device_id string, region string, firmware_version string"
    )
    rows = sensor_statistics(spark.read.parquet(str(landed)), registry, profile)
    return rows.where("slice_name = 'ALL'").toPandas()


def _read(good: pd.DataFrame, sensors: list[str]) -> pd.DataFrame:
    moment = pd.to_datetime(good["timestamp_device"], utc=True).astype("datetime64[us, UTC]")
    rows = good[sensors].astype("float64").assign(device_id=good["device_id"].astype("str"))
    return rows.assign(**dict.fromkeys(_MOMENTS, moment))
