"""Wrong use is refused where it is written, with file and line and the way out."""

from __future__ import annotations

import datetime
import pickle
from collections.abc import Callable

import pytest

from transforms import expectations as E
from transforms.errors import (
    TransformsError,
    TransformTypeError,
    UnknownArgumentError,
    UnknownAttributeError,
    UnknownNameError,
)
from transforms.expectations.errors import (
    ExpectationValueError,
    IncompleteExpectationError,
    UnknownExpectationError,
)

CASES: list[tuple[Callable[[], object], type[TransformsError], str]] = [
    (lambda: E.col("a").gtt(1), UnknownExpectationError, "Foundry has no E.col('a').gtt. Did you mean 'gt'?"),
    (lambda: E.col("a").is_unique(), UnknownExpectationError, "Use E.group_by('column').is_unique()"),
    (lambda: E.col("a").between(1, 2), UnknownExpectationError, "E.all(E.col('c').gte(low), E.col('c').lte(high))"),
    (lambda: E.col("a").sum().is_before("x"), UnknownExpectationError, "E.col('a').sum().is_before"),
    (lambda: E.col("a").max_value().is_before_col("b"), UnknownExpectationError, "Only static bounds and offsets"),
    (lambda: E.schema().contain({}), UnknownExpectationError, "Did you mean 'contains'?"),
    (lambda: E.group_by("a").unique(), UnknownExpectationError, "Did you mean 'is_unique'?"),
    (lambda: E.when(E.true(), E.true()).then(E.true()), UnknownExpectationError, "otherwise"),
    (lambda: E.true().gt(1), UnknownExpectationError, "An expectation is complete"),
    (lambda: E.dataset_ref("o").column("b"), UnknownExpectationError, "E.dataset_ref('o').column"),
    (lambda: E.all(), IncompleteExpectationError, "give at least one"),
    (lambda: E.any(E.col("a")), IncompleteExpectationError, "finish it with one of"),
    (lambda: E.all([E.true()]), IncompleteExpectationError, "unpacked with *"),
    (lambda: E.negate(True), IncompleteExpectationError, "E.negate needs expectations, not True"),
    (lambda: E.all(E.when(E.true(), E.true())), IncompleteExpectationError, ".otherwise(...)"),
    (lambda: E.when(E.true(), E.true()).otherwise(None), IncompleteExpectationError, "E.when(...).otherwise"),
    (lambda: E.col("a").gt(None), ExpectationValueError, "use .is_null() or .non_null()"),
    (lambda: E.col("a").gt(E.col("b")), ExpectationValueError, ".gt_col('name')"),
    (lambda: E.col("a").gt([1]), ExpectationValueError, "only numbers, strings"),
    (lambda: E.col("a").is_in(), ExpectationValueError, "nothing is in an empty set"),
    (lambda: E.col("a").rlike(3), ExpectationValueError, "give the pattern as a string"),
    (lambda: E.col("a").lt_col(E.col("b")), ExpectationValueError, "the other column's name as a string"),
    (lambda: E.col("a").is_before_col("b", 1.5), ExpectationValueError, "a whole number of seconds"),
    (
        lambda: E.col("a").is_before_col("b", offset_in_second=3),
        UnknownArgumentError,
        "Did you mean 'offset_in_seconds'",
    ),
    (lambda: E.col("a").rlike(), TransformTypeError, "E.col('a').rlike needs its argument 'regex'"),
    (lambda: E.group_by("a").count().gt(E.dataset_ref("x").count()), ExpectationValueError, "only E.count() compares"),
    (lambda: E.count().gt(E.dataset_ref("x").col("y")), ExpectationValueError, "E.dataset_ref('input').count()"),
    (lambda: E.col("a").gt(1) and E.col("a").lt(2), IncompleteExpectationError, "combine with E.all(...), E.any(...)"),
    (lambda: E.col("a").gt(1) & E.col("a").lt(2), IncompleteExpectationError, "combine with E.all(...), E.any(...)"),
    (lambda: ~E.col("a").gt(1), IncompleteExpectationError, "E.negate(...)"),
    (lambda: not E.col("a"), IncompleteExpectationError, "E.negate(...)"),
    (lambda: E.col("a") > 1, IncompleteExpectationError, ".gt(value)"),
    (lambda: E.col("a").sum() <= 1, IncompleteExpectationError, ".lte(value)"),
    (lambda: E.col("a").is_before("soon"), ExpectationValueError, "write ISO 8601"),
    (lambda: E.col("a").is_before(3), ExpectationValueError, "a timezone-aware datetime"),
    (lambda: E.col("a").has_type(None), ExpectationValueError, "T.LongType()"),
    (lambda: E.col(""), ExpectationValueError, "the column's name as a string"),
    (lambda: E.col("a").is_in_foreign_col("b"), ExpectationValueError, "E.dataset_ref('input').col('name')"),
    (lambda: E.dataset_ref("/Fleet/x"), ExpectationValueError, "not a path or RID"),
    (lambda: E.count().gt("3"), ExpectationValueError, "a row count compares with a number"),
    (lambda: E.primary_key(), ExpectationValueError, "the columns that identify a row"),
    (lambda: E.primary_key("a", "a"), ExpectationValueError, "name each column once"),
    (lambda: E.primary_key(["a", "b"]), ExpectationValueError, "one by one, as strings"),
    (lambda: E.group_by().is_unique(), ExpectationValueError, "the columns that identify a row"),
    (lambda: E.schema().equals(["a"]), ExpectationValueError, "a dict of column name to type"),
    (lambda: E.schema().equals({"a": None}), ExpectationValueError, "a type such as T.LongType()"),
    (
        lambda: E.col("t").timestamp_offset_to_current_time().lt(-3),
        ExpectationValueError,
        "use timestamp_offset_from_current_time for the other direction",
    ),
    (
        lambda: E.col("t").timestamp_offset_from_current_time().gt(datetime.timedelta(days=-1)),
        ExpectationValueError,
        "use timestamp_offset_to_current_time for the other direction",
    ),
    (lambda: E.col("t").timestamp_offset_to_current_time().lt("1h"), ExpectationValueError, "a datetime.timedelta"),
]


@pytest.mark.parametrize(("make", "error", "says"), CASES)
def test_refused_with_the_way_out(make: Callable[[], object], error: type[TransformsError], says: str) -> None:
    with pytest.raises(error) as raised:
        make()
    assert says in str(raised.value)
    assert "test_wrong_use.py:" in str(raised.value)
    assert isinstance(raised.value, TransformsError)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # noqa: S301 - our own bytes


def test_module_names_the_nearest_form() -> None:
    with pytest.raises(UnknownAttributeError, match="Did you mean 'primary_key'"):
        E.primary_keys  # noqa: B018 - looking it up is the point
    with pytest.raises(UnknownNameError, match="Did you mean 'col'"):
        from transforms.expectations import colu  # noqa: F401
