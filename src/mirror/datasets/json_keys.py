"""What the records of a JSON file call their cells: the keys that lead to each, joined by points."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_FIRST_RECORDS = 1000
"""A key may be absent here and there; one that this many records lack is not in the file."""


def keys_of(documents: Iterable[Any], records: str | None, columns: bool = False) -> list[str]:
    """Every path to a value in the first records.

    Args:
        documents: what was read, one after the other.
        records: the keys that lead to the list of records in a document, joined by points; without them the document
            is a record, or a list of records. A record has the cells of the objects around it as well.
        columns: the last object has a list, or an object, for each column instead of being a record.
    """
    path = records.split(".") if records else []
    found = itertools.chain.from_iterable(_records(document, path, columns) for document in documents)
    keys: dict[str, None] = {}
    for record in itertools.islice(found, _FIRST_RECORDS):
        keys |= dict.fromkeys(_paths(record, ""))
    return list(keys)


def _records(
    document: Any, keys: Sequence[str], columns: bool, around: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """As the pipeline finds them; nothing where it will find a dead letter."""
    around = around or {}
    if isinstance(document, list) and (keys or any(isinstance(element, dict | list) for element in document)):
        for element in document:
            yield from _records(element, keys, columns, around)
    elif isinstance(document, list):
        yield {**around, **{str(place): value for place, value in enumerate(document)}}
    elif isinstance(document, dict) and not keys and columns:
        # the first value of each list says what all are called
        first = {name: next(iter(_values(cells)), None) for name, cells in document.items()}
        yield {**around, "index": "", **first}
    elif isinstance(document, dict) and not keys:
        yield {**around, **document}
    elif isinstance(document, dict) and keys[0] in document:
        others = {key: value for key, value in document.items() if key != keys[0]}
        yield from _records(document[keys[0]], keys[1:], columns, {**around, **others})


def _values(cells: Any) -> Iterable[Any]:
    return cells.values() if isinstance(cells, dict) else cells if isinstance(cells, list) else (cells,)


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(below, f"{path}.{key}" if path else str(key))
    else:
        yield path
