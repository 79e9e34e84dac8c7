"""Every metric, however it was learned, is what DuckDB finds in the same files."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import CheckSubject, evaluate
from mirror.checks.compiler import Compiler
from mirror.checks.metrics import metric_kinds
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.state_tables import CatalogStates
from mirror.datasets import Workspace
from transforms import expectations as E
from transforms.api import Check
from transforms.ports import FileEntry

pytestmark = pytest.mark.nightly

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
GROUP = "SELECT count(*) FILTER (NOT coalesce(p, false)) FROM (SELECT {} AS p FROM t GROUP BY {})"

#: expectation -> its metric in DuckDB's SQL over the table t, or over the other table r
ASKED: list[tuple[E.Expectation, str]] = [
    (E.count().gt(0), "count(*)"),
    (E.col("x").non_null(), "count(*) - count(x)"),
    (E.col("x").is_null(), "count(x)"),
    (E.col("x").null_percentage().lt(1), "(count(*) - count(x)) / count(*)"),
    (E.col("x").gt(10), "count(*) FILTER (NOT x > 10)"),
    (E.col("x").lte(1e308), "count(*) FILTER (NOT x <= 1e308)"),
    (E.col("dec").lt(0.3), "count(*) FILTER (NOT dec::DOUBLE < 0.3::DOUBLE)"),
    (E.col("text").rlike("^d-[0-4]"), "count(*) FILTER (NOT regexp_matches(text, '^d-[0-4]'))"),
    (E.col("text").is_in("d-1", "d-2"), "count(*) FILTER ((text IN ('d-1', 'd-2')) IS NOT TRUE)"),
    (E.all(E.col("n").gte(0), E.col("n").lt(40)), "count(*) FILTER (NOT (n >= 0 AND n < 40))"),
    (E.col("x").min_value().gt(0), "min(x)"),
    (E.col("x").max_value().gt(0), "max(x)"),
    (E.col("n").max_value().gt(0), "max(n)"),
    (E.col("text").min_value().gt(""), "min(text)"),
    (E.col("text").max_value().gt(""), "max(text)"),
    (E.col("dec").min_value().gt(0), "min(dec)"),
    (E.col("day").max_value().gt("2024-01-01"), "max(day)"),
    (E.col("at").max_value().is_after("2024-01-01T00:00:00Z"), 'max("at")'),
    (E.col("n").sum().gt(0), "sum(n)"),
    (E.col("dec").sum().gt(0), "sum(dec)"),
    (E.col("n").standard_deviation_sample().gt(0), "stddev_samp(n)"),
    (E.col("n").standard_deviation_population().gt(0), "stddev_pop(n)"),
    (E.col("text").distinct_count().gt(0), "count(DISTINCT text)"),
    (E.col("x").distinct_count().gt(0), "count(DISTINCT x)"),
    (E.col("text").approx_distinct_count().gt(0), "count(DISTINCT text)"),
    (E.group_by("id").is_unique(), "(SELECT count(*) FROM (SELECT 1 FROM t GROUP BY id HAVING count(*) > 1))"),
    (
        E.group_by("n", "text").is_unique(),
        "(SELECT count(*) FROM (SELECT 1 FROM t GROUP BY n, text HAVING count(*) > 1))",
    ),
    (E.group_by("text").count().gt(120), GROUP.format("count(*) > 120", "text")),
    (E.group_by("x").count().lt(40), GROUP.format("count(*) < 40", "x")),
    (E.group_by("text", "day").count().lt(25), GROUP.format("count(*) < 25", "text, day")),
    (
        E.group_by("text").col("x").null_percentage().lt(0.17),
        GROUP.format("(count(*) - count(x)) / count(*) < 0.17::DOUBLE", "text"),
    ),
    (E.group_by("text").col("x").null_count().lt(9), GROUP.format("count(*) - count(x) < 9", "text")),
    (E.group_by("text").col("n").sum().gt(2850), GROUP.format("sum(n) > 2850", "text")),
    (E.group_by("text").col("dec").sum().gt(0.3), GROUP.format("sum(dec)::DOUBLE > 0.3::DOUBLE", "text")),
    (E.group_by("n", "day").col("dec").min_value().lt(0.3), GROUP.format("min(dec)::DOUBLE < 0.3::DOUBLE", "n, day")),
    (E.group_by("n", "day").col("x").max_value().gt(48), GROUP.format("max(x) > 48", "n, day")),
    (E.group_by("n", "day").col("text").max_value().gt("d-7"), GROUP.format("max(text) > 'd-7'", "n, day")),
    (
        E.group_by("text").col("at").max_value().is_after("2024-05-01T01:39:30Z"),
        GROUP.format("max(\"at\") > TIMESTAMPTZ '2024-05-01 01:39:30+00'", "text"),
    ),
    (E.group_by("text").col("n").standard_deviation_sample().lt(15), GROUP.format("stddev_samp(n) < 15", "text")),
    (E.group_by("text").col("n").standard_deviation_population().lt(15), GROUP.format("stddev_pop(n) < 15", "text")),
    (E.group_by("text").col("n").distinct_count().lt(25), GROUP.format("count(DISTINCT n) < 25", "text")),
    (
        E.col("text").is_in_foreign_col(E.dataset_ref("other").col("name")),
        "count(DISTINCT text) FILTER (text NOT IN (SELECT name FROM r WHERE name IS NOT NULL))",
    ),
    (E.count().gt(E.dataset_ref("other").count()), "(SELECT count(*) FROM r)"),
]
KINDS = {"id": pa.int64(), "n": pa.int32(), "x": pa.float64(), "text": pa.string(), "dec": pa.decimal128(12, 2)}
KINDS |= {"day": pa.date32(), "at": pa.timestamp("us", "UTC")}
SCHEMA = T.StructType(
    [
        T.StructField("id", T.LongType()),
        T.StructField("n", T.IntegerType()),
        T.StructField("x", T.DoubleType()),
        T.StructField("text", T.StringType()),
        T.StructField("dec", T.DecimalType(12, 2)),
        T.StructField("day", T.DateType()),
        T.StructField("at", T.TimestampType()),
    ]
)
NAMES = T.StructType([T.StructField("name", T.StringType())])


def write(folder: Path, name: str, columns: dict[str, pa.Array]) -> FileEntry:
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=150)
    return FileEntry(path.name, path.stat().st_size, 0, str(path))


def telemetry(folder: Path, number: int, rows: int) -> FileEntry:
    draw = random.Random(number)
    start = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
    columns: dict[str, list[Any]] = {
        "id": [number * rows + i - (i == 7) for i in range(rows)],
        "n": [draw.choice([None, *range(50)]) for _ in range(rows)],
        "x": [
            draw.choice([None, float("nan"), float("inf"), -0.0, 0.0, draw.randrange(50) / 1.0]) for _ in range(rows)
        ],
        "text": [draw.choice([None, *(f"d-{j}" for j in range(9))]) for _ in range(rows)],
        "dec": [draw.choice([None, Decimal("0.30"), Decimal(draw.randrange(-900, 900)) / 100]) for _ in range(rows)],
        "day": [date(2024, 4, 1 + draw.randrange(5)) for _ in range(rows)],
        "at": [datetime.fromtimestamp(start + draw.randrange(6000), UTC) for _ in range(rows)],
    }
    return write(folder, f"t{number}", {name: pa.array(values, KINDS[name]) for name, values in columns.items()})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[FileEntry], FileEntry]:
    folder = tmp_path_factory.mktemp("agreement")
    other = write(folder, "r", {"name": pa.array([f"d-{i}" for i in range(7)] + [None])})
    return [telemetry(folder, number, 400) for number in range(3)], other


@pytest.fixture(scope="module")
def expected(files: tuple[list[FileEntry], FileEntry]) -> list[Any]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_parquet([f.location for f in files[0]]).create_view("t")
        connection.read_parquet(files[1].location).create_view("r")
        found = []
        for _, sql in ASKED:
            query = sql if sql.startswith("SELECT") else f"SELECT {sql} FROM t LIMIT 1"  # noqa: S608 - our own text
            (row,) = connection.execute(query).fetchall()
            found.append(row[0])
        # nothing agrees because nothing happens; the least x is zero
        assert [value for value in found if value == 0] == [0.0]
        return found


def subject(spark: SparkSession, files: Sequence[FileEntry], other: FileEntry, *, known: bool) -> CheckSubject:
    def read(some: Sequence[FileEntry]) -> DataFrame:
        return spark.read.schema(SCHEMA).parquet(*[f.location for f in some])

    names = lambda: spark.read.schema(NAMES).parquet(other.location)  # noqa: E731 - one frame
    reference = CheckSubject("/r", NAMES, names, [other] if known else (), part=lambda _: names())
    return CheckSubject("/t", SCHEMA, lambda: read(files), files if known else (), {"other": reference}, part=read)


def plain(value: Any) -> Any:
    """As results show values."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogStates]:
    with Workspace.create(tmp_path_factory.mktemp("agreed") / "workspace") as workspace:
        yield CatalogStates(workspace.catalog)


@pytest.mark.parametrize("way", ["all rows", "footers first", "kept states"])
def test_every_metric_is_what_duckdb_finds(
    spark: SparkSession,
    files: tuple[list[FileEntry], FileEntry],
    expected: list[Any],
    store: CatalogStates,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setattr("mirror.checks.evaluation.collect", lambda *_, **__: ())
    own, other = files
    checks = [Check(expectation, str(i)) for i, (expectation, _) in enumerate(ASKED)]
    states = store if way == "kept states" else None
    if states is not None:
        for seen in (1, 2):
            evaluate(checks, subject(spark, own[:seen], other, known=True), spark=spark, now=NOW, states=states)
    about = subject(spark, own, other, known=way != "all rows")
    results = evaluate(checks, about, spark=spark, now=NOW, states=states)
    compiler = Compiler(about, NOW, lambda _: None)
    seen_kinds = set()
    for (expectation, sql), result, value in zip(ASKED, results, expected, strict=True):
        verdict = compiler.compile(expectation)
        metric = next((m for m in verdict.metrics if m.kind != RowCount.kind), verdict.metrics[0])
        seen_kinds.add(metric.kind)
        measured = result.measured[metric.key]
        if metric.kind == "approx_distinct_count":
            assert abs(measured - value) <= 0.1 * value  # type: ignore[operator]
        elif metric.kind.startswith("standard_deviation"):
            # the last digits depend on the order of additions, in either engine
            assert measured == pytest.approx(value, rel=1e-12)
        else:
            assert measured == plain(value), (sql, measured, value)
    assert seen_kinds == metric_kinds().keys()
