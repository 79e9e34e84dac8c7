"""Values of earlier windows beside a window's own, joined when a model asks for them and never stored.

Nothing that ended after the cut-off of a training split is joined, so a split cannot see over its own edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.feature_store.point_in_time import literal

_MINUTE = 60_000_000


@dataclass(frozen=True)
class Lag:
    """A feature as it was so many windows ago."""

    feature: str
    windows: int

    def __post_init__(self) -> None:
        if self.windows < 1:
            raise ValueError(f"a lag of {self.windows} windows on {self.feature!r} is not in the past; use 1 or more.")

    @property
    def name(self) -> str:
        return f"{self.feature}_lag_{self.windows}"


def with_lags(rows: DataFrame, lags: Sequence[Lag], cut_off: datetime | None = None) -> DataFrame:
    """``rows`` plus one column per lag.

    Args:
        rows: one row per device, window and length.
        lags: what to join; the windows are those of the same device and length.
        cut_off: a window that ended later is not joined; ``None`` joins every earlier window there is.

    Returns:
        the same rows; a lag is null where the earlier window is missing, was null, or ended after the cut-off.
    """
    features = sorted({lag.feature for lag in lags})
    past = rows.select(
        F.col("device_id").alias("_device"),
        F.col("window_duration_minutes").alias("_minutes"),
        F.unix_micros("window_end").alias("_end"),
        *(F.col(name).alias(f"_{name}") for name in features),
    )
    if cut_off is not None:
        past = past.where(F.col("_end") <= F.unix_micros(literal(cut_off)))
    joined = rows
    for windows in sorted({lag.windows for lag in lags}):
        own = [lag for lag in lags if lag.windows == windows]
        earlier = past.select("_device", "_minutes", "_end", *(F.col(f"_{lag.feature}").alias(lag.name) for lag in own))
        end = F.unix_micros("window_end") - F.lit(windows * _MINUTE) * F.col("window_duration_minutes")
        same = (
            (F.col("device_id") == F.col("_device"))
            & (F.col("window_duration_minutes") == F.col("_minutes"))
            & (end == F.col("_end"))
        )
        joined = joined.join(earlier, same, "left").drop("_device", "_minutes", "_end")
    return joined.select(*rows.columns, *(lag.name for lag in lags))
