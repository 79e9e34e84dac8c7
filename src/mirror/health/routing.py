"""The routing defaults shipped beside this file, read once."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml


@cache
def routing() -> dict[str, Any]:
    """``equipment`` and ``quality`` defaults by field, and by severity where they differ."""
    document: dict[str, Any] = yaml.safe_load((resources.files("mirror.health") / "routing.yaml").read_text())
    return document
