"""Checks against writing without them, against the same by hand, and against four other libraries; 5 million rows."""

from __future__ import annotations

import hashlib
import itertools
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

    from mirror.checks import CheckResult, CheckSubject, StateUnit
    from mirror.checks.states import KeyUnit

NOW = datetime(2024, 5, 1, tzinfo=UTC)
PEERS = ("pyspark==3.5.9", "pandas==2.2.3", "numpy==1.26.4", "pyarrow==17.0.0", "cuallee==0.15.4")
PEERS += ("pandera[pyspark]==0.24.0", "great-expectations==1.24.1", "databricks-labs-dqx==0.17.0")
NAMES = ("great_expectations", "great_expectations_tuned", "cuallee", "dqx", "pandera")
INCREMENTS = 50
INCREMENT_ROWS = 100_000


def run(bench: Bench) -> Iterator[Figure]:
    spark = bench.spark()
    source = bench.scratch / "telemetry"
    telemetry(spark, 0, ROWS).write.parquet(str(source))
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
    yield bench.compare(
        "observe_against_scan",
        a=lambda: _observed(stored.frame()),
        b=lambda: fused(stored.frame(), key=False),
        rounds=3,
    )
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


def _agree(results: tuple[CheckResult, ...], expected: dict[str, int]) -> None:
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


def _observed(frame: DataFrame) -> None:
    """The fused aggregates riding on a write that keeps nothing."""
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
    frame.observe(Observation(), *wanted).write.format("noop").mode("overwrite").save()


class _Memory:
    """A state store that lives as long as one measurement."""

    def __init__(self) -> None:
        self.kept: list[StateUnit] = []
        self.hashes: list[KeyUnit] = []

    def units(self, dataset: str) -> list[StateUnit]:
        return self.kept

    def keep(self, dataset: str, unit: StateUnit) -> None:
        self.kept.append(unit)

    def key_units(self, dataset: str, way: str) -> list[KeyUnit]:
        return self.hashes

    def keep_keys(self, dataset: str, unit: KeyUnit, current: frozenset[str]) -> None:
        self.hashes.append(unit)


def _increments(spark: SparkSession, bench: Bench, schema: StructType) -> Figure:
    """Checks of the 50th increment against those of the 2nd, each with the states of those before it."""
    folder, store = bench.scratch / "increments", _Memory()
    second: tuple[CheckSubject, list[StateUnit], list[KeyUnit]] | None = None
    for number in range(1, INCREMENTS + 1):
        start = number * INCREMENT_ROWS
        telemetry(spark, start, start + INCREMENT_ROWS).coalesce(1).write.parquet(str(folder / f"{number:03d}"))
        about, before, hashes = subject(spark, folder, schema), list(store.kept), list(store.hashes)
        judge(spark, about, key=True, states=store)
        second = (about, before, hashes) if number == 2 else second
    assert second is not None
    last = (about, before, hashes)

    def again(held: tuple[CheckSubject, list[StateUnit], list[KeyUnit]]) -> Callable[[], None]:
        def once() -> None:
            fresh = _Memory()
            fresh.kept, fresh.hashes = list(held[1]), list(held[2])
            judge(spark, held[0], key=True, states=fresh)

        return once

    return bench.compare("increment_50_against_2", a=again(last), b=again(second), limit=1.2)


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
