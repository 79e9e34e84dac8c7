"""Repositories that these tests port have packages of the same names as this one's."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

_OURS = ("model_adapters", "model_training")


@pytest.fixture(autouse=True)
def packages_of_this_repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test imports from a ported tree, the next one imports this repository's own packages."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in _OURS}
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    sys.modules.update(before)
