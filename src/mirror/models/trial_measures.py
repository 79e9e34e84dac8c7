"""Figures of a trial: one number each, of windows that candidate and champion both scored.

A frame has ``device_id, window_start, window_end`` and, for ``candidate`` and ``champion``, ``_score`` and ``_flag``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from mirror.models.criteria.score_divergence import divergence
from mirror.models.criteria.top_overlap import top
from mirror.models.scoring import CannotJudgeError

if TYPE_CHECKING:
    import pandas as pd

TOP_SHARE = 0.05
URGENT_ABOVE = 0.85
"""Scores from here on are HIGH once sustained, or CRITICAL."""
LEAST = 20
"""Fewer windows (of both together) make no volume that could rise or fall by a share."""


def _divergence(rows: pd.DataFrame) -> float:
    return divergence(rows["candidate_score"].to_numpy("float64"), rows["champion_score"].to_numpy("float64"))


def _flagged_points(rows: pd.DataFrame) -> float:
    return 100.0 * abs(float(rows["candidate_flag"].mean()) - float(rows["champion_flag"].mean()))


def _mean_difference(rows: pd.DataFrame) -> float:
    return float((rows["candidate_score"] - rows["champion_score"]).abs().mean())


def _top_overlap(rows: pd.DataFrame) -> float:
    mine, theirs = (top(rows, f"{who}_score", TOP_SHARE, most=len(rows)) for who in ("candidate", "champion"))
    return len(mine & theirs) / len(theirs)


def _daily_spread(rows: pd.DataFrame) -> float:
    days = rows.groupby(rows["window_end"].dt.floor("D"))["candidate_score"].mean()
    if len(days) < 2:
        raise CannotJudgeError("the trial has not lasted two days")
    return float(days.std(ddof=0))


def _flag_agreement(rows: pd.DataFrame) -> float:
    return float((rows["candidate_flag"] == rows["champion_flag"]).mean())


def _flagged_in_common(rows: pd.DataFrame) -> float:
    either = int((rows["candidate_flag"] | rows["champion_flag"]).sum())
    return int((rows["candidate_flag"] & rows["champion_flag"]).sum()) / either if either else 1.0


def _flagged_change(rows: pd.DataFrame) -> float:
    return abs(_change(int(rows["candidate_flag"].sum()), int(rows["champion_flag"].sum())))


def _urgent_change(rows: pd.DataFrame) -> float:
    mine, theirs = (int((rows[f"{who}_score"] > URGENT_ABOVE).sum()) for who in ("candidate", "champion"))
    return _change(mine, theirs)


def _change(mine: int, theirs: int) -> float:
    if mine + theirs < LEAST:
        raise CannotJudgeError(f"{mine + theirs} such windows, {LEAST} are needed to speak of a volume")
    return mine / theirs - 1.0 if theirs else math.inf


def _flips_more(rows: pd.DataFrame) -> float:
    now, before = _consecutive(rows)
    rates = []
    for who in ("candidate_flag", "champion_flag"):
        either = int((now[who] | before[who]).sum())
        rates.append(int((now[who] != before[who]).sum()) / either if either else 0.0)
    return rates[0] - rates[1]


def _order_less(rows: pd.DataFrame) -> float:
    names = ["candidate_score", "champion_score"]
    ranked = rows.assign(**{name: rows.groupby("window_end")[name].rank(pct=True) for name in names})
    now, before = _consecutive(ranked)
    if any(side[name].nunique() < 2 for side in (now, before) for name in names):
        raise CannotJudgeError("no window ranks one device above another")
    mine, theirs = (float(now[name].corr(before[name])) for name in names)
    return theirs - mine


def _consecutive(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each window and the one of its device that ended where it began, in the same order."""
    ordered = rows.sort_values(["device_id", "window_end"], ignore_index=True)
    before = ordered.shift(1)
    follows = (ordered["device_id"] == before["device_id"]) & (ordered["window_start"] == before["window_end"])
    if not follows.any():
        raise CannotJudgeError("no two windows follow each other")
    places = follows.to_numpy().nonzero()[0]
    return ordered.iloc[places].reset_index(drop=True), ordered.iloc[places - 1].reset_index(drop=True)


MEASURES: dict[str, tuple[Callable[[pd.DataFrame], float], str]] = {
    "divergence": (_divergence, "KL divergence of scores"),
    "flagged_points": (_flagged_points, "points between the flagged shares"),
    "mean_difference": (_mean_difference, "mean absolute difference of scores"),
    "top_overlap": (_top_overlap, "overlap of the top 5 percent of devices"),
    "daily_spread": (_daily_spread, "standard deviation of the daily mean score"),
    "flag_agreement": (_flag_agreement, "share of windows that both flag or neither"),
    "flagged_in_common": (_flagged_in_common, "share of the windows flagged by either that both flag"),
    "flagged_change": (_flagged_change, "change of the number of flagged windows, either way,"),
    "urgent_change": (_urgent_change, f"rise of the number of windows scored above {URGENT_ABOVE}"),
    "flips_more": (_flips_more, "share of flags that change from window to window, beyond that of production,"),
    "order_less": (_order_less, "rank correlation of consecutive windows, as far as below that of production,"),
}
"""By name: the figure, and what it is in words."""
