"""The page as a person sees it: opened in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.report.render import AUDIENCES, write_report
from mirror.report.snapshot import ReportSnapshot

pytestmark = [pytest.mark.browser, pytest.mark.nightly, pytest.mark.timeout(600)]

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
SHOW_ALL = "document.querySelectorAll('[data-view]').forEach(view => view.removeAttribute('hidden'))"
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
    node = page.locator(f"svg.lineage [data-node='{hall}/clean_sensor_readings']")
    assert node.get_attribute("class").split() == ["node", "warn"]
    page.close()


OPENED = """() => [...document.querySelectorAll('[data-opens]')].filter(e => e.clientWidth).map(region => {
  const area = region.getBoundingClientRect();
  const boxed = e => e.getBoundingClientRect();
  const inside = e => boxed(e).left >= area.left - 1 && boxed(e).right <= area.right + 1;
  const shown = [...region.querySelectorAll('[data-node]')].filter(inside);
  return [region.dataset.opens, region.scrollWidth > region.clientWidth, shown.length > 0];
})"""


def test_a_lineage_wider_than_the_screen_opens_on_datasets(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(report.as_uri())
    page.click("[data-shows=pipeline]")
    page.wait_for_timeout(100)  # regions are measured by the next frame
    assert ["first", True, True] in page.evaluate(OPENED)  # wider than the screen, and a dataset in sight
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_and_no_text_is_tiny(browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(report.as_uri())
    page.evaluate(SHOW_ALL)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    size, text = page.evaluate(SMALLEST_TEXT)
    assert size >= 10, text
    assert page.evaluate("[...document.querySelectorAll('svg.plot')].every(s => s.clientWidth > 250)")
    page.close()


def test_a_keyboard_reaches_sections_details_and_scrolling_parts(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    unnamed = "[...document.querySelectorAll('.scroll')].filter(e => e.tabIndex !== 0 || !e.getAttribute('aria-label'))"
    assert page.evaluate(f"{unnamed}.length") == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_role("link", name="Lineage and checks").focus()
    page.keyboard.press("Enter")
    assert page.locator("#checks").is_visible()
    assert not page.locator("#operations-1").is_visible()
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


def test_search_finds_across_audiences_and_goes_there(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    page.keyboard.press("/")
    page.keyboard.type("mzvav scores")
    assert page.locator("#found button").all_text_contents() == ["Scores: <b>mzvav</b>"]
    assert page.locator("#found-count").text_content() == "1 found"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.find") == "Scores: <b>mzvav</b>"
    assert page.locator("#science-1").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    assert page.locator("#found-count").text_content() == "0 found"
    page.keyboard.press("Escape")
    assert page.evaluate("document.getElementById('find').value") == ""
    page.close()


def test_a_dataset_of_the_lineage_shows_what_it_is_made_from(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri() + "#lineage")
    node = page.locator("[data-node='/Fleet/hall/clean_sensor_readings']")
    node.focus()
    page.keyboard.press("Enter")
    detail = page.locator("[data-detail]").first.text_content()
    assert detail.startswith("/Fleet/hall/clean_sensor_readings · checks: warn · newest commit 2017-09-25 00:02")
    assert "2 upstream, 5 downstream" in detail
    near = page.evaluate("[...document.querySelectorAll('.node.near')].map(n => n.dataset.node.split('/').pop())")
    assert sorted(near) == [
        "clean_sensor_readings", "device_alerts", "device_features", "isolation_forest", "landing_telemetry",
        "model_scores", "quality_alerts", "raw_sensor_readings",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    assert page.locator(".lineage.traced").count() == 0
    page.close()


def test_without_scripts_everything_is_there(browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert all(page.locator(f"#view-{name}").is_visible() for name in AUDIENCES)
    assert not page.locator("#find").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, report: Path, scheme: str) -> None:
    place = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
    if not place.is_file():
        pytest.skip(
            "no axe-core found; get it with `npm install --no-save axe-core`, or name its axe.min.js in AXE_CORE"
        )
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate(SHOW_ALL)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(place.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(one["impact"], one["id"]) for one in found if one["impact"] in ("serious", "critical")] == []
    context.close()
