"""The guest's monitoring definitions, read as data: nothing of the guest is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.datasets.guest import find_source_root
from mirror.located import parse
from mirror.promotion.errors import PolicyError


@dataclass(frozen=True)
class Monitoring:
    """``metrics``, ``runbooks`` and ``escalations`` of every YAML file in a ``monitoring`` package."""

    files: tuple[str, ...]
    metrics: tuple[Mapping[str, Any], ...]
    runbooks: Mapping[str, Mapping[str, Any]]
    escalations: Mapping[str, Mapping[str, Any]]


def monitoring(repository: Path) -> Monitoring:
    """Raises GuestNotFoundError, and PolicyError for a file that is no YAML."""
    files: list[str] = []
    metrics: list[Mapping[str, Any]] = []
    named: dict[str, dict[str, Mapping[str, Any]]] = {"runbooks": {}, "escalations": {}}
    for path in sorted(find_source_root(repository).glob("*/monitoring/**/*.yaml")):
        file = path.relative_to(repository).as_posix()
        document = parse(path.read_text(encoding="utf-8"), file, PolicyError).value
        if not isinstance(document, dict):
            continue
        files.append(file)
        metrics += [m for m in document.get("metrics") or [] if isinstance(m, dict)]
        for key, found in named.items():
            found |= {str(e.get("id")): e for e in document.get(key) or [] if isinstance(e, dict)}
    return Monitoring(tuple(files), tuple(metrics), named["runbooks"], named["escalations"])
