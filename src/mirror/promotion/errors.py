"""Why a promotion did not happen.

UsageError (exit 2)                          VerdictError (exit 1)
|-- NotARepositoryError                      |-- StepNotAllowedError
|-- GitFailedError                           |-- StaleBaseError
|-- DirtyTreeError                           |-- MergeConflictError
|-- DetachedHeadError                        |-- GateRefusedError
|-- UnknownBranchError                       |-- RemoteRefusedError
|-- TargetCheckedOutError                    `-- RebuildFailedError
|-- NothingToPromoteError
|-- UnrelatedHistoriesError
|-- SubmodulesError                          InternalError (exit 3)
|-- TagExistsError, TagNameError             `-- AuditBrokenError
|-- PolicyError
|-- UnknownPersonError, UnknownAcceptanceError
|-- NothingToRollBackError, ForeignHookError
|-- PromotionLockedError
`-- UnfinishedPromotionError, NothingToResumeError
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.errors import InternalError, UsageError, VerdictError, nearest
from mirror.located import FileMistakeError

_SHOWN = 8


def some(items: Sequence[str]) -> str:
    rest = f", and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + rest


class NotARepositoryError(UsageError):
    """``args``: path."""

    def __str__(self) -> str:
        return f"{self.args[0]} is not inside a git repository. Run this in a clone, or name one with --repo."


class GitFailedError(UsageError):
    """``args``: the git arguments, exit code, what git said."""

    def __str__(self) -> str:
        arguments, code, said = self.args
        return f"git {' '.join(arguments)} ended with {code}: {said.strip() or 'no message'}"


class DirtyTreeError(UsageError):
    """``args``: branch, work tree, changed paths."""

    def __str__(self) -> str:
        branch, tree, paths = self.args
        return (
            f"branch {branch!r} is checked out in {tree} with changes that are not committed: {some(paths)}. "
            "What is promoted is what is committed: commit them (or remove them), then promote again."
        )


class DetachedHeadError(UsageError):
    """``args``: commit."""

    def __str__(self) -> str:
        return (
            f"the work tree is on commit {self.args[0][:12]} and on no branch, so nobody can say which branch is meant "
            "to move. Make one with `git switch -c feature/<name>`, then promote that."
        )


class UnknownBranchError(UsageError):
    """``args``: name, known branches, what to do about it."""

    def __init__(self, name: str, known: Iterable[str], fix: str = "") -> None:
        super().__init__(name, tuple(sorted(known)), fix)

    def __str__(self) -> str:
        name, known, fix = self.args
        hint = nearest(name, known)
        return f"there is no branch {name!r}.{hint} Branches: {some(known) or 'none'}. {fix}".rstrip()


class TargetCheckedOutError(UsageError):
    """``args``: branch, work tree."""

    def __str__(self) -> str:
        branch, tree = self.args
        return (
            f"branch {branch!r} is checked out in {tree}; moving it would change files under your hands. "
            f"Switch that work tree to another branch (`git switch -`), then promote again."
        )


class NothingToPromoteError(UsageError):
    """``args``: source, target."""

    def __str__(self) -> str:
        source, target = self.args
        return f"{target!r} already holds every commit of {source!r}; there is nothing to promote."


class UnrelatedHistoriesError(UsageError):
    """``args``: source, target."""

    def __str__(self) -> str:
        source, target = self.args
        return (
            f"{source!r} and {target!r} share no commit, so there is no base to compare with. "
            f"Start the work from the target: `git switch -c feature/<name> {target}`."
        )


class SubmodulesError(UsageError):
    """``args``: branch, submodule paths."""

    def __str__(self) -> str:
        branch, paths = self.args
        return (
            f"branch {branch!r} holds submodules ({some(paths)}); gates would judge a tree without their files. "
            "Bring their content into this repository or depend on a package instead."
        )


class TagExistsError(UsageError):
    """``args``: tag, commit it points to, a free name."""

    def __str__(self) -> str:
        tag, commit, free = self.args
        return f"tag {tag!r} exists and points to {commit[:12]}; tags never move. Use --tag {free}, or leave --tag out."


class TagNameError(UsageError):
    """``args``: tag, pattern of the policy."""

    def __str__(self) -> str:
        tag, pattern = self.args
        return f"tag {tag!r} does not look like {pattern!r}, which the policy asks for. Name it so, or leave --tag out."


class PolicyError(FileMistakeError):
    """A mistake in a policy, a contract or a list. ``args``: file, line, what is wrong and how to fix it."""


class UnknownPersonError(UsageError):
    """``args``: name, known people, policy file."""

    def __str__(self) -> str:
        name, known, file = self.args
        return f"{file} knows nobody called {name!r}.{nearest(name, known)} Known: {some(known) or 'nobody'}."


class UnknownAcceptanceError(UsageError):
    """``args``: what was accepted, the breaking changes there are."""

    def __str__(self) -> str:
        subject, breaking = self.args
        there = f"Breaking changes: {some(breaking)}." if breaking else "This promotion breaks no contract."
        return f"--accept {subject!r} matches no breaking change.{nearest(subject, breaking)} {there}"


class PromotionLockedError(UsageError):
    """``args``: who holds the lock."""

    def __str__(self) -> str:
        return f"another promotion of this repository is running ({self.args[0]}). Wait for it to end, then try again."


class UnfinishedPromotionError(UsageError):
    """``args``: ``promotion`` or ``rollback``, source, target, the step it stopped at."""

    def __str__(self) -> str:
        kind, source, target, step = self.args
        if kind == "rollback":
            way = f"mirror rollback --promotion {source} --branch {target} --resume"
            return f"the rollback of {source} on {target!r} stopped at step {step!r}. Finish it first: {way}"
        return (
            f"the promotion of {source!r} to {target!r} stopped at step {step!r}. "
            f"Finish it first: mirror promote {source} --to {target} --resume"
        )


class NothingToResumeError(UsageError):
    """``args``: source, target, what is unfinished instead."""

    def __str__(self) -> str:
        source, target, other = self.args
        return (
            f"the promotion of {source!r} to {target!r} was not interrupted; unfinished is {other}. "
            "Resume that one, or leave --resume out to start this one."
        )


class ForeignHookError(UsageError):
    """``args``: file."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]} exists and is somebody else's hook; it was left as it is. Move it away, or call it from "
            "a hook of your own after this one, then run `mirror init --git` again."
        )


class NothingToRollBackError(UsageError):
    """``args``: what was named, branch, the promotions there are."""

    def __str__(self) -> str:
        name, branch, known = self.args
        there = some(known) or "none"
        return f"the audit log knows no promotion {name!r} to {branch!r}.{nearest(name, known)} Known: {there}."


class StepNotAllowedError(VerdictError):
    """``args``: source, target, allowed steps, policy file."""

    def __str__(self) -> str:
        source, target, allowed, file = self.args
        steps = "; ".join(f"{a} -> {b}" for a, b in allowed) or "none"
        ways = [b for a, b in allowed if _matches(source, a)]
        hint = f" {source!r} may go to {' or '.join(ways)}." if ways else ""
        return f"{file} allows no step from {source!r} to {target!r}. Allowed: {steps}.{hint}"


class StaleBaseError(VerdictError):
    """``args``: source, target, commits of the target that the source lacks, remote or local wording of the fix."""

    def __str__(self) -> str:
        source, target, commits, fix = self.args
        return (
            f"{target!r} holds work that {source!r} has not seen: {some(commits)}. "
            f"Merged, it would be a tree that nobody has tested. {fix}"
        )


class MergeConflictError(VerdictError):
    """``args``: source, target, conflicting paths."""

    def __str__(self) -> str:
        source, target, paths = self.args
        return (
            f"{source!r} and {target!r} both changed {some(paths)} in ways git cannot join. "
            f"Nothing was changed. On {source}: `git merge {target}`, solve it, commit, and promote again."
        )


class GateRefusedError(VerdictError):
    """``args``: source, target, ((gate, outcome, summary, fix), ...)."""

    def __str__(self) -> str:
        source, target, refusals = self.args
        lines = [f"  {gate}: {outcome.lower()}: {summary} {fix}".rstrip() for gate, outcome, summary, fix in refusals]
        return "\n".join([f"{source!r} was not promoted to {target!r}:", *lines])


class RemoteRefusedError(VerdictError):
    """``args``: remote, what it said."""

    def __str__(self) -> str:
        remote, said = self.args
        return (
            f"remote {remote!r} did not take it, so nothing was changed here either. It said: {said.strip()} "
            "Settle that with whoever runs the remote, then run the same command again."
        )


class RebuildFailedError(VerdictError):
    """``args``: ``promotion`` or ``rollback``, what was promoted or rolled back, target, what happened."""

    def __str__(self) -> str:
        kind, name, target, what = self.args
        if kind == "rollback":
            way = f"mirror rollback --promotion {name} --branch {target} --resume"
            return f"{name} is rolled back on {target!r}, but its data is not yet: {what} Finish it with: {way}"
        return (
            f"{name!r} is merged into {target!r}, but the rebuild did not succeed: {what} "
            f"The code stands; retry the build with: mirror promote {name} --to {target} --resume"
        )


class AuditBrokenError(InternalError):
    """``args``: ref, entry number, what does not fit."""

    def __str__(self) -> str:
        ref, number, what = self.args
        return (
            f"the audit log {ref} is broken at entry {number}: {what}. It was changed by something else than "
            f"`mirror promote`; find out by what with `git log {ref}` before promoting anything."
        )


def _matches(branch: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(branch, pattern)
