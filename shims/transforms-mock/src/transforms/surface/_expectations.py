"""Fidelity of ``transforms.expectations``; verdicts are proved where they are computed (``tests/checks``).

Where Foundry's pages are silent the row says what was decided, and why.
"""

from __future__ import annotations

from transforms.surface._row import Row, Status, rows

_M, _D = "transforms.expectations", "transforms-python/data-expectations-reference"
_ROWS = "checks/test_row_expectations.py::test_blames_exactly"
_DATASET = "checks/test_dataset_expectations.py::test_on_rows"
_EMPTY = "checks/test_dataset_expectations.py::test_without_rows"
_SCHEMA = "checks/test_schema_checks.py::test_from_the_schema_alone"
_REFERENCES = "checks/test_references.py::test_against_references"
_BLOCKED = "checks/test_not_computable.py::test_error_with_reason"
_ALIKE = "expectations/test_catalogue.py::test_two_ways_to_say_one_thing"
_OFFSETS = "checks/test_dataset_expectations.py::test_offset_results_show_the_timestamps_used"

_VALUES = (
    "Null passes, as documented. Not documented: NaN exceeds every number and equals itself, as in Spark; a value that "
    "does not go with the column's type (a text against a number) is not cast: the check cannot be computed and "
    "blocks, so that Spark's ANSI mode changes no verdict. A missing column blocks in the same way."
)
_COLUMNS = (
    "Not documented: null on either side passes, as for values. Two columns of different kinds are not cast: the check "
    "blocks."
)
_INSTANTS = (
    "Not documented: null passes. The documentation demands a time zone, though one of its examples has none: a bound "
    "without one blocks, as guessing the zone could pass stale data. Date columns block, as documented."
)
_OFFSET = (
    "'Now' is the time the platform hands to the checks, so that a build can be repeated; results show the timestamps "
    "used. Offsets are positive, as documented; null passes."
)
_ARRAYS = (
    "Not documented: a null array passes, an empty array holds no element, and null elements do not make the answer "
    "unknown (in Spark they do)."
)
_AMONG = (
    "Null fails unless None is listed, as documented. Not documented, for arrays: a null array passes, an empty one "
    "too, and a null element follows the same rule."
)
_VALUELESS = (
    "Not documented: counts of no rows are 0; a property without a value (sum, smallest, deviation or null share of "
    "nothing) fails with a message, as nothing shows that it holds. min_value and max_value take every plain type."
)
_GROUPS = (
    "Not documented: null is a key of its own, in is_unique too (Spark's count_distinct skips it); on no rows every "
    "group holds."
)
_LEVELS = (
    "Row by row when every part is judged by row, as documented, else once. Not documented: a part that null leaves "
    "undecided never fails a row by itself; a part that cannot be computed blocks unless the others decide."
)
_NEGATE = (
    "Not documented: row by row when its part is, as E.any is; rows that null leaves undecided pass, negated or not."
)
_WHEN = (
    "A null in the condition's column passes the condition, as comparisons ignore null, so that row must meet the "
    "second part. otherwise(...) is needed, as described; conditions on rows and on the whole dataset do not mix."
)
_TYPES = (
    "Names compare with case (schema), columns resolve without (col), as users' code relies on; order and nullability "
    "at any depth do not count. Spark and Polars types, classes and instances; a type as text blocks."
)


def _differs(names: str, owner: str, test: str, note: str) -> tuple[Row, ...]:
    return rows(f"{_M}{owner}", names, _D, test, Status.DIFFERS, note)


EXPECTATIONS = (
    *rows(_M, "true false", _D, _DATASET),
    *_differs("all any", "", _ROWS, _LEVELS),
    *_differs("negate", "", _ROWS, _NEGATE),
    *_differs("when", "", _ROWS, _WHEN),
    *_differs(
        "col", "", _SCHEMA, "Not documented: the name of a column as it stands; a dot in it leads into no struct."
    ),
    *rows(_M, "count", _D, _DATASET),
    *_differs("group_by", "", _DATASET, _GROUPS),
    *rows(
        _M, "primary_key", _D, _DATASET, note="Each column free of nulls and the combination unique; holds on no rows."
    ),
    *rows(_M, "schema", _D, _SCHEMA),
    *rows(_M, "dataset_ref", _D, _REFERENCES),
    *_differs(
        "Expectation",
        "",
        "expectations/test_catalogue.py::test_frozen",
        "Ours: the common base; Foundry does not document one.",
    ),
    *_differs("equals not_equals gt gte lt lte", ".col()", _BLOCKED, _VALUES),
    *rows(f"{_M}.col()", "non_null is_null", _D, _ROWS, note="NaN is a value, not null."),
    *rows(f"{_M}.col()", "rlike", _D, _ROWS, note="Null passes; Java's syntax, matched anywhere. Strings only."),
    *rows(f"{_M}.col()", "is_in", _D, _ROWS, note=_AMONG),
    *_differs("array_contains size", ".col()", _ROWS, _ARRAYS),
    *_differs("ge le ge_col le_col", ".col()", _ALIKE, "Other spellings of gte and lte, which the guide's text uses."),
    *_differs("equals_col not_equals_col gt_col gte_col lt_col lte_col", ".col()", _ROWS, _COLUMNS),
    *_differs("is_before is_after is_on_or_before is_on_or_after", ".col()", _BLOCKED, _INSTANTS),
    *rows(
        f"{_M}.col()",
        "is_before_col is_after_col is_on_or_before_col is_on_or_after_col",
        _D,
        _ROWS,
        note="The offset counts whole seconds and may be negative. Null on either side passes (not documented).",
    ),
    *_differs("timestamp_offset_from_current_time timestamp_offset_to_current_time", ".col()", _OFFSETS, _OFFSET),
    *_differs("null_percentage null_count distinct_count sum min_value max_value", ".col()", _EMPTY, _VALUELESS),
    *_differs("standard_deviation_sample standard_deviation_population", ".col()", _EMPTY, _VALUELESS),
    *_differs(
        "approx_distinct_count",
        ".col()",
        "checks/test_metric_laws.py::test_sketches",
        "Another sketch than Foundry's, within the same documented error.",
    ),
    *rows(f"{_M}.col()", "exists", _D, _SCHEMA, note="Of the dataset the check stands on, an input too."),
    *_differs("has_type", ".col()", _SCHEMA, _TYPES),
    *rows(f"{_M}.col()", "is_in_foreign_col", _D, _REFERENCES, note="Nulls are ignored; costs a join."),
    *_differs("is_unique count col", ".group_by()", _DATASET, _GROUPS),
    *rows(f"{_M}.count()", "equals not_equals gt gte lt lte", _D, _DATASET),
    *_differs("ge le", ".count()", _ALIKE, "Other spellings of gte and lte, which the guide's text uses."),
    *_differs("contains equals is_subset_of", ".schema()", _SCHEMA, _TYPES),
    *rows(f"{_M}.dataset_ref()", "col count", _D, _REFERENCES),
    *_differs("otherwise", ".when()", _ROWS, _WHEN),
)
