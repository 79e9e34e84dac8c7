"""The page as a person sees it: opened in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.report.render import write_report
from mirror.report.snapshot import ReportSnapshot

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIGURES = "Object.fromEntries([...document.querySelectorAll('[data-figure]')].map(e => [e.dataset.figure, e.value]))"
SMALLEST_TEXT = """() => {
  const sizes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement, box = parent.getBoundingClientRect();
    if (!walker.currentNode.data.trim() || box.width < 2 || parent.closest('style, .skip, title')) continue;
    const svg = parent.closest('svg');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    sizes.push([parseFloat(getComputedStyle(parent).fontSize) * scale, walker.currentNode.data.trim()]);
  }
  return sizes.sort((a, b) => a[0] - b[0])[0];
}"""
OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(e =>
  !e.closest('.scroll, .visually-hidden, .skip, svg') && e.getBoundingClientRect().right > innerWidth + 0.5)
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium found; get one with `apt-get install chromium` (Debian) and run again")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(sample: ReportSnapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(sample, tmp_path_factory.mktemp("report"))


def test_figures_on_the_page_are_those_of_the_snapshot(browser, report: Path) -> None:
    requests: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("request", lambda request: requests.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(report.as_uri())
    figures = page.evaluate(FIGURES)
    hall = "/Fleet/hall"
    expected = {
        "checks:pass": "3",
        "checks:warn": "1",
        "checks:fail": "0",
        "quality-alerts": "2",
        "equipment-alerts": "15",
        "devices-scored": "3",
        f"rows:{hall}:raw": "59039",
        f"rows:{hall}:clean": "58000",
        f"rows:{hall}:quarantine": "947",
        f"rows:{hall}:dead letter": "92",
        f"rows:{hall}:scores": "4918",
        "rows:/Fleet/idle:raw": "5",
        f"reason:{hall}:quarantine:DEVICE_UNKNOWN": "947",
        f"reason:{hall}:dead letter:MALFORMED_NUMBER": "91",
        f"flag:{hall}:RANGE_VIOLATION": "4099",
        f"equipment:{hall}:CRITICAL": "1",
        f"equipment:{hall}:HIGH": "3",
        f"equipment:{hall}:MEDIUM": "9",
        f"equipment:{hall}:LOW": "2",
        f"raised:{hall}:MEDIUM": "20",
        f"quality:{hall}:HIGH": "1",
        f"quality:{hall}:LOW": "0",
        f"windows:{hall}:szvav": "336",
        f"fault-days:{hall}:szvav": "7",
        f"fault-days:{hall}:<b>mzvav</b>": "3",
        f"checks:{hall}/clean_sensor_readings:warn": "1",
        "dataset:/Elsewhere/orders": "12",
        f"dataset:{hall}/landing_telemetry": "",
    }
    assert {name: figures.get(name) for name in expected} == expected
    assert f"rows:{hall}:landing" not in figures
    assert page.locator("tr", has_text="landing").get_by_text("3 files").count() == 1
    assert int(figures["raised:/Fleet/hall:HIGH"]) == 5
    assert requests == [report.as_uri()]
    assert problems == []
    assert page.locator("svg.plot").count() == 3
    assert page.locator(f"svg.lineage .node:has(title:text-is('{hall}/clean_sensor_readings'))").get_attribute(
        "class"
    ).split() == ["node", "warn"]
    page.close()


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.nightly)])
def test_nothing_overflows_and_no_text_is_tiny(browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    size, text = page.evaluate(SMALLEST_TEXT)
    assert size >= 10, text
    assert page.evaluate("[...document.querySelectorAll('svg.plot')].every(s => s.clientWidth > 250)")
    page.close()


@pytest.mark.nightly
def test_a_keyboard_reaches_sections_details_and_scrolling_parts(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    unnamed = "[...document.querySelectorAll('.scroll')].filter(e => e.tabIndex !== 0 || !e.getAttribute('aria-label'))"
    assert page.evaluate(f"{unnamed}.length") == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_role("link", name="Checks").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#checks")
    summary = page.locator("details.check > summary", has_text="model_scores")
    assert not summary.evaluate("e => e.parentElement.open")
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate("e => e.parentElement.open")
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    headless = "[...document.querySelectorAll('table')].filter(t => !t.querySelector('th')).length"
    assert page.evaluate(headless) == 0
    page.close()
