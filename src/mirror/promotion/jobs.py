"""Which JobSpecs a promotion changes and why, and which datasets lie downstream of them. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mirror.builds import JobGraph, JobSpec

_SHOWN = 3


@dataclass(frozen=True)
class JobChange:
    """One job that is not what it was.

    Attributes:
        kind: ``added``, ``removed`` or ``changed``.
        why: one phrase per reason.
        warning: what a reader of the plan should think about; empty mostly.
    """

    reference: str
    kind: str
    outputs: tuple[str, ...]
    why: tuple[str, ...]
    warning: str = ""

    def __str__(self) -> str:
        code = self.reference.partition("(")[0]
        return f"{self.kind} {', '.join(self.outputs) or code} ({code}): {'; '.join(self.why)}"

    def to_json(self) -> dict[str, object]:
        return {
            "reference": self.reference,
            "kind": self.kind,
            "outputs": list(self.outputs),
            "why": list(self.why),
            "warning": self.warning or None,
        }


@dataclass(frozen=True)
class JobComparison:
    """Changed jobs by name, and what they touch.

    Attributes:
        total: jobs of the candidate.
        affected: datasets and models that changed jobs make, and everything downstream of them.
        problem: why the graph of the candidate could not be made; empty when it could.
    """

    total: int = 0
    changes: tuple[JobChange, ...] = ()
    affected: tuple[str, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "total": self.total,
            "changed": [change.to_json() for change in self.changes],
            "affected": list(self.affected),
            "problem": self.problem or None,
        }


def compare_jobs(
    before: Sequence[JobSpec],
    after: Sequence[JobSpec],
    covers: Sequence[Mapping[str, tuple[str, ...]]],
    changed_files: Collection[str],
) -> JobComparison:
    """Compares what two trees would publish.

    Args:
        covers: for either side, reference -> files that the job's logic version stands for.
        changed_files: files that differ between the trees, relative to the source root.

    Raises CyclicPipelineError, TwoProducersError for ``after``.
    """
    old, new = ({spec.reference: spec for spec in specs} for specs in (before, after))
    changed_files = frozenset(changed_files)
    changes = []
    for reference in sorted(old.keys() | new.keys()):
        if reference not in new:
            changes.append(JobChange(reference, "removed", old[reference].output_paths, ("no code makes it any more",)))
        elif reference not in old:
            changes.append(JobChange(reference, "added", new[reference].output_paths, ("it is new",)))
        elif why := tuple(_why(old[reference], new[reference], covers, changed_files)):
            warning = _warning(old[reference], new[reference])
            changes.append(JobChange(reference, "changed", new[reference].output_paths, why, warning))
    return JobComparison(len(after), tuple(changes), _downstream(after, changes))


def _why(
    old: JobSpec, new: JobSpec, covers: Sequence[Mapping[str, tuple[str, ...]]], changed_files: frozenset[str]
) -> Iterator[str]:
    if old == new:
        return
    for side, then, now in (("input", old.inputs, new.inputs), ("output", old.outputs, new.outputs)):
        was, become = ({alias for param in params for alias in param.aliases} for params in (then, now))
        yield from (f"{side} {alias} is new" for alias in sorted(become - was))
        yield from (f"{side} {alias} is gone" for alias in sorted(was - become))
    for name in sorted({p.name for p in old.params} & {p.name for p in new.params}):
        then_param = next(p for p in old.params if p.name == name)
        now_param = next(p for p in new.params if p.name == name)
        if then_param.checks != now_param.checks:
            yield f"checks on {name!r} changed"
        if (then_param.branch, dict(then_param.settings)) != (now_param.branch, dict(now_param.settings)):
            yield f"settings of {name!r} changed"
    if old.incremental != new.incremental:
        yield f"incremental settings changed (semantic version {old.semantic_version} -> {new.semantic_version})"
    if old.logic_version != new.logic_version:
        covered = {file for side in covers for file in side.get(new.reference, ())}
        if touched := sorted(changed_files & covered):
            more = f" and {len(touched) - _SHOWN} more" if len(touched) > _SHOWN else ""
            yield f"its code changed: {', '.join(touched[:_SHOWN])}{more}"
        elif old.params == new.params and old.incremental == new.incremental:
            yield "values it carries or pinned packages changed"


def _warning(old: JobSpec, new: JobSpec) -> str:
    if new.incremental is None or old.incremental is None or old.logic_version == new.logic_version:
        return ""
    if old.semantic_version != new.semantic_version:
        return ""
    return (
        "incremental: rows written before keep the old logic; raise semantic_version to compute them anew, "
        "or leave it where both may stand side by side"
    )


def _downstream(specs: Sequence[JobSpec], changes: Sequence[JobChange]) -> tuple[str, ...]:
    """Outputs of changed jobs and of every job that reads them, directly or not, producers first."""
    touched = {change.reference for change in changes}
    graph = JobGraph.of(specs)
    found: list[str] = []
    for spec in graph.specs:
        if spec.reference in touched or touched & graph.upstream[spec.reference]:
            touched.add(spec.reference)
            found += spec.output_paths
    return tuple(found)
