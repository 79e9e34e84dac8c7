"""The same pipeline on executors in other processes: a local cluster, and a standalone master with a worker."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyspark
import pytest

from mirror.cli import run
from mirror.java import find_java

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

JOBS = """
from pyspark.sql import functions as F
from transforms.api import Check, Input, Output, transform
from transforms import expectations as E
from cluster_guest.helper import twice

UNIQUE = Check(E.primary_key("v"), "one row per v")

@transform(out=Output("/out", checks=UNIQUE), notes=Output("/notes"), raw=Input("/raw"))
def spread(raw, out, notes):
    double = F.udf(twice, "bigint")
    out.write_dataframe(raw.dataframe().repartition(2).withColumn("w", double("v")))

    def note(row):
        with notes.filesystem().open(f"{row.v}.txt", "w") as stream:
            stream.write(str(twice(row.v)))

    raw.dataframe().foreach(note)
"""

BUILD = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "transforms-python" / "src" / "cluster_guest"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    # Lives in the repository only: executors must find it.
    (package / "helper.py").write_text("def twice(v):\n    return v * 2\n")
    (package / "jobs.py").write_text(JOBS)
    (package / "pipeline.py").write_text(
        "from transforms.api import Pipeline\nfrom cluster_guest import jobs\n"
        "p = Pipeline()\np.discover_transforms(jobs)\n"
    )
    (package.parent / "setup.py").write_text(
        "setup(entry_points={'transforms.pipelines': ['root = cluster_guest.pipeline:p']})"
    )
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"v": range(1, 6)}).to_parquet("raw.parquet")
    assert run(["init"]) == 0
    assert run(["ingest", "/raw", "raw.parquet"]) == 0
    return tmp_path


@contextlib.contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """A master and one worker on loopback, from the pyspark wheel."""
    spark_class = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    source = str(Path.cwd() / "transforms-python" / "src")
    environment = {**os.environ, "JAVA_HOME": str(find_java().home), "SPARK_HOME": str(Path(pyspark.__file__).parent)}
    environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": f"{source}:{os.environ.get('PYTHONPATH', '')}"}
    environment |= {"PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(folder / "work")}
    package = "org.apache.spark.deploy"
    started = []
    with (folder / "master.log").open("w") as log:
        master = [spark_class, f"{package}.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        started.append(subprocess.Popen(master, env=environment, stdout=log, stderr=log))
        try:
            url = None
            while url is None and started[0].poll() is None:
                time.sleep(0.2)
                found = re.search(r"spark://[\w.]+:\d+", (folder / "master.log").read_text())
                url = found[0] if found else None
            assert url is not None, (folder / "master.log").read_text()
            worker = [spark_class, f"{package}.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "1g"]
            started.append(
                subprocess.Popen([*worker, "--webui-port", "0", url], env=environment, stdout=log, stderr=log)
            )
            yield url
        finally:
            for process in started:
                process.terminate()
                process.wait()


def below_a_hadoop_url(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another root for the workspace: fsspec knows it by one URL, Spark by another, which only its settings explain."""
    shutil.rmtree(repo / ".mirror")
    mount = "spark.hadoop.fs.viewfs.mounttable.lake.link./data"
    (repo / "conf").mkdir()
    (repo / "conf" / "spark-defaults.conf").write_text(f"{mount} file://{repo}/bytes\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(repo / "conf"))
    assert run(["init", "--storage", f"file://{repo}/bytes", "--spark-root", "viewfs://lake/data"]) == 0
    assert run(["ingest", "/raw", "raw.parquet"]) == 0


@pytest.mark.parametrize("kind", ["local-cluster", "local-cluster by URL", "standalone"])
def test_a_build_on_executors_in_other_processes(
    repo: Path, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind.endswith("URL"):
        below_a_hadoop_url(repo, monkeypatch)
    with contextlib.ExitStack() as stack:
        master = "local-cluster[2,1,1024]" if kind.startswith("local") else stack.enter_context(standalone(repo))
        command = [sys.executable, "-c", BUILD, "--json", "build", "--master", master]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["jobs"][0]["checks_passed"] == 1
    capsys.readouterr()
    assert run(["--json", "show", "/out"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert sorted((r["v"], r["w"]) for r in shown["sample"]) == [(n, 2 * n) for n in range(1, 6)]
    assert run(["--json", "show", "/notes"]) == 0
    assert [f["path"] for f in json.loads(capsys.readouterr().out)["files"]] == [f"{n}.txt" for n in range(1, 6)]
    assert run(["verify"]) == 0
    assert (repo / "bytes").exists() is kind.endswith("URL")
