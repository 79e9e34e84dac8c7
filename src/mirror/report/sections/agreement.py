"""Whether models flag the same devices, beyond what chance gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mirror.report.fleet_data import FleetData
from mirror.report.parts import Rows

AUDIENCE, ORDER = "science", 40
TITLE = "Model agreement"
LEAD = (
    "Plain agreement is high by chance when few devices are flagged; the overlap of the flagged sets (Jaccard) and "
    "kappa are not."
)


def read(fleet: FleetData) -> Iterator[Rows]:
    """The newest day, one row per pair."""
    needed = ("pair_id", "agreement_rate")
    wanted = (
        "window_duration_minutes", "devices_compared", "jaccard_flagged", "cohen_kappa", "high_disagreement_devices",
        "flagged_a", "flagged_b",
    )  # fmt: skip
    rows = fleet.newest("model_agreement_metrics", "evaluation_date", needed, wanted).to_pylist()
    rows.sort(key=lambda row: (str(row["pair_id"]), row.get("window_duration_minutes") or 0))
    yield Rows(
        caption=f"Pairs of models on {rows[0]['evaluation_date']}",
        columns=(
            "pair", "minutes", "devices", "Jaccard", "kappa", "agreement", "opposed", "flagged by first", "by second",
        ),
        rows=tuple(_row(row) for row in rows),
        total=len(rows),
    )  # fmt: skip


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        "all models" if row["pair_id"] == "ALL" else str(row["pair_id"]).replace("|", " and "),
        *(_text(row.get(name)) for name in ("window_duration_minutes", "devices_compared", "jaccard_flagged")),
        _text(row.get("cohen_kappa")),
        "–" if row["agreement_rate"] is None else f"{row['agreement_rate']:.1%}",
        *(_text(row.get(name)) for name in ("high_disagreement_devices", "flagged_a", "flagged_b")),
    )


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
