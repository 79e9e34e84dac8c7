"""Ids: the standard's UUIDv5 of the natural key, whatever way they are computed."""

from __future__ import annotations

import uuid

import pytest

from fleet_health.ids import NAMESPACE, natural_key_id_of


@pytest.mark.parametrize("parts", [("a", 1), ("", None), ("ünïcode", "x" * 300), (1, 2, 3)])
def test_fast_form_equals_the_standard_library(parts: tuple[object, ...]) -> None:
    name = "\x1f".join(["kind", *("\x00" if part is None else str(part) for part in parts)])
    assert natural_key_id_of("kind", *parts) == str(uuid.uuid5(NAMESPACE, name))
