"""The view algorithm (fact sheet, section 1.4), apart from any database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.datasets.records import StoredFile, Transaction, TransactionType


def view_start(chain: Sequence[Transaction]) -> int:
    """Index of the last SNAPSHOT in a chain of committed transactions, or 0."""
    for index in range(len(chain) - 1, -1, -1):
        if chain[index].type is TransactionType.SNAPSHOT:
            return index
    return 0


def apply(chain: Iterable[Transaction], files: Iterable[StoredFile]) -> tuple[StoredFile, ...]:
    """The effective files after ``chain`` (oldest first, from the view's start), ordered by logical path.

    A SNAPSHOT anywhere in the chain empties what came before it.
    """
    by_transaction: dict[str, list[StoredFile]] = {}
    for file in files:
        by_transaction.setdefault(file.transaction_rid, []).append(file)
    effective: dict[str, StoredFile] = {}
    for transaction in chain:
        if transaction.type is TransactionType.SNAPSHOT:
            effective.clear()
        for file in by_transaction.get(transaction.rid, ()):
            if file.removed:
                effective.pop(file.path, None)
            else:
                effective[file.path] = file
    return tuple(effective[path] for path in sorted(effective))
