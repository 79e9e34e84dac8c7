"""What changed between two sets of dataset contracts, by column, and for whom that is a break.

Pure functions over parsed contracts. The view is a reader's: a change is breaking when a consumer that relies on the
old contract can be wrong afterwards. Where the contracts do not say enough the answer is "cannot tell", and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mirror.promotion.contracts import Column, Comparison, Contract, ContractChange, Effect, Unreadable
from mirror.promotion.promise_changes import promise_changes

_WIDER = {
    ("byte", "short"), ("byte", "int"), ("byte", "long"), ("short", "int"), ("short", "long"), ("int", "long"),
    ("int", "double"), ("float", "double"), ("date", "timestamp"),
}  # fmt: skip


def compare(before: Sequence[Contract | Unreadable], after: Sequence[Contract | Unreadable]) -> Comparison:
    """Every difference between the contracts of the target and those of the candidate."""
    files = tuple(sorted({item.file for item in (*before, *after)}))
    changes = [
        ContractChange(item.file, "unreadable", Effect.CANNOT_TELL, item.problem)
        for item in after
        if isinstance(item, Unreadable)
    ]
    broken_before = {item.file: item.problem for item in before if isinstance(item, Unreadable)}
    old, new = _by_dataset(before), _by_dataset(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            changes.append(ContractChange(name, "dataset removed", Effect.BREAKING, "consumers lose their input"))
        elif name not in old:
            problem = broken_before.get(new[name].file)
            if problem is None:
                changes.append(ContractChange(name, "dataset added", Effect.COMPATIBLE, "nobody relied on it yet"))
            else:
                why = f"the target's {new[name].file} is unreadable: {problem}"
                changes.append(ContractChange(name, "no base", Effect.CANNOT_TELL, why))
        else:
            changes += _changes(old[name], new[name])
            changes += promise_changes(old[name], new[name])
    return Comparison(files, tuple(sorted(changes, key=lambda change: (change.subject, change.kind))))


def _by_dataset(contracts: Sequence[Contract | Unreadable]) -> Mapping[str, Contract]:
    return {item.dataset: item for item in contracts if isinstance(item, Contract)}


def _changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    if old.declares_columns and not new.declares_columns:
        why = "consumers lose every promise about columns and types"
        yield ContractChange(old.dataset, "columns no longer declared", Effect.BREAKING, why)
        return
    if new.declares_columns and not old.declares_columns:
        why = "consumers are promised more than before"
        yield ContractChange(old.dataset, "columns declared", Effect.COMPATIBLE, why)
        return
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    removed = [column for column in old.columns if column.name not in after]
    added = [column for column in new.columns if column.name not in before]
    renamed = _renamings(removed, added)
    for column in removed:
        subject = f"{old.dataset}.{column.name}"
        if column.name in renamed:
            kind = f"renamed to {renamed[column.name]}"
            yield ContractChange(subject, kind, Effect.BREAKING, "consumers ask for the old name")
        else:
            yield ContractChange(subject, "removed", Effect.BREAKING, "consumers that select it fail")
    for column in added:
        if column.name not in renamed.values():
            yield _addition(new, column)
    for name in before.keys() & after.keys():
        yield from _column_changes(old.dataset, before[name], after[name])
    if old.key != new.key:
        yield _key_change(old, new, renamed)


def _renamings(removed: Sequence[Column], added: Sequence[Column]) -> dict[str, str]:
    """A removed and an added column are one renamed column when type and meaning agree and nobody else's do."""
    found: dict[str, str] = {}
    for column in removed:
        alike = [c for c in added if (c.type, c.meaning) == (column.type, column.meaning)]
        rivals = [c for c in removed if (c.type, c.meaning) == (column.type, column.meaning)]
        if len(alike) == len(rivals) == 1 and (column.meaning or len(removed) == len(added) == 1):
            found[column.name] = alike[0].name
    return found


def _addition(new: Contract, column: Column) -> ContractChange:
    subject = f"{new.dataset}.{column.name}"
    if column.nullable:
        return ContractChange(subject, "added nullable", Effect.COMPATIBLE, "nobody relied on it yet")
    if column.nullable is None:
        why = "the contract does not say whether it may be null"
        return ContractChange(subject, "added", Effect.CANNOT_TELL, why)
    if new.write_mode is None:
        why = "without a write_mode it is unknown whether older rows that lack it stay in the view"
        return ContractChange(subject, "added required", Effect.CANNOT_TELL, why)
    if new.write_mode in ("snapshot", "replace", "overwrite"):
        return ContractChange(subject, "added required", Effect.COMPATIBLE, "the rebuild replaces every row")
    why = f"rows written before lack it and stay in the view (write_mode {new.write_mode})"
    return ContractChange(subject, "added required", Effect.BREAKING, why)


def _column_changes(dataset: str, old: Column, new: Column) -> Iterator[ContractChange]:
    subject = f"{dataset}.{old.name}"
    if old.type != new.type:
        way = (
            "widened" if (old.type, new.type) in _WIDER else "narrowed" if (new.type, old.type) in _WIDER else "changed"
        )
        kind = f"type {way} from {old.type} to {new.type}"
        yield ContractChange(subject, kind, Effect.BREAKING, "consumers and files already written have the old type")
    if old.nullable != new.nullable:
        if old.nullable is None or new.nullable is None:
            why = "one side does not say whether it may be null"
            yield ContractChange(subject, "null rule changed", Effect.CANNOT_TELL, why)
        elif new.nullable:
            yield ContractChange(
                subject, "now nullable", Effect.BREAKING, "consumers were promised a value in every row"
            )
        else:
            yield ContractChange(subject, "now required", Effect.COMPATIBLE, "consumers are promised more than before")


def _key_change(old: Contract, new: Contract, renamed: Mapping[str, str]) -> ContractChange:
    was, now = (", ".join(key) if key is not None else "none" for key in (old.key, new.key))
    kind = f"key changed from {was} to {now}"
    if old.key is None:
        return ContractChange(old.dataset, kind, Effect.COMPATIBLE, "consumers are promised more than before")
    if new.key is not None and tuple(renamed.get(name, name) for name in old.key) == new.key:
        return ContractChange(old.dataset, kind, Effect.BREAKING, "a key column was renamed")
    if new.key is not None and set(new.key) == set(old.key):
        return ContractChange(old.dataset, kind, Effect.COMPATIBLE, "the same columns in another order")
    return ContractChange(old.dataset, kind, Effect.BREAKING, "joins and deduplications rely on the old key")
