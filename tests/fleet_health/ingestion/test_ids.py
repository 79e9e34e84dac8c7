"""Ids: the standard's UUIDv5 of the natural key, whatever way they are computed."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest

from fleet_health.ids import NAMESPACE, natural_key_id_of, natural_key_ids


@pytest.mark.parametrize("parts", [("a", 1), ("", None), ("ünïcode", "x" * 300), (1, 2, 3)])
def test_fast_form_equals_the_standard_library(parts: tuple[object, ...]) -> None:
    name = "\x1f".join(["kind", *("\x00" if part is None else str(part) for part in parts)])
    assert natural_key_id_of("kind", *parts) == str(uuid.uuid5(NAMESPACE, name))


def test_columns_get_the_ids_that_their_rows_get() -> None:
    texts, numbers = ["a", None, "", "ünïcode"], [1, 2, None, -(2**62)]
    made = natural_key_ids("kind", pa.array(texts), pa.array(numbers), "1.0.0")
    expected = [natural_key_id_of("kind", *row, "1.0.0") for row in zip(texts, numbers, strict=True)]
    assert made.to_pylist() == expected
    assert natural_key_ids("kind", pa.array([], pa.string())).to_pylist() == []
    assert made.slice(1, 2).to_pylist() == expected[1:3]
