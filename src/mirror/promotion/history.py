"""What the audit log tells: the state that it leaves behind, and what people must not forget of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mirror.promotion.audit import Entry, read_audit

if TYPE_CHECKING:
    from mirror.promotion.git import Repository
    from mirror.promotion.policy import Policy

# Kinds of entries that move a branch.
MOVES = ("promoted", "rolled back")


@dataclass(frozen=True)
class Replayed:
    """What a repository looks like if nothing but the log moved it.

    Attributes:
        branches: protected branch -> commit.
        trees: branch -> tree of that commit.
        tags: tag -> commit.
        data: (data branch, dataset) -> transaction, for what rebuilds and rollbacks moved.
    """

    branches: Mapping[str, str] = field(default_factory=dict)
    trees: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[tuple[str, str], str | None] = field(default_factory=dict)


def replay(entries: Sequence[Entry]) -> Replayed:
    """The last word of the log on every branch, tag and dataset."""
    branches: dict[str, str] = {}
    trees: dict[str, str] = {}
    tags: dict[str, str] = {}
    data: dict[tuple[str, str], str | None] = {}
    for entry in entries:
        target = _mapping(entry.get("target"))
        branch = str(target.get("branch"))
        if entry.get("kind") in MOVES:
            branches[branch], trees[branch] = str(target["after"]), str(entry["tree"])
            if entry.get("tag"):
                tags[str(entry["tag"])] = str(target["after"])
        for path, moved in _mapping(entry.get("data")).items():
            data[branch, path] = moved[1]
    return Replayed(branches, trees, tags, data)


@dataclass(frozen=True)
class OpenEmergency:
    """An emergency promotion nobody has answered for yet."""

    number: int
    target: str
    by: str
    reason: str
    due: datetime

    def __str__(self) -> str:
        return f"emergency of entry {self.number} ({self.by}: {self.reason}), review due {self.due:%Y-%m-%d}"


def open_emergencies(entries: Sequence[Entry]) -> list[OpenEmergency]:
    """Those whose review is not on record."""
    reviewed = {entry.get("reviews") for entry in entries if entry.get("kind") == "reviewed"}
    found = []
    for entry in entries:
        emergency = _mapping(entry.get("emergency"))
        if entry.get("kind") == "promoted" and emergency and entry["number"] not in reviewed:
            found.append(
                OpenEmergency(
                    int(str(entry["number"])),
                    str(_mapping(entry["target"])["branch"]),
                    str(entry["by"]),
                    str(emergency["reason"]),
                    datetime.fromisoformat(str(emergency["review_due"])),
                )
            )
    return found


def recorded_approvals(
    entries: Sequence[Entry], source: str, target: str, commit: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that approved exactly this commit, and one sentence for each approval that new commits have undone."""
    valid: dict[str, None] = {}
    expired: dict[str, str] = {}
    for entry in entries:
        if entry.get("kind") != "approved" or _mapping(entry["target"]).get("branch") != target:
            continue
        approved = _mapping(entry["source"])
        if approved.get("branch") != source:
            continue
        for name in _list(entry["approvals"]):
            if approved["commit"] == commit:
                valid[str(name)] = None
                expired.pop(str(name), None)
            else:
                expired[str(name)] = f"{name} approved {str(approved['commit'])[:12]}, before the newest commits"
    return tuple(valid), tuple(sentence for name, sentence in expired.items() if name not in valid)


@dataclass(frozen=True)
class Undone:
    """Promotions that were rolled back on a branch and that another promotion would bring again.

    ``base`` is the commit the branch was at before the first of them.
    """

    base: str
    notes: tuple[str, ...]


def undone_since(repository: Repository, target: str, source_commit: str, target_commit: str) -> Undone | None:
    """What was rolled back on ``target`` and the source still holds; ``None`` also where anything else is new there."""
    entries = [e for e in read_audit(repository) if e.get("kind") in MOVES]
    moved = {str(_mapping(e["target"])["after"]): e for e in entries if _mapping(e["target"])["branch"] == target}
    new = [commit.sha for commit in repository.commits(source_commit, target_commit)]
    if any(sha not in moved for sha in new):
        return None
    rollbacks = [moved[sha] for sha in new if moved[sha]["kind"] == "rolled back"]
    if not rollbacks:
        return None
    numbered = {entry["number"]: entry for entry in entries}
    first = min(rollbacks, key=lambda entry: int(str(entry["undoes"])))
    notes = [
        f"entry {e['undoes']} was rolled back here ({e['reason']}); this brings again what the source still holds of it"
        for e in rollbacks
    ]
    return Undone(str(_mapping(numbered[first["undoes"]]["target"])["before"]), tuple(notes))


def overridden(entries: Sequence[Entry], target: str) -> Iterator[str]:
    """Every gate that anybody ever let pass on the way to a branch."""
    for entry in entries:
        if entry.get("kind") != "promoted" or _mapping(entry["target"]).get("branch") != target:
            continue
        for gate in _list(entry.get("gates")):
            if override := gate.get("override"):
                where = f"entry {entry['number']}, {str(entry['at'])[:10]}"
                yield f"{where}: gate {gate['gate']} overridden by {override['by']}: {override['reason']}"


def history_notes(repository: Repository, policy: Policy, target: str, head: str) -> tuple[str, ...]:
    """Says so when a protected branch is not where the log left it, and repeats overrides and open emergencies."""
    if target not in policy.protected:
        return ()
    entries = read_audit(repository)
    notes = [*overridden(entries, target), *(str(one) for one in open_emergencies(entries) if one.target == target)]
    left = replay(entries).branches.get(target)
    if left is not None and left != head:
        notes.append(
            f"{target} was left at {left[:12]} by the last promotion and is at {head[:12]}: it was moved another way"
        )
    return tuple(notes)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
