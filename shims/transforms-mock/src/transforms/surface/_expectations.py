"""Fidelity of ``transforms.expectations``; verdicts are proved where they are computed (``tests/checks``)."""

from __future__ import annotations

from transforms.surface._row import Status, rows

_M, _D = "transforms.expectations", "transforms-python/data-expectations-reference"
_ROWS = "checks/test_row_expectations.py::test_blames_exactly"
_DATASET = "checks/test_dataset_expectations.py::test_on_rows"
_SCHEMA = "checks/test_schema_checks.py::test_from_the_schema_alone"
_REFERENCES = "checks/test_references.py::test_against_references"
_COMPARISONS = "equals not_equals gt gte lt lte ge le"

EXPECTATIONS = (
    *rows(_M, "all any negate true false when", _D, _ROWS),
    *rows(_M, "col", _D, _ROWS),
    *rows(_M, "count group_by primary_key", _D, _DATASET),
    *rows(_M, "schema", _D, _SCHEMA),
    *rows(_M, "dataset_ref", _D, _REFERENCES),
    *rows(
        _M,
        "Expectation",
        _D,
        "expectations/test_catalogue.py::test_frozen",
        Status.DIFFERS,
        "Ours: the common base; Foundry does not document one.",
    ),
    *rows(f"{_M}.col()", "equals not_equals gt gte lt lte non_null is_null is_in rlike array_contains size", _D, _ROWS),
    *rows(
        f"{_M}.col()",
        "ge le ge_col le_col",
        _D,
        "expectations/test_catalogue.py::test_two_ways_to_say_one_thing",
        Status.DIFFERS,
        "Other spellings of gte and lte, which the guide's text uses.",
    ),
    *rows(f"{_M}.col()", "equals_col not_equals_col gt_col gte_col lt_col lte_col", _D, _ROWS),
    *rows(f"{_M}.col()", "is_before is_after is_on_or_before is_on_or_after", _D, _ROWS),
    *rows(f"{_M}.col()", "is_before_col is_after_col is_on_or_before_col is_on_or_after_col", _D, _ROWS),
    *rows(
        f"{_M}.col()",
        "timestamp_offset_from_current_time timestamp_offset_to_current_time",
        _D,
        "checks/test_dataset_expectations.py::test_offset_results_show_the_timestamps_used",
        Status.DIFFERS,
        "'Now' is the time the platform hands to the checks, so that a build can be repeated.",
    ),
    *rows(f"{_M}.col()", "null_percentage null_count distinct_count sum min_value max_value", _D, _DATASET),
    *rows(f"{_M}.col()", "standard_deviation_sample standard_deviation_population", _D, _DATASET),
    *rows(
        f"{_M}.col()",
        "approx_distinct_count",
        _D,
        "checks/test_metric_laws.py::test_sketches",
        Status.DIFFERS,
        "Another sketch than Foundry's, within the same documented error.",
    ),
    *rows(f"{_M}.col()", "exists has_type", _D, _SCHEMA),
    *rows(f"{_M}.col()", "is_in_foreign_col", _D, _REFERENCES),
    *rows(f"{_M}.group_by()", "is_unique count col", _D, _DATASET),
    *rows(f"{_M}.count()", _COMPARISONS, _D, _DATASET),
    *rows(f"{_M}.schema()", "contains equals is_subset_of", _D, _SCHEMA),
    *rows(f"{_M}.dataset_ref()", "col count", _D, _REFERENCES),
    *rows(f"{_M}.when()", "otherwise", _D, _ROWS),
)
