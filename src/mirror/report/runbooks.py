"""The runbooks that alerts name, taken into the page: whoever is called reads them without the repository."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from mirror.health.routing import Routing
from mirror.report.snapshot import FleetSection, Runbook


def runbooks_of(fleets: Iterable[FleetSection], routing: Routing, repository: Path) -> tuple[Runbook, ...]:
    """By id. One whose page is neither an address nor a file of ``repository`` is left out."""
    named: set[str] = set()
    for fleet in fleets:
        named |= {alert.runbook_id for alert in fleet.alerts.quality}
        named |= {alert.runbook_id for alert in (*fleet.alerts.equipment, *fleet.worst_raised)}
    found = []
    for name in sorted(named):
        page = routing.page(name)
        if page.startswith(("https://", "http://")):
            found.append(Runbook(name, page))
            continue
        file = (repository / page).resolve()
        if file.is_relative_to(repository.resolve()) and file.is_file():
            found.append(Runbook(name, page, file.read_text(encoding="utf-8", errors="replace")))
    return tuple(found)


def as_html(text: str) -> Markup:
    """Markdown as HTML. Tags in it are shown as text; links are text, because what they lead to is not here."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes everything that is not Markdown


def title_of(runbook: Runbook) -> str:
    """The page's first heading, or the id."""
    first = next((line for line in runbook.text.splitlines() if line.startswith("# ")), "")
    return first.removeprefix("# ").strip() or runbook.id


@cache
def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    for rule in ("link_open", "link_close"):
        reader.add_render_rule(rule, lambda *_arguments: "")
    return reader
