"""One section per fleet: the datasets of a folder whose names are the pipeline's, read as far as shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mirror.datasets import DatasetStore, View
from mirror.health import AlertBook, EquipmentAlert
from mirror.health.alert_book import counts
from mirror.health.alerts import EQUIPMENT_NEEDS, most_urgent_first, raised_equipment
from mirror.health.rows import read_columns
from mirror.report.small_tables import SHOWN, small_table
from mirror.report.snapshot import Count, DatasetLine, Edge, FleetSection
from mirror.report.timelines import device_scores

STAGES = {
    "raw_sensor_readings": ("raw", False),
    "clean_sensor_readings": ("clean", False),
    "quarantine_sensor_readings": ("quarantine", True),
    "dead_letter": ("dead letter", True),
    "device_features": ("features", False),
    "model_scores": ("scores", False),
    "device_alerts": ("alerts", False),
}
"""Dataset name -> stage, and whether its rows left the main way."""

WORST = 8
"""Raised alerts that are listed even after they ended."""

NAMES = frozenset({*STAGES, *SHOWN, "label_events", "quality_alerts"})


def fleet_sections(
    store: DatasetStore, branch: str, lines: Sequence[DatasetLine], edges: Sequence[Edge], alerts: AlertBook
) -> tuple[FleetSection, ...]:
    """A section for every folder with committed data under one of the pipeline's names, ordered by folder."""
    prefixes = sorted({line.fleet for line in lines if line.name in NAMES and line.transaction is not None})
    return tuple(_section(store, branch, prefix, lines, edges, alerts) for prefix in prefixes)


def _section(
    store: DatasetStore,
    branch: str,
    prefix: str,
    lines: Sequence[DatasetLine],
    edges: Sequence[Edge],
    alerts: AlertBook,
) -> FleetSection:
    mine = {line.name: line for line in lines if line.fleet == prefix and line.transaction is not None}
    views = {name: store.view(store.dataset(line.path), branch) for name, line in mine.items() if name in NAMES}
    scores, devices = device_scores(views.get("model_scores"), views.get("label_events"))
    book = AlertBook(
        tuple(alert for alert in alerts.quality if alert.source.startswith(prefix + "/")),
        tuple(alert for alert in alerts.equipment if alert.source.startswith(prefix + "/")),
    )
    raised = _raised(views.get("device_alerts"))
    return FleetSection(
        prefix=prefix,
        flow=(*_landing(prefix, lines, edges), *_stages(mine)),
        reasons=(
            *_counts(views.get("quarantine_sensor_readings"), "quarantine_reason", "quarantine"),
            *_counts(views.get("dead_letter"), "reason", "dead letter"),
        ),
        flags=_counts(views.get("clean_sensor_readings"), "quality_flags", ""),
        scores=scores,
        devices_scored=devices,
        raised=_severities(raised) if "device_alerts" in views else (),
        worst_raised=most_urgent_first(raised)[:WORST],
        alerts=book,
        tables=tuple(small_table(views[name], SHOWN[name]) for name in SHOWN if name in views),
    )


def _stages(mine: dict[str, DatasetLine]) -> Iterable[Count]:
    for name, (stage, aside) in STAGES.items():
        if name in mine:
            yield Count(stage, mine[name].rows, aside=aside)


def _landing(prefix: str, lines: Sequence[DatasetLine], edges: Sequence[Edge]) -> Iterable[Count]:
    """Whatever is read to make the raw readings and is not itself made by a transform."""
    made = {edge.target for edge in edges}
    raw = f"{prefix}/raw_sensor_readings"
    sources = {edge.source for edge in edges if edge.target == raw} - made
    for line in lines:
        if line.path in sources and line.transaction is not None:
            noun = "file" if line.files == 1 else "files"
            yield Count(line.name.replace("_", " "), line.rows, f"{line.files} {noun}")


def _counts(view: View | None, column: str, note: str) -> tuple[Count, ...]:
    """Rows per value of a text column, or per element of a list column; most frequent first, null left out."""
    if view is None or view.schema is None or column not in view.schema.columns:
        return ()
    values = read_columns(view, [column])[column]
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = pc.list_flatten(values)
    found: list[dict[str, Any]] = pc.value_counts(values.combine_chunks()).to_pylist()
    counts = [Count(str(entry["values"]), entry["counts"], note) for entry in found if entry["values"] is not None]
    return tuple(sorted(counts, key=lambda count: (-(count.rows or 0), count.name)))


def _raised(view: View | None) -> list[EquipmentAlert]:
    """The alerts that were ever sent; none where columns of an alert are missing, which the page notes."""
    if view is None or view.schema is None or EQUIPMENT_NEEDS - set(view.schema.columns):
        return []
    return raised_equipment(view.dataset.path, read_columns(view).to_pylist())


def _severities(alerts: Iterable[EquipmentAlert]) -> tuple[Count, ...]:
    return tuple(Count(severity, rows) for severity, rows in counts(alerts).items())
