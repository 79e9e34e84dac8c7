"""Datasets that lie in a folder per day: a replaced file costs its day, and footers say nothing of the day itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from mirror.checks import evaluate
from mirror.checks.state_tables import CatalogStates
from mirror.checks.states import YOUNG_FOLDERS, identity, read_together
from mirror.checks.stored import subject_of
from mirror.datasets import Workspace
from mirror.datasets.records import StoredSchema
from transforms import expectations as E
from transforms.api import Check
from transforms.ports import FileEntry

NOW = datetime(2024, 6, 1, tzinfo=UTC)
STORED = StoredSchema(
    format="parquet",
    fields={
        "type": "struct",
        "fields": [
            {"name": name, "type": kind, "nullable": True, "metadata": {}}
            for name, kind in (("id", "long"), ("x", "double"), ("date", "date"))
        ],
    },
    path_columns=("date",),
)
CHECKS = [
    Check(E.col("date").non_null(), "every row has its day"),
    Check(E.col("date").gte(date(2024, 5, 2)), "from the second on"),
    Check(E.col("x").lte(99.0), "bounded"),
    Check(E.primary_key("id", "date"), "key"),
]


def test_new_files_are_read_together_and_known_ones_by_their_folder() -> None:
    days = [f"date=2024-05-{day:02}" for day in range(1, YOUNG_FOLDERS + 3)]
    files = [FileEntry(f"{day}/{name}", 1, 0, f"/d/{day}/{name}") for day in days for name in ("a", "b")]
    named = {identity(file): file for file in files}
    seen = {name for name in named if name.endswith("a|1")}
    parts = read_together(named, named, seen)
    told = sorted(sorted(named[name].path for name in part) for part in parts)
    young = days[2:]
    assert told == sorted(
        [
            sorted(f"{day}/{name}" for day in days[:2] for name in ("a", "b")),
            [f"{day}/b" for day in young],
            *([f"{day}/a"] for day in young),
        ]
    )
    flat = {name: replace(file, path=file.location.rsplit("/", 1)[1]) for name, file in named.items()}
    assert [len(part) for part in read_together(flat, flat, seen)] == [len(files)]


@pytest.mark.nightly
def test_a_replaced_file_costs_its_day(spark: SparkSession, tmp_path: Path) -> None:
    store = CatalogStates(Workspace.create(tmp_path / "w", repository=tmp_path).catalog)
    view: dict[str, FileEntry] = {}
    read: list[list[str]] = []

    def put(path: str, transaction: int, **columns: list[float]) -> None:
        file = tmp_path / str(transaction) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": pa.array(columns["id"], pa.int64()), "x": columns["x"]}), file)
        view[path] = FileEntry(path, file.stat().st_size, 0, str(file))

    def judged(*, twice: bool = False) -> list[str]:
        """Verdicts; where asked twice, the same with and without what is kept."""
        files = [view[path] for path in sorted(view)]
        subject = subject_of(spark, "/d", "master", files, STORED)
        part = subject.part
        assert part is not None
        read.clear()

        def noted(some: object) -> object:
            read.append(sorted(file.path for file in some))  # type: ignore[attr-defined]
            return part(some)  # type: ignore[arg-type]

        watched = replace(subject, part=noted)  # type: ignore[arg-type]
        kept = evaluate(CHECKS, watched, spark=spark, now=NOW, states=store)
        if twice:
            anew = evaluate(CHECKS, subject, spark=spark, now=NOW)
            assert [one.measured for one in kept] == [one.measured for one in anew]
        return [one.outcome for one in kept]

    for day in (2, 3, 4):
        put(f"date=2024-05-0{day}/a.parquet", 1, id=[1, 2], x=[1.0, 2.0])
    assert judged() == ["PASS"] * 4
    # whatever footers could not settle was read, in one pass; the day is in no file
    assert read == [[f"date=2024-05-0{day}/a.parquet" for day in (2, 3, 4)]]
    put("date=2024-05-04/b.parquet", 2, id=[3], x=[3.0])
    assert judged() == ["PASS"] * 4
    assert read == [["date=2024-05-04/b.parquet"]]
    # the first file of the third day is replaced: of what was read with it, nothing is read together again
    put("date=2024-05-03/a.parquet", 3, id=[1], x=[100.0])
    assert judged(twice=True) == ["PASS", "PASS", "FAIL", "PASS"]
    assert sorted(read) == [[f"date=2024-05-0{day}/a.parquet"] for day in (2, 3, 4)]
    put("date=2024-05-03/a.parquet", 4, id=[1, 2], x=[4.0, 4.0])
    put("date=2024-05-03/b.parquet", 4, id=[2], x=[4.0])
    assert judged() == ["PASS", "PASS", "PASS", "FAIL"]
    assert sorted(read) == [["date=2024-05-03/a.parquet", "date=2024-05-03/b.parquet"]]
    view.pop("date=2024-05-03/b.parquet")
    put("date=2024-05-01/a.parquet", 5, id=[1], x=[1.0])
    assert judged(twice=True) == ["PASS", "FAIL", "PASS", "PASS"]
