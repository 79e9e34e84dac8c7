"""One law over all metrics: merged states are the state of the whole, in any order, and survive being stored.

The metrics are found, not listed: a new one joins by existing and must give an example here.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.metrics import metric_kinds
from mirror.checks.metrics.approx_distinct_count import ApproxDistinctCount
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.deviation import PopulationDeviation, SampleDeviation
from mirror.checks.metrics.extremes import MaxValue, MinValue
from mirror.checks.metrics.null_count import NullCount, NullPercentage, ValueCount
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.metrics.total import Total
from mirror.checks.metrics.violations import Violations
from mirror.checks.scan import scan_states
from mirror.checks.sketch import LOG_REGISTERS, SketchFormatError, decode, empty, estimate, merge
from transforms import expectations as E

# Laws over all metrics at once; single verdicts are proved every time.
pytestmark = pytest.mark.nightly

EXAMPLES: list[ScanMetric] = [
    RowCount(),
    NullCount("x"),
    ValueCount("x"),
    NullPercentage("x"),
    Violations(E.col("x").gt(0), None, ("x",)),  # type: ignore[arg-type] # no column without a session
    MinValue("x", T.DoubleType()),
    MaxValue("x", T.DoubleType()),
    MinValue("text", T.StringType()),
    MaxValue("at", T.TimestampType()),
    MaxValue("day", T.DateType()),
    MinValue("dec", T.DecimalType(10, 2)),
    Total("whole", T.LongType()),
    Total("x", T.DoubleType()),
    Total("dec", T.DecimalType(10, 2)),
    SampleDeviation("x"),
    PopulationDeviation("whole"),
    ApproxDistinctCount("text"),
    ApproxDistinctCount("whole"),
]
PARTS = 4


@pytest.fixture(scope="module")
def states(spark: SparkSession) -> dict[str, list[Any]]:
    """Metric key -> the states of four unequal parts (one empty, one all null) and of the whole."""
    examples = [
        Violations(m.expectation, F.coalesce(F.col("x") > 0, F.lit(True)), ("x",)) if isinstance(m, Violations) else m
        for m in EXAMPLES
    ]
    frame = spark.range(3000).selectExpr(
        "CASE WHEN id < 2000 THEN 0 WHEN id < 2950 THEN 1 ELSE 3 END AS part",
        "CASE WHEN id >= 2950 OR id % 7 = 0 THEN NULL ELSE sin(id) * 100 END AS x",
        "CASE WHEN id >= 2950 THEN NULL ELSE id * 3000000000000000 END AS whole",
        "CASE WHEN id >= 2950 THEN NULL ELSE concat('device ', id % 1700) END AS text",
        "CASE WHEN id >= 2950 THEN NULL ELSE timestamp_micros(id * 1000003) END AS at",
        "CASE WHEN id >= 2950 THEN NULL ELSE date_add(DATE'2024-01-01', CAST(id AS INT)) END AS day",
        "CASE WHEN id >= 2950 THEN NULL ELSE CAST(id / 7 - 200 AS DECIMAL(10,2)) END AS dec",
    )
    frame = frame.cache()
    split = [scan_states(frame.where(F.col("part") == part), examples) for part in range(PARTS)]
    whole = scan_states(frame, examples)
    frame.unpersist()
    return {m.key: [*(s[m.key] for s in split), whole[m.key]] for m in examples}


def close(left: Any, right: Any) -> bool:
    if isinstance(left, tuple | list):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def test_every_scan_metric_has_an_example() -> None:
    scanned = {kind for kind, metric in metric_kinds().items() if issubclass(metric, ScanMetric)}
    assert {metric.kind for metric in EXAMPLES} == scanned


@pytest.mark.parametrize("metric", EXAMPLES, ids=[f"{m.key} {getattr(m, 'data_type', '')}" for m in EXAMPLES])
@pytest.mark.nightly
def test_parts_merge_to_the_whole(states: dict[str, list[Any]], metric: ScanMetric) -> None:
    *parts, whole = states[metric.key]
    forwards, backwards = parts[0], parts[-1]
    for state in parts[1:]:
        forwards = metric.merge(forwards, state)
    for state in reversed(parts[:-1]):
        backwards = metric.merge(state, backwards)
    assert close(forwards, whole)
    assert close(backwards, whole)
    assert close(metric.value(forwards), metric.value(whole))


@pytest.mark.parametrize("metric", EXAMPLES, ids=[f"{m.key} {getattr(m, 'data_type', '')}" for m in EXAMPLES])
def test_states_survive_being_stored(states: dict[str, list[Any]], metric: ScanMetric) -> None:
    for state in states[metric.key]:
        assert metric.from_json(json.loads(json.dumps(metric.to_json(state)))) == state


def test_values_of_the_whole(states: dict[str, list[Any]]) -> None:
    values = {m.key: m.value(states[m.key][-1]) for m in EXAMPLES}
    assert values["row_count"] == 3000
    assert values["null_count(x)"] == 50 + 422
    assert values["sum(whole)"] == sum(range(2950)) * 3000000000000000
    assert values["max_value(at)"] == 2949 * 1000003
    assert str(values["max_value(day)"]) == str((pd.Timestamp("2024-01-01") + pd.Timedelta(days=2949)).date())
    assert abs(values["approx_distinct_count(text)"] - 1700) < 1700 * 0.1
    assert values["violations(E.col('x').gt(0))"] == sum(1 for i in range(2950) if i % 7 and math.sin(i) * 100 <= 0)


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1), min_size=1), st.data())
@settings(max_examples=30, deadline=None)
def test_sums_and_deviations_of_any_split(values: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(min_value=0, max_value=len(values)))
    total, spread = Total("c", T.LongType()), PopulationDeviation("c")

    def moments(part: list[int]) -> tuple[int, float, float]:
        mean = sum(part) / len(part) if part else 0.0
        return len(part), mean, sum((v - mean) ** 2 for v in part)

    def summed(part: list[int]) -> tuple[int, int | None]:
        return len(part), sum(part) if part else None

    assert total.merge(summed(values[:cut]), summed(values[cut:])) == summed(values)
    merged = spread.value(spread.merge(moments(values[:cut]), moments(values[cut:])))
    assert merged == pytest.approx(spread.value(moments(values)), rel=1e-6, abs=1e-3)


def test_sketches(spark: SparkSession) -> None:
    counts = [0, 1, 5, 20, 90, 400, 2500, 40000]
    ids = spark.range(max(counts))
    wanted = [
        F.hll_sketch_agg(F.when(F.col("id") < n, F.xxhash64("id")), F.lit(LOG_REGISTERS)).alias(f"n{n}") for n in counts
    ]
    row = ids.agg(*wanted).toPandas().iloc[0]
    for n in counts:
        registers = decode(bytes(row[f"n{n}"]))
        assert abs(estimate(registers) - n) <= 0.1 * n
        assert merge(registers, empty()) == merge(registers, registers) == registers
    with pytest.raises(SketchFormatError, match="unknown form \\(header 0101"):
        decode(b"\x01" * 40)
