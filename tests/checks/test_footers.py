"""A verdict from footers never differs from a scan, whoever wrote the files; and where footers decide, nothing runs."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import PASS, CheckSubject, evaluate, explain
from mirror.checks.columns import Columns
from mirror.checks.compiler import Compiler
from mirror.checks.footers import read_footers
from mirror.checks.known_footers import from_json, known_footers, to_json
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.plan import plan
from mirror.checks.proofs import Proofs
from mirror.checks.scan import scan_states
from mirror.checks.state_tables import CatalogStates
from mirror.datasets import Workspace
from transforms import expectations as E
from transforms.api import Check
from transforms.ports import FileEntry

NOW = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
NAN = float("nan")


def entries(folder: Path) -> tuple[FileEntry, ...]:
    return tuple(FileEntry(f.name, f.stat().st_size, 0, str(f)) for f in sorted(folder.glob("*.parquet")))


def spark_file(spark: SparkSession, folder: Path, values: str, **conf: str) -> None:
    target = folder / uuid.uuid4().hex
    before = {key: spark.conf.get(key, None) for key in conf}
    for key, value in conf.items():
        spark.conf.set(key, value)
    spark.sql("SELECT * FROM " + values).coalesce(1).write.parquet(str(target))  # noqa: S608 - the literals below
    for key, value in before.items():
        spark.conf.unset(key) if value is None else spark.conf.set(key, value)
    for file in target.glob("*.parquet"):
        file.rename(folder / f"{target.name}.parquet")


def numbers(name: str) -> list[E.Expectation]:
    """Every comparison at, above and below the interesting values, plain and negated, and the extremes."""
    column = E.col(name)
    made: list[E.Expectation] = [column.non_null(), column.is_null(), E.negate(column.is_null())]
    for limit in (-2, -0.0, 1, 3, NAN):
        for operator in ("gt", "gte", "lt", "lte", "not_equals"):
            made.append(getattr(column, operator)(limit))
    made += [E.negate(column.gt(3)), E.negate(column.lt(-2)), column.lte(Decimal("2.5")), column.equals(2)]
    extremes = [column.min_value().gt(0), column.max_value().gt(0), column.null_percentage().lt(1)]
    return [*made, *extremes, E.count().gt(0)]


def write(spark: SparkSession, folder: Path, case: str) -> tuple[T.StructType, list[E.Expectation], set[str], set[str]]:
    """Writes the files of a case; says the schema, what is asked, what footers must settle and what they must not."""
    double = T.StructType([T.StructField("x", T.DoubleType())])
    lower, upper = "violations(E.col('x').gte(-2))", "violations(E.col('x').lt(3))"
    if case == "spark doubles":
        spark_file(spark, folder, "VALUES (1D), (-1D), (CAST(NULL AS DOUBLE)) t(x)")
        spark_file(spark, folder, "VALUES (2D), (-0.0D) t(x)")
        return double, numbers("x"), {lower, upper, "min_value(x)", "max_value(x)", "null_count(x)"}, set()
    if case == "spark doubles with NaN":
        spark_file(spark, folder, "VALUES (double('NaN')), (1D) t(x)")
        spark_file(spark, folder, "VALUES (2D) t(x)")
        return double, numbers("x"), {lower}, {upper, "max_value(x)"}
    if case == "spark NaN only, then numbers":
        spark_file(spark, folder, "VALUES (double('NaN')) t(x)")
        spark_file(spark, folder, "VALUES (double('Infinity')), (1D) t(x)")
        return double, numbers("x"), {"null_count(x)"}, {lower, upper, "max_value(x)", "min_value(x)"}
    if case == "arrow doubles hide NaN":
        pq.write_table(pa.table({"x": [1.0, NAN, 2.0]}), folder / "a.parquet")
        return double, numbers("x"), {lower}, {upper, "max_value(x)"}
    if case == "polars doubles hide NaN":
        pl.DataFrame({"x": [1.0, NAN, None]}).write_parquet(folder / "a.parquet")
        return double, numbers("x"), {lower, "null_count(x)"}, {upper, "max_value(x)"}
    if case == "duckdb doubles hide NaN":
        path = folder / "a.parquet"
        duckdb.sql("SELECT 1.0::DOUBLE AS x UNION ALL SELECT 'nan'::DOUBLE").write_parquet(str(path))
        return double, numbers("x"), {"row_count"}, {upper, "max_value(x)"}
    if case == "floats in 32 bits":
        spark_file(spark, folder, "VALUES (CAST(0.1 AS FLOAT)), (CAST(2 AS FLOAT)) t(x)")
        single = T.StructType([T.StructField("x", T.FloatType())])
        asked = [*numbers("x"), E.col("x").gte(0.1), E.col("x").lte(0.1), E.col("x").lt(16777217)]
        return single, asked, {"violations(E.col('x').gte(0.1))", "min_value(x)"}, {"violations(E.col('x').gt(-2))"}
    if case == "longs beyond doubles":
        spark_file(spark, folder, f"VALUES ({2**53 + 1}L), ({2**53 + 3}L), (NULL) t(x)")
        long = T.StructType([T.StructField("x", T.LongType())])
        asked = [*numbers("x"), E.col("x").gt(float(2**53)), E.col("x").gt(2**53)]
        return long, asked, {f"violations(E.col('x').gt({2**53}))"}, {f"violations(E.col('x').gt({float(2**53)}))"}
    if case == "unsigned":
        pq.write_table(pa.table({"x": pa.array([1, 2**32 - 1], pa.uint32())}), folder / "a.parquet")
        long = T.StructType([T.StructField("x", T.LongType())])
        return long, numbers("x"), {"null_count(x)"}, {"max_value(x)", "violations(E.col('x').gt(-2))"}
    if case == "no statistics":
        pq.write_table(pa.table({"x": [1.0, 2.0]}), folder / "a.parquet", write_statistics=False)
        return double, numbers("x"), {"row_count"}, {lower, "null_count(x)", "min_value(x)"}
    if case == "statistics in one file only":
        pq.write_table(pa.table({"x": [1.0, 2.0]}), folder / "a.parquet", write_statistics=False)
        pq.write_table(pa.table({"x": [1.0, 2.0]}), folder / "b.parquet")
        return double, numbers("x"), {"row_count"}, {lower, "null_count(x)"}
    if case == "many row groups":
        values = pa.table({"x": pa.array([None, None, 3, 1, None, 5], pa.int64())})
        pq.write_table(values, folder / "a.parquet", row_group_size=2)
        long = T.StructType([T.StructField("x", T.LongType())])
        return long, numbers("x"), {"min_value(x)", "max_value(x)", "violations(E.col('x').gt(-2))"}, set()
    if case == "a column that came later, and one of nulls":
        pq.write_table(pa.table({"y": [1]}), folder / "a.parquet")
        pq.write_table(pa.table({"y": [2], "x": [2.0]}), folder / "b.parquet")
        pq.write_table(pa.table({"y": [2], "x": pa.array([None], pa.float64())}), folder / "c.parquet")
        both = T.StructType([T.StructField("x", T.DoubleType()), T.StructField("y", T.LongType())])
        return both, [*numbers("x"), E.col("y").lt(3), E.col("y").gt_col("x")], {"null_count(x)", lower}, {upper}
    if case == "another spelling":
        pq.write_table(pa.table({"X": [1, 5]}), folder / "a.parquet")
        long = T.StructType([T.StructField("x", T.LongType())])
        return long, numbers("x"), {"row_count"}, {"null_count(x)", "min_value(x)"}
    if case == "text":
        spark_file(spark, folder, "VALUES (concat('a', repeat('z', 5000))), ('b'), (NULL), ('') t(x)")
        pq.write_table(pa.table({"x": ["a" * 5000, "é"]}), folder / "a.parquet")
        pl.DataFrame({"x": ["a" * 300, "b" * 300]}).write_parquet(folder / "b.parquet")
        asked = [
            getattr(E.col("x"), op)(v) for op in ("gt", "gte", "lt", "lte") for v in ("", "a", "b", "zz", "é", "ê")
        ]
        extremes = [E.col("x").min_value().equals(""), E.col("x").max_value().equals("é"), E.col("x").non_null()]
        text = T.StructType([T.StructField("x", T.StringType())])
        return text, [*asked, *extremes], {"violations(E.col('x').gte(''))"}, {"max_value(x)", "min_value(x)"}
    if case == "text whose bounds were left out":
        pq.write_table(pa.table({"x": ["z" * 5000, ""]}), folder / "a.parquet")
        text = T.StructType([T.StructField("x", T.StringType())])
        return (
            text,
            [E.col("x").lt("b"), E.col("x").lte(""), E.col("x").gte("")],
            {"row_count"},
            {
                "violations(E.col('x').lt('b'))",
                "violations(E.col('x').lte(''))",
            },
        )
    if case == "INT96":
        spark_file(
            spark, folder, "VALUES (TIMESTAMP'2024-01-01') t(x)", **{"spark.sql.parquet.outputTimestampType": "INT96"}
        )
        stamp = T.StructType([T.StructField("x", T.TimestampType())])
        return (
            stamp,
            [E.col("x").is_after("2023-01-01T00:00:00Z"), E.count().gt(0)],
            {"row_count"},
            {"violations(E.col('x').is_after('2023-01-01T00:00:00+00:00'))"},
        )
    if case == "timestamps, dates, decimals, booleans, small integers":
        spark_file(
            spark,
            folder,
            "VALUES (TIMESTAMP'2024-04-30', TIMESTAMP_NTZ'2024-01-01', DATE'2024-01-01', 1.25BD, "
            "CAST(7 AS DECIMAL(20,0)), true, CAST(3 AS BYTE), CAST(-3 AS SHORT), 5), "
            "(TIMESTAMP'2024-05-01 11:00:00', NULL, DATE'2024-02-01', -3.5BD, CAST(9 AS DECIMAL(20,0)), true, "
            "CAST(4 AS BYTE), CAST(-2 AS SHORT), 6) t(at, wall, day, dec, big, flag, tiny, short, whole)",
        )
        asked = [
            E.col("at").timestamp_offset_to_current_time().lt(172800),
            E.col("at").is_before("2024-05-01T11:00:00Z"),
            E.col("at").max_value().equals("2024-05-01T11:00:00Z"),
            E.col("wall").max_value().equals("2024-01-01T00:00:00"),
            E.col("day").gte("2024-01-01"),
            E.col("day").max_value().equals("2024-02-01"),
            E.col("dec").gt(-3.6),
            E.col("dec").min_value().equals(Decimal("-3.50")),
            E.col("big").lte(9),
            E.col("big").max_value().equals(9),
            E.col("flag").equals(True),
            E.col("tiny").lt(5),
            E.col("short").lt(0),
            E.col("whole").max_value().equals(6),
            E.col("whole").gt_col("whole"),
        ]
        schema = spark.read.parquet(*[f.location for f in entries(folder)]).schema
        wanted = {f"violations({e!r})" for e in asked if not hasattr(e, "property_name")}
        wanted -= {"violations(E.col('at').is_before('2024-05-01T11:00:00+00:00'))"}
        wanted -= {"violations(E.col('whole').gt_col('whole'))"}
        return schema, asked, wanted | {"max_value(at)", "max_value(day)", "max_value(big)", "min_value(dec)"}, set()
    if case == "old calendar":
        old = pa.table({"x": pa.array([dt.date(1500, 1, 1), dt.date(2024, 1, 1)])})
        pq.write_table(old.replace_schema_metadata({"org.apache.spark.version": "3.5.9"}), folder / "a.parquet")
        days = T.StructType([T.StructField("x", T.DateType())])
        return (
            days,
            [E.col("x").gt("1400-01-01"), E.col("x").non_null()],
            {"null_count(x)"},
            {"violations(E.col('x').gt('1400-01-01'))"},
        )
    if case == "two columns":
        pq.write_table(pa.table({"x": [1, 2], "y": [2, 9], "z": np.array([3, 4])}), folder / "a.parquet")
        names = ("x", "y", "z")
        schema = T.StructType([T.StructField(n, T.LongType()) for n in names])
        asked = [
            getattr(E.col(a), f"{op}_col")(b) for a in names for b in names for op in ("gt", "gte", "lt", "equals")
        ]
        asked += [
            E.any(E.col("x").gt(5), E.col("y").gt(1)),
            E.all(E.col("x").gt(0), E.col("y").lt(10)),
            E.when(E.col("x").gt(1), E.col("y").gt(0)).otherwise(E.col("z").lt(5)),
            E.when(E.col("x").gt(1), E.col("y").gt(5)).otherwise(E.col("z").lt(5)),
            E.negate(E.any(E.col("x").gt(2), E.col("y").lt(2))),
            E.negate(E.all(E.col("x").gt(2), E.col("y").lt(3))),
        ]
        return (
            schema,
            asked,
            {
                "violations(E.col('x').lt_col('z'))",
                f"violations({asked[-6]!r})",
                f"violations({asked[-2]!r})",
            },
            {"violations(E.col('x').lt_col('y'))", f"violations({asked[-3]!r})"},
        )
    raise AssertionError(case)


CASES = [
    "spark doubles",
    "spark doubles with NaN",
    "spark NaN only, then numbers",
    "arrow doubles hide NaN",
    "polars doubles hide NaN",
    "duckdb doubles hide NaN",
    "floats in 32 bits",
    "longs beyond doubles",
    "unsigned",
    "no statistics",
    "statistics in one file only",
    "many row groups",
    "a column that came later, and one of nulls",
    "another spelling",
    "text",
    "text whose bounds were left out",
    "INT96",
    "timestamps, dates, decimals, booleans, small integers",
    "old calendar",
    "two columns",
]


# Two traps every time, the rest at night: each case writes and scans files of its own.
_ALWAYS = ("spark doubles with NaN", "text whose bounds were left out")


@pytest.mark.parametrize(
    "case", [case if case in _ALWAYS else pytest.param(case, marks=pytest.mark.nightly) for case in CASES]
)
def test_footers_never_differ_from_a_scan(spark: SparkSession, tmp_path: Path, case: str) -> None:
    schema, asked, settled, open_ = write(spark, tmp_path, case)
    files = entries(tmp_path)
    frame = spark.read.schema(schema).parquet(*[f.location for f in files])
    subject = CheckSubject("/d", schema, lambda: frame, files)
    footers = read_footers(files, schema)
    assert footers is not None
    assert repr(from_json(json.loads(json.dumps(to_json(footers))))) == repr(footers)
    verdicts = [Compiler(subject, NOW, lambda p: None).compile(e) for e in asked]
    known = plan(verdicts, lambda: Proofs(Columns("/d", schema), footers, NOW)).known
    metrics = {m.key: m for v in verdicts for m in v.metrics if isinstance(m, ScanMetric)}
    # a sample of the metrics footers leave open rides along, to see that they are computable at all
    scanned = scan_states(frame, [m for key, m in metrics.items() if key in known or key in open_])
    assert {key: known[key] for key in known} == {key: scanned[key] for key in known}
    assert settled <= set(known)
    assert not open_ & set(known)


def test_no_job_when_footers_decide(
    spark: SparkSession, tmp_path: Path, jobs: Callable[[Callable[[], object]], int]
) -> None:
    spark_file(spark, tmp_path, "VALUES (1L, 2D, TIMESTAMP'2024-05-01 11:30:00'), (2L, 3D, NULL) t(id, x, at)")
    files = entries(tmp_path)
    schema = spark.read.parquet(files[0].location).schema

    def unread() -> DataFrame:
        raise AssertionError("the data were read")

    other = CheckSubject("/other", schema, unread, files)
    asked = [
        E.count().equals(2),
        E.count().lte(E.dataset_ref("other").count()),
        E.col("id").non_null(),
        E.col("at").null_percentage().lte(0.5),
        E.all(E.col("x").gte(2), E.col("x").lt(3.5)),
        E.col("x").max_value().equals(3),
        E.col("at").timestamp_offset_to_current_time().lt(3600),
        E.schema().contains({"id": T.LongType()}),
    ]
    checks = [Check(e, str(i)) for i, e in enumerate(asked)]
    results: list[Any] = []

    def judge() -> None:
        subject = CheckSubject("/d", schema, unread, files, references={"other": other})
        results.extend(evaluate(checks, subject, spark=spark, now=NOW))

    assert jobs(judge) == 0
    assert [r.outcome for r in results] == [PASS] * len(asked)
    lines = explain(
        checks, CheckSubject("/d", schema, unread, files, references={"other": other}), spark=spark, now=NOW
    ).explain()
    assert lines[2:4] == ["from the footers of its files (opened)", "  row_count"]
    assert results[4].measured == {"row_count": 2, f"violations({asked[4]!r})": 0}


def test_a_footer_is_read_once(spark: SparkSession, tmp_path: Path) -> None:
    with Workspace.create(tmp_path / ".mirror", repository=tmp_path) as workspace:
        store = CatalogStates(workspace.catalog)
        schema = T.StructType([T.StructField("x", T.LongType())])
        files = []
        for name, values in {"a": [1, None], "b": [7, 9]}.items():
            path = tmp_path / f"{name}.parquet"
            pq.write_table(pa.table({"x": pa.array(values, pa.int64())}), path)
            files.append(FileEntry(path.name, path.stat().st_size, 0, str(path)))
        first = known_footers("/d", files[:1], schema, store)
        both = known_footers("/d", files, schema, store)
        for file in files:
            Path(file.location).unlink()
        assert (first, both) == (
            known_footers("/d", files[:1], schema, store),
            known_footers("/d", files, schema, store),
        )
        assert both is not None
        assert (both.rows, both.column("x").nulls, both.column("x").low, both.column("x").high) == (4, 1, 1, 9)
        # Another dataset, other types, another file under the same name: nothing is known of those.
        assert known_footers("/e", files, schema, store) is None
        assert known_footers("/d", files, T.StructType([T.StructField("x", T.StringType())]), store) is None
        assert known_footers("/d", [replace(files[0], size=1)], schema, store) is None
        # That a file could not be read is forgotten: the store may have been away.
        pq.write_table(pa.table({"x": pa.array([1], pa.int64())}), files[0].location)
        assert known_footers("/e", files[:1], schema, store) is not None


def test_files_that_do_not_tell(spark: SparkSession, tmp_path: Path) -> None:
    schema = T.StructType([T.StructField("x", T.LongType())])
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    assert read_footers(entries(tmp_path), schema) is None
    assert read_footers((), schema) is None
    assert read_footers((FileEntry("a.csv", 1, 0, str(tmp_path / "a.csv")),), schema) is None
    assert read_footers((FileEntry("a.parquet", 1, 0, "s3://bucket/a.parquet"),), schema) is None
