"""The last steps, each safe to repeat: every reference at once, remote first; then models, data and the rebuild."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from mirror.clock import Clock
from mirror.datasets.pointing import empty_branches
from mirror.errors import MirrorError
from mirror.promotion import errors
from mirror.promotion.audit import AUDIT_REF, audit_commit
from mirror.promotion.commands import run_command
from mirror.promotion.data_moves import heads_of, moved, take_over, workspace_at
from mirror.promotion.declared import declared_by
from mirror.promotion.git import Identity, Repository
from mirror.promotion.journal import Journal, JournalEntry
from mirror.promotion.policy import POLICY_FILE, Policy, Step, load_policy

# Temporary work trees made under the lock carry this name.
PURPOSE = "promote"
_ATTEMPTS = 5


def policy_of(repository: Repository, commit: str, branch: str | None = None) -> Policy:
    """The policy of a commit; with ``branch`` a mistake in it names where it stands."""
    return load_policy(repository.read(commit, POLICY_FILE), f"{POLICY_FILE} on {branch}" if branch else POLICY_FILE)


def publish(
    repository: Repository, journal: Journal, entry: JournalEntry, remote: str | None, next_step: str = "data"
) -> JournalEntry:
    """Moves every reference, remote first. Safe to repeat: what has moved already is left alone."""
    if remote is not None:
        try:
            if not _is_published(repository, entry, remote):
                repository.push(remote, {name: new for name, (new, _) in entry.references.items()})
        except errors.RemoteRefusedError:
            # Its base may be gone for good, and no reference has moved: starting again is always right.
            journal.clear()
            raise
        repository.fetch(remote)
    pending = {n: move for n, move in entry.references.items() if not _has_moved(repository, n, move[0])}
    try:
        repository.move({n: (new, repository.reference(n) if remote else old) for n, (new, old) in pending.items()})
    except errors.GitFailedError as error:
        journal.clear()
        gone = (f"{', '.join(sorted(pending))} moved meanwhile",)
        fix = "Nothing was changed; run the same command again without --resume."
        raise errors.StaleBaseError(entry.source, entry.target, gone, fix) from error
    following = replace(entry, step=next_step)
    journal.write(following)
    return following


def _has_moved(repository: Repository, name: str, new: str) -> bool:
    there = repository.reference(name)
    return there is not None and (there == new or repository.is_ancestor(new, there))


def _is_published(repository: Repository, entry: JournalEntry, remote: str) -> bool:
    """Whether an interrupted push arrived after all, and perhaps others built on it since."""
    there = repository.reference(f"refs/remotes/{remote}/{entry.target}")
    return there is not None and repository.is_ancestor(entry.merge, there)


def rebuild(
    repository: Repository,
    journal: Journal,
    entry: JournalEntry,
    workspace: Path,
    who: Identity,
    clock: Clock,
    say: Callable[[str], None],
) -> bool:
    """Takes over what needs no computing, then builds with the target's code, as the policy says.

    Whether there was anything to run. A second time it begins where the first one stopped.
    """
    policy = policy_of(repository, entry.merge)
    step = policy.step(entry.source, entry.target)
    if step is None or step.rebuild is None:
        journal.clear()
        return False
    if entry.step == "data":
        entry = _taken_over(journal, entry, workspace, who, clock, step)
    say(f"rebuilding {entry.target}: {shlex.join(step.rebuild.command)}")
    with repository.scratch_tree(entry.merge, PURPOSE) as tree:
        _own_branches(repository, entry, tree, policy, workspace, clock, step)
        ended = run_command(
            step.rebuild.command,
            tree=tree,
            values={
                "workspace": str(workspace.resolve()),
                "source": entry.source,
                "target": entry.target,
                "fallbacks": ",".join(step.fallbacks),
            },
            python_path=policy.python_path,
            limit_seconds=step.rebuild.limit_seconds,
            clock=clock,
        )
    with workspace_at(workspace, clock) as opened:
        data = moved(entry.heads, heads_of(opened, entry.target)) if opened else {}
    what = ended.problem or f"it ended with {ended.code}"
    facts = {
        "kind": "rebuilt" if ended.code == 0 else "rebuild failed",
        "target": {"branch": entry.target, "commit": entry.merge},
        "command": list(step.rebuild.command),
        "outcome": what,
        "evidence": ended.tail[-1],
        "data": data,
        "models": [list(move) for move in entry.models],
    }
    publish_audit(repository, policy.remote, facts, who, clock)
    if ended.code != 0:
        shown = f"{what}. {' | '.join(ended.tail[-4:-1])}"
        raise errors.RebuildFailedError(entry.kind, entry.name, entry.target, shown)
    journal.clear()
    return True


def _own_branches(
    repository: Repository, entry: JournalEntry, tree: Path, policy: Policy, workspace: Path, clock: Clock, step: Step
) -> None:
    """Incremental outputs that the target lacks begin with nothing there.

    Their first build would go on from what a fallback shows by then, which logic that nobody promoted may have made.
    """
    with workspace_at(workspace, clock) as opened:
        if opened is None:
            return
        rids = dict(opened.store.rids)
        specs = declared_by(repository, entry.merge, tree, policy, clock, rids).specs
        grown = [path for spec in specs if spec.incremental is not None for _, path in spec.dataset_outputs()]
        if grown:
            with opened.lock(entry.target):
                empty_branches(opened.store, entry.target, grown, step.fallbacks)


def _taken_over(
    journal: Journal, entry: JournalEntry, workspace: Path, who: Identity, clock: Clock, step: Step
) -> JournalEntry:
    with workspace_at(workspace, clock) as opened:
        if opened is not None:
            if not entry.heads:
                # What a rollback goes back to is noted before anything moves.
                entry = replace(entry, heads=heads_of(opened, entry.target))
                journal.write(entry)
            try:
                take_over(opened, entry, who, step.fallbacks)
            except MirrorError as error:
                raise errors.RebuildFailedError(entry.kind, entry.name, entry.target, str(error)) from error
    entry = replace(entry, step="rebuild")
    journal.write(entry)
    return entry


def publish_audit(
    repository: Repository, remote: str | None, facts: Mapping[str, object], who: Identity, clock: Clock
) -> None:
    """Appends one entry that moves no branch. Another clone's entry that got there first is fetched and followed.

    Raises:
        RemoteRefusedError: the remote refuses for another reason than a race.
    """
    at = clock().replace(microsecond=0)
    for attempt in range(_ATTEMPTS):
        commit, before = audit_commit(repository, facts, who, at)
        if remote is not None:
            try:
                repository.push(remote, {AUDIT_REF: commit})
            except errors.RemoteRefusedError:
                repository.fetch(remote)
                if attempt == _ATTEMPTS - 1 or repository.reference(AUDIT_REF) == before:
                    raise
                continue
        repository.move({AUDIT_REF: (commit, before)})
        return
