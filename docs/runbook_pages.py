"""One page per runbook, made from the YAML that alerts link to; ``docs/tables.py`` writes and checks them."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parent
PAGES = DOCS / "03-production" / "runbooks"
MONITORING = DOCS.parent / "transforms-python" / "src" / "fleet_health" / "monitoring"


def pages() -> dict[Path, str]:
    """What each page holds, by its path; the index is among them."""
    book = _read("runbooks.yaml")
    metrics = _read("metrics.yaml")["metrics"]
    triggers = _read("retraining.yaml")["triggers"]
    by_runbook: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for metric in metrics:
        by_runbook[metric["runbook"]].append(metric)
    runbooks = book["runbooks"]
    known = {one["id"] for one in runbooks}
    made = {PAGES / f"{one['id']}.md": _page(one, by_runbook[one["id"]], triggers, known) for one in runbooks}
    made[PAGES / "README.md"] = _index(runbooks)
    return made


def stale() -> list[Path]:
    """Pages that are missing or not what the YAML says, and pages of runbooks that are gone."""
    wanted = pages()
    differing = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    return sorted([*differing, *(path for path in PAGES.glob("*.md") if path not in wanted)])


def write() -> None:
    """Writes every page and removes those of runbooks that are gone."""
    wanted = pages()
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in stale():
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()


@functools.cache
def _read(name: str) -> Any:
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


def _page(
    runbook: Mapping[str, Any],
    metrics: Iterable[Mapping[str, Any]],
    triggers: Iterable[Mapping[str, Any]],
    known: set[str],
) -> str:
    lines = [
        f"# {runbook['id']} {runbook['title']}",
        "",
        f"When: {runbook['when']}. Owner: {runbook['owner']}.",
        "[All runbooks](README.md), [monitoring](../monitoring.md)",
        "",
        *(f"{number}. {_linked(step, runbook['id'], known)}" for number, step in enumerate(runbook["steps"], 1)),
        "",
        "## What leads here",
        "",
    ]
    rows = [f"| {m['id']} | {m['name']} | {m['rotation']} | {m['escalation']} |" for m in metrics]
    if rows:
        lines += ["| metric | measures | called | escalation |", "| --- | --- | --- | --- |", *rows]
    elif runbook["id"] == "RB-17":
        lines += [f"* trigger {trigger['id']}: {trigger['name']}" for trigger in triggers]
    else:
        lines.append("No metric by itself; another runbook, or a person.")
    return "\n".join(lines) + "\n"


def _linked(step: str, own: str, known: set[str]) -> str:
    for name in sorted(known - {own}):
        step = step.replace(name, f"[{name}]({name}.md)")
    return step


def _index(runbooks: Iterable[Mapping[str, Any]]) -> str:
    rows = [f"| [{one['id']}]({one['id']}.md) | {one['title']} | {one['when']} | {one['owner']} |" for one in runbooks]
    head = [
        "# Runbooks",
        "",
        "What the person who is called does, in order; each alert names its own in `runbook_id`.",
        "",
    ]
    return "\n".join([*head, "| runbook | about | when | owner |", "| --- | --- | --- | --- |", *rows]) + "\n"
