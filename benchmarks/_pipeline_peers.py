"""The 15-minute features of a profile in DuckDB and in Polars, written from the same declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fleet_health.profiles.model import Feature, Profile

MICROS = 900_000_000

_SQL = {
    "mean": "avg({s})",
    "std": "stddev_samp({s})",
    "min": "min({s})",
    "max": "max({s})",
    "p95": "quantile_cont({s}, 0.95)",
    "slope": "regr_slope({s}, minutes)",
    "fraction": "avg({s}::int::double)",
    "reading_count": "count(*)",
    "quality_flag_count": "count(*) filter (len(quality_flags) > 0)",
    "sensor_completeness": "avg(1.0 - sensor_null_count / {n}.0)",
}
_SQL_DERIVED = {
    "difference": "{a} - {b}",
    "ratio_of_positive": "case when {b} > 0 then {a} / {b} end",
    "ratio_of_nonzero": "case when abs({b}) >= 1e-6 then {a} / {b} end",
}
# readings that came after their window was written, 20 minutes past its end
_IN_TIME = f"epoch_us(timestamp_ingested) <= (epoch_us(timestamp_utc) // {MICROS} + 1) * {MICROS} + 1200000000"


def duckdb_windows(clean: Path, target: Path, profile: Profile, threads: int) -> None:
    """Computes and writes them with DuckDB."""
    base = [f for f in profile.features if f.of is None]
    told = ", ".join(_SQL[f.aggregation].format(s=f.sensor, n=len(profile.sensors)) + f" as {f.name}" for f in base)
    # a derived feature may build on another one, which DuckDB resolves by name within one list
    derived = ", ".join(
        _SQL_DERIVED[f.aggregation].format(a=f.of[0], b=f.of[1]) + f" as {f.name}" for f in profile.features if f.of
    )
    rows = (
        f"select *, (epoch_us(timestamp_utc) % {MICROS}) / 6e7 as minutes from '{clean}/**/*.parquet' where {_IN_TIME}"  # noqa: S608
    )
    grouped = f"select device_id, epoch_us(timestamp_utc) // {MICROS} as k, {told} from ({rows}) group by all"  # noqa: S608
    with duckdb.connect() as connection:
        connection.execute(f"set threads={threads}")
        connection.execute(f"copy (select *, {derived} from ({grouped})) to '{target}' (format parquet)")  # noqa: S608


def _polars(feature: Feature, profile: Profile) -> pl.Expr:
    if feature.sensor is None:
        return {
            "reading_count": pl.len(),
            "quality_flag_count": (pl.col("quality_flags").list.len() > 0).sum(),
            "sensor_completeness": (1.0 - pl.col("sensor_null_count") / len(profile.sensors)).mean(),
        }[feature.aggregation]
    value = pl.col(feature.sensor)
    if feature.aggregation == "slope":
        minutes = pl.when(value.is_not_null()).then(pl.col("minutes"))
        return pl.cov(minutes, value) / minutes.var()
    made: dict[str, Any] = {
        "mean": value.mean,
        "std": value.std,
        "min": value.min,
        "max": value.max,
        "p95": lambda: value.quantile(0.95, "linear"),
        "fraction": lambda: value.cast(pl.Float64).mean(),
    }
    return made[feature.aggregation]()


def _polars_derived(feature: Feature) -> pl.Expr:
    assert feature.of is not None
    left, right = (pl.col(name) for name in feature.of)
    if feature.aggregation == "difference":
        return left - right
    allowed = right > 0 if feature.aggregation == "ratio_of_positive" else right.abs() >= 1e-6
    return pl.when(allowed).then(left / right)


def polars_windows(clean: Path, target: Path, profile: Profile) -> None:
    """Computes and writes them with Polars."""
    micros = pl.col("timestamp_utc").dt.timestamp("us")
    closed = (micros // MICROS + 1) * MICROS + 1_200_000_000
    rows = pl.scan_parquet(f"{clean}/**/*.parquet").filter(pl.col("timestamp_ingested").dt.timestamp("us") <= closed)
    rows = rows.with_columns(k=micros // MICROS, minutes=micros % MICROS / 6e7)
    made = rows.group_by("device_id", "k").agg(
        [_polars(f, profile).alias(f.name) for f in profile.features if f.of is None]
    )
    for feature in (f for f in profile.features if f.of):
        made = made.with_columns(_polars_derived(feature).alias(feature.name))
    made.collect().write_parquet(target)


def agree(ours: Path, theirs: Path, profile: Profile) -> None:
    """Every value of ours is theirs to nine digits, nulls included."""
    mine = pl.read_parquet(f"{ours}/*.parquet")
    mine = mine.with_columns(k=mine["window_start"].dt.timestamp("us") // MICROS)
    both = mine.join(pl.read_parquet(theirs), on=["device_id", "k"], how="left", suffix="_theirs")
    assert len(both) == len(mine) > 0
    for feature in profile.features:
        a, b = (both[name].cast(pl.Float64) for name in (feature.name, f"{feature.name}_theirs"))
        off = (a - b).abs() > 1e-9 * a.abs().clip(lower_bound=1.0)
        assert not off.fill_null(value=False).any(), feature.name
        assert (a.is_null() == b.is_null()).all(), feature.name
