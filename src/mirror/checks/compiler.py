"""From an expectation to a verdict that knows its metrics. Reads the schema, never the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mirror.checks.columns import Columns, same_type, spark_type
from mirror.checks.encoding import plain
from mirror.checks.errors import MixedLevelsError, NotAnExpectationError, NotComputable, ReferenceMissingError
from mirror.checks.metrics.duplicates import Duplicates
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.metrics.null_count import NullCount, ValueCount
from mirror.checks.metrics.reference_rows import ReferenceRows
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.metrics.violations import Violations
from mirror.checks.operands import ARRAY, OTHER, Value, bound
from mirror.checks.predicates import PatternCheck, Predicates
from mirror.checks.properties import PropertyCompiler
from mirror.checks.ranges import refuse_swapped
from mirror.checks.samples import Rows, Strays, repeated
from mirror.checks.subject import CheckSubject
from mirror.checks.verdicts import (
    LONG,
    Chosen,
    Combined,
    CountsMeet,
    Impossible,
    Meets,
    NoneOf,
    Opposite,
    Settled,
    Verdict,
)
from transforms.expectations.columns import ColumnExpectation, ExistsExpectation, TypeExpectation
from transforms.expectations.conditions import Absent, AmongForeign, CompareCount, Present
from transforms.expectations.groups import GroupExpectation, UniqueExpectation
from transforms.expectations.properties import CountExpectation, PropertyExpectation
from transforms.expectations.structure import PrimaryKeyExpectation, SchemaExpectation
from transforms.expectations.tree import ROW, AllOf, AnyOf, Conditional, Constant, Expectation, Negation


@dataclass(frozen=True)
class Compiler:
    """Compiles the expectations of one dataset."""

    subject: CheckSubject
    now: datetime
    pattern_fault: PatternCheck

    @property
    def columns(self) -> Columns:
        return Columns(self.subject.name, self.subject.schema)

    @property
    def predicates(self) -> Predicates:
        return Predicates(self.columns, self.now, self.pattern_fault)

    @property
    def _properties(self) -> PropertyCompiler:
        return PropertyCompiler(self.columns, self.now, self.subject.sensitive)

    def compile(self, expectation: object) -> Verdict:
        """Never raises for what one check asks in vain: that becomes a verdict of ERROR with its reason."""
        if not isinstance(expectation, Expectation):
            return Impossible(repr(expectation), NotAnExpectationError(self.subject.name, repr(expectation)))
        try:
            return self._compile(expectation)
        except NotComputable as error:
            return Impossible(repr(expectation), error)

    def _compile(self, expectation: Expectation) -> Verdict:
        text = repr(expectation)
        if isinstance(expectation, Constant):
            return Settled(text, expectation.passes, "always" if expectation.passes else "never")
        if isinstance(expectation, AllOf):
            refuse_swapped(expectation, self.columns, self.now)
        if expectation.level == ROW:
            return self._rows(text, expectation)
        if isinstance(expectation, AllOf | AnyOf):
            return self._combined(text, expectation)
        if isinstance(expectation, Negation):
            return Opposite(text, self.compile(expectation.part))
        if isinstance(expectation, Conditional):
            if any(part.level == ROW for part in expectation.children):
                raise MixedLevelsError(self.subject.name, text)
            return Chosen(text, *(self.compile(part) for part in expectation.children))
        compiler = _COMPILERS.get(type(expectation))
        if compiler is None:
            raise NotAnExpectationError(self.subject.name, text)
        return compiler(self, text, expectation)

    def _combined(self, text: str, expectation: AllOf | AnyOf) -> Verdict:
        return Combined(text, isinstance(expectation, AllOf), tuple(self.compile(part) for part in expectation.parts))

    def _rows(self, text: str, expectation: Expectation) -> Verdict:
        if isinstance(expectation, ColumnExpectation) and isinstance(expectation.condition, Present | Absent):
            return self._nullness(text, expectation)
        try:
            passes = self.predicates.passes(expectation)
        except NotComputable:
            if not isinstance(expectation, AllOf | AnyOf):
                raise
            return self._without_hopeless(text, expectation)
        concerned = self.predicates.columns_of(expectation)
        return NoneOf(text, Violations(expectation, passes, concerned), "rows that break it", Rows(~passes, concerned))

    def _without_hopeless(self, text: str, expectation: AllOf | AnyOf) -> Verdict:
        """Parts that cannot be computed stand beside the others, which are still judged together, row by row."""
        compiled = [(part, self.compile(part)) for part in expectation.parts]
        sound = [part for part, verdict in compiled if not isinstance(verdict, Impossible)]
        hopeless = [verdict for _, verdict in compiled if isinstance(verdict, Impossible)]
        judged = [self.compile(type(expectation)(tuple(sound)) if len(sound) > 1 else sound[0])] if sound else []
        return Combined(text, isinstance(expectation, AllOf), (*judged, *hopeless))

    def _nullness(self, text: str, expectation: ColumnExpectation) -> Verdict:
        name = self.columns[expectation.column].name
        offends = ~self.predicates.passes(expectation)
        if isinstance(expectation.condition, Present):
            return NoneOf(text, NullCount(name), f"nulls in {name}", Rows(offends, (name,)))
        return NoneOf(text, ValueCount(name), f"values in {name}", Rows(offends, (name,)))

    def _exists(self, text: str, expectation: ExistsExpectation) -> Verdict:
        found = self.columns.find(expectation.column)
        detail = (
            f"no column {expectation.column!r}" if found is None else f"{found.name}: {found.dataType.simpleString()}"
        )
        return Settled(text, found is not None, detail)

    def _type(self, text: str, expectation: TypeExpectation) -> Verdict:
        wanted = spark_type(expectation.data_type, self.subject.name, expectation.column)
        found = self.columns.find(expectation.column)
        if found is None:
            return Settled(text, False, f"no column {expectation.column!r}")
        detail = f"{found.name} is {found.dataType.simpleString()}, expected {wanted.simpleString()}"
        return Settled(text, same_type(found.dataType, wanted), detail)

    def _schema(self, text: str, expectation: SchemaExpectation) -> Verdict:
        fields = {field.name: field.dataType for field in self.columns.fields()}
        wanted = {name: spark_type(kind, self.subject.name, name) for name, kind in expectation.columns}
        faults = [
            f"{name} is {fields[name].simpleString()}, expected {kind.simpleString()}"
            for name, kind in wanted.items()
            if name in fields and not same_type(fields[name], kind)
        ]
        if expectation.mode in ("contains", "equals"):
            faults += [f"{name} is missing" for name in wanted if name not in fields]
        if expectation.mode in ("equals", "is_subset_of"):
            faults += [f"{name} is not listed" for name in fields if name not in wanted]
        return Settled(text, not faults, "; ".join(faults) or f"{len(fields)} columns as expected")

    def _primary_key(self, text: str, expectation: PrimaryKeyExpectation) -> Verdict:
        names = self._keys(expectation.keys)
        nulls = [self.compile(ColumnExpectation(name, Present())) for name in names]
        return Combined(text, True, (*nulls, self._repeats(f"E.group_by({_listed(names)}).is_unique()", names)))

    def _unique(self, text: str, expectation: UniqueExpectation) -> Verdict:
        return self._repeats(text, self._keys(expectation.keys))

    def _repeats(self, text: str, names: tuple[str, ...]) -> Verdict:
        return NoneOf(text, Duplicates(names), f"repeated values of ({', '.join(names)})", repeated(names))

    def _keys(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            field = self.columns[key]
            value = Value(self.subject.name, field.name, field.dataType)
            if value.family in (ARRAY, OTHER):
                raise value.refuse("a key or group", "keys and groups are plain columns.")
        return tuple(self.columns[key].name for key in keys)

    def _count(self, text: str, expectation: CountExpectation) -> Verdict:
        if isinstance(expectation.condition, CompareCount):
            self._reference(expectation.condition.dataset)
            return CountsMeet(text, ReferenceRows(expectation.condition.dataset), expectation.condition.operator)
        value = Value(self.subject.name, "the row count", LONG)
        return Meets(text, RowCount(), value, bound(value, expectation.condition, self.now), {})

    def _property(self, text: str, expectation: PropertyExpectation) -> Verdict:
        return self._properties.whole(text, expectation)

    def _group(self, text: str, expectation: GroupExpectation) -> Verdict:
        return self._properties.grouped(text, expectation, self._keys(expectation.keys))

    def _foreign(self, text: str, expectation: ColumnExpectation) -> Verdict:
        condition = expectation.condition
        assert isinstance(condition, AmongForeign)  # noqa: S101 - the dispatch table below says so
        field = self.columns[expectation.column]
        value = Value(self.subject.name, field.name, field.dataType)
        other = Columns(f"{condition.dataset} of {self.subject.name}", self._reference(condition.dataset).schema)
        foreign = other[condition.column]
        counterpart = Value(other.dataset, foreign.name, foreign.dataType)
        if value.family != counterpart.family or value.family in (ARRAY, OTHER):
            raise value.refuse(
                f"{foreign.name} of type {foreign.dataType.simpleString()}",
                "compare columns of one plain kind, or cast one.",
            )
        metric = ForeignValues(condition.dataset, foreign.name, field.name)
        return NoneOf(text, metric, "values without counterpart", Strays(field.name, condition.dataset, foreign.name))

    def _reference(self, name: str) -> CheckSubject:
        known: Mapping[str, CheckSubject] = self.subject.references
        if name not in known:
            raise ReferenceMissingError(self.subject.name, name, tuple(known), "")
        if known[name].schema is None:
            raise ReferenceMissingError(
                self.subject.name, name, tuple(known), "has no schema or no data on this branch"
            )
        return known[name]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(repr(plain(name)) for name in names)


_COMPILERS: dict[type, Callable[[Compiler, str, object], Verdict]] = {
    ExistsExpectation: Compiler._exists,  # type: ignore[dict-item]
    TypeExpectation: Compiler._type,  # type: ignore[dict-item]
    SchemaExpectation: Compiler._schema,  # type: ignore[dict-item]
    PrimaryKeyExpectation: Compiler._primary_key,  # type: ignore[dict-item]
    UniqueExpectation: Compiler._unique,  # type: ignore[dict-item]
    CountExpectation: Compiler._count,  # type: ignore[dict-item]
    PropertyExpectation: Compiler._property,  # type: ignore[dict-item]
    GroupExpectation: Compiler._group,  # type: ignore[dict-item]
    ColumnExpectation: Compiler._foreign,  # type: ignore[dict-item]
}
