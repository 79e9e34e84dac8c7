"""The runbooks that alerts name: found in the repository, carried along in the page, and never more than text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirror.health.routing_file import shipped_routing
from mirror.report.render import render
from mirror.report.runbooks import runbooks_of
from mirror.report.snapshot import ReportSnapshot

ROUTING = shipped_routing()
PAGE = """# RB-07 Rows are <set> aside

When: many. [All runbooks](README.md)

1. Run `mirror show`.
2. <script>alert(1)</script>

## What leads here

| metric | measures |
| --- | --- |
| VOL-06 | a | b |
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository" / "docs" / "03-production" / "runbooks"
    folder.mkdir(parents=True)
    (folder / "RB-07.md").write_text(PAGE)
    (tmp_path / "secret.md").write_text("# not of this repository")
    return tmp_path / "repository"


def test_a_page_is_a_file_of_the_repository_an_address_or_nothing(sample: ReportSnapshot, repository: Path) -> None:
    (found,) = runbooks_of(sample.fleets, ROUTING, repository)
    assert (found.id, found.page, found.text) == ("RB-07", "docs/03-production/runbooks/RB-07.md", PAGE)
    outside = replace(ROUTING, runbooks={"site inspection": "../secret.md", "other": "https://wiki.example.org/{id}"})
    (found,) = runbooks_of(sample.fleets, outside, repository)
    assert (found.page, found.text) == ("https://wiki.example.org/RB-07", "")


def test_an_alert_leads_to_its_runbook_in_the_same_page(sample: ReportSnapshot, repository: Path) -> None:
    page = render(replace(sample, runbooks=runbooks_of(sample.fleets, ROUTING, repository)))
    assert page.count('<a href="#runbook-RB-07">RB-07</a>') == 2  # both quality alerts
    assert page.count('id="runbook-RB-07"') == 1
    assert "<summary>RB-07 Rows are &lt;set&gt; aside</summary>" in page
    assert "<code>mirror show</code>" in page
    assert "<td>VOL-06</td>" in page
    assert "<h3>What leads here</h3>" in page
    assert "<script>alert(1)" not in page
    assert 'href="README.md"' not in page


@pytest.mark.nightly
def test_where_no_page_is_known_the_id_stands_alone(sample: ReportSnapshot) -> None:
    page = render(sample)
    assert "<strong>RB-07</strong>" in page
    assert 'id="runbooks"' not in page
