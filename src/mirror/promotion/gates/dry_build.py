"""The merged pipeline can be planned: no cycle, one producer per dataset, and every input comes from somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"ingested": "texts"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    found = case.plan.declared
    if case.plan.policy.transforms is None:
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, "the policy names no transforms repository.")
    fix = "Run `mirror build --dry-run` on the branch, mend what it names, commit, promote again."
    if problem := found.problem or case.plan.jobs.problem:
        return GateResult(settings.gate, Outcome.FAIL, f"{problem.rstrip('.')}.", (), fix)
    if not found.specs:
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, "no transform is declared in the merged tree.")
    made = {path for spec in found.specs for path in spec.output_paths}
    read = {path: spec.reference for spec in found.specs for _, path in spec.dataset_inputs() if path not in made}
    known = set(matching(read, settings.texts("ingested"))) | set(_stored(case))
    loose = [f"{path}, read by {reference}" for path, reference in sorted(read.items()) if path not in known]
    summary = f"{len(found.specs)} jobs make {len(made)} outputs from {len(read)} ingested inputs"
    if loose:
        fix = "Ingest it, correct the path, or add a glob for it to `ingested` of this gate."
        return GateResult(settings.gate, Outcome.FAIL, f"{summary}; {len(loose)} come from nowhere.", tuple(loose), fix)
    return GateResult(settings.gate, Outcome.PASS, f"{summary}; no cycle, one producer each.")


def _stored(case: GateCase) -> Iterator[str]:
    """Paths of the workspace's datasets; none where there is no workspace."""
    try:
        opened = Workspace.open(case.workspace, clock=case.clock)
    except WorkspaceNotFoundError:
        return
    with opened as workspace:
        yield from (dataset.path for dataset in workspace.store.datasets())
