"""Properties of columns, over the dataset or within groups, compiled to verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import Columns, ref
from mirror.checks.metrics.approx_distinct_count import ApproxDistinctCount
from mirror.checks.metrics.base import Metric, ScanMetric
from mirror.checks.metrics.deviation import PopulationDeviation, SampleDeviation
from mirror.checks.metrics.distinct_count import DistinctCount
from mirror.checks.metrics.extremes import Extreme, MaxValue, MinValue
from mirror.checks.metrics.group_violations import GroupViolations
from mirror.checks.metrics.null_count import NullCount, NullPercentage
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.metrics.total import Total
from mirror.checks.operands import ARRAY, NUMERIC, OTHER, Value, bound, from_micros, property_kind
from mirror.checks.predicates import demanded
from mirror.checks.rules import APPROXIMATE_DEVIATION, VALUELESS_PASSES
from mirror.checks.samples import Groups
from mirror.checks.sensitivity import hides
from mirror.checks.verdicts import LONG, Meets, NoneOf, Verdict
from transforms.expectations.conditions import AtNow
from transforms.expectations.groups import ROWS, GroupExpectation
from transforms.expectations.properties import PropertyExpectation

_NUMERIC_ONLY = frozenset({"sum", "standard_deviation_sample", "standard_deviation_population"})
_ANY_TYPE = frozenset({"null_percentage", "null_count"})


def _null_share(column: Column) -> Column:
    return F.count(F.when(column.isNull(), F.lit(1))) / F.count(F.lit(1))


_WHOLE: dict[str, Callable[[T.StructField], Metric]] = {
    "null_percentage": lambda f: NullPercentage(f.name),
    "null_count": lambda f: NullCount(f.name),
    "distinct_count": lambda f: DistinctCount((f.name,)),
    "approx_distinct_count": lambda f: ApproxDistinctCount(f.name),
    "sum": lambda f: Total(f.name, f.dataType),
    "standard_deviation_sample": lambda f: SampleDeviation(f.name),
    "standard_deviation_population": lambda f: PopulationDeviation(f.name),
    "min_value": lambda f: MinValue(f.name, f.dataType),
    "max_value": lambda f: MaxValue(f.name, f.dataType),
}

_WITHIN: dict[str, Callable[[Column], Column]] = {
    "null_percentage": _null_share,
    "null_count": lambda c: F.count(F.when(c.isNull(), F.lit(1))),
    "distinct_count": F.count_distinct,
    "approx_distinct_count": lambda c: F.approx_count_distinct(c, APPROXIMATE_DEVIATION),
    "sum": F.sum,
    "standard_deviation_sample": F.stddev_samp,
    "standard_deviation_population": F.stddev_pop,
    "min_value": F.min,
    "max_value": F.max,
}


def _keepable(metric: Metric) -> ScanMetric | None:
    """The metric, if its states within groups may be kept.

    Sketches take a kilobyte a group. Spark compares an extreme of 32-bit floats in 32 bits, which Python does not.
    """
    if not isinstance(metric, ScanMetric) or isinstance(metric, ApproxDistinctCount):
        return None
    return None if isinstance(metric, Extreme) and isinstance(metric.data_type, T.FloatType) else metric


@dataclass(frozen=True)
class PropertyCompiler:
    """Compiles property expectations against one dataset's columns."""

    columns: Columns
    now: datetime
    sensitive: frozenset[str] = frozenset()

    def whole(self, text: str, expectation: PropertyExpectation) -> Verdict:
        """A property of the whole column. Raises :class:`NotComputable` errors."""
        field = self._field(expectation.column, expectation.property_name)
        value = self._value(field, expectation.property_name)
        limit = bound(value, expectation.condition, self.now)
        context: dict[str, object] = {}
        if isinstance(expectation.condition, AtNow):
            context = {"now": self.now.isoformat(), "bound": from_micros(limit.operand).isoformat()}
        metric = _WHOLE[expectation.property_name](field)
        return Meets(text, metric, value, limit, context, self._hidden(metric))

    def grouped(self, text: str, expectation: GroupExpectation, keys: tuple[str, ...]) -> Verdict:
        """A property of every group. Raises :class:`NotComputable` errors."""
        if expectation.column is None:
            name, value, aggregate = ROWS, Value(self.columns.dataset, "the rows of a group", LONG), F.count(F.lit(1))
            whole: Metric = RowCount()
        else:
            field = self._field(expectation.column, expectation.property_name)
            name = f"{expectation.property_name}({field.name})"
            value = self._value(field, expectation.property_name)
            aggregate = self._within(field, expectation.property_name)
            whole = _WHOLE[expectation.property_name](field)
        # a name that no key column can have
        called = f"·{name}"
        held = demanded(value, ref(called), expectation.condition, self.now)
        passes = F.coalesce(held, F.lit(VALUELESS_PASSES))
        limit = bound(value, expectation.condition, self.now)
        metric = GroupViolations(keys, expectation, called, aggregate, passes, _keepable(whole), limit)
        sample = Groups(keys, aggregate, called, ~passes, name, self._hidden(whole))
        return NoneOf(text, metric, "groups that break it", sample)

    def _hidden(self, metric: Metric) -> bool:
        return metric.reveals and any(hides(self.sensitive, column) for column in metric.columns)

    def _within(self, field: T.StructField, property_name: str) -> Column:
        column = ref(field.name)
        if property_name == "sum" and isinstance(field.dataType, T.IntegralType):
            # a group's sum of longs must not wrap around
            column = column.cast(T.DecimalType(38, 0))
        return _WITHIN[property_name](column)

    def _field(self, name: str, property_name: str) -> T.StructField:
        field = self.columns[name]
        value = Value(self.columns.dataset, field.name, field.dataType)
        if property_name in _NUMERIC_ONLY and value.family != NUMERIC:
            raise value.refuse(f"{property_name}()", "it takes numeric columns only.")
        if property_name not in _ANY_TYPE and value.family in (ARRAY, OTHER):
            raise value.refuse(f"{property_name}()", "it takes plain columns only.")
        return field

    def _value(self, field: T.StructField, property_name: str) -> Value:
        what = f"{property_name} of {field.name}" if property_name not in ("min_value", "max_value") else field.name
        return Value(self.columns.dataset, what, property_kind(property_name, field.dataType))
