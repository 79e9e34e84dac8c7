"""How anomaly scores are spread, model by model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import Histogram, Histograms

AUDIENCE, ORDER = "science", 30
TITLE = "Score histograms"
LEAD = "Share of windows per twentieth of the score, by model version. The marked bar holds the threshold."

Array = npt.NDArray[np.float64]
BINS = 20
SHOWN = 6


def read(fleet: FleetData) -> Iterator[Histograms]:
    """The versions that scored most windows."""
    needed = ("anomaly_score", "model_id")
    table = fleet.table("model_scores", needed, ("model_version", "anomaly_flag", "threshold_used"))
    if not pa.types.is_floating(table.schema.field("anomaly_score").type):
        raise NotThereError(f"{fleet.prefix}/model_scores: anomaly_score is no number.")
    names = (
        [name for name in ("model_id", "model_version") if not pa.types.is_null(table.schema.field(name).type)]
        if "model_version" in table.column_names
        else ["model_id"]
    )
    keys = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in names]
    encoded = pc.binary_join_element_wise(*keys, " ").combine_chunks().dictionary_encode()
    places, labels = encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
    scores = table["anomaly_score"].to_numpy()
    flags = _column(table, "anomaly_flag")
    limits = _column(table, "threshold_used")
    drawn = [
        _histogram(label.strip(), scores[places == number], flags, limits, places == number)
        for number, label in enumerate(labels)
    ]
    drawn.sort(key=lambda one: (-one[0], one[1].title))
    yield Histograms(tuple(one for _, one in drawn[:SHOWN]), now="all scored windows", total=len(drawn))


def _column(table: pa.Table, name: str) -> Array | None:
    if name not in table.column_names or pa.types.is_null(table.schema.field(name).type):
        return None
    return pc.cast(table[name], pa.float64()).to_numpy()


def _histogram(
    label: str, scores: Array, flags: Array | None, limits: Array | None, mine: npt.NDArray[np.bool_]
) -> tuple[int, Histogram]:
    inside = scores[~np.isnan(scores)]
    counts, _ = np.histogram(np.clip(inside, 0, 1), bins=BINS, range=(0.0, 1.0))
    total = max(len(inside), 1)
    flagged = None if flags is None else float(np.nansum(flags[mine])) / total
    limit = None if limits is None or np.isnan(limits[mine]).all() else float(np.nanmax(limits[mine]))
    parts = [f"median {np.median(inside):.2f}, 95th percentile {np.quantile(inside, 0.95):.2f}" if len(inside) else ""]
    parts += [f"{flagged:.1%} flagged"] if flagged is not None else []
    parts += [f"threshold {limit:.2f}"] if limit is not None else []
    return len(inside), Histogram(
        title=label,
        note=f"{len(inside):,} windows",
        labels=tuple(f"{bin_ / BINS:.2f} to {(bin_ + 1) / BINS:.2f}" for bin_ in range(BINS)),
        shares=tuple(float(count) / total for count in counts),
        summary=", ".join(part for part in parts if part),
        marked=None if limit is None else min(int(limit * BINS), BINS - 1),
    )
