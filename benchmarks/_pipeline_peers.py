"""The 15-minute features of a profile in DuckDB and in Polars, written from the same declarations.

They read the same files as we do and write the same rows: the columns of ``feature_versions`` under their names and
types, of the windows that are due at the newest receipt time, to Parquet compressed with snappy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fleet_health.contracts.features import COUNTS, features_schema
from fleet_health.profiles.model import Feature, Profile

MICROS = 900_000_000
CLOSE = 1_200_000_000
"""So long after its end a window is written; what was received later is left out."""

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
_COMPUTED_AT = f"(epoch_us(timestamp_utc) // {MICROS} + 1) * {MICROS} + {CLOSE}"


def duckdb_windows(clean: Path, target: Path, profile: Profile, threads: int) -> None:
    """Computes and writes them with DuckDB."""
    base = [f for f in profile.features if f.of is None]
    told = ", ".join(_SQL[f.aggregation].format(s=f.sensor, n=len(profile.sensors)) + f" as {f.name}" for f in base)
    # a derived feature may build on another one, which DuckDB resolves by name within one list
    derived = ", ".join(
        _SQL_DERIVED[f.aggregation].format(a=f.of[0], b=f.of[1]) + f" as {f.name}" for f in profile.features if f.of
    )
    instants = {"window_start": f"k * {MICROS}", "window_end": f"(k + 1) * {MICROS}", "computed_at": "computed"}
    made = {name: f"make_timestamptz({micros})" for name, micros in instants.items()}
    made["window_duration_minutes"] = f"{MICROS // 60_000_000}::integer"
    made |= {name: f"{name}::integer" for name in COUNTS}
    columns = ", ".join(f"{made.get(name, name)} as {name}" for name in features_schema(profile).fieldNames())
    files = f"'{clean}/**/*.parquet'"
    with duckdb.connect() as connection:
        connection.execute(f"set threads={threads}")
        # as ours: one look at the receipt times, then one pass over the readings
        newest = connection.execute(f"select epoch_us(max(timestamp_ingested)) from {files}").fetchone()  # noqa: S608
        assert newest is not None
        rows = (
            f"select *, (epoch_us(timestamp_utc) % {MICROS}) / 6e7 as minutes, {_COMPUTED_AT} as computed "  # noqa: S608
            f"from {files} where epoch_us(timestamp_ingested) <= computed and computed <= {newest[0]}"
        )
        grouped = (
            f"select device_id, epoch_us(timestamp_utc) // {MICROS} as k, computed, {told} from ({rows}) group by all"  # noqa: S608
        )
        features = f"select {columns} from (select *, {derived} from ({grouped}))"  # noqa: S608
        connection.execute(f"copy ({features}) to '{target}' (format parquet, compression snappy)")


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
    files = pl.scan_parquet(f"{clean}/**/*.parquet")
    micros, received = (pl.col(name).dt.timestamp("us") for name in ("timestamp_utc", "timestamp_ingested"))
    newest = files.select(received.max()).collect().item()
    rows = files.with_columns(k=micros // MICROS, minutes=micros % MICROS / 6e7)
    rows = rows.with_columns(computed=(pl.col("k") + 1) * MICROS + CLOSE)
    rows = rows.filter((received <= pl.col("computed")) & (pl.col("computed") <= newest))
    made = rows.group_by("device_id", "k", "computed").agg(
        [_polars(f, profile).alias(f.name) for f in profile.features if f.of is None]
    )
    for feature in (f for f in profile.features if f.of):
        made = made.with_columns(_polars_derived(feature).alias(feature.name))
    instant = pl.Datetime("us", "UTC")
    made = made.with_columns(
        window_start=(pl.col("k") * MICROS).cast(instant),
        window_end=((pl.col("k") + 1) * MICROS).cast(instant),
        window_duration_minutes=pl.lit(MICROS // 60_000_000, pl.Int32),
        computed_at=pl.col("computed").cast(instant),
        **{name: pl.col(name).cast(pl.Int32) for name in COUNTS},
    )
    names = features_schema(profile).fieldNames()
    made.select(names).collect().write_parquet(target, compression="snappy")


def agree(ours: Path, theirs: Path, profile: Profile) -> None:
    """Theirs are the same rows of the same columns, and every value is ours to nine digits, nulls included."""
    mine, other = pl.read_parquet(f"{ours}/*.parquet"), pl.read_parquet(theirs)
    assert mine.schema == other.schema
    both = mine.join(other, on=["device_id", "window_start"], how="inner", suffix="_theirs")
    assert len(both) == len(mine) == len(other) > 0
    for name in ("window_end", "window_duration_minutes", "computed_at"):
        assert (both[name] == both[f"{name}_theirs"]).all(), name
    for feature in profile.features:
        a, b = (both[name].cast(pl.Float64) for name in (feature.name, f"{feature.name}_theirs"))
        off = (a - b).abs() > 1e-9 * a.abs().clip(lower_bound=1.0)
        assert not off.fill_null(value=False).any(), feature.name
        assert (a.is_null() == b.is_null()).all(), feature.name
