"""Score histories per device: which to show, over which window length, thinned out without losing peaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from mirror.datasets import View
from mirror.health.rows import read_columns
from mirror.report.snapshot import DeviceScores, ScorePoint

SHOWN_DEVICES = 12
SHOWN_POINTS = 500
LONGEST_SHOWN = 60
"""Minutes; longer windows hide the shape of a day."""

FAULTS = ("failure_confirmed", "anomaly_confirmed")
_NEEDED = ("device_id", "window_end", "anomaly_score")
_COLUMNS = (*_NEEDED, "window_start", "model_id", "model_version", "anomaly_flag", "threshold_used")


def device_scores(scores: View | None, labels: View | None) -> tuple[tuple[DeviceScores, ...], int]:
    """The most suspicious devices (largest share of flagged windows), and how many devices have scores at all.

    Per device one model, the one that scored most windows, and one window length: the longest up to an hour, else the
    shortest.
    """
    if scores is None:
        return (), 0
    frame: pd.DataFrame = read_columns(scores, _COLUMNS).to_pandas()
    if frame.empty or not _usable(frame):
        return (), 0
    frame = frame.dropna(subset=list(_NEEDED))
    for column in ("model_id", "model_version"):
        frame[column] = frame[column].fillna("") if column in frame else ""
    frame["flagged"] = frame["anomaly_flag"].fillna(False).astype(bool) if "anomaly_flag" in frame else False
    starts = frame["window_start"] if "window_start" in frame else frame["window_end"]
    frame["minutes"] = ((frame["window_end"] - starts).dt.total_seconds() // 60).astype("int64")
    faults = _faults(labels)
    devices = frame["device_id"].nunique()
    shares = frame.groupby("device_id")["flagged"].mean()
    order = sorted(shares.index, key=lambda device: (-shares[device], device))[:SHOWN_DEVICES]
    chosen = frame[frame["device_id"].isin(order)]
    drawn = {str(device): _device(str(device), rows, faults) for device, rows in chosen.groupby("device_id")}
    return tuple(drawn[str(device)] for device in order), int(devices)


def _usable(frame: pd.DataFrame) -> bool:
    """Whether a dataset of this name has the types of scores; another repository's may not."""
    if not set(_NEEDED) <= set(frame.columns):
        return False
    times = [name for name in ("window_start", "window_end") if name in frame]
    return is_numeric_dtype(frame["anomaly_score"]) and all(is_datetime64_any_dtype(frame[name]) for name in times)


def _device(device: str, rows: pd.DataFrame, faults: dict[str, list[datetime]]) -> DeviceScores:
    sizes = rows.groupby(["model_id", "model_version"]).size()
    model_id, version = max(sizes.index, key=lambda key: (sizes[key], key))
    rows = rows[(rows["model_id"] == model_id) & (rows["model_version"] == version)]
    lengths = sorted(rows["minutes"].unique())
    minutes = max((m for m in lengths if m <= LONGEST_SHOWN), default=lengths[0])
    rows = rows[rows["minutes"] == minutes].sort_values("window_end", kind="stable")
    limits = rows["threshold_used"].dropna() if "threshold_used" in rows else pd.Series(dtype=float)
    begin, end = _utc(rows["window_end"].iloc[0]), _utc(rows["window_end"].iloc[-1])
    return DeviceScores(
        device_id=device,
        model=f"{model_id} {version}".strip(),
        window_minutes=int(minutes) or None,
        threshold=float(limits.iloc[-1]) if len(limits) else None,
        windows=len(rows),
        flagged=int(rows["flagged"].sum()),
        points=_thinned(rows),
        faults=tuple(at for at in faults.get(device, []) if begin - pd.Timedelta(days=1) < at <= end),
    )


def _thinned(rows: pd.DataFrame) -> tuple[ScorePoint, ...]:
    """At most :data:`SHOWN_POINTS`: of every group of neighbours the highest score stays."""
    if len(rows) > SHOWN_POINTS:
        group = np.arange(len(rows)) * SHOWN_POINTS // len(rows)
        highest = rows["anomaly_score"].reset_index(drop=True).groupby(group).idxmax()
        rows = rows.iloc[highest.to_numpy()]
    return tuple(
        ScorePoint(_utc(at), float(score), bool(flagged))
        for at, score, flagged in zip(rows["window_end"], rows["anomaly_score"], rows["flagged"], strict=True)
    )


def _faults(labels: View | None) -> dict[str, list[datetime]]:
    if labels is None:
        return {}
    rows: Sequence[dict[str, Any]] = read_columns(labels, ("device_id", "event_timestamp", "label_type")).to_pylist()
    found: dict[str, set[datetime]] = {}
    for row in rows:
        if row.get("label_type") in FAULTS and isinstance(row.get("event_timestamp"), datetime):
            found.setdefault(str(row["device_id"]), set()).add(_utc(row["event_timestamp"]))
    return {device: sorted(times) for device, times in found.items()}


def _utc(value: Any) -> datetime:
    moment: datetime = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
