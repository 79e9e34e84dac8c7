"""Checks against writing without them, against the same by hand, and against four other libraries; 5 million rows."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import Bench, Figure
from benchmarks._checks_data import ROWS, checks, duckdb_counts, fused, telemetry

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from mirror.checks import CheckResult, CheckSubject
    from mirror.datasets import Workspace

NOW = datetime(2024, 5, 1, tzinfo=UTC)
PEERS = ("pyspark==3.5.9", "pandas==2.2.3", "numpy==1.26.4", "pyarrow==17.0.0", "cuallee==0.15.4")
PEERS += ("pandera[pyspark]==0.24.0", "great-expectations==1.24.1", "databricks-labs-dqx==0.17.0")
NAMES = ("great_expectations", "great_expectations_tuned", "cuallee", "dqx", "pandera")
INCREMENTS = 50
INCREMENT_ROWS = 100_000


def run(bench: Bench) -> Iterator[Figure]:
    spark = bench.spark()
    source = bench.scratch / "telemetry"
    telemetry(spark, 0, int(ROWS * bench.size)).write.parquet(str(source))
    schema = spark.read.parquet(str(source)).schema
    _agree(judge(spark, subject(spark, source, schema), key=True), duckdb_counts(source))
    for name, key, limit in (("write", False, 1.10), ("write_with_key", True, 1.3)):
        yield bench.compare(
            name,
            a=_write(spark, bench, source, schema, key),
            b=_write(spark, bench, source, schema, None),
            limit=limit,
            rounds=3,
        )
    stored = subject(spark, source, schema)
    ours = lambda: judge(spark, stored, key=True)  # noqa: E731 - one side of every comparison below
    yield bench.compare("standalone", a=ours, b=lambda: fused(stored.frame(), key=True), limit=0.5, rounds=3)
    # the rule of mirror.checks.explanation: no observation, whatever the checks
    yield bench.compare(
        "scan_against_observe",
        a=_write(spark, bench, source, schema, False),
        b=_observed_write(spark, bench, source, schema),
        limit=1.0,
        rounds=3,
    )
    yield _driver_memory(spark, bench)
    yield _increments(spark, bench, schema)
    python = _peer_environment(bench)
    for name in NAMES:
        with _Peer(python, name, source) as peer:
            yield bench.compare(f"against_{name}", a=ours, b=peer.judge, limit=0.5, rounds=2)


def subject(spark: SparkSession, folder: Path, schema: StructType) -> CheckSubject:
    """The Parquet files of a folder as builds hand them to the checks."""
    from mirror.checks import CheckSubject
    from transforms.ports import FileEntry

    files = [FileEntry(f.name, f.stat().st_size, 0, str(f)) for f in sorted(folder.rglob("*.parquet"))]

    def read(some: Sequence[FileEntry]) -> DataFrame:
        return spark.read.schema(schema).parquet(*[f.location for f in some])

    return CheckSubject("/bench/telemetry", schema, lambda: read(files), files, part=read)


def judge(spark: SparkSession, about: CheckSubject, *, key: bool, states: Any = None) -> tuple[CheckResult, ...]:
    """All verdicts; anything but PASS would measure the wrong thing."""
    from mirror.checks import evaluate

    results = evaluate(checks(key=key), about, spark=spark, now=NOW, states=states)
    assert {r.outcome for r in results} == {"PASS"}, [r.detail for r in results if r.outcome != "PASS"]
    return results


def _agree(results: tuple[CheckResult, ...], expected: dict[str, float]) -> None:
    measured = {key: value for result in results for key, value in result.measured.items()}
    assert {key: measured[key] for key in expected} == expected


def _write(spark: SparkSession, bench: Bench, source: Path, schema: StructType, key: bool | None) -> Callable[[], None]:
    turns = itertools.count()

    def write() -> None:
        target = bench.scratch / "written" / f"{key}-{next(turns)}"
        spark.read.schema(schema).parquet(str(source)).write.parquet(str(target))
        if key is not None:
            judge(spark, subject(spark, target, schema), key=key)
        shutil.rmtree(target)

    return write


def _observed_write(spark: SparkSession, bench: Bench, source: Path, schema: StructType) -> Callable[[], None]:
    turns = itertools.count()

    def write() -> None:
        target = bench.scratch / "written" / f"observed-{next(turns)}"
        _observed(spark.read.schema(schema).parquet(str(source))).write.parquet(str(target))
        shutil.rmtree(target)

    return write


def _observed(frame: DataFrame) -> DataFrame:
    """The same checks as aggregates that ride on whatever is done with the frame."""
    from pyspark.sql import Observation
    from pyspark.sql import functions as F

    from benchmarks._checks_data import DEVICE, HIGH, LOW, NULL_SHARES, PRESENT, SENSORS, STATES

    def offending(name: str, passes: Any) -> Any:
        return F.count(F.when(~passes, 1)).alias(name)

    wanted = [F.count(F.lit(1)).alias("rows")]
    wanted += [F.count(F.when(F.col(n).isNull(), 1)).alias(f"p{n}") for n in PRESENT]
    wanted += [offending(f"r{n}", F.coalesce(F.col(n).between(LOW, HIGH), F.lit(True))) for n in SENSORS]
    wanted.append(offending("in", F.coalesce(F.col("status").isin(*STATES), F.lit(False))))
    wanted.append(offending("like", F.coalesce(F.col("device_id").rlike(DEVICE), F.lit(True))))
    wanted += [F.count(F.when(F.col(n).isNull(), 1)).alias(f"n{n}") for n in NULL_SHARES]
    return frame.observe(Observation(), *wanted)


def _increments(spark: SparkSession, bench: Bench, schema: StructType) -> Figure:
    """Checks of the 50th increment against those of the 2nd, each with the catalog as it was before it."""
    from mirror.checks.state_tables import CatalogStates
    from mirror.datasets import Workspace

    folder, home, rows = bench.scratch / "increments", bench.scratch / "workspace", int(INCREMENT_ROWS * bench.size)
    held: dict[int, CheckSubject] = {}
    Workspace.create(home).close()
    for number in range(1, INCREMENTS + 1):
        start = number * rows
        telemetry(spark, start, start + rows).coalesce(1).write.parquet(str(folder / f"{number:03d}"))
        about = subject(spark, folder, schema)
        if number in (2, INCREMENTS):
            held[number] = about
            shutil.copytree(home, bench.scratch / f"before-{number}")
        with Workspace.open(home) as workspace:
            judge(spark, about, key=True, states=CatalogStates(workspace.catalog))
    opened: dict[int, Workspace] = {}

    def setup(turn: int) -> None:
        for number in held:
            if number in opened:
                opened[number].close()
            copy = bench.scratch / f"turn-{turn}-{number}"
            shutil.copytree(bench.scratch / f"before-{number}", copy)
            opened[number] = Workspace.open(copy)
        # or the first commit would wait for the copies to reach the disk
        os.sync()

    def again(number: int) -> Callable[[], object]:
        return lambda: judge(spark, held[number], key=True, states=CatalogStates(opened[number].catalog))

    return bench.compare("increment_50_against_2", a=again(INCREMENTS), b=again(2), setup=setup, limit=1.2)


def _driver_memory(spark: SparkSession, bench: Bench) -> Figure:
    """The driver's peak with ten times the rows, all checks but the key; ``key_hashes`` states what a key takes."""
    peaks: dict[str, float] = {}
    for name, share in (("whole", 1.0), ("tenth", 0.1)):
        folder = bench.scratch / f"memory-{name}"
        telemetry(spark, 0, int(ROWS * bench.size * share)).write.parquet(str(folder))
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("_checks_memory.py")), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        peaks[name] = json.loads(done.stdout.strip().splitlines()[-1])["peak_bytes"]
        shutil.rmtree(folder)
    return bench.share("driver_memory_at_ten_times_the_rows", [peaks["whole"]], [peaks["tenth"]], limit=1.1)


def _peer_environment(bench: Bench) -> Path:
    """An interpreter with the peers; made once per set of pins, beside ours, which it borrows Spark from."""
    key = hashlib.sha256(" ".join(PEERS).encode()).hexdigest()[:12]
    home = Path(sys.prefix) / f"bench-peers-{key}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        bench.say("checks: installing the peers, once")
        venv.create(home, with_pip=True, clear=True)
        borrowed = f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (home / "lib" / version / "site-packages" / "zz_borrowed.pth").write_text(borrowed)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        (home / "complete").touch()
    return python


class _Peer:
    """One library in a process of its own, its session started before anything is measured."""

    def __init__(self, python: Path, name: str, folder: Path) -> None:
        self._command = [str(python), str(Path(__file__).with_name("_checks_peers.py")), name, str(folder)]

    def __enter__(self) -> _Peer:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._expect("ready")
        return self

    def judge(self) -> None:
        """Has the library judge the dataset once."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self._expect("done")

    def _expect(self, answer: str) -> None:
        assert self._process.stdout is not None
        found = self._process.stdout.readline().strip()
        if found != answer:
            raise RuntimeError(
                f"{self._command[2]} said {found!r} instead of {answer!r}; run {self._command} to see why"
            )

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
