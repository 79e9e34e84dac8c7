"""Score timelines as SVG. Deterministic bytes, real text, and colours that follow the page's light or dark scheme."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from mirror.report.snapshot import DeviceScores, ScorePoint

# Drawn with these stand-ins, then replaced by CSS variables, so that one drawing serves both colour schemes.
_INK, _GRID, _LINE, _FAULT, _FLAG, _LIMIT = (f"#{n:06x}" for n in range(0xA00001, 0xA00007))
_VARIABLES = {
    _INK: "--muted", _GRID: "--line", _LINE: "--accent", _FAULT: "--fault", _FLAG: "--high", _LIMIT: "--ink",
}  # fmt: skip
_SETTINGS: Any = {
    "svg.hashsalt": "foundry-mirror",
    "svg.fonttype": "none",
    "font.size": 14.5,
    "path.simplify": True,
    "axes.linewidth": 0.8,
}
PAUSE = timedelta(hours=6)
SHORT = 2.5
"""Days up to which hours are marked."""
FAULT_LENGTH = timedelta(days=1)
LABEL, YEAR_LABEL = 0.16, 0.23
"""Share of the axis that a date takes, without and with its year."""


def score_timeline(scores: DeviceScores, identifier: str) -> str:
    """Inline SVG of one device's scores, days with a known fault shaded, the threshold dashed.

    Pauses of more than :data:`PAUSE` take almost no room, because test days may lie months apart, and no line crosses
    them. ``identifier`` keeps the ids of several drawings on one page apart.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    stretches = _stretches(scores.points)
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(6.0, 2.3))
        FigureCanvasSVG(figure)
        figure.subplots_adjust(left=0.07, right=0.995, top=0.97, bottom=0.16)
        axes = figure.add_subplot()
        for stretch in stretches:
            for begin in scores.faults:
                first, last = stretch.place(begin), stretch.place(begin + FAULT_LENGTH)
                if first < last:
                    axes.axvspan(first, last, color=_FAULT, linewidth=0, zorder=0)
            x = [stretch.place(p.at) for p in stretch.points]
            axes.plot(x, [p.score for p in stretch.points], color=_LINE, linewidth=1.1, solid_joinstyle="round")
            flagged = [p for p in stretch.points if p.flagged]
            places = [stretch.place(p.at) for p in flagged]
            axes.plot(places, [p.score for p in flagged], ".", color=_FLAG, markersize=4.5, zorder=3)
        if scores.threshold is not None:
            axes.axhline(scores.threshold, color=_LIMIT, linewidth=1.0, linestyle=(0, (5, 3)))
        end = stretches[-1].place(stretches[-1].last) if stretches else 1.0
        axes.set_xlim(0, end or 1.0)
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
        _mark_days(axes, stretches, end)
        axes.grid(axis="both", color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_INK, length=0)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set_color(_GRID)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), scores, identifier)


@dataclass(frozen=True)
class _Stretch:
    """Points without a pause between them, and where the stretch begins on the axis (in days)."""

    points: tuple[ScorePoint, ...]
    begin: float

    @property
    def last(self) -> datetime:
        return self.points[-1].at

    def place(self, at: datetime) -> float:
        """Where a moment lies on the axis; outside moments go to the nearer end."""
        inside = min(max(at, self.points[0].at), self.last)
        return self.begin + (inside - self.points[0].at) / timedelta(days=1)


def _stretches(points: Sequence[ScorePoint]) -> list[_Stretch]:
    groups: list[list[ScorePoint]] = []
    for point in sorted(points, key=lambda p: p.at):
        if groups and point.at - groups[-1][-1].at <= PAUSE:
            groups[-1].append(point)
        else:
            groups.append([point])
    total = sum((g[-1].at - g[0].at) / timedelta(days=1) for g in groups)
    found: list[_Stretch] = []
    begin = 0.0
    for group in groups:
        found.append(_Stretch(tuple(group), begin))
        begin = found[-1].place(group[-1].at) + total / 100
    return found


def _mark_days(axes: Any, stretches: list[_Stretch], end: float) -> None:
    """Dates at the stretches' beginnings and midnights, where there is room; hours of the day too in a short series."""
    wanted: list[tuple[float, datetime]] = [(s.begin, s.points[0].at) for s in stretches]
    for stretch in stretches:
        midnight = stretch.points[0].at.replace(hour=0, minute=0, second=0, microsecond=0)
        for step in (timedelta(days=1), *([timedelta(hours=6)] if end < SHORT else [])):
            mark = midnight + step
            while mark < stretch.last:
                wanted.append((stretch.place(mark), mark))
                mark += step
    with_year = len({at.year for _, at in wanted}) > 1
    room = end * (YEAR_LABEL if with_year else LABEL)
    kept: list[tuple[float, datetime]] = []
    for place, at in wanted:
        if 0 <= place <= end - room * 0.8 and all(abs(place - other) >= room for other, _ in kept):
            kept.append((place, at))
    kept.sort()
    days: set[date] = set()
    texts = []
    for _, at in kept:
        day = f"{at:%b} {at.day}" + (f" ’{at:%y}" if with_year else "")
        texts.append(f"{at:%H:%M}" if at.date() in days else day)
        days.add(at.date())
    axes.set_xticks([place for place, _ in kept], texts, ha="left")


def _inline(svg: str, scores: DeviceScores, identifier: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'\bxlink:href="', 'href="', svg)
    svg = re.sub(r'\bid="', f'id="{identifier}-', svg)
    svg = re.sub(r"url\(#", f"url(#{identifier}-", svg)
    svg = re.sub(r'href="#', f'href="#{identifier}-', svg)
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    view = re.search(r'viewBox="[^"]+"', svg)
    head = f'<svg class="plot" {view.group() if view else ""} role="img" aria-labelledby="{identifier}-title">'
    title = f'<title id="{identifier}-title">{description(scores)}</title>'
    return head + title + svg[svg.index(">") + 1 :]


def description(scores: DeviceScores) -> str:
    """The drawing in words, for those who cannot see it. Escaped for SVG."""
    from html import escape

    faulty = len(scores.faults)
    limit = f", threshold {scores.threshold:.2f}" if scores.threshold is not None else ""
    text = (
        f"Anomaly scores of {scores.device_id} by {scores.model}: {scores.flagged} of {scores.windows} windows flagged"
        f"{limit}; {faulty} fault {'day' if faulty == 1 else 'days'} shaded"
    )
    return escape(text)
