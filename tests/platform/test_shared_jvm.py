"""By day the test processes share a JVM, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shared_jvm
from pyspark.sql import SparkSession

HOST = """
from shared_jvm import SharedJvm
from mirror.spark import start_session
jvm = SharedJvm(start_session)
print(jvm.folder, flush=True)
input()
jvm.close()
"""
GUEST = """
import json, sys
from pathlib import Path
from shared_jvm import join
from mirror.spark import start_session
joined = join(Path(sys.argv[1]))
session = start_session()
session.conf.set("spark.sql.shuffle.partitions", sys.argv[2])
session.range(int(sys.argv[2])).createTempView(f"view_{sys.argv[2]}")
print("there", flush=True)
input()
views = [table.name for table in session.catalog.listTables()]
pid = session._jvm.ProcessHandle.current().pid()
partitions = session.conf.get("spark.sql.shuffle.partitions")
rows = session.table(views[0]).groupBy().count().collect()[0][0]
print(json.dumps([joined, pid, partitions, views, rows]), flush=True)
"""


def test_this_process_uses_the_shared_jvm_where_there_is_one(spark: SparkSession, pytestconfig: pytest.Config) -> None:
    shared = "shared_jvm" in getattr(pytestconfig, "workerinput", {})
    started_here = spark.sparkContext._gateway.proc is not None  # type: ignore[union-attr]
    assert started_here is not shared


def test_a_jvm_that_does_not_start_keeps_nobody_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    def start() -> SparkSession:
        raise OSError("no room")

    jvm = shared_jvm.SharedJvm(start)
    assert shared_jvm.join(jvm.folder) is False
    jvm.close()
    assert "it did not start: no room" in capsys.readouterr().err
    assert not jvm.folder.exists()


@pytest.mark.nightly
def test_two_processes_have_one_jvm_and_a_session_each() -> None:
    """And the JVM ends with the process that started it."""
    folders = os.pathsep.join([str(Path(shared_jvm.__file__).parent), os.environ.get("PYTHONPATH", "")])

    def process(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=os.environ | {"PYTHONPATH": folders},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(of: subprocess.Popen[str]) -> str:
        assert of.stdout is not None
        return of.stdout.readline().strip()

    host = process(HOST)
    guests = [process(GUEST, folder, number) for folder in [line(host)] for number in ("3", "5")]
    assert [line(guest) for guest in guests] == ["there", "there"]
    told = [json.loads(guest.communicate("go on\n")[0]) for guest in guests]
    pid = told[0][1]
    assert told == [[True, pid, number, [f"view_{number}"], int(number)] for number in ("3", "5")]
    host.communicate("end\n")
    ended = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < ended
        time.sleep(0.1)


@pytest.mark.nightly
def test_a_run_that_a_test_process_starts_keeps_its_exit_code() -> None:
    """It inherits the variables of a test process, which ends by itself and with no code that anybody reads."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/none.py"]
    inherited = os.environ | {"PYTEST_XDIST_WORKER": "gw0"}
    done = subprocess.run(command, env=inherited, cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
