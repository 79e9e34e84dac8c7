"""One life of data on roots that are URLs: a folder by ``file://``, memory, a real S3 server, Spark by Hadoop names."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import fsspec
import pandas as pd
import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession

from mirror.builds import BuildReport, build
from mirror.checks.footers import read_footers
from mirror.cli.init import storage_section
from mirror.datasets import DatasetStore, TransactionType, Workspace, toml
from mirror.datasets.collect import collect, find_garbage
from mirror.datasets.diff import diff
from mirror.datasets.errors import (
    PathEscapesRootError,
    SparkCannotReachError,
    StorageClientMissingError,
    StorageSettingsError,
    StorageUnreachableError,
    StorageUnwritableError,
    WorkspaceConfigError,
)
from mirror.datasets.frames import spark_schema
from mirror.datasets.ingest import ingest
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import whole_input
from mirror.datasets.sample import first_rows
from mirror.datasets.storage import LocalStorage
from mirror.datasets.storage.client import FromEnvironment
from mirror.datasets.storage.remote import RemoteStorage
from mirror.datasets.storage.settings import parse
from mirror.datasets.verify import verify
from mirror.health.rows import read_columns
from transforms.ports import WriteOptions

_numbers = itertools.count()

JOBS = """
from pathlib import Path
import polars as pl
from transforms.api import Input, Output, transform

@transform.using(out=Output("/clean"), raw=Input("/raw"))
def clean(ctx, raw, out):
    frame = raw.polars()
    assert ctx.duckdb().conn.sql("SELECT count(*) FROM read_parquet(raw_files())").fetchall() == [(len(frame),)]
    if frame["v"].max() > 100:
        raise ValueError("too large")
    out.write_table(frame.filter(frame["v"] > 0))

@transform.using(out=Output("/texts"), notes=Input("/notes"), raw=Input("/clean"))
def texts(raw, notes, out):
    said = [notes.filesystem().open(entry.path).read() for entry in notes.filesystem().ls()]
    rows = sum(pl.read_parquet(file).height for file in Path(raw.path()).rglob("*.parquet"))
    with out.filesystem().open("all/of them.txt", "w") as stream:
        stream.write("".join(sorted(said)) + f"{rows} rows")
"""


def no_spark() -> SparkSession:
    raise AssertionError("nothing here needs Spark")


class Life:
    """A repository of single-node transforms and its workspace on one root."""

    def __init__(self, folder: Path, root: str, **storage: Any) -> None:
        source = folder / "transforms-python" / "src"
        package = f"roots{next(_numbers)}"
        (source / package).mkdir(parents=True)
        (source / package / "__init__.py").write_text("")
        (source / package / "jobs.py").write_text(JOBS)
        (source / package / "pipeline.py").write_text(
            f"from transforms.api import Pipeline\nfrom {package} import jobs\n"
            "p = Pipeline()\np.discover_transforms(jobs)"
        )
        (source / "setup.py").write_text(
            f"setup(entry_points={{'transforms.pipelines': ['root = {package}.pipeline:p']}})"
        )
        ticks = itertools.count()
        self.folder = folder
        self.workspace = Workspace.create(
            folder / ".mirror",
            repository=folder,
            storage={"root": root, **storage},
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)),
        )

    @property
    def store(self) -> DatasetStore:
        return self.workspace.store

    def ingest(self, dataset: str, kind: str = "APPEND", **files: Any) -> None:
        paths = []
        for name, content in files.items():
            if isinstance(content, str):
                path = self.folder / f"{name}.txt"
                path.write_text(content)
            else:
                path = self.folder / f"{name}.parquet"
                pd.DataFrame({"k": range(len(content)), "v": content}).to_parquet(path)
            paths.append(str(path))
        ingest(self.workspace, dataset, paths, branch="master", kind=TransactionType(kind))

    def build(self) -> BuildReport:
        return build(self.workspace, (), "master", spark=no_spark)

    def values(self, dataset: str, at: str | None = None) -> list[int]:
        return sorted(r["v"] for r in first_rows(self.store.view(self.store.dataset(dataset), at=at), 100))

    def text(self, dataset: str, path: str) -> str:
        port = whole_input(self.store.view(self.store.dataset(dataset)), self.store.storage)
        with cloudpickle.loads(cloudpickle.dumps(port)).open(path) as stream:
            return str(stream.read())


def live(life: Life) -> None:
    """Ingest, build, read, fail, collect, damage: what every root must bear."""
    store, storage = life.store, life.store.storage
    assert isinstance(storage, RemoteStorage)
    life.ingest("/raw", day1=[1, -1, 2])
    life.ingest("/notes", a="Grüße ", b="b ")
    report = life.build()
    assert [job.status.value for job in report.jobs] == ["succeeded", "succeeded"], [j.error for j in report.jobs]
    assert life.values("/clean") == [1, 2]
    assert life.text("/texts", "all/of them.txt") == "Grüße b 2 rows"
    first = store.view(store.dataset("/clean"))
    facts = read_footers(first.entries, spark_schema(first.schema))
    assert (facts.rows, facts.column("v").low, facts.column("v").high) == (2, 1, 2)
    assert read_columns(first).column("v").to_pylist() == [1, 2]

    # More data, then data that the transform refuses: what was committed stays, what was staged goes.
    life.ingest("/raw", day2=[5])
    assert [job.status.value for job in life.build().jobs] == ["succeeded", "succeeded"]
    assert life.values("/clean") == [1, 2, 5]
    assert life.values("/clean", at=first.end_rid) == [1, 2]
    found = diff(first, store.view(first.dataset), storage, ["k", "v"])
    assert (found.rows, found.keys) == ((2, 3), {"added": 1, "removed": 0, "changed": 0})
    life.ingest("/raw", day3=[999])
    before = storage.listing("")
    assert life.build().jobs[0].status.value == "failed"
    assert storage.listing("") == before
    assert life.values("/clean") == [1, 2, 5]

    # Garbage: a stray folder and unfinished writes; whatever the views need stays.
    for stray in ("_scratch/gone/half", f"{before[0].location.split('/')[0]}/{uuid.uuid4()}/x"):
        temporary = storage.temporary("_scratch/mine")
        temporary.write_bytes(b"stray")
        storage.place(temporary, stray)
    assert len(storage.copies()) == len({g.path for g in find_garbage(store) if g.location is None}) > 0
    said = sorted((g.why, g.bytes) for g in collect(store) if g.location is not None)
    assert said == [("no transaction of that name", 5), ("unfinished writes", 5)]
    assert storage.listing("") == before
    assert find_garbage(store) == verify(store) == ()

    # Damage is found by presence, size and content.
    clean, notes = (store.view(store.dataset(name)).files for name in ("/clean", "/notes"))
    storage.remove(clean[-1].location)
    temporary = storage.temporary("_scratch/mine")
    temporary.write_bytes(b"x" * notes[0].size)
    storage.place(temporary, notes[0].location)
    assert {(d.dataset, d.path, d.problem, d.in_view_of) for d in verify(store)} == {
        ("/clean", clean[-1].path, "missing", ("master",)),
        ("/notes", notes[0].path, "was altered (another checksum)", ("master",)),
    }
    assert [d.problem for d in verify(store, checksums=False)] == ["missing"]
    assert life.build().jobs[0].status.value == "failed"
    life.workspace.close()


@contextlib.contextmanager
def memory() -> Iterator[str]:
    root = f"memory://root{next(_numbers)}"
    yield root
    with contextlib.suppress(FileNotFoundError):
        fsspec.filesystem("memory").rm(root, recursive=True)


@pytest.mark.nightly
def test_a_folder_by_url(tmp_path: Path) -> None:
    live(Life(tmp_path, f"file://{tmp_path}/elsewhere/data"))
    assert (tmp_path / "elsewhere" / "data").is_dir()


@pytest.mark.nightly
def test_an_object_store_in_memory(tmp_path: Path) -> None:
    with memory() as root:
        live(Life(tmp_path, root))


def test_paths_stay_below_a_url(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("x")
    with memory() as root:
        for url in (root, f"file://{tmp_path}/data"):
            folder = tmp_path / url.split(":")[0]
            with Workspace.create(folder, repository=tmp_path, storage={"root": url}) as made:
                store = made.store
                dataset = store.create("/d")
                opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
                for path in ("../out", "/etc/out", "a/../../out", ""):
                    with pytest.raises(PathEscapesRootError, match="leaves"):
                        opened.add(tmp_path / "source", path)
                opened.add(tmp_path / "source", "a b/[x]*?{y}%41::#.csv")
                opened.commit()
                view = store.view(dataset)
                assert [f.path for f in view.files] == ["a b/[x]*?{y}%41::#.csv"]
                assert whole_input(view, store.storage).open("a b/[x]*?{y}%41::#.csv").read() == "x"
                # A Python worker elsewhere has no workspace.
                elsewhere = replace(store.storage, cache="/proc/none/cache")
                port = DatasetWritePort(store.open_transaction(dataset, "master", TransactionType.UPDATE))
                port._files = replace(port._files, storage=elsewhere)
                with port.create("x") as stream:
                    stream.write("from a worker")
                assert port.open("x").read() == "from a worker"
                assert port._transaction is not None
                port._transaction.commit()
                assert verify(store) == ()
    # The last one is a folder: a link planted there leads no write out of it.
    with Workspace.open(tmp_path / "file") as made:
        opened = made.store.open_transaction(dataset, "master", TransactionType.APPEND)
        place = made.store.storage.target(dataset.rid, opened.rid, "sub/file").rsplit("/", 1)[0]
        (tmp_path / "outside").mkdir()
        (tmp_path / "data" / place).parent.mkdir(parents=True)
        (tmp_path / "data" / place).symlink_to(tmp_path / "outside")
        with pytest.raises(PathEscapesRootError):
            opened.add(tmp_path / "source", "sub/file")
        assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"root": "s3://b/../c"}, r"root 's3://b/../c' must be a plain address"),
        ({"root": "simplecache::s3://b"}, "options are for a URL"),
        ({"root": "s3://b?versionId=1"}, "plain address"),
        ({"root": "sftp://me:hidden@host/x"}, r"'sftp://me:\.\.\.@host/x' holds a password"),
        ({"root": 3}, "root must be a folder or a URL, not 3"),
        (
            {"root": "s3://b", "options": {"secret": "hidden"}},
            r'options.secret looks like a secret; write {env = "NAME"}',
        ),
        ({"root": "s3://b", "options": {"client_kwargs": {"aws_session_token": "hidden"}}}, "looks like a secret"),
        ({"root": "s3://b", "options": {"n": [1]}}, "options.n must be a text"),
        ({"root": "data", "options": {"n": 1}}, "options are for a URL; the root 'data' is a local folder"),
        ({"root": "s3://b", "sparkroot": "x"}, "sparkroot is not known"),
    ],
)
def test_a_section_that_cannot_be_meant(section: dict[str, Any], said: str) -> None:
    with pytest.raises(StorageSettingsError, match=said) as caught:
        parse({"options": {"n": 1}, **section} if "simplecache" in str(section) else section, Path("/w"))
    assert "hidden" not in str(caught.value)


def test_secrets_are_looked_up_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"root": "s3://b/p/", "options": {"endpoint_url": "http://x", "secret": {"env": "THE_SECRET"}}}
    settings = parse(document, tmp_path)
    storage = settings.storage(tmp_path / "cache")
    assert isinstance(storage, RemoteStorage)
    assert (settings.root, storage.spark_name("a/b")) == ("s3://b/p", "s3a://b/p/a/b")
    assert settings.options["secret"] == FromEnvironment("THE_SECRET")
    monkeypatch.setenv("THE_SECRET", "hidden")
    assert b"hidden" not in cloudpickle.dumps(storage)
    assert "hidden" not in repr(storage)
    monkeypatch.delenv("THE_SECRET")
    with pytest.raises(StorageSettingsError, match=r"options.secret needs the environment variable THE_SECRET"):
        storage.size("x")


def test_a_section_as_typed_is_the_section_as_read(tmp_path: Path) -> None:
    section = storage_section(
        "s3://b/p",
        "s3a://other/p",
        (
            "endpoint_url=http://h:9000?x=y",
            "anon=true",
            "client_kwargs.region_name=eu",
            "secret=env:SECRET",
            "n=-3",
        ),
    )
    assert section is not None
    assert tomllib.loads(toml.section("storage", section)) == {"storage": section}
    assert parse(section, tmp_path).options == {
        "endpoint_url": "http://h:9000?x=y",
        "anon": True,
        "client_kwargs": {"region_name": "eu"},
        "secret": FromEnvironment("SECRET"),
        "n": -3,
    }
    assert storage_section(None, None, ()) is None
    with pytest.raises(click.BadParameter, match="'endpoint_url' is not NAME=VALUE"):
        storage_section("s3://b", None, ("endpoint_url",))


def test_a_root_without_client_or_with_a_typo_is_refused_and_leaves_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(StorageClientMissingError, match=r"no client for the storage root gs://b .*`pip install gcsfs`"):
        Workspace.create(tmp_path / "w", repository=tmp_path, storage={"root": "gs://b"})
    with pytest.raises(StorageSettingsError, match="scheme that fsspec does not know"):
        Workspace.create(tmp_path / "w", repository=tmp_path, storage={"root": "s4://b"})
    assert not (tmp_path / "w").exists()
    with memory() as root:
        Workspace.create(tmp_path / "w", repository=tmp_path, storage={"root": root}).close()
        with pytest.raises(WorkspaceConfigError, match=r'says otherwise; write \[storage\]\nroot = "memory://other"'):
            Workspace.create(tmp_path / "w", repository=tmp_path, storage={"root": "memory://other"})


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that speaks S3 over HTTP on loopback, with a bucket ``lake``."""
    from moto.server import ThreadedMotoServer

    for name, value in (("ACCESS_KEY_ID", "tester"), ("SECRET_ACCESS_KEY", "hidden"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        fsspec.filesystem("s3", endpoint_url=f"http://{host}:{port}").makedirs("lake", exist_ok=True)
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.mark.nightly
def test_a_real_s3_server(tmp_path: Path, s3: str) -> None:
    life = Life(tmp_path, "s3://lake/some/prefix", options={"endpoint_url": s3})
    # Killed in the middle of a write: the next writer aborts what was left and removes its objects.
    code = (
        "import os, sys; from pathlib import Path; from mirror.datasets import *\n"
        "s = Workspace.open(Path(sys.argv[1])).store; d = s.create('/killed')\n"
        "o = s.open_transaction(d, 'master', TransactionType.APPEND)\n"
        "o.add(Path(sys.argv[1], 'config.toml'), 'left'); os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(life.workspace.path)], check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    assert [f.location.rsplit("/", 1)[-1] for f in life.store.storage.listing("")] == ["left"]
    life.ingest("/killed", whole="text")
    assert [f.location.rsplit("/", 1)[-1] for f in life.store.storage.listing("")] == ["whole.txt"]

    live(life)
    written = (tmp_path / ".mirror" / "config.toml").read_text()
    assert "hidden" not in written
    assert "endpoint_url" in written
    names = fsspec.filesystem("s3", endpoint_url=s3).find("lake")
    assert all(name.startswith("lake/some/prefix/") for name in names)
    with pytest.raises(StorageUnwritableError, match="s3://nothing/x/_scratch"):
        Workspace.create(
            tmp_path / "b", storage={"root": "s3://nothing/x", "options": {"endpoint_url": s3}}, repository=tmp_path
        )


@pytest.mark.nightly
def test_a_server_that_is_gone_is_told(tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    life = Life(tmp_path, "s3://lake/x", options={"endpoint_url": s3})
    life.ingest("/raw", day1=[1])
    storage = life.store.storage
    assert isinstance(storage, RemoteStorage)
    closed = {
        "endpoint_url": "http://127.0.0.1:1",
        "config_kwargs": {"connect_timeout": 1, "retries": {"max_attempts": 0}},
    }
    gone = RemoteStorage(storage.root, storage.spark_root, storage.cache, closed)
    with pytest.raises(StorageUnreachableError, match=r"s3://lake/x refuses or does not answer: .*127\.0\.0\.1:1"):
        gone.listing("")
    life.workspace.close()


@pytest.fixture
def mounted(spark: SparkSession, tmp_path: Path) -> Iterator[str]:
    """A Hadoop URL that is not ``file:`` and names a local folder."""
    settings = spark._jsparkSession.sparkContext().hadoopConfiguration()
    # Hadoop keeps a file system per authority: each test has its own.
    authority = f"lake{next(_numbers)}"
    settings.set(f"fs.viewfs.mounttable.{authority}.link./data", f"file://{tmp_path}/bytes")
    (tmp_path / "bytes").mkdir()
    yield f"viewfs://{authority}/data"
    settings.unset(f"fs.viewfs.mounttable.{authority}.link./data")


@pytest.mark.nightly
@pytest.mark.parametrize("scheme", ["file://", ""])
def test_spark_by_another_name(spark: SparkSession, tmp_path: Path, mounted: str, scheme: str) -> None:
    life = Life(tmp_path / "one", f"{scheme}{tmp_path}/bytes", spark_root=mounted)
    assert isinstance(life.store.storage, RemoteStorage if scheme else LocalStorage)
    store, dataset = life.store, life.store.create("/d")
    frame = spark.createDataFrame(pd.DataFrame({"v": [1, 2, 3], "k": ["a", "b/c", None]}))
    for n, kind in enumerate((TransactionType.SNAPSHOT, TransactionType.APPEND)):
        port = DatasetWritePort(store.open_transaction(dataset, "master", kind), incremental=n > 0)
        port.write_dataframe(frame, WriteOptions(partition_cols=("k",)))

        def note(row: Any, port: DatasetWritePort = port, n: int = n) -> None:
            with port.create(f"notes/_{n}-{row.v}.txt", "w") as stream:
                stream.write(str(row.v))

        frame.foreach(note)
        assert port.dataframe(spark).count() == 3 * (n + 1)
        assert port._transaction is not None
        port._transaction.commit()
    view = store.view(dataset)
    assert (view.rows, len(view.files)) == (6, 12)
    assert view.entries[0].location.startswith(f"{scheme}{tmp_path}/bytes/")
    back = store.read(spark, view)
    assert all(name.startswith(mounted) for name in back.inputFiles())
    assert sorted((r.v, str(r.k)) for r in back.collect()) == sorted([(1, "a"), (2, "b/c"), (3, "None")] * 2)
    # By its logical paths, for code that reads a folder with Spark and for code that reads it without.
    read = whole_input(view, store.storage)
    assert read.directory().startswith(f"{mounted}/_views/")
    assert sorted(r.v for r in spark.read.parquet(read.directory()).collect()) == [1, 1, 2, 2, 3, 3]
    assert len([p for p in Path(read.local_directory()).rglob("*.parquet") if p.is_file()]) == 6
    assert {r["k"] for r in first_rows(view, 10)} == {"a", "b/c", None}
    collect(store)
    assert verify(store) == ()
    assert not list((tmp_path / "bytes" / "_scratch").iterdir())

    other = Workspace.create(
        tmp_path / "two", repository=tmp_path, storage={"root": f"file://{tmp_path}/other", "spark_root": "s4a://x/y"}
    )
    opened = other.store.open_transaction(other.store.create("/d"), "master", TransactionType.SNAPSHOT)
    with pytest.raises(SparkCannotReachError, match=r'Spark cannot reach s4a://x/y/.* scheme "s4a".*docs/cluster\.md'):
        DatasetWritePort(opened).write_dataframe(frame, WriteOptions())
    opened.abort()


@pytest.mark.nightly
def test_doctor_finds_out_whether_spark_and_fsspec_mean_the_same_place(tmp_path: Path) -> None:
    verdicts = []
    for name, spark_root in (("same", None), ("other", f"file://{tmp_path}/elsewhere")):
        folder = tmp_path / name
        life = Life(folder, f"file://{tmp_path}/{name}/data", spark_root=spark_root)
        life.workspace.close()
        command = ["--workspace", str(folder / ".mirror"), "--json", "doctor"]
        code = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
        found = {entry["check"]: entry for entry in json.loads(done.stdout)}
        assert found["Storage"]["seen"] == f"file://{tmp_path}/{name}/data can be written"
        assert (done.returncode == 0) is all(entry["passed"] for entry in found.values())
        assert life.store.storage.listing("_scratch") == []
        verdicts.append((found["Spark storage"]["passed"], found["Spark storage"]["fix"]))
    assert verdicts[0] == (True, "")
    assert not verdicts[1][0]
    assert "must name the same place" in verdicts[1][1]
