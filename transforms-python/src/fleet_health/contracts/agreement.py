"""Whether the parts of a contract agree: columns that exist, ids used once, limits that can hold, reasons that bind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from fleet_health.contracts.errors import ContractAgreementError
from fleet_health.contracts.model import Column, Parsed
from fleet_health.contracts.rules import (
    Apart,
    ArrayInSet,
    FeatureRange,
    Finite,
    ForeignKey,
    InSet,
    NonNull,
    PrimaryKey,
    Range,
    SchemaEquals,
    SensorRange,
    Within,
)
from fleet_health.definition_errors import nearest
from fleet_health.profiles.model import QUALITY_AGGREGATIONS
from fleet_health.yaml_lines import Lines

Place = tuple[str | int, ...]
_NUMBERS = ("double", "long", "integer")


class _Check:
    def __init__(self, parsed: Parsed, lines: Lines) -> None:
        self.parsed, self.contract, self._lines = parsed, parsed.contract, lines
        self.columns = dict(parsed.plain)
        if "feature" in parsed.each:
            # the profile's loader demands these of every fleet
            for name in QUALITY_AGGREGATIONS:
                told = {"name": name, "type": "double" if name == "sensor_completeness" else "integer"}
                quality = Column.model_validate({**told, "nullable": False, "meaning": "quality feature"})
                self.columns[name] = quality

    def fail(self, place: Place, problem: str, fix: str) -> NoReturn:
        raise ContractAgreementError(self.parsed.file, self._lines.of(place), problem, fix)

    def line(self, place: Place) -> int | None:
        return self._lines.of(place)


def check_agreement(parsed: Parsed, lines: Lines) -> None:
    """Raises :class:`ContractAgreementError` for the first disagreement found."""
    check = _Check(parsed, lines)
    _named(check)
    _columns(check)
    _partitions(check)
    _ids(check)
    for index, rule in enumerate(check.contract.expectations):
        place: Place = ("expectations", index)
        if rule.on_error is not None and rule.on_error != rule.effect:
            fix = f"A {rule.level} rule means {rule.effect}; change `level` or `on_error`."
            check.fail((*place, "on_error"), f"{rule.id} is {rule.level} and says {rule.on_error}", fix)
        for name in rule.columns_named():
            if name not in check.columns:
                check.fail(place, f"{rule.id} speaks of column {name!r}, which does not exist", _known(check, name))
        _limits(check, place, rule)
        _types(check, place, rule)
    _covered(check)


def _known(check: _Check, name: str) -> str:
    return nearest(name, check.columns)


def _named(check: _Check) -> None:
    stem = check.parsed.file.rsplit("/", 1)[-1].removesuffix(".yaml")
    if stem != check.contract.dataset:
        fix = f"Name the file {check.contract.dataset}.yaml, or correct `dataset`."
        check.fail(("dataset",), f"{stem}.yaml holds the contract of {check.contract.dataset!r}", fix)


def _columns(check: _Check) -> None:
    seen: set[str] = set()
    for column in check.parsed.stored:
        name = column.name if isinstance(column, Column) else f"each {column.each}"
        if name in seen:
            places: list[Place] = [("columns", i) for i, c in enumerate(check.contract.columns) if c is column]
            places += [("additions", i) for i, c in enumerate(check.contract.additions) if c is column]
            check.fail(places[0] if places else (), f"column {name!r} is declared twice", "Remove one.")
        seen.add(name)
    for index, addition in enumerate(check.contract.additions):
        if addition.after is not None and addition.after not in check.columns:
            place = ("additions", index, "after")
            check.fail(place, f"column {addition.after!r} does not exist", _known(check, addition.after))
    if not check.parsed.stored:
        check.fail(("dataset",), "the contract has no columns", "Add `columns`, or `columns_of` another contract.")


def _partitions(check: _Check) -> None:
    source = check.contract.partition_source
    if check.contract.partition_by and (source is None or source not in check.columns):
        fix = "Say in `partition_source` of which timestamp the partition is the UTC date."
        check.fail(("partition_by",), "the partition column comes from nowhere", fix)
    for name in check.contract.partition_by or ():
        if name in check.columns:
            check.fail(("partition_by",), f"partition column {name!r} is a column already", "Remove one.")


def _ids(check: _Check) -> None:
    owned: dict[str, int] = {}
    for index, rule in enumerate(check.contract.expectations):
        place: Place = ("expectations", index)
        through = getattr(rule, "through", None)
        if through is not None and (through[:4] != rule.id[:4] or through <= rule.id):
            check.fail((*place, "through"), f"{rule.id} cannot go through {through}", "Name a later id of its family.")
        for owned_id in ids(rule.id, through):
            if owned_id in owned:
                first = check.line(("expectations", owned[owned_id]))
                problem = f"rule {owned_id} is declared twice (first on line {first})"
                check.fail((*place, "id"), problem, "Give one of them the next free number.")
            owned[owned_id] = index


def ids(first: str, last: str | None) -> tuple[str, ...]:
    """The ids a rule owns, in order."""
    if last is None:
        return (first,)
    return tuple(f"{first[:4]}{number:02d}" for number in range(int(first[4:]), int(last[4:]) + 1))


def _limits(check: _Check, place: Place, rule: object) -> None:
    if not isinstance(rule, Range):
        return
    if rule.min is None and rule.max is None:
        check.fail(place, f"{rule.id} is a range without limits", "Add `min`, `max` or both.")
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        check.fail((*place, "min"), f"{rule.id} has min {rule.min:g} above max {rule.max:g}", "Swap them.")


def _types(check: _Check, place: Place, rule: object) -> None:
    def expect(name: str, kinds: Iterable[str], what: str) -> None:
        found = check.columns[name].type
        if found not in kinds:
            check.fail(place, f"column {name!r} is {found}, not {what}", "Use another kind, or correct the column.")

    if isinstance(rule, Range):
        expect(rule.column, _NUMBERS, "a number")
    elif isinstance(rule, ArrayInSet):
        expect(rule.column, ("array<string>",), "a list of words")
    elif isinstance(rule, Apart | Within):
        expect(rule.start, ("timestamp",), "a timestamp")
        expect(rule.end, ("timestamp",), "a timestamp")
        if isinstance(rule, Apart) and (rule.seconds is None) == (rule.hours is None):
            check.fail(place, f"{rule.id} needs either `seconds` or `hours`", "Keep one of the two.")
    elif isinstance(rule, Finite) and (rule.columns is None) == (rule.each is None):
        check.fail(place, f"{rule.id} needs either `columns` or `each`", "Keep one of the two.")
    listed = isinstance(rule, ArrayInSet) or (isinstance(rule, InSet) and rule.values is None)
    if isinstance(rule, InSet | ArrayInSet) and listed and rule.column not in check.parsed.enums:
        fix = f"Add `{rule.column}: [...]` below `enums`."
        check.fail(place, f"{rule.id} has no list of values for {rule.column!r}", fix)
    needs = "sensor" if isinstance(rule, SensorRange) else "feature" if isinstance(rule, FeatureRange) else None
    if needs is not None and needs not in check.parsed.each:
        check.fail(place, f"the contract has no column for each {needs}", f"Add `- {{each: {needs}, ...}}`.")


def _covered(check: _Check) -> None:
    """``nullable: false`` is a promise, so some rule must keep it."""
    rules = check.contract.expectations
    if not any(isinstance(rule, SchemaEquals) for rule in rules):
        check.fail(("expectations",), "no rule holds the schema", "Add a rule of kind `schema_equals`.")
    if any(isinstance(rule, NonNull) and rule.columns == "required" for rule in rules):
        return
    kept = {
        n for rule in rules if isinstance(rule, PrimaryKey | NonNull) and rule.level == "hard" for n in rule.columns
    }
    for column in check.parsed.plain.values():
        if not column.nullable and column.name not in kept:
            fix = "Add it to a rule of kind `non_null`, or use `columns: required` there."
            check.fail(("expectations",), f"no hard rule keeps {column.name!r} from being null", fix)


def check_references(contracts: Mapping[str, Parsed]) -> None:
    """Raises :class:`ContractAgreementError` for ids that two contracts share and columns that none has."""
    owner: dict[str, str] = {}
    for name, parsed in contracts.items():
        for rule in parsed.contract.expectations:
            for owned in ids(rule.id, getattr(rule, "through", None)):
                if owned in owner:
                    problem = f"rule {owned} belongs to {owner[owned]} already"
                    raise ContractAgreementError(parsed.file, None, problem, "Give it an id of its own.")
                owner[owned] = name
            if isinstance(rule, ForeignKey):
                dataset, column = rule.references.split(".")
                known = contracts[dataset].plain if dataset in contracts else {}
                if column not in known:
                    fix = nearest(column, known) if known else nearest(dataset, contracts)
                    problem = f"{rule.id} refers to {rule.references}, which does not exist"
                    raise ContractAgreementError(parsed.file, None, problem, fix)
