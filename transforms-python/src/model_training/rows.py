"""Training data as numbers in a fixed order: same rows, same numbers, whatever file or partition they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model_training.errors import MissingValueError, NotEnoughTrainingRowsError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Windows sorted by device and time.

    ``vectors`` (rows by features), ``devices``, ``cohorts`` (text or null), ``starts`` and ``ends`` (UTC).
    """

    vectors: Floats
    devices: NDArray[Any]
    cohorts: NDArray[Any]
    starts: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def device_count(self) -> int:
        return len(set(self.devices.tolist()))

    @property
    def first(self) -> datetime | None:
        """The first instant; ``None`` without rows."""
        return _instant(self.starts.min()) if len(self) else None

    @property
    def last(self) -> datetime | None:
        """The first instant after them; ``None`` without rows."""
        return _instant(self.ends.max()) if len(self) else None

    def where(self, kept: NDArray[np.bool_]) -> Rows:
        """Some of the rows, in their order."""
        if kept.all():
            return self
        return Rows(self.vectors[kept], self.devices[kept], self.cohorts[kept], self.starts[kept], self.ends[kept])

    def within(self, start: datetime | None, end: datetime) -> Rows:
        """The windows from ``start`` (or from the beginning) that end by ``end``."""
        inside = self.ends <= _plain(end)
        return self.where(inside if start is None else inside & (self.starts >= _plain(start)))


@dataclass(frozen=True)
class LearningRows:
    """What one model learns from and is judged by.

    Attributes:
        names: the features, in the order of the vectors.
        train: devices that train, in the training period.
        validation: held-out devices, in the validation period.
        later: devices that train, in the validation period; for the rank correlation alone.
        test: devices that nothing looks at before a release.
        snapshot_id: the transaction they were assembled from.
        assembled_at: when, in data time.
    """

    names: tuple[str, ...]
    train: Rows
    validation: Rows
    later: Rows
    test: Rows
    snapshot_id: str
    assembled_at: datetime


def learning_rows(data: pd.DataFrame, features: Sequence[str], model_id: str, profile: str) -> LearningRows:
    """The rows of one model.

    Args:
        data: ``training_data`` of the model's window length, in any order.
        features: what the model wants; a feature that training never saw is not in the vectors and left out.
        model_id: named in errors.
        profile: named in errors.

    Raises:
        NotEnoughTrainingRowsError: there are no rows at all.
        MissingValueError: a vector holds a value that is no number.
    """
    if data.empty:
        raise NotEnoughTrainingRowsError(profile, 0, 1)
    ordered = data.sort_values(["device_id", "window_start"], kind="stable", ignore_index=True)
    listed = [str(name) for name in ordered["feature_names"].iloc[0]]
    names = tuple(name for name in features if name in listed)
    places = [listed.index(name) for name in names]
    whole = np.asarray(np.concatenate(ordered["feature_vector"].tolist()), dtype=np.float64).reshape(len(ordered), -1)
    if places != list(range(len(listed))):
        whole = np.ascontiguousarray(whole[:, places])
    wrong = ~np.isfinite(whole).all(axis=0)
    if wrong.any():
        raise MissingValueError(model_id, [name for name, odd in zip(names, wrong, strict=True) if odd])
    every = Rows(
        whole,
        ordered["device_id"].to_numpy(dtype=object),
        ordered["cohort_id"].to_numpy(dtype=object),
        *(_times(ordered[name]) for name in ("window_start", "window_end")),
    )
    parts = ordered["device_part"].to_numpy(dtype=object)
    period = ordered["period"].to_numpy(dtype=object)

    def part(device_part: str, when: str) -> Rows:
        return every.where((parts == device_part) & (period == when))

    return LearningRows(
        names,
        part("train", "train"),
        part("validation", "validation"),
        part("train", "validation"),
        part("test", "validation"),
        str(ordered["snapshot_id"].iloc[0]),
        _instant(ordered["assembled_at"].iloc[0]),
    )


def _times(column: pd.Series[Any]) -> NDArray[np.datetime64]:
    """UTC without saying so, in whatever unit and zone Spark hands them over."""
    utc = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
    return utc.to_numpy(dtype="datetime64[us]")


def _plain(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")


def _instant(value: Any) -> datetime:
    found: datetime = pd.Timestamp(value).to_pydatetime()
    return found if found.tzinfo else found.replace(tzinfo=UTC)
