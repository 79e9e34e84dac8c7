"""Features by how far they moved from the rows that trained the model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, GOOD, WATCH, Bar, Bars, Rows

AUDIENCE, ORDER = "science", 20
TITLE = "Drift ranking"
LEAD = (
    "Population stability index of each feature against the training rows, newest comparison, whole fleet; each window "
    "length by itself."
)

SHOWN = 20
MODERATE, SIGNIFICANT = 0.10, 0.25
WHOLE = "ALL"


def read(fleet: FleetData) -> Iterator[Bars | Rows]:
    """Per window length the index as bars with both limits, then all effect sizes of the same features."""
    by_length = sorted(ranked(fleet), key=_minutes)
    for minutes, rows in groupby(by_length, key=_minutes):
        yield from _of_length(minutes, list(rows))


def _of_length(minutes: int, rows: list[dict[str, Any]]) -> Iterator[Bars | Rows]:
    shown = rows[:SHOWN]
    reaches = {row["reach"] for row in rows if row.get("reach")}
    told = f"; significant drift reaches {', '.join(sorted(reaches))}" if reaches else ""
    windows = f" in windows of {minutes} minutes" if minutes else ""
    yield Bars(
        caption=f"The {len(shown)} features that moved most{windows}, of {len(rows)}{told}",
        bars=tuple(
            Bar(_name(row), row["psi_value"], f"{row['psi_value']:.2f}", _note(row), _level(row["psi_value"]))
            for row in shown
        ),
        limits=((MODERATE, "moderate"), (SIGNIFICANT, "significant")),
    )
    sizes = ("psi_value", "ks_statistic", "mean_shift_sigma", "null_rate_delta", "current_row_count")
    words = ("drift_severity", "triage")
    names = ("PSI", "KS", "mean shift, deviations", "null share, change", "rows", "verdict", "looks like")
    yield Rows(
        caption=f"Effect sizes{windows}",
        columns=("feature", *names),
        rows=tuple(
            (_name(row), *(_number(row.get(size)) for size in sizes), *(_word(row, word) for word in words))
            for row in shown
        ),
        total=len(rows),
        folded=True,
    )


def ranked(fleet: FleetData) -> list[dict[str, Any]]:
    """The newest comparison of each feature and window length over the whole fleet, largest index first.

    Raises NotThereError.
    """
    needed = ("scoring_window_start", "feature_name", "psi_value")
    wanted = (
        "window_duration_minutes", "slice_value", "slice_name", "ks_statistic", "mean_shift_sigma", "null_rate_delta",
        "current_row_count", "drift_severity", "triage", "reach",
    )  # fmt: skip
    table = fleet.table("feature_drift_metrics", needed, wanted).to_pylist()
    whole = [row for row in table if row.get("slice_value") in (None, WHOLE) and _is_feature(str(row["feature_name"]))]
    newest: dict[Any, Any] = {}
    for row in whole:
        length = row.get("window_duration_minutes")
        newest[length] = max(newest.get(length, row["scoring_window_start"]), row["scoring_window_start"])
    found = [
        row
        for row in whole
        if row["psi_value"] is not None and row["scoring_window_start"] == newest[row.get("window_duration_minutes")]
    ]
    if not found:
        raise NotThereError(f"{fleet.prefix}/feature_drift_metrics has no index for the whole fleet.")
    return sorted(found, key=lambda row: (-row["psi_value"], _name(row)))


def _is_feature(name: str) -> bool:
    """Rows about a group, a category or all features together (``group:x``, ``__vector__``) are no features."""
    return ":" not in name and not name.startswith("__")


def _minutes(row: dict[str, Any]) -> int:
    """Zero where the dataset knows no lengths."""
    return int(row.get("window_duration_minutes") or 0)


def _name(row: dict[str, Any]) -> str:
    return str(row["feature_name"])


def _note(row: dict[str, Any]) -> str:
    shift = row.get("mean_shift_sigma")
    moved = [] if shift is None else [f"mean moved {abs(shift):.1f} deviations"]
    return ", ".join([*moved, *([f"looks like {_word(row, 'triage')}"] if row.get("triage") else [])])


def _word(row: dict[str, Any], column: str) -> str:
    return str(row.get(column) or "–").replace("_", " ")


def _level(value: float) -> str:
    return BAD if value > SIGNIFICANT else WATCH if value > MODERATE else GOOD


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
