"""The devices whose windows were flagged most, with where they stand."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, NEUTRAL, WATCH, Rows

AUDIENCE, ORDER = "science", 60
TITLE = "Top devices"
LEAD = "By share of flagged windows over everything scored."

SHOWN = 25


def read(fleet: FleetData) -> Iterator[Rows]:
    """One row per device, with its open alert."""
    table = fleet.table("model_scores", ("device_id", "anomaly_score", "anomaly_flag"))
    if not pa.types.is_boolean(table.schema.field("anomaly_flag").type):
        raise NotThereError(f"{fleet.prefix}/model_scores: anomaly_flag is no truth value.")
    flagged = pc.cast(pc.fill_null(table["anomaly_flag"], False), pa.int64())
    grouped = (
        pa.table({"device": table["device_id"], "score": table["anomaly_score"], "flagged": flagged})
        .group_by("device")
        .aggregate([("score", "count"), ("score", "max"), ("score", "mean"), ("flagged", "sum")])
        .to_pylist()
    )
    grouped.sort(key=lambda row: (-row["flagged_sum"] / max(row["score_count"], 1), str(row["device"])))
    about = _registry(fleet)
    open_alerts = {alert.device_id: alert.severity for alert in reversed(fleet.alerts.equipment)}
    shown = grouped[:SHOWN]
    yield Rows(
        caption=f"The {len(shown)} most flagged of {len(grouped)} devices",
        columns=("open alert", "device", "site", "type", "windows", "flagged", "mean score", "highest"),
        rows=tuple(
            (
                open_alerts.get(row["device"], "none").lower(),
                str(row["device"]),
                *about.get(row["device"], ("–", "–")),
                f"{row['score_count']:,}",
                f"{row['flagged_sum'] / max(row['score_count'], 1):.1%}",
                "–" if row["score_mean"] is None else f"{row['score_mean']:.2f}",
                "–" if row["score_max"] is None else f"{row['score_max']:.2f}",
            )
            for row in shown
        ),
        total=len(grouped),
        levels=tuple(_LEVELS.get(open_alerts.get(row["device"], ""), NEUTRAL) for row in shown),
    )


_LEVELS = {"CRITICAL": BAD, "HIGH": BAD, "MEDIUM": WATCH, "LOW": WATCH}


def _registry(fleet: FleetData) -> dict[str, tuple[str, str]]:
    """Site and type of every device; empty where there is no registry."""
    try:
        table = fleet.table("device_registry", ("device_id", "site_id"), ("model",))
    except NotThereError:
        return {}
    return {row["device_id"]: (str(row["site_id"] or "–"), str(row.get("model") or "–")) for row in table.to_pylist()}
