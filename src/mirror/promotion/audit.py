"""Who promoted what, when, on which evidence: JSON lines in the repository itself.

The log is the file ``audit.jsonl`` on the reference ``refs/mirror/audit``. It lies in git, not in a workspace or in
notes, because a promotion is a fact about the repository: the log moves in the same reference transaction as the branch
it speaks of (both or neither), every clone can have it, a push that would rewrite it is refused as no fast-forward, and
refusals, which have no merge commit to carry a note, fit as well. Each line holds the SHA-256 of the line before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from mirror.promotion.errors import AuditBrokenError
from mirror.promotion.git import Identity, Repository

AUDIT_REF = "refs/mirror/audit"
_FILE = "audit.jsonl"
_START = "0" * 64

Entry = Mapping[str, object]


def read_audit(repository: Repository) -> list[Entry]:
    """All entries, oldest first, after proving that each follows from the one before.

    Raises:
        AuditBrokenError: a line was changed, dropped or added by something else.
    """
    head = repository.reference(AUDIT_REF)
    return [] if head is None else verify(repository.read(head, _FILE).splitlines())


def verify(lines: Sequence[str]) -> list[Entry]:
    """The entries of raw lines whose numbers and hashes form one chain."""
    previous = _START
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise AuditBrokenError(AUDIT_REF, number, "the line is no JSON") from error
        if entry.get("number") != number:
            raise AuditBrokenError(AUDIT_REF, number, f"it calls itself number {entry.get('number')}")
        if entry.get("previous") != previous:
            raise AuditBrokenError(AUDIT_REF, number, "it does not hold the hash of the line before it")
        previous = _digest(line)
        entries.append(entry)
    return entries


def audit_commit(repository: Repository, facts: Entry, who: Identity, at: datetime) -> tuple[str, str | None]:
    """A commit object that holds the log plus one entry, and the head it follows; no reference moves yet."""
    head = repository.reference(AUDIT_REF)
    lines = [] if head is None else repository.read(head, _FILE).splitlines()
    entry = {
        "number": len(verify(lines)) + 1,
        "previous": _digest(lines[-1]) if lines else _START,
        "at": at.isoformat(),
        "by": f"{who.name} <{who.email}>",
        **facts,
    }
    lines.append(json.dumps(entry, ensure_ascii=True, separators=(",", ":")))
    tree = repository.file_tree({_FILE: "\n".join(lines) + "\n"})
    message = f"{facts['kind']}: entry {entry['number']}\n"
    return repository.commit_tree(tree, [head] if head else [], message, who, at), head


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
