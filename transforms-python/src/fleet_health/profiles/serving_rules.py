"""Whether streaming, fallback and staleness agree with the sensors, features and severities of their profile."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fleet_health.profiles.serving import StreamingRule, TrailingAverage

if TYPE_CHECKING:
    from fleet_health.profiles.rules import _Check

Path = tuple[str | int, ...]

_NEEDS = {
    "limit": frozenset[str](),
    "factor_over_average": frozenset({"average"}),
    "relative_fall": frozenset({"minutes", "median_of"}),
    "slope": frozenset({"minutes"}),
}
_MAY_HAVE = {"limit": frozenset({"over_range"})}
_OF_SOME_KINDS = ("over_range", "average", "minutes", "median_of")


def check_serving(check: _Check) -> None:
    """Raises :class:`ProfileReferenceError` for the first disagreement found."""
    _guard(check)
    _streaming(check)
    _fallback(check)
    _staleness(check)


def _guard(check: _Check) -> None:
    guard = check.profile.alerting.guard
    if guard is None:
        return
    known = [rule.severity for rule in check.profile.alerting.severities]
    for key in ("severity", "otherwise"):
        check.known(("alerting", "guard", key), getattr(guard, key), known, "severity")
    if known.index(guard.otherwise) <= known.index(guard.severity):
        problem = f"{guard.otherwise} is not milder than {guard.severity}"
        check.fail(("alerting", "guard", "otherwise"), problem, "A guard lowers a severity; name a milder one.")


def _streaming(check: _Check) -> None:
    streaming = check.profile.streaming
    if streaming is None:
        return
    known = [rule.severity for rule in check.profile.alerting.severities]
    check.known(("streaming", "severity"), streaming.severity, known, "severity")
    section = ("streaming", "rules")
    check.unique(section, (rule.id for rule in streaming.rules), "rule")
    check.unique(section, (rule.name for rule in streaming.rules), "rule name")
    check.unique(section, (name for rule in streaming.rules for name in rule.columns), "threshold column")
    for index, rule in enumerate(streaming.rules):
        _streaming_rule(check, rule, (*section, index))
    limits = {rule.limit.column: rule.limit for rule in streaming.rules}
    check.unique(("streaming", "devices"), (device.device_id for device in streaming.devices), "device")
    for index, device in enumerate(streaming.devices):
        for column, value in device.limits.items():
            path: Path = ("streaming", "devices", index, "limits", column)
            check.known(path, column, limits, "limit")
            _allowed(check, path, value, limits[column].allowed)
    if streaming.softened_below > streaming.confirmed_above:
        fix = "Let softened_below lie at or below confirmed_above."
        check.fail(("streaming", "softened_below"), "a score would confirm an alert and clear it", fix)


def _streaming_rule(check: _Check, rule: StreamingRule, path: Path) -> None:
    profile = check.profile
    given = {key for key in _OF_SOME_KINDS if getattr(rule, key) is not None}
    for key in sorted(_NEEDS[rule.kind] - given):
        check.fail(path, f"rule {rule.id} of kind {rule.kind!r} has no `{key}`", f"Add `{key}`.")
    for key in sorted(given - _NEEDS[rule.kind] - _MAY_HAVE.get(rule.kind, frozenset())):
        check.fail((*path, key), f"rule {rule.id} of kind {rule.kind!r} takes no `{key}`", f"Remove `{key}`.")
    check.known((*path, "sensor"), rule.sensor, profile.sensor_names, "sensor")
    if profile.sensor(rule.sensor).type == "boolean":
        check.fail((*path, "sensor"), f"rule {rule.id} needs a numeric sensor", "Name a sensor of type double.")
    if rule.gate is not None:
        check.known((*path, "gate"), rule.gate, profile.sensor_names, "sensor")
        if profile.sensor(rule.gate).type != "boolean":
            check.fail((*path, "gate"), f"gate {rule.gate!r} is no boolean sensor", "Name a sensor of type boolean.")
    _allowed(check, (*path, "limit", "default"), rule.limit.default, rule.limit.allowed)
    if rule.average is not None:
        _average(check, rule, rule.average, (*path, "average"))


def _average(check: _Check, rule: StreamingRule, average: TrailingAverage, path: Path) -> None:
    profile = check.profile
    check.known((*path, "feature"), average.feature, (f.name for f in profile.features), "feature")
    feature = next(f for f in profile.features if f.name == average.feature)
    if feature.aggregation != "mean" or feature.sensor != rule.sensor:
        fix = f"Name a feature with `aggregation: mean` and `sensor: {rule.sensor}`."
        check.fail((*path, "feature"), f"{average.feature!r} is no mean of {rule.sensor!r}", fix)
    if average.window_minutes not in profile.windows_minutes:
        fix = f"Use one of windows_minutes: {', '.join(map(str, profile.windows_minutes))}."
        check.fail((*path, "window_minutes"), f"no window of {average.window_minutes} minutes", fix)


def _allowed(check: _Check, path: Path, value: float, allowed: tuple[float, float]) -> None:
    if not allowed[0] <= value <= allowed[1]:
        fix = f"Use a value between {allowed[0]:g} and {allowed[1]:g}, or change `allowed` and say why."
        check.fail(path, f"limit {value:g} is not allowed", fix)


def _fallback(check: _Check) -> None:
    fallback = check.profile.fallback
    if fallback is None:
        return
    if check.profile.staleness is None:
        check.fail(("fallback",), "`fallback` without `staleness`", "Add `staleness`, which says when rules take over.")
    section = ("fallback", "rules")
    check.unique(section, (rule.id for rule in fallback.rules), "rule")
    names = [feature.name for feature in check.profile.features]
    for index, rule in enumerate(fallback.rules):
        check.known((*section, index, "feature"), rule.feature, names, "feature")
        if rule.gate is not None:
            check.known((*section, index, "gate", "feature"), rule.gate.feature, names, "feature")
    none, one, more = fallback.scores
    if not 0.0 <= none <= fallback.threshold < one <= more <= 1.0:
        fix = "Order them 0 <= none <= threshold < one <= more <= 1, so that score and flag tell the same story."
        check.fail(("fallback", "scores"), "scores and threshold do not rise", fix)


def _staleness(check: _Check) -> None:
    staleness = check.profile.staleness
    if staleness is None:
        return
    for cadence in ("hourly", "daily"):
        bands = getattr(staleness, cadence)
        check.unique(("staleness", cadence), (band.band for band in bands), "band")
        ends = [band.up_to_minutes for band in bands]
        if ends[-1] is not None or any(end is None for end in ends[:-1]):
            fix = "Give every band but the last its `up_to_minutes`."
            check.fail(("staleness", cadence), "an age lies in no band or in two", fix)
        if any(low >= high for low, high in pairwise(ends[:-1])):
            check.fail(("staleness", cadence), "bands do not follow each other", "List the freshest first.")
    regular = staleness.hourly[0].up_to_minutes or 0.0
    if staleness.fallback_after_minutes.value < regular:
        fix = f"Use {regular:g} or more; up to then an hourly run is in time."
        check.fail(("staleness", "fallback_after_minutes", "value"), "rules would stand in for a good run", fix)
