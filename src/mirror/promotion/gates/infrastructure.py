"""What the target needs around its code is there: artefacts, inputs, storage, memory, packages, health checks.

Each check is one line of evidence; what this machine cannot see is said to be unseen and does not block.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.datasets.guest import find_source_root
from mirror.datasets.storage import open_stream
from mirror.errors import MirrorError
from mirror.health.check_files import load_checks
from mirror.models import Governance
from mirror.porting.recipe import required_packages
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"devices": "number", "features": "number", "driver_megabytes": "number", "watched": "texts"}
OPTIONAL = {
    "provided_by_foundry": "texts",
    "scoring_minutes": "number",
    "scoring_minutes_limit": "number",
    "secrets_until": "lists",
    "secrets_days": "number",
}

_BYTES_PER_VALUE = 8
_SECRETS_DAYS = 14.0
# A frame and the copy that turns it into a matrix are in memory at once.
_COPIES = 2


@dataclass(frozen=True)
class _Check:
    """``problem`` is empty when it holds, ``None`` when it cannot be seen from here."""

    name: str
    seen: str
    problem: str | None = ""

    def __str__(self) -> str:
        verdict = "not seen" if self.problem is None else "no" if self.problem else "yes"
        return f"{self.name}: {verdict}: {self.problem or self.seen}"


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    """What no machine but the target's can tell is written into the policy by whoever measured or renewed it.

    ``scoring_minutes``: what scoring ``devices`` took on the target's compute profile, of ``scoring_minutes_limit``;
    ``secrets_until``: secret of a source -> the ISO day it ends, which must be ``secrets_days`` (14) away.
    """
    checks = [*_in_workspace(case), _memory(settings), _packages(case, settings), _watched(case, settings)]
    checks += [_compute_profile(settings), _secrets(case, settings)]
    evidence = tuple(str(check) for check in checks)
    failed = [check for check in checks if check.problem]
    held = sum(check.problem == "" for check in checks)
    if failed:
        fix = "Put right what each line names, on the machine and in the workspace that the target uses."
        summary = f"{len(failed)} of {len(checks)} checks do not hold: {', '.join(check.name for check in failed)}."
        return GateResult(settings.gate, Outcome.FAIL, summary, evidence, fix)
    return GateResult(
        settings.gate, Outcome.PASS, f"{held} of {len(checks)} checks hold, the rest is not seen here.", evidence
    )


def _in_workspace(case: GateCase) -> Iterator[_Check]:
    try:
        opened = Workspace.open(case.workspace, clock=case.clock)
    except WorkspaceNotFoundError as error:
        yield _Check("workspace", "", str(error))
        return
    with opened as workspace:
        looks: tuple[tuple[str, Callable[[GateCase, Workspace], str]], ...] = (
            ("artefacts load", _artefacts),
            ("inputs are readable", _inputs),
            ("storage can be written", _storage),
        )
        for name, look in looks:
            try:
                yield _Check(name, look(case, workspace))
            except (MirrorError, OSError) as error:
                yield _Check(name, "", str(error))


def _artefacts(case: GateCase, workspace: Workspace) -> str:
    """Checksums of what would score on the target; that they load and score is a check of the model's objective."""
    governance = Governance(workspace)
    moves = {move.model: move.after for move in case.plan.models}
    shown = []
    for model in governance.registry.models():
        objective = governance.objectives.for_model(model.path)
        release = objective and governance.in_force(model, objective.environment_of(case.plan.target))
        if model.path in moves:
            version = governance.registry.version(model, moves[model.path])
        elif release:
            version = governance.registry.by_rid(release.version_rid)[1]
        else:
            continue
        governance.registry.verify(model, version)
        shown.append(f"{model.path} {version.semantic}")
    return ", ".join(shown) or "no model scores there"


def _inputs(case: GateCase, workspace: Workspace) -> str:
    """Every ingested input has a view on the target's data branch or a fallback, with its files in place."""
    made = {path for spec in case.plan.declared.specs for path in spec.output_paths}
    read = sorted({path for s in case.plan.declared.specs for _, path in s.dataset_inputs() if path not in made})
    found = 0
    for path in read:
        dataset = workspace.store.find(path)
        if dataset is None:
            continue
        view = workspace.store.view(dataset, case.plan.target, fallbacks=case.plan.step.fallbacks)
        for entry in view.entries[:1]:
            open_stream(entry, "rb").close()
        found += 1
    return f"{found} of {len(read)} ingested inputs hold data"


def _storage(case: GateCase, workspace: Workspace) -> str:
    workspace.storage.prepare()
    return workspace.config.storage.root


def _memory(settings: GateSettings) -> _Check:
    devices, features, limit = (settings.number(n) for n in ("devices", "features", "driver_megabytes"))
    needed = devices * features * _BYTES_PER_VALUE * _COPIES / 1e6
    seen = f"{devices:,.0f} devices with {features:g} features take {needed:,.0f} MB of {limit:,.0f} MB"
    return _Check("scoring fits in memory", seen, "" if needed < limit else seen)


def _compute_profile(settings: GateSettings) -> _Check:
    name = "compute profile"
    if not {"scoring_minutes", "scoring_minutes_limit"} <= settings.values.keys():
        how = "measure `mirror build --only` of the scores there and give scoring_minutes and scoring_minutes_limit"
        return _Check(name, how, None)
    took, limit = settings.number("scoring_minutes"), settings.number("scoring_minutes_limit")
    seen = f"scoring {settings.number('devices'):,.0f} devices took {took:g} of {limit:g} minutes there"
    return _Check(name, seen, "" if took <= limit else seen)


def _secrets(case: GateCase, settings: GateSettings) -> _Check:
    name, until = "secrets of sources", settings.lists("secrets_until")
    if not until:
        return _Check(name, "their ends are known to the sources alone: give secrets_until", None)
    needed = settings.number("secrets_days", _SECRETS_DAYS)
    wrong = []
    for secret, days in until.items():
        try:
            end = date.fromisoformat("".join(days))
        except ValueError:
            wrong.append(f"{secret}: {', '.join(days)!r} is no day such as 2026-12-31")
            continue
        left = (end - case.clock().date()).days
        if left < needed:
            wrong.append(f"{secret} ends on {end}, in {left} days of {needed:g}")
    return _Check(name, f"{len(until)} are valid for {needed:g} days and more", "; ".join(wrong))


def _packages(case: GateCase, settings: GateSettings) -> _Check:
    """Everything the recipe pins is installed here in that version; what only Foundry serves is left out."""
    recipe = find_source_root(case.tree).parent / "conda_recipe" / "meta.yaml"
    wrong = []
    looked = 0
    for name, version in sorted(required_packages(recipe).items()):
        wanted = version.lstrip("= ")
        if name in settings.texts("provided_by_foundry") or not wanted[:1].isdigit():
            continue
        looked += 1
        if name == "python":
            running = platform.python_version()
            if not fnmatchcase(running, wanted if "*" in wanted else f"{wanted}*"):
                wrong.append(f"python is {running}, the recipe says {wanted}")
            continue
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if installed != wanted:
            wrong.append(f"{name} is {installed}, the recipe says {wanted}")
    return _Check("packages as pinned", f"{looked} packages", "; ".join(wrong))


def _watched(case: GateCase, settings: GateSettings) -> _Check:
    """Datasets with a promise on freshness have a health check with somebody who is told."""
    made = sorted({path for spec in case.plan.declared.specs for path in spec.output_paths})
    promised = matching(made, settings.texts("watched"))
    told = {path for check in load_checks(case.tree).all if check.subscribers for path in check.paths}
    silent = [path for path in promised if path not in told]
    seen = f"{len(promised)} datasets are watched and somebody is told"
    return _Check("health checks and subscribers", seen, f"nobody watches {', '.join(silent)}" if silent else "")
