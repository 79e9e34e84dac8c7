"""Verdicts from series: every comparison at its limit and one step beyond, how long it must last, and against what."""

from __future__ import annotations

import math

import pytest

from fleet_health.monitoring.definitions import Metric, Threshold, shipped_metrics
from fleet_health.monitoring.judgement import Figure, Verdict, judge
from fleet_health.monitoring.passes import MEASURES

METRICS = shipped_metrics(MEASURES)
BASE = 1.0  # what earlier figures were, where a change is judged


def alone(metric: Metric, threshold: Threshold) -> Metric:
    """The metric with one of its thresholds, or another one would speak first."""
    return metric.model_copy(update={"thresholds": (threshold,)})


def beyond(threshold: Threshold, limit: float) -> float:
    """The next number on the side that raises the severity."""
    return math.nextafter(limit, -math.inf if threshold.op in ("<", "<=") else math.inf)


def series(metric: Metric, threshold: Threshold, dimension: str, value: float) -> list[Figure]:
    """Figures of which the last ones hold ``value``, or change by it."""
    if threshold.of == "figure" or metric.against is None:
        return [Figure(dimension, n, value, rows=metric.least_rows) for n in range(threshold.for_)]
    if metric.against.what == "given":
        given = 0.0 if metric.against.as_ == "difference" else 1.0
        return [Figure(dimension, n, value, expected=given, rows=metric.least_rows) for n in range(threshold.for_)]
    # one earlier figure decides what "before" is; two of them where a spread is asked for
    before = [0.0] if metric.against.as_ == "difference" else [BASE]
    if metric.against.as_ == "deviations":
        before = [-1.0 / math.sqrt(2.0), 1.0 / math.sqrt(2.0)]
    last = 1.0 - value if metric.against.as_ == "drop" else value
    return [Figure(dimension, n, one, rows=metric.least_rows) for n, one in enumerate([*before, last])]


def verdict(metric: Metric, threshold: Threshold, value: float, dimension: str) -> Verdict:
    one = threshold.model_copy(update={"for_": 1}) if threshold.of == "change" else threshold
    short = metric.against and metric.against.model_copy(update={"least": 1})
    copied = alone(metric, one).model_copy(update={"against": short})
    return judge(copied, series(copied, one, dimension, value))[0]


@pytest.mark.case("MST-09")
def test_every_threshold_is_silent_at_its_value_and_speaks_one_step_beyond() -> None:
    for metric in METRICS:
        for threshold in metric.thresholds:
            dimension = "part" if threshold.parts == "each" else "ALL"
            if isinstance(threshold.value, dict):
                dimension = next(iter(threshold.value))
            limit = threshold.limit(dimension)
            assert limit is not None
            at, past = (verdict(metric, threshold, v, dimension) for v in (limit, beyond(threshold, limit)))
            told = f"{metric.id} {threshold.op} {limit}"
            if metric.against is not None and threshold.of == "change" and metric.against.as_ in ("drop", "deviations"):
                past = verdict(metric, threshold, limit + 1e-9, dimension)  # both are computed, and round
                at = verdict(metric, threshold, limit - 1e-9, dimension)
            assert at.severity == (threshold.severity if threshold.op in (">=", "<=") else None), told
            assert past.severity == threshold.severity, told
            assert past.status == ("BREACH" if threshold.severity in ("HIGH", "CRITICAL") else "WARN"), told


def metric(**changes: object) -> Metric:
    first = {"severity": "MEDIUM", "op": ">", "value": 1.0, "for": 2, "reason": "long enough a reason"}
    worse = {"severity": "HIGH", "op": ">", "value": 5.0, "reason": "a longer reason than that"}
    told = {
        "id": "VOL-99",
        "family": "volume",
        "name": "some",
        "dataset": "raw",
        "measure": "m",
        "thresholds": [first, worse],
    }
    people = {"owner": "one", "rotation": "one", "channel": "one", "escalation": "ESC", "runbook": "RB-01"}
    return Metric.model_validate({**told, **people, **changes})


def test_it_must_last_and_the_worst_speaks() -> None:
    said = [
        judge(metric(), [Figure("ALL", n, v) for n, v in enumerate(values)])[0]
        for values in ([9, 2, 0], [0, 2], [2, 2], [0, 6])
    ]
    assert [(one.status, one.severity, one.limit) for one in said] == [
        ("OK", None, 1.0),
        ("OK", None, 1.0),
        ("WARN", "MEDIUM", 1.0),
        ("BREACH", "HIGH", 5.0),
    ]


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_cannot_be_measured_is_unknown_and_no_pass(value: float | None) -> None:
    [said] = judge(metric(), [Figure("ALL", 0, 0.5), Figure("ALL", 1, value)])
    assert (said.status, said.severity, said.value) == ("UNKNOWN", "MEDIUM", None)
    assert judge(metric(), [])[0].status == "UNKNOWN"


def test_too_few_rows_and_too_little_history_give_no_verdict() -> None:
    assert judge(metric(least_rows=30), [Figure("ALL", 0, 9.0, rows=29)]) == ()
    change = {"severity": "LOW", "op": ">", "value": 1.0, "of": "change", "reason": "long enough a reason"}
    against = {"what": "earlier", "as": "ratio", "periods": 3, "least": 2}
    young = metric(thresholds=[change], against=against)
    assert judge(young, [Figure("ALL", 0, 1.0), Figure("ALL", 1, 9.0)]) == ()
    # only the three before count: the first, 100, is forgotten
    [said] = judge(young, [Figure("ALL", n, v) for n, v in enumerate([100.0, 1.0, 1.0, 4.0, 4.0])])
    assert (said.value, said.expected, said.severity) == (2.0, 2.0, "LOW")


def test_something_rare_that_appears_is_compared_with_the_floor() -> None:
    change = {"severity": "LOW", "op": ">", "value": 2.0, "of": "change", "reason": "long enough a reason"}
    rare = metric(thresholds=[change], against={"what": "earlier", "as": "ratio", "floor": 0.001})
    assert judge(rare, [Figure("F", 0, 0.0), Figure("F", 1, 0.0001)])[0].value == pytest.approx(0.1)
    assert judge(rare, [Figure("F", 0, 0.0), Figure("F", 1, 0.05)])[0].severity == "LOW"


def test_parts_and_the_whole_have_thresholds_of_their_own() -> None:
    plain = next(one for one in METRICS if one.id == "AGR-02")
    said = judge(plain, [Figure("ALL", 0, 0.8, rows=500), Figure("a|b", 0, 0.8, rows=500)])
    assert {one.dimension: one.severity for one in said} == {"ALL": None, "a|b": "HIGH"}
