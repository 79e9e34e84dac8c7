"""Every runbook has its page, and each page says what the YAML says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_pages_are_what_the_yaml_says() -> None:
    spec = importlib.util.spec_from_file_location("runbook_pages", DOCS / "runbook_pages.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    assert pages.stale() == [], "stale: run `python docs/tables.py`"
    made = {path.name: text for path, text in pages.pages().items()}
    assert len(made) == 19
    assert "| DRF-06 |" in made["RB-10.md"]
    assert "(RB-12.md)" in made["RB-11.md"]
    assert "trigger RT-01" in made["RB-17.md"]
