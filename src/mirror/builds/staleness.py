"""Whether a job is up to date: a pure function over its spec, the catalog's state and the resolved resources."""

from __future__ import annotations

from collections.abc import Mapping

from mirror.builds.resources import ResolvedResource
from mirror.builds.specs import JobSpec
from mirror.builds.state import CatalogState, Head, RunRecord


def stale_reason(
    spec: JobSpec,
    state: CatalogState,
    branch: str,
    inputs: Mapping[str, Head],
    resources: Mapping[str, ResolvedResource],
) -> str | None:
    """Why a job must run, or ``None`` when it is up to date.

    Args:
        inputs: input (see ``ParamSpec.key``) -> resolved head, every one with a transaction.
        resources: parameter name -> resolved resource, inputs and outputs.
    """
    last = _last_run(spec, state, branch)
    if isinstance(last, str):
        return last
    if last.logic_version != spec.logic_version:
        return "logic changed"
    for path, head in inputs.items():
        before = last.inputs.get(path)
        if before is None:
            return f"input {path} is new"
        if head.transaction not in (before.newest, before.end):
            moved = f" on {head.branch}" if before.branch != head.branch else ""
            return f"input {path} has a new transaction{moved}"
    if gone := sorted(last.inputs.keys() - inputs.keys()):
        return f"input {gone[0]} was removed"
    for param in spec.resources("input"):
        resolved = resources.get(param.name)
        if resolved is not None and last.resources.get(param.name) != resolved.version:
            return f"{resolved.label or param.alias or param.name} has a new version"
    return None


def up_to_date(spec: JobSpec) -> str:
    """What is said of a job without a :func:`stale_reason`. Nothing tells when a system outside has something new."""
    sources = [repr(param.name) for param in spec.inputs if param.kind == "source"]
    if not sources:
        return "up to date"
    held = " and ".join(sources)
    return f"up to date; what {held} holds outside is not watched (--force asks again, [builds] always_stale each time)"


def _last_run(spec: JobSpec, state: CatalogState, branch: str) -> RunRecord | str:
    heads: dict[str, str] = {}
    for _, path in spec.dataset_outputs():
        head = state.on(path, branch)
        if head is None or head.transaction is None:
            return f"{path} was never built on {branch}"
        heads[path] = head.transaction
    if not heads:
        latest = state.latest.get(spec.reference)
        return latest if latest is not None else "it never ran on this branch"
    elsewhere = True
    for rid in heads.values():
        run = state.runs.get(rid)
        if run is None or run.reference != spec.reference:
            continue
        elsewhere = False
        if run.outputs.keys() == heads.keys() and all(_shows(run, path, head) for path, head in heads.items()):
            return run
    return "its outputs were last written by something else" if elsewhere else "its outputs come from different runs"


def _shows(run: RunRecord, path: str, head: str) -> bool:
    """Whether the head is what the run left: its own transaction, or the older one where it aborted that output."""
    record = run.outputs[path]
    return head == (record.transaction or record.head_before)
