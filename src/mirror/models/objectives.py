"""``ci/objectives.yml``: which models are governed, what a release must fulfil, and which branch uses which release.

objectives:
  isolation_forest:
    model: /Fleet/*/models/isolation_forest      # a path, or a pattern: every model it fits is governed by itself
    owner: ML Platform
    keep_versions: 3
    decisions: "{fleet}/release_landing"         # where every release, rollback and trial is written down
    environments:
      production: {branches: [master, release], approvers: [Ada], approvals: 1}
      staging: {branches: ["*"]}
    card: {facts: [threshold], metrics: [anomaly_rate_validation], stale_after_days: 90}
    checks:
      - name: provenance is recorded
        kind: provenance
        blocks: [production]
        reason: a score that cannot be traced to its training data cannot be explained
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mirror.errors import nearest
from mirror.located import Located, parse_file
from mirror.models.card_age import DataTime
from mirror.models.criteria import criterion_kinds
from mirror.models.criteria.base import Criterion
from mirror.models.errors import NotGovernedError, ObjectivesFileError
from mirror.models.records import ENVIRONMENTS, PRODUCTION, STAGING

OBJECTIVES_FILE = "ci/objectives.yml"
_DEFAULT_BRANCHES = {PRODUCTION: ("master", "release"), STAGING: ("*",)}


@dataclass(frozen=True)
class Environment:
    """One of the two places a release goes to.

    Attributes:
        branches: patterns of branches whose scoring uses this environment's release.
        approvers: who may approve; empty lets anybody.
        approvals: how many different people must.
    """

    name: str
    branches: tuple[str, ...]
    approvers: tuple[str, ...] = ()
    approvals: int = 1


@dataclass(frozen=True)
class CheckRule:
    """One check of an objective: what is judged, why, and the environments it blocks when it does not pass.

    ``halts``: whether a candidate on trial that is rejected by it is stopped at the end of the build that showed it.
    """

    name: str
    criterion: Criterion
    reason: str
    blocks: tuple[str, ...] = ()
    halts: bool = False


@dataclass(frozen=True)
class CardRules:
    """What a version must have recorded for its model card, without which production stays closed to it.

    Attributes:
        facts: what the version itself has to record, by name.
        metrics: figures that are known of every version.
        validated: figures that are known of a version that something validated: where ``validation_rows`` is above 0.
        provenance: what the platform has to know of its training.
        stale_after_days: age at which the card calls itself stale.
        data_time: how that age is measured; without it by the platform's clock since the version was published.
    """

    facts: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    validated: tuple[str, ...] = ()
    provenance: tuple[str, ...] = ()
    stale_after_days: int = 90
    data_time: DataTime | None = None


@dataclass(frozen=True)
class Objective:
    """What governs the models that ``model`` (a path or pattern) fits.

    Attributes:
        decisions: dataset that gets a row for each decision; ``{fleet}`` stands for the folder that holds the model's
            ``models`` folder. ``None`` writes none.
    """

    name: str
    model: str
    owner: str
    environments: Mapping[str, Environment]
    checks: tuple[CheckRule, ...] = ()
    keep_versions: int = 3
    card: CardRules = CardRules()
    decisions: str | None = None

    def governs(self, path: str) -> bool:
        """Whether the model at ``path`` is one of this objective's."""
        return fnmatchcase(path, self.model)

    def environment_of(self, branch: str) -> str:
        """The environment whose release a build on ``branch`` uses; production is asked before staging."""
        for name in (PRODUCTION, STAGING):
            if any(fnmatchcase(branch, pattern) for pattern in self.environments[name].branches):
                return name
        return PRODUCTION


@dataclass(frozen=True)
class Objectives:
    """All objectives of a repository, in the file's order."""

    file: str
    all: tuple[Objective, ...] = ()

    def for_model(self, path: str) -> Objective | None:
        """The objective that governs a model, or ``None``."""
        return next((o for o in self.all if o.governs(path)), None)

    def named(self, name: str) -> Objective:
        """An objective by name. Raises NotGovernedError naming the nearest."""
        for objective in self.all:
            if objective.name == name:
                return objective
        raise NotGovernedError(name, self.file, tuple(o.name for o in self.all))


def load_objectives(repository: Path) -> Objectives:
    """Reads the repository's objectives; a repository without the file governs nothing.

    Raises:
        ObjectivesFileError: with file, line and the fix, for the first mistake.
    """
    root = parse_file(repository / OBJECTIVES_FILE, OBJECTIVES_FILE, ObjectivesFileError)
    if root is None:
        return Objectives(OBJECTIVES_FILE)
    top = root.mapping("the file", known=("objectives",), required=("objectives",))
    entries = top["objectives"].mapping("objectives")
    return Objectives(OBJECTIVES_FILE, tuple(_objective(name, entry) for name, entry in entries.items()))


def _objective(name: str, entry: Located) -> Objective:
    what = f"objective {name!r}"
    parts = entry.mapping(
        what,
        known=("model", "owner", "environments", "checks", "card", "keep_versions", "decisions"),
        required=("model", "owner"),
    )
    declared = parts["environments"].mapping("environments", known=ENVIRONMENTS) if "environments" in parts else {}
    checks: list[CheckRule] = []
    for item in parts["checks"].items("checks") if "checks" in parts else ():
        check = _check(item)
        if any(check.name == other.name for other in checks):
            item.wrong(f"the check {check.name!r} is given twice; keep one.")
        checks.append(check)
    return Objective(
        name=name,
        model=parts["model"].text("model"),
        owner=parts["owner"].text("owner"),
        environments={n: _environment(n, declared.get(n)) for n in ENVIRONMENTS},
        checks=tuple(checks),
        keep_versions=parts["keep_versions"].count("keep_versions") if "keep_versions" in parts else 3,
        card=_card(parts["card"]) if "card" in parts else CardRules(),
        decisions=parts["decisions"].text("decisions") if "decisions" in parts else None,
    )


def _card(entry: Located) -> CardRules:
    listed = ("facts", "metrics", "validated", "provenance")
    parts = entry.mapping("card", known=(*listed, "stale_after_days", "data_time"))
    names = {
        key: tuple(i.text(f"an entry of {key}") for i in parts[key].items(key)) if key in parts else ()
        for key in listed
    }
    days = parts["stale_after_days"].count("stale_after_days") if "stale_after_days" in parts else 90
    clock = None
    if "data_time" in parts:
        told = ("dataset", "column", "trained_through")
        given = parts["data_time"].mapping("data_time", known=told, required=told)
        clock = DataTime(**{key: given[key].text(key) for key in told})
    return CardRules(**names, stale_after_days=days, data_time=clock)


def _environment(name: str, entry: Located | None) -> Environment:
    if entry is None:
        return Environment(name, _DEFAULT_BRANCHES[name])
    parts = entry.mapping(f"environment {name!r}", known=("branches", "approvers", "approvals"))
    branches = tuple(i.text("a branch") for i in parts["branches"].items("branches")) if "branches" in parts else None
    approvers = (
        tuple(i.text("an approver") for i in parts["approvers"].items("approvers")) if "approvers" in parts else ()
    )
    approvals = parts["approvals"].count("approvals") if "approvals" in parts else 1
    if approvers and approvals > len(approvers):
        parts["approvals"].wrong(f"{approvals} approvals cannot come from {len(approvers)} approver(s).")
    return Environment(name, branches or _DEFAULT_BRANCHES[name], approvers, approvals)


def _check(item: Located) -> CheckRule:
    kinds = criterion_kinds()
    parts = item.mapping("a check")
    for key in ("name", "kind", "reason"):
        if key not in parts:
            item.wrong(f"a check needs {key!r}." + (" Say why it must hold." if key == "reason" else ""))
    kind = parts["kind"].text("kind")
    if kind not in kinds:
        parts["kind"].wrong(
            f"there is no check of kind {kind!r}.{nearest(kind, kinds)} Known: {', '.join(sorted(kinds))}."
        )
    blocks = tuple(i.text("an entry of blocks") for i in parts["blocks"].items("blocks")) if "blocks" in parts else ()
    for environment in blocks:
        if environment not in ENVIRONMENTS:
            parts["blocks"].wrong(f"there is no environment {environment!r}. Known: {', '.join(ENVIRONMENTS)}.")
    settings = {k: v for k, v in parts.items() if k not in ("name", "kind", "reason", "blocks", "halts")}
    criterion = kinds[kind].read(item, settings)
    halts = parts["halts"].flag("halts") if "halts" in parts else False
    return CheckRule(parts["name"].text("name"), criterion, parts["reason"].text("reason"), blocks, halts)
