"""The page as text: same snapshot same bytes, nothing from outside, everything escaped, every piece may be missing."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from mirror.report.errors import ReportUnwritableError
from mirror.report.plots import score_timeline
from mirror.report.render import render, write_report
from mirror.report.snapshot import DeviceScores, ReportSnapshot, ScorePoint

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def page(sample: ReportSnapshot) -> str:
    return render(sample)


@pytest.mark.nightly
def test_same_snapshot_same_bytes(sample: ReportSnapshot, page: str) -> None:
    assert render(sample) == page


def test_nothing_is_loaded_from_outside(page: str) -> None:
    assert not re.search(r"""(?:src|href|action|data)\s*=\s*["'](?!#|data:)""", page)
    assert not re.search(r"url\((?!#)|@import|<script .|<iframe|<link(?! rel=\"icon\" href=\"data:)", page)
    assert "default-src 'none'" in page


def test_only_the_pages_own_script_may_run(page: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in page
    assert not re.search(r"\son\w+=", page.replace(script, ""))


def test_names_from_the_data_are_escaped_everywhere(page: str) -> None:
    assert "<b>" not in page
    assert page.count("&lt;b&gt;mzvav&lt;/b&gt;") > 15


def test_a_health_check_shows_its_past_and_who_was_told(page: str) -> None:
    row = page.split("&lt;b&gt;clean&lt;/b&gt; readings keep coming", 1)[1].split("</tr>", 1)[0]
    assert re.findall(r'<i class="(\w+)"', row) == ["pass", "idle", "fail"]
    assert "3 reports, 1 of them failing" in row
    assert "told: On-call, &lt;b&gt;Lead&lt;/b&gt;" in row


def test_an_empty_workspace_says_what_to_do_next() -> None:
    page = render(ReportSnapshot("demo", "master"))
    assert "Nothing ingested yet" in page
    assert "mirror ingest DATASET FILE" in page
    assert "<table" not in page


def test_ids_are_unique_and_every_reference_has_its_target(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"|aria-labelledby="([^"]+)"', page)
    assert {name for group in wanted for name in group if name} <= set(ids)


def test_times_of_the_page_are_data_times_only(page: str) -> None:
    years = set(re.findall(r"\b(20\d\d)-\d\d-\d\d", page))
    assert years == {"2017"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_readable_in_both_schemes(scheme: str) -> None:
    css = (resources.files("mirror.report") / "templates" / "report.css.j2").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    tokens = dict(re.findall(r"--(\w+): (#\w+)", blocks[["light", "dark"].index(scheme)]))
    for background in ("card", "bg"):
        for text in ("ink", "muted", "accent", "critical", "high", "medium", "low", "good", "bad"):
            assert _contrast(tokens[text], tokens[background]) >= 4.5, (text, background)
    assert _contrast(tokens["ink"], tokens["soft"]) >= 4.5
    assert _contrast(tokens["high"], tokens["fault"]) >= 3.0


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two hex colours."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _drawn(hours: list[float], faults: list[float]) -> str:
    points = tuple(ScorePoint(START + timedelta(hours=h), 0.5, False) for h in hours)
    at = tuple(START + timedelta(hours=h) for h in faults)
    return score_timeline(DeviceScores("d", "m", 60, 0.6, len(points), 0, points, at), "x")


def _lines(svg: str) -> int:
    return len(re.findall(r'<path d="M[^"]+"[^>]*var\(--accent\)', svg))


def _shades(svg: str) -> int:
    return svg.count("fill: var(--fault)")


def test_a_score_line_is_cut_at_pauses() -> None:
    assert _lines(_drawn([0, 1, 2, 3], [])) == 1
    assert _lines(_drawn([0, 1, 50, 51, 2000, 2001], [])) == 3


def test_only_fault_days_with_data_are_shaded() -> None:
    assert _shades(_drawn([*range(48)], [0, 24])) == 2
    assert _shades(_drawn([*range(24)], [0, 24, 500])) == 1
    assert _shades(_drawn([*range(24)], [])) == 0


def test_a_plot_has_a_description_and_no_fixed_colour_or_size() -> None:
    svg = _drawn([0, 1], [])
    assert '<title id="x-title">Anomaly scores of d by m: 0 of 2 windows flagged, threshold 0.60; 0 fault days' in svg
    assert 'role="img"' in svg
    assert not re.search(r'<svg[^>]*(width|height)="', svg)
    assert not re.search(r"#[0-9a-f]{6}", svg)


def test_days_are_marked_and_hours_where_the_series_is_short() -> None:
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", _drawn([*range(30)], []))
    assert labels[:4] == ["Jan 1", "06:00", "12:00", "18:00"]
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", _drawn([*range(240)], []))
    assert labels[:3] == ["Jan 1", "Jan 3", "Jan 5"]
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", _drawn([0, 1, 2, 9000, 9001, 9002], []))
    assert labels[:2] == ["Jan 1 ’26", "Jan 11 ’27"]


@pytest.mark.nightly
def test_a_single_point_and_no_points_are_drawn() -> None:
    assert "<svg" in _drawn([0], [0])
    assert "<svg" in _drawn([], [])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ReportUnwritableError) as refused:
        write_report(ReportSnapshot("demo", "master"), blocked / "out")
    assert str(blocked / "out" / "report.html") in str(refused.value)
    assert "--out" in str(refused.value)


def test_a_new_report_replaces_the_old_one(tmp_path: Path) -> None:
    write_report(ReportSnapshot("first", "master"), tmp_path)
    path = write_report(ReportSnapshot("second", "master"), tmp_path)
    assert "second" in path.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
