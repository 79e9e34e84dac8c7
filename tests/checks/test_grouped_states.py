"""What is kept of groups and counterparts, without rows: merged groups judge as all rows would, and limits hold."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import reduce
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import Column
from pyspark.sql import types as T

from mirror.checks import CheckSubject, grouped
from mirror.checks.grouped import GroupedStates, sources
from mirror.checks.kept_strays import KeptStrays
from mirror.checks.metrics import metric_kinds
from mirror.checks.metrics.approx_distinct_count import ApproxDistinctCount
from mirror.checks.metrics.base import NULL_GROUP, KeyMetric
from mirror.checks.metrics.distinct_count import DistinctCount
from mirror.checks.metrics.duplicates import Duplicates
from mirror.checks.metrics.extremes import MaxValue
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.metrics.group_violations import GroupViolations
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.metrics.total import Total
from mirror.checks.operands import Bound
from mirror.checks.properties import _keepable
from mirror.checks.state_tables import CatalogStates
from mirror.datasets import Workspace
from transforms import expectations as E
from transforms.ports import FileEntry

NO_COLUMN = cast(Column, None)


def few_rows(limit: int) -> GroupViolations:
    expectation = cast(Any, E.group_by("k").count().lt(limit))
    return GroupViolations(("k",), expectation, "·count", NO_COLUMN, NO_COLUMN, RowCount(), Bound("lt", limit))


EXAMPLES: list[KeyMetric] = [Duplicates(("k",)), DistinctCount(("k",)), few_rows(3)]


def test_every_key_metric_has_an_example() -> None:
    assert {m.kind for m in EXAMPLES} == {k for k, metric in metric_kinds().items() if issubclass(metric, KeyMetric)}


@pytest.mark.parametrize("seed", range(5))
def test_merged_groups_are_judged_as_all_rows(seed: int) -> None:
    draw = random.Random(seed)
    rows = [draw.choice([NULL_GROUP, *"abcdefgh"]) for _ in range(20)]
    cuts = sorted(draw.sample(range(20), 3))
    parts = [Counter(rows[a:b]) for a, b in zip([0, *cuts], [*cuts, 20], strict=True)]
    kept = GroupedStates(("k",), RowCount())
    merged = reduce(kept.merge, [kept.from_json(json.loads(json.dumps(kept.to_json(part)))) for part in parts])
    whole = Counter(rows)
    assert merged == whole
    duplicates, distinct, violations = (metric.judged(merged or {}) for metric in EXAMPLES)
    assert duplicates == sum(count > 1 for count in whole.values())
    assert distinct == len(set(rows) - {NULL_GROUP})
    assert violations == sum(count >= 3 for count in whole.values())


def test_a_group_without_value_breaks_its_condition() -> None:
    total = Total("x", T.DecimalType(38, 0))
    expectation = cast(Any, E.group_by("k").col("x").sum().gt(0))
    metric = GroupViolations(("k",), expectation, "·sum", NO_COLUMN, NO_COLUMN, total, Bound("gt", 0))
    # a sum, no value at all, a sum beyond its type
    assert metric.judged({"a": (2, 5), "b": (0, None), "c": (3, None)}) == 2


def test_too_many_groups_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = GroupedStates(("k",), RowCount())
    monkeypatch.setattr(grouped, "GROUPS_IN_ALL", 2)
    assert kept.merge({"a": 1}, {"a": 2, "b": 1}) == {"a": 3, "b": 1}
    assert kept.merge({"a": 1}, {"b": 2, "c": 1}) is None
    assert kept.merge(None, {"a": 1}) is None
    assert kept.from_json(kept.to_json(None)) is None


def test_what_has_no_small_state_is_grouped_anew() -> None:
    text, single = ApproxDistinctCount("x"), MaxValue("x", T.FloatType())
    assert [_keepable(m) for m in (text, single, DistinctCount(("x",)), RowCount())] == [None, None, None, RowCount()]
    unkept = GroupViolations(
        ("k",), cast(Any, E.group_by("k").col("x").approx_distinct_count().gt(0)), "·n", NO_COLUMN, NO_COLUMN, None,
        Bound("gt", 0),
    )  # fmt: skip
    assert sources([few_rows(3), unkept]) is None
    # repeated keys alone have hashes of their own
    assert sources([Duplicates(("k",))]) is None
    wanted = sources([Duplicates(("b", "a")), DistinctCount(("a",))])
    assert {source.keys for source in (wanted or {}).values()} == {("a", "b")}


def test_a_proof_holds_while_the_other_dataset_only_grows(tmp_path: Path) -> None:
    schema = T.StructType([T.StructField("v", T.StringType())])
    metric = ForeignValues("other", "v", "v")

    def files(*names: str) -> list[FileEntry]:
        return [FileEntry(name, 1, 0, f"/{name}") for name in names]

    with Workspace.create(tmp_path / "w") as workspace:
        store = CatalogStates(workspace.catalog)

        def strays(own: list[FileEntry], theirs: list[FileEntry]) -> KeptStrays:
            other = CheckSubject("/o", schema, lambda: pytest.fail("read"), theirs)
            return KeptStrays(CheckSubject("/d", schema, other.frame, own, {"other": other}), store)

        def left(own: list[FileEntry], theirs: list[FileEntry]) -> list[str]:
            return [file.path for file in strays(own, theirs).left(metric, store.units("/d"))]

        strays(files("a", "b"), files("x")).keep(metric, files("a", "b"))
        strays(files("a", "b", "c"), files("x", "y")).keep(metric, files("c"))
        assert left(files("a", "b", "c", "d"), files("x", "y")) == ["d"]
        # the other dataset lost a file that c's values may have been found in, or all of them
        assert left(files("a", "b", "c"), files("x")) == ["c"]
        assert left(files("a", "b", "c"), files("y")) == ["a", "b", "c"]
        assert left(files("a", "b", "c"), []) == ["a", "b", "c"]
        # a and b were proved together: without b, a is compared again
        assert left(files("a", "c"), files("x", "y")) == ["a"]
