"""Contracts as a pipeline declares them: what the checks on its outputs promise, read in a process of its own.

Two versions of one pipeline cannot be imported into one process, so each tree's is imported by ``declared_script.py``
in an interpreter of its own that sees that tree's source roots first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mirror.clock import Clock
from mirror.datasets.errors import GuestNotFoundError
from mirror.datasets.guest import find_guest
from mirror.promotion.commands import run_command
from mirror.promotion.contracts import Column, Contract, Unreadable, canonical_type

_SCRIPT = Path(__file__).with_name("declared_script.py")
_LIMIT_SECONDS = 120.0


def declared_contracts(
    tree: Path, repository: str, python_path: Sequence[str], clock: Clock
) -> list[Contract | Unreadable]:
    """One contract per dataset output of the transforms repository at ``tree / repository``.

    A tree without a transforms repository declares nothing; one whose pipeline cannot be imported is unreadable.
    """
    try:
        guest = find_guest(tree / repository)
    except GuestNotFoundError:
        return []
    declared_in = guest.declared_in.relative_to(tree).as_posix()
    ended = run_command(
        ["{python}", str(_SCRIPT), guest.module, guest.attribute],
        tree=tree,
        values={},
        python_path=(*python_path, guest.source_root.relative_to(tree).as_posix()),
        limit_seconds=_LIMIT_SECONDS,
        clock=clock,
    )
    marker, _, text = ended.output.rpartition("\ncontracts: ")
    if ended.code != 0 or not text:
        last = next((line for line in reversed(ended.output.splitlines()) if line.strip()), ended.problem or marker)
        return [Unreadable(declared_in, f"the pipeline {guest.module}:{guest.attribute} cannot be read: {last}")]
    return [
        Contract(
            dataset=document["dataset"],
            file=document["file"] or declared_in,
            columns=tuple(Column(c["name"], canonical_type(c["type"]), c["nullable"]) for c in document["columns"]),
            key=tuple(document["key"]) if document["key"] else None,
            write_mode=document["write_mode"],
            declares_columns=document["declares_columns"],
        )
        for document in json.loads(text)
    ]
