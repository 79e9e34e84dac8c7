"""Facts from footers as the catalog keeps them: collected when files are committed or first judged, read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from mirror.checks.encoding import tagged, untagged
from mirror.checks.footers import ColumnFacts, Footers, read_footers, together
from mirror.checks.states import StateStore, identity

if TYPE_CHECKING:
    from pyspark.sql import types as T

    from transforms.ports import FileEntry

FORM = 1
"""Raised when what is taken from a footer changes; facts of an older form are then read anew."""


def form_of(schema: T.StructType) -> str:
    """Names how facts were read: what a footer proves depends on the types it is read for."""
    return f"{FORM}|{hashlib.sha256(schema.json().encode()).hexdigest()[:32]}"


def known_footers(
    dataset: str, files: Sequence[FileEntry], schema: T.StructType | None, store: StateStore | None
) -> Footers | None:
    """As :func:`mirror.checks.footers.read_footers`, opening only files whose facts ``store`` does not hold yet."""
    if store is None or schema is None or not files:
        return read_footers(files, schema)
    form = form_of(schema)
    kept = store.facts(dataset, form, [identity(file) for file in files])
    fresh: dict[str, Any] = {}
    parts: list[Footers] = []
    for file in files:
        name = identity(file)
        one = from_json(kept[name]) if name in kept else read_footers([file], schema)
        if one is None:
            break
        if name not in kept:
            fresh[name] = to_json(one)
        parts.append(one)
    if fresh:
        store.keep_facts(dataset, form, fresh)
    if len(parts) < len(files):
        return None
    found = reduce(lambda left, right: together(left, right, schema), parts)
    return replace(found, told=f"{len(kept)} of {len(files)} already known to the catalog")


def to_json(footers: Footers) -> dict[str, Any]:
    """What the catalog keeps."""
    columns = {
        name: [facts.nulls, tagged(facts.low), tagged(facts.high), facts.exact]
        for name, facts in footers.columns.items()
    }
    return {"rows": footers.rows, "columns": columns}


def from_json(document: Mapping[str, Any]) -> Footers:
    """The inverse of :func:`to_json`."""
    columns = {
        name: ColumnFacts(nulls, untagged(low), untagged(high), exact)
        for name, (nulls, low, high, exact) in document["columns"].items()
    }
    return Footers(document["rows"], columns)
