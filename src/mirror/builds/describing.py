"""Live transforms as JobSpecs. Imports nothing that is slow to import: promotions run it in a process per tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirror.builds.fingerprint import LogicVersions
from mirror.builds.specs import JobSpec, ParamSpec


def describe(rids: Mapping[str, str], transform: Any, versions: LogicVersions | None, source_root: Path) -> JobSpec:
    """The JobSpec of a live transform; without ``versions`` it carries no logic version, which takes reading files.

    ``rids``: RID or other spelling -> the path a dataset is stored under.
    """
    params = tuple(_param(rids, name, param) for name, param in transform.parameters.items())
    incremental = None if transform.incremental is None else json.loads(json.dumps(vars(transform.incremental)))
    declared = json.dumps([dict(vars(p)) for p in params], sort_keys=True) + json.dumps(incremental, sort_keys=True)
    file = Path(transform.source.file)
    shown = file.relative_to(source_root) if file.is_relative_to(source_root) else file
    return JobSpec(
        reference=transform.reference,
        name=transform.__name__,
        source=f"{shown}:{transform.source.line}",
        engine=transform.engine,
        logic_version="" if versions is None else versions.of(transform.compute_func, declared),
        params=params,
        incremental=incremental,
        recorded={name: str(value) for name, value in transform.recorded.items()},
    )


def _param(rids: Mapping[str, str], name: str, param: Any) -> ParamSpec:
    aliases = tuple(rids.get(alias, alias) for alias in getattr(param, "aliases", None) or ())
    settings = {
        key: value
        for key, value in sorted(vars(param).items())
        if key not in ("aliases", "branch", "checks", "description", "kind", "direction", "settings", "name")
        and not key.startswith("_")
        and isinstance(value, str | int | float | bool)
    }
    checks = tuple(f"{c.name}|{c.on_error}|{c.expectation!r}" for c in getattr(param, "checks", ()))
    branch = param.__dict__.get("branch")
    return ParamSpec(name, param.kind, param.direction, aliases, branch, settings, checks)
