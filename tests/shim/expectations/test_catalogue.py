"""Every documented form can be written, prints as the code that makes it, and equals itself alone."""

from __future__ import annotations

import copy
import datetime
import pickle
import subprocess
import sys

import polars
import pytest
from pyspark.sql import types as T

from transforms import expectations as E

UTC = datetime.UTC

FORMS = [
    "E.true()",
    "E.false()",
    "E.all(E.col('a').gt(0), E.col('b').non_null())",
    "E.any(E.col('a').lt(0), E.schema().contains({'a': T.LongType()}))",
    "E.negate(E.col('a').is_null())",
    "E.when(E.col('a').gt(0), E.col('b').gt(0)).otherwise(E.true())",
    "E.col('a').gt(1)",
    "E.col('a').gte(1.5)",
    "E.col('a').lt('m')",
    "E.col('a').lte(True)",
    "E.col('a').equals(1)",
    "E.col('a').not_equals(1)",
    "E.col('a').non_null()",
    "E.col('a').is_null()",
    "E.col('a').is_in(1, None)",
    "E.col('a').rlike('^x')",
    "E.col('a').equals_col('b')",
    "E.col('a').not_equals_col('b')",
    "E.col('a').gt_col('b')",
    "E.col('a').gte_col('b')",
    "E.col('a').lt_col('b')",
    "E.col('a').lte_col('b')",
    "E.col('a').has_type(T.LongType())",
    "E.col('a').has_type(T.ArrayType(T.StringType()))",
    "E.col('a').has_type(polars.Int32)",
    "E.col('a').exists()",
    "E.col('a').null_percentage().lt(0.1)",
    "E.col('a').null_count().equals(0)",
    "E.col('a').distinct_count().gt(3)",
    "E.col('a').approx_distinct_count().gt(3)",
    "E.col('a').sum().gte(3)",
    "E.col('a').standard_deviation_sample().lte(3)",
    "E.col('a').standard_deviation_population().not_equals(0)",
    "E.col('a').min_value().gt(0)",
    "E.col('a').max_value().is_before('2024-01-01T00:00:00+00:00')",
    "E.col('a').max_value().timestamp_offset_to_current_time().lt(86400)",
    "E.col('a').size().equals(2)",
    "E.col('a').is_before('2024-01-01T00:00:00+00:00')",
    "E.col('a').is_after('2024-01-01T00:00:00+00:00')",
    "E.col('a').is_on_or_before('2024-01-01T00:00:00+00:00')",
    "E.col('a').is_on_or_after('2024-01-01T00:00:00+00:00')",
    "E.col('a').is_before_col('b')",
    "E.col('a').is_after_col('b', -60)",
    "E.col('a').is_on_or_before_col('b', 60)",
    "E.col('a').is_on_or_after_col('b')",
    "E.col('a').timestamp_offset_from_current_time().lt(3600)",
    "E.col('a').timestamp_offset_to_current_time().gte(0.5)",
    "E.col('a').array_contains('x')",
    "E.col('a').array_contains(None)",
    "E.group_by('a', 'b').is_unique()",
    "E.group_by('a').count().lt(10)",
    "E.group_by('a').col('v').sum().gt(0)",
    "E.group_by('a').col('v').max_value().is_after('2024-01-01T00:00:00+00:00')",
    "E.group_by('a').col('v').min_value().timestamp_offset_to_current_time().lt(60)",
    "E.count().gt(0)",
    "E.count().equals(E.dataset_ref('other').count())",
    "E.primary_key('a', 'b')",
    "E.schema().contains({'a': T.LongType()})",
    "E.schema().equals({'a': T.LongType(), 'b': T.StringType()})",
    "E.schema().is_subset_of({})",
    "E.col('a').is_in_foreign_col(E.dataset_ref('other').col('b'))",
]

SAME = [
    ("E.group_by().count().gt(1)", "E.count().gt(1)"),
    ("E.group_by().col('a').sum().gt(1)", "E.col('a').sum().gt(1)"),
    ("E.col('a').ge(1)", "E.col('a').gte(1)"),
    ("E.col('a').le(1)", "E.col('a').lte(1)"),
    ("E.col('a').sum().ge(1)", "E.col('a').sum().gte(1)"),
    ("E.col('a').le_col('b')", "E.col('a').lte_col('b')"),
    ("E.col('a').is_in(['x', 'y'])", "E.col('a').is_in('x', 'y')"),
    ("E.col('a').is_in({'y', 'x'})", "E.col('a').is_in('x', 'y')"),
    ("E.col('a').gt(numpy.int64(3))", "E.col('a').gt(3)"),
    ("E.col('t').is_before('2024-01-01T00:00:00+0000')", "E.col('t').is_before('2024-01-01T00:00:00+00:00')"),
    (
        "E.col('t').is_before(datetime.datetime(2024, 1, 1, tzinfo=UTC))",
        "E.col('t').is_before('2024-01-01T00:00:00+00:00')",
    ),
    (
        "E.col('t').timestamp_offset_to_current_time().lt(datetime.timedelta(days=1))",
        "E.col('t').timestamp_offset_to_current_time().lt(86400)",
    ),
    ("E.col('a').is_before_col('b', 0)", "E.col('a').is_before_col('b')"),
    ("E.col('a').is_on_or_after_col('b', offset_in_seconds=-5)", "E.col('a').is_on_or_after_col('b', -5)"),
]

DIFFERENT = [
    ("E.col('a').equals(1)", "E.col('a').equals(True)"),
    ("E.col('a').equals(1)", "E.col('a').equals(1.0)"),
    ("E.col('a').equals(1)", "E.col('a').equals('1')"),
    ("E.col('a').has_type(T.ArrayType(T.StringType()))", "E.col('a').has_type(T.ArrayType(T.LongType()))"),
    ("E.all(E.true(), E.false())", "E.any(E.true(), E.false())"),
    ("E.primary_key('a', 'b')", "E.primary_key('b', 'a')"),
    ("E.group_by('a').is_unique()", "E.primary_key('a')"),
]


def build(code: str) -> E.Expectation:
    """The expectation that ``code``, a literal of this file, makes."""
    import numpy

    scope = {"E": E, "T": T, "polars": polars, "datetime": datetime, "UTC": UTC, "numpy": numpy}
    return eval(code, scope)  # noqa: S307 - the texts above


@pytest.mark.parametrize("code", FORMS)
def test_prints_as_its_own_code(code: str) -> None:
    made = build(code)
    assert isinstance(made, E.Expectation)
    printed = repr(made).replace("LongType()", "T.LongType()").replace("StringType()", "T.StringType()")
    printed = printed.replace("ArrayType(T.StringType(), True)", "T.ArrayType(T.StringType())")
    assert printed.replace("Int32", "polars.Int32") == code


def test_equal_only_to_itself_and_usable_as_a_key() -> None:
    made = [build(code) for code in FORMS]
    assert len({*made, *(build(code) for code in FORMS)}) == len(FORMS)
    assert [pickle.loads(pickle.dumps(e)) for e in made] == made  # noqa: S301 - our own bytes
    assert copy.deepcopy(made) == made


@pytest.mark.parametrize(("left", "right"), SAME)
def test_two_ways_to_say_one_thing(left: str, right: str) -> None:
    assert build(left) == build(right)
    assert hash(build(left)) == hash(build(right))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_looks_alike_stays_apart(left: str, right: str) -> None:
    assert build(left) != build(right)


def test_frozen() -> None:
    made = E.col("a").gt(1)
    with pytest.raises(AttributeError):
        made.column = "b"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("E.col('a').gt(1)", "row"),
        ("E.col('a').size().gt(1)", "row"),
        ("E.any(E.col('a').gt(1), E.true())", "row"),
        ("E.true()", "constant"),
        ("E.any(E.col('a').gt(1), E.col('a').exists())", "dataset"),
        ("E.negate(E.primary_key('a'))", "dataset"),
        ("E.when(E.col('a').gt(1), E.col('b').gt(1)).otherwise(E.false())", "row"),
        ("E.col('a').is_in_foreign_col(E.dataset_ref('o').col('b'))", "dataset"),
    ],
)
def test_level(code: str, level: str) -> None:
    assert build(code).level == level


def test_declaring_imports_no_spark() -> None:
    script = (
        "import sys; from transforms import expectations as E; "
        "E.all(E.col('a').gt(0), E.primary_key('a'), E.group_by('a').col('v').sum().lt(3)); "
        "print(sorted(m for m in ('pyspark', 'pandas', 'polars', 'numpy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
