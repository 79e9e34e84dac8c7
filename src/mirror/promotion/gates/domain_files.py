"""Every YAML file of the merged tree that the policy lists can be read, and what one names of another exists.

Judged are repeated keys, metrics against runbooks and escalations, health checks, model objectives, and the promotion
policy that this promotion would put in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from mirror.errors import UsageError
from mirror.health.check_files import load_checks
from mirror.located import parse
from mirror.models import load_objectives
from mirror.promotion.errors import PolicyError
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.review.thresholds_justified import reference_gaps
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"files": "texts"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    paths = sorted(path.relative_to(case.tree).as_posix() for path in case.tree.rglob("*.y*ml") if path.is_file())
    chosen = matching(paths, settings.texts("files"))
    if not chosen:
        why = f"no file of {case.plan.source!r} matches {', '.join(settings.texts('files'))}."
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, why)
    problems = [problem for path in chosen for problem in _repeated(case.tree, path)]
    problems += _across(case.tree)
    if problems:
        fix = "Mend each at the line it names; the file is read the same way when the platform starts."
        return GateResult(
            settings.gate, Outcome.FAIL, f"{len(problems)} problems in domain files.", tuple(problems), fix
        )
    return GateResult(settings.gate, Outcome.PASS, f"{len(chosen)} files can be read, and their references resolve.")


def _repeated(tree: Path, path: str) -> Iterator[str]:
    """Why a file is no YAML, and keys that it gives twice: the second would silently win."""
    try:
        root = parse((tree / path).read_text(encoding="utf-8"), path, PolicyError).node
    except (UsageError, UnicodeDecodeError) as error:
        yield str(error) if isinstance(error, UsageError) else f"{path}:1: is no UTF-8 text."
        return
    pending = [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for key, value in node.value:
                pending.append(value)
                if isinstance(key, yaml.ScalarNode) and key.value != "<<" and keys.count(key.value) > 1:
                    keys.remove(key.value)
                    yield f"{path}:{key.start_mark.line + 1}: the key {key.value!r} is given twice; keep one."


def _across(tree: Path) -> Iterator[str]:
    from mirror.promotion.policy import POLICY_FILE, load_policy

    yield from reference_gaps(tree)
    for load in (load_checks, load_objectives):
        try:
            load(tree)
        except UsageError as error:
            yield str(error)
    policy = tree / POLICY_FILE
    if policy.is_file():
        try:
            load_policy(policy.read_text(encoding="utf-8"))
        except UsageError as error:
            yield str(error)
