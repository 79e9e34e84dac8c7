"""Contract to checks, for one fleet. A check's name begins with its rule's id and its description is the reason.

Hard rules FAIL, soft ones WARN. ``measured`` rules ride on the audit datasets (see :mod:`fleet_health.audits`),
``asserted`` ones inside a transform; all others are compiled here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from fleet_health.contracts import rules as R
from fleet_health.contracts.agreement import ids
from fleet_health.contracts.conditions import expectation
from fleet_health.contracts.expansion import Bounds, members, numeric_sensors, orderings, text
from fleet_health.contracts.loader import shipped_contract
from fleet_health.contracts.model import Parsed
from fleet_health.contracts.schemas import stored_schema
from fleet_health.profiles.model import Profile
from transforms import expectations as E
from transforms.api import Check

Said = tuple[str, Any]
"""What a rule says in words, and as an expectation."""


def checks_of(dataset: str, profile: Profile) -> list[Check]:
    """The checks that ride on every write of a dataset, in the order of its contract.

    Raises:
        ContractError: the contract is missing or broken.
    """
    parsed = shipped_contract(dataset)
    return [check for rule in parsed.contract.expectations for check in _checks(rule, parsed, profile)]


def input_checks_of(dataset: str, profile: Profile) -> list[Check]:
    """What a reader may demand of a dataset before it reads a row: the hard checks of its contract.

    They carry the same names, so a rule has one identity wherever it is judged.
    """
    return [check for check in checks_of(dataset, profile) if check.on_error == "FAIL"]


def _checks(rule: Any, parsed: Parsed, profile: Profile) -> Iterator[Check]:
    compiler = _COMPILERS.get(type(rule))
    if compiler is None:
        return
    said = list(compiler(rule, parsed, profile))
    owned = ids(rule.id, getattr(rule, "through", None))
    if len(owned) == 1 and len(said) > 1:
        said = [(_joined([words for words, _ in said]), E.all(*(holds for _, holds in said)))]
    for place, (words, holds) in enumerate(said):
        name = f"{owned[min(place, len(owned) - 1)]} {words}"
        yield Check(holds, name, on_error=rule.effect, description=" ".join(rule.why.split()))


def _joined(words: list[str]) -> str:
    return ", ".join(words) if len(words) <= 4 else f"{words[0]}, and {len(words) - 1} more of this kind"


def _schema(rule: R.SchemaEquals, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    fields = stored_schema(parsed.contract.dataset, profile)
    yield "schema equals the contract", E.schema().equals({field.name: field.dataType for field in fields})


def _primary_key(rule: R.PrimaryKey, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    yield f"primary key {', '.join(rule.columns)}", E.primary_key(*rule.columns)


def required(parsed: Parsed) -> tuple[str, ...]:
    """Columns that may not be null and that no other hard rule of the contract keeps from it."""
    kept: set[str] = set()
    for rule in parsed.contract.expectations:
        if isinstance(rule, R.PrimaryKey | R.NonNull) and rule.columns != "required" and rule.level == "hard":
            kept.update(rule.columns)
    return tuple(column.name for column in parsed.plain.values() if not column.nullable and column.name not in kept)


def _non_null(rule: R.NonNull, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    names = required(parsed) if rule.columns == "required" else rule.columns
    holds = [E.col(name).non_null() for name in names]
    words = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} never null"
    yield words, E.all(*holds) if len(holds) > 1 else holds[0]


def _between(column: str, limits: Bounds) -> Any:
    low, high = limits
    parts = [E.col(column).gte(low)] if low is not None else []
    parts += [E.col(column).lte(high)] if high is not None else []
    return E.all(*parts)


def _range(rule: R.Range, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    limits = rule.min, rule.max
    yield text(rule.column, limits), _between(rule.column, limits)


def _sensor_range(rule: R.SensorRange, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    for sensor in numeric_sensors(profile):
        limits = sensor.min, sensor.max
        yield text(sensor.name, limits), _between(sensor.name, limits)


def _sensor_count(rule: R.SensorCount, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    limits = 0.0, float(len(profile.sensors))
    yield text(rule.column, limits), _between(rule.column, limits)


def _feature_range(rule: R.FeatureRange, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    for name, limits in members(profile, rule.aggregations):
        yield text(name, limits), _between(name, limits)


def _in_set(rule: R.InSet, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    known: tuple[Any, ...] = profile.windows_minutes if rule.values == "windows" else parsed.enums[rule.column]
    column = parsed.plain.get(rule.column)
    allowed = (*known, None) if column is not None and column.nullable else known
    yield f"{rule.column} is one of the known values", E.col(rule.column).is_in(*allowed)


def _array_in_set(rule: R.ArrayInSet, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    yield f"{rule.column} holds known values only", E.col(rule.column).is_in(*parsed.enums[rule.column])


def _foreign_key(rule: R.ForeignKey, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    dataset, column = rule.references.split(".")
    foreign = E.dataset_ref(rule.parameter).col(column)
    yield f"{rule.column} is in {dataset}", E.col(rule.column).is_in_foreign_col(foreign)


def _holds(rule: R.Holds, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    yield rule.says, expectation(rule.holds)


def _ordered(rule: R.Ordered, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    pairs = zip(rule.columns, rule.columns[1:], strict=False)
    yield " <= ".join(rule.columns), E.all(*(E.col(low).lte_col(high) for low, high in pairs))


def _finite(rule: R.Finite, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    names = rule.columns or tuple(sensor.name for sensor in numeric_sensors(profile))
    # NaN is larger than any number
    holds = [E.col(name).lte(sys.float_info.max) for name in names]
    if holds:
        yield f"no NaN in {_joined(list(names))}", E.all(*holds) if len(holds) > 1 else holds[0]


def _apart(rule: R.Apart, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    cases: dict[Any, int] = {hours: hours * 3600 for hours in rule.hours or ()}
    if rule.seconds == "windows":
        cases = {minutes: minutes * 60 for minutes in profile.windows_minutes}
    elif rule.seconds == "acknowledgement":
        cases = {one.severity: one.acknowledge_minutes * 60 for one in profile.alerting.severities}
    listed = []
    for value, seconds in cases.items():
        end = E.col(rule.end)
        moved = (
            E.all(end.is_on_or_after_col(rule.start, seconds), end.is_on_or_before_col(rule.start, seconds))
            if rule.relation == "exactly"
            else end.is_after_col(rule.start, seconds)
        )
        listed.append(E.all(E.col(rule.by).equals(value), moved))
    words = "exactly" if rule.relation == "exactly" else "more than"
    yield f"{rule.end} is {words} what {rule.by} says after {rule.start}", E.any(*listed)


def _within(rule: R.Within, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    end, most = E.col(rule.end), rule.hours * 3600
    holds = E.all(end.is_on_or_after_col(rule.start), end.is_on_or_before_col(rule.start, most))
    yield f"{rule.end} is at most {rule.hours} hours after {rule.start}, and not before it", holds


def _statistics_order(rule: R.StatisticsOrder, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    for low, high in orderings(profile, rule.each == "complete_sensor"):
        yield f"{low} <= {high}", E.col(low).lte_col(high)


def _paired_sizes(rule: R.PairedSizes, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    most = len(profile.model_features) if rule.max == "features" else rule.max
    left, right = (E.col(name).size() for name in rule.columns)
    sizes = [E.all(left.equals(n), right.equals(n)) for n in range(rule.min, most + 1)]
    yield f"{' and '.join(rule.columns)} have one length from {rule.min} to {most}", E.any(*sizes)


def _no_missing_elements(rule: R.NoMissingElements, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    column = E.col(rule.column)
    missing = E.any(column.array_contains(None), column.array_contains(float("nan")))
    yield f"no element of {rule.column} is null or NaN", E.negate(missing)


def _row_count(rule: R.RowCount, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    yield "there are rows" if rule.min == 1 else f"at least {rule.min} rows", E.count().gte(rule.min)


def _distinct_count(rule: R.DistinctCount, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    column = E.col(rule.column) if rule.per is None else E.group_by(rule.per).col(rule.column)
    where = "there" if rule.per is None else f"for each {rule.per}"
    if rule.equals is not None:
        yield f"{where} is {rule.equals} {rule.column}", column.distinct_count().equals(rule.equals)
    if rule.min is not None:
        yield f"{where} are {rule.min} {rule.column} or more", column.distinct_count().gte(rule.min)


def _lowest(rule: R.Lowest, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    yield f"some {rule.column} is below {rule.below:g}", E.col(rule.column).min_value().lt(rule.below)


def _counted_size(rule: R.CountedSize, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    size, count = E.col(rule.column).size(), E.col(rule.count)
    sizes = [E.all(size.equals(n), count.equals(n)) for n in range(1, len(profile.features) + 1)]
    yield f"{rule.column} has {rule.count} elements", E.any(*sizes)


def _gap_seconds(profile: Profile) -> int:
    split = profile.training.split
    return round(split.gap_days.value * 86_400) if split is not None else 0


def _split_gap(rule: R.SplitGap, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    gap = _gap_seconds(profile)
    apart = E.col(rule.end).is_on_or_after_col(rule.start, gap)
    yield f"{rule.end} is null or {gap / 86_400:g} days after {rule.start}", E.any(E.col(rule.end).is_null(), apart)


def _split_in_time(rule: R.SplitInTime, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    before = E.all(E.col("period").equals("train"), E.col("window_end").is_on_or_before_col("trained_until"))
    if profile.training.split is None:
        yield "every row is of the training period", before
        return
    gap = _gap_seconds(profile)
    after = E.all(E.col("period").not_equals("train"), E.col("window_start").is_on_or_after_col("trained_until", gap))
    yield f"training ends {gap / 86_400:g} days before validation begins", E.any(before, after)


def _severity_bands(rule: R.SeverityBands, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    """What one row can tell: a limit that needs no other window forces a severity; a severity that only a limit
    gives, needs it.
    """
    score, severity = E.col(rule.score), E.col(rule.severity)
    bands: list[Any] = []
    ranked, guard = profile.alerting.severities, profile.alerting.guard
    guarded = guard.severity if guard is not None and guard.enabled else None
    for place, one in enumerate(ranked):
        if one.above is None:
            continue
        if one.sustained_windows == 1 and one.severity != guarded:
            worse = [other.severity for other in ranked[: place + 1]]
            bands.append(E.any(score.lte(one.above), severity.is_in(*worse)))
        if one.or_families is None:
            bands.append(E.any(score.gt(one.above), severity.not_equals(one.severity)))
    if bands:
        always = expectation(rule.unless)
        yield f"{rule.severity} agrees with {rule.score}", E.any(always, E.all(*bands))


def _threshold_limits(rule: R.ThresholdLimits, parsed: Parsed, profile: Profile) -> Iterator[Said]:
    for one in profile.streaming.rules if profile.streaming is not None else ():
        if rule.each == "limit":
            limit = E.col(one.limit.column)
            words = f"{text(one.limit.column, one.limit.allowed)}, never null"
            yield words, E.all(limit.non_null(), _between(one.limit.column, one.limit.allowed))
        elif one.average is not None:
            average = E.col(one.average.column)
            yield f"{one.average.column} is null or above 0", E.any(average.is_null(), average.gt(0.0))


Compiler = Callable[[Any, Parsed, Profile], Iterator[Said]]
_COMPILERS: dict[type, Compiler] = {
    R.SchemaEquals: _schema,
    R.PrimaryKey: _primary_key,
    R.NonNull: _non_null,
    R.Range: _range,
    R.SensorRange: _sensor_range,
    R.SensorCount: _sensor_count,
    R.FeatureRange: _feature_range,
    R.InSet: _in_set,
    R.ArrayInSet: _array_in_set,
    R.ForeignKey: _foreign_key,
    R.Holds: _holds,
    R.Ordered: _ordered,
    R.Finite: _finite,
    R.Apart: _apart,
    R.Within: _within,
    R.StatisticsOrder: _statistics_order,
    R.PairedSizes: _paired_sizes,
    R.NoMissingElements: _no_missing_elements,
    R.RowCount: _row_count,
    R.DistinctCount: _distinct_count,
    R.Lowest: _lowest,
    R.CountedSize: _counted_size,
    R.SplitGap: _split_gap,
    R.SplitInTime: _split_in_time,
    R.SeverityBands: _severity_bands,
    R.ThresholdLimits: _threshold_limits,
}
