"""Planning, appending, reading and starting against the least that each of them could cost."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from benchmarks import Bench, Figure
from mirror.builds import JobSpec, ParamSpec, RepositoryPipeline, journal, plan, published_specs
from mirror.builds import tables as t
from mirror.builds.state import InputRange, OutputRecord, RunRecord
from mirror.datasets import TransactionType, Workspace
from mirror.datasets import tables as d

_JOBS = 1000
_TRANSACTIONS = 1000


def run(bench: Bench) -> Iterator[Figure]:
    yield from _planning(bench)
    yield from _appending(bench)
    yield from _reading(bench)
    yield from _starting(bench)


def _workspace(folder: Path) -> Workspace:
    ticks = itertools.count()
    return Workspace.create(
        folder / ".mirror",
        repository=folder,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)),
    )


def _planning(bench: Bench) -> Iterator[Figure]:
    """A no-op plan over 1,000 jobs against reading the catalog rows it needs, and against a quarter of the jobs."""
    large, small = (_up_to_date(bench.scratch / f"plan{count}", count) for count in (_JOBS, _JOBS // 4))

    def planned(workspace: Workspace, jobs: int) -> None:
        pipeline = RepositoryPipeline(workspace, published_specs(workspace, "master"), Path(), "")
        assert not plan(workspace, pipeline).to_run
        assert len(pipeline.specs) == jobs

    def rows() -> None:
        with large.catalog.reading() as connection:
            for query in (
                sa.select(t.job_specs.c.document),
                sa.select(d.datasets.c.path, d.branches, d.transactions)
                .join(d.branches, d.branches.c.dataset_rid == d.datasets.c.rid)
                .join(d.transactions, d.branches.c.head == d.transactions.c.rid),
                sa.select(t.provenance, t.jobs.c.provenance).join(t.jobs, t.jobs.c.rid == t.provenance.c.job_rid),
            ):
                for row in connection.execute(query):
                    if str(row[-1]).startswith("{"):
                        json.loads(row[-1])

    yield bench.compare("plan_1000_jobs", a=lambda: planned(large, _JOBS), b=rows, limit=2.0)
    growth = bench.compare(
        "plan_growth", a=lambda: planned(large, _JOBS), b=lambda: planned(small, _JOBS // 4), limit=5.0
    )
    yield growth
    large.close()
    small.close()


def _up_to_date(folder: Path, count: int) -> Workspace:
    """A workspace in which ``count`` chained jobs have run."""
    workspace = _workspace(folder)
    workspace.catalog.ensure(*t.ROOM)
    store = workspace.store
    build = journal.start_build(workspace, "master", ())
    heads: dict[str, str] = {}
    rows = []
    for number in range(-1, count):
        path = f"/bench/{number}" if number >= 0 else "/bench/raw"
        source = f"/bench/{number - 1}" if number > 0 else "/bench/raw"
        opened = store.open_transaction(store.create(path), "master", TransactionType.SNAPSHOT)
        if number < 0:
            heads[path] = opened.commit().rid
            continue
        inputs = (ParamSpec("i", "dataset_input", "input", (source,)),)
        spec = JobSpec(
            f"m:{number}", f"j{number}", "m.py:1", "spark", "v",
            (*inputs, ParamSpec("o", "dataset_output", "output", (path,))),
        )  # fmt: skip
        rows.append(
            {
                "branch": "master",
                "reference": spec.reference,
                "position": number,
                "document": json.dumps(spec.to_json()),
            }
        )
        job = journal.start_job(workspace, build, spec, "master", "", workspace.clock())
        record = RunRecord(
            job, spec.reference, "v", 1, False,
            {source: InputRange("i", "master", heads[source], heads[source])},
            {path: OutputRecord("o", opened.rid, None)},
        )  # fmt: skip
        opened.commit(lambda connection, record=record: journal.keep_run(connection, record, workspace.clock()))  # type: ignore[misc]
        heads[path] = opened.rid
    with workspace.catalog.writing() as connection:
        connection.execute(t.job_specs.insert(), rows)
    return workspace


def _appending(bench: Bench) -> Iterator[Figure]:
    """The 100th increment of a dataset against the 2nd: every round appends to a dataset of each length."""
    workspace = _workspace(bench.scratch / "append")
    source = bench.scratch / "part.parquet"
    pd.DataFrame({"v": range(1000)}).to_parquet(source)
    numbers = itertools.count()

    def append(path: str) -> None:
        dataset = workspace.store.create(path, exist_ok=True)
        with workspace.store.transaction(dataset, "master", TransactionType.APPEND) as opened:
            opened.add(source, f"{next(numbers)}.parquet")

    for _ in range(99):
        append("/long")
    shorts = (f"/short{n}" for n in itertools.count())
    ready: list[str] = []

    def begin(_turn: int) -> None:
        ready.append(next(shorts))
        append(ready[-1])

    yield bench.compare("append_100th", a=lambda: append("/long"), b=lambda: append(ready[-1]), setup=begin, limit=1.3)
    workspace.close()


def _reading(bench: Bench) -> Iterator[Figure]:
    """A view of 1,000 transactions, resolved and read, against reading the same files by path."""
    spark = bench.spark()
    workspace = _workspace(bench.scratch / "read")
    store = workspace.store
    dataset = store.create("/many")
    source = bench.scratch / "one.parquet"
    pd.DataFrame({"v": range(100)}).to_parquet(source)
    from mirror.datasets.records import StoredSchema
    from mirror.datasets.schema import fields_of_parquet

    schema = StoredSchema("parquet", fields_of_parquet(source)[0])
    for number in range(_TRANSACTIONS):
        with store.transaction(dataset, "master", TransactionType.APPEND) as opened:
            opened.schema = schema
            opened.add(source, f"{number}.parquet")
    paths = [entry.location for entry in store.view(dataset).entries]
    wanted = store.read(spark, store.view(dataset)).schema

    def by_view() -> None:
        store.read(spark, store.view(dataset)).agg({"v": "sum"}).collect()

    def by_path() -> None:
        spark.read.schema(wanted).parquet(*paths).agg({"v": "sum"}).collect()

    yield bench.compare("read_1000_transactions", a=by_view, b=by_path, limit=1.3)
    workspace.close()


def _starting(bench: Bench) -> Iterator[Figure]:
    """``mirror datasets`` from the shell against ``python -c 'import sqlalchemy'``."""
    _workspace(bench.scratch / "start").close()
    place = str(bench.scratch / "start" / ".mirror")
    ours = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"

    def call(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    yield bench.compare(
        "start_datasets",
        a=lambda: call("-c", ours, "--workspace", place, "datasets"),
        b=lambda: call("-c", "import sqlalchemy"),
        limit=3.0,
    )
