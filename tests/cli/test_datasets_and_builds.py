"""The commands as a person types them: text, exit codes, and what is not started for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.cli import run
from mirror.datasets import Workspace

JOBS = """
import logging
from transforms.api import Check, Input, Output, transform_df
from transforms import expectations as E

@transform_df(Output("/Fleet/clean", checks=Check(E.col("v").non_null(), "v is there")), raw=Input("/Fleet/raw"))
def clean(raw):
    logging.getLogger("fleet.jobs").info("keeps what is above %d [%s]", 0, raw.columns)
    logging.getLogger("fleet.jobs").debug("not kept")
    logging.getLogger("py4j.x").info("not kept")
    return raw.filter("v > 0")

@transform_df(Output("/Fleet/late"), raw=Input("/Fleet/never"))
def late(raw):
    return raw
"""

HEALTH = """
checks:
  - name: three
    type: rowCount
    dataset: /Fleet/clean
    owner: o
    subscribers: [{who: Ada}]
    bounds: {lowerBound: 3, severity: CRITICAL, reason: r}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> Path:
    """A repository in the working directory, initialised."""
    source = tmp_path / "transforms-python" / "src"
    name = f"cli_{tmp_path.name.replace('-', '_')}"
    (source / name / "profiles").mkdir(parents=True)
    (source / name / "__init__.py").write_text("")
    (source / name / "jobs.py").write_text(JOBS)
    (source / name / "pipeline.py").write_text(
        f"from transforms.api import Pipeline\nfrom {name} import jobs\np = Pipeline()\np.discover_transforms(jobs)\n"
    )
    (source / "setup.py").write_text(f"setup(entry_points={{'transforms.pipelines': ['root = {name}.pipeline:p']}})\n")
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    pd.DataFrame({"v": [1, -1, 2]}).to_parquet("raw.parquet")
    return tmp_path


def test_from_init_to_a_second_build(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    assert "already initialised" in capsys.readouterr().out
    assert run(["ingest", "/Fleet/raw", "raw.parquet"]) == 0
    assert "/Fleet/raw on master (new dataset): 1 file(s) added, 3 rows" in capsys.readouterr().out
    assert run(["ingest", "raw", "raw.parquet"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert run(["build", "--dry-run"]) == 0
    planned = capsys.readouterr().out
    assert "1 of 2 jobs run" in planned
    assert "snapshot: the transform is not incremental" in planned
    assert "input /Fleet/never was never ingested" in planned
    (repo / "health" / "checks").mkdir(parents=True)
    (repo / "health" / "checks" / "clean.yaml").write_text(HEALTH)
    assert run(["build"]) == 0
    built = capsys.readouterr()
    assert "health FAILED CRITICAL /Fleet/clean: three: rows: 2 is below 3 (CRITICAL: r); told: Ada" in built.out
    row = next(line for line in built.out.splitlines() if line.strip().startswith("/Fleet/clean"))
    assert row.split()[:3] == ["/Fleet/clean", "master", "2"]
    assert row.split()[4] == "1/0"
    assert "waiting: input /Fleet/never was never ingested" in built.out
    assert "run   clean: /Fleet/clean was never built on master" in built.err
    assert re.search(
        r"^INFO \[\d{4}-\d\d-\d\dT[\d:]{8}\] fleet.jobs: keeps what is above 0 \[\['v'\]\]$", built.err, re.M
    )
    assert "not kept" not in built.err
    assert run(["--json", "build"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["status"], again["health"]) == ("up to date", [])
    assert again["jobs"][0]["reason"] == "up to date"
    assert run(["show", "clean", "--rows", "1"]) == 0
    shown = capsys.readouterr().out
    assert "2 rows, 1 file(s)" in shown or "2 rows, 2 file(s)" in shown
    assert "v: long" in shown
    assert run(["--json", "history", "clean"]) == 0
    assert [x["rows"] for x in json.loads(capsys.readouterr().out)["transactions"]] == [2]
    assert run(["--json", "show", "raw", "--at", "2001-01-01"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []
    assert run(["lineage", "clean"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "/Fleet/raw  (from outside)", "/Fleet/clean  <- clean", "    reads /Fleet/raw",
    ]  # fmt: skip
    assert run(["--json", "preview", "clean", "--rows", "1"]) == 0
    previewed = capsys.readouterr()
    assert json.loads(previewed.out)["outputs"][0]["columns"] == {"v": "bigint"}
    (logged,) = [json.loads(line) for line in previewed.err.splitlines() if '"log"' in line]
    assert (logged["level"], logged["logger"], logged["message"]) == (
        "INFO", "fleet.jobs", "keeps what is above 0 [['v']]",
    )  # fmt: skip


WITHOUT_SPARK = """
import sys
from mirror.cli import run
codes = [run(args.split()) for args in {commands!r}]
heavy = sorted(m for m in ("pyspark", "py4j", "pandas", "transforms.api") if m in sys.modules)
print("codes", codes, "imported", heavy, file=sys.stderr)
"""


@pytest.mark.nightly
def test_no_spark_where_none_is_needed(repo: Path) -> None:
    assert run(["ingest", "/Fleet/raw", "raw.parquet"]) == 0
    assert run(["build"]) == 0
    commands = ["ingest raw raw.parquet", "datasets", "history raw", "show raw", "show clean", "lineage", "build"]
    code = WITHOUT_SPARK.format(commands=commands)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last == "codes [0, 0, 0, 0, 0, 0, 0] imported []", done.stderr


def test_refusals_name_the_way_out_and_exit_2(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("torn.parquet").write_bytes(b"PAR1 and then nothing")
    assert run(["ingest", "/Fleet/raw", "raw.parquet"]) == 0
    for command, told in (
        (["show", "row"], "Did you mean '/Fleet/raw'"),
        (["history", "raw", "--branch", "mastr"], "Did you mean 'master'"),
        (["ingest", "/Fleet/raw", "torn.parquet"], "torn.parquet: it is no readable Parquet file"),
        (["ingest", "/Fleet/raw", "missing.csv"], "missing.csv: there is no such file"),
        (["ingest", "--infer-schema", "/Fleet/raw", "/dev/null"], "/dev/null: it is a folder without files, or no reg"),
        (["build", "/Fleet/claen"], "Did you mean '/Fleet/clean'"),
        (["build", "late"], "'late' cannot be built yet: input /Fleet/never was never ingested"),
        (["preview", "clan"], "Did you mean 'clean'"),
        (["lineage", "/Fleet/rew"], "Did you mean '/Fleet/raw'"),
        (["--workspace", "elsewhere", "datasets"], "create one with `mirror init`"),
    ):
        capsys.readouterr()
        assert run(command) == 2, command
        assert told in capsys.readouterr().err
    with Workspace.open(repo / ".mirror") as workspace:
        assert [len(workspace.store.history(d)) for d in workspace.store.datasets()] == [1]
        with workspace.lock("master"):
            assert run(["build"]) == 2
    said = capsys.readouterr().err
    assert f"runs as process {os.getpid()} since" in said


def test_names_with_brackets_are_printed_whole(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "/Fleet/[v1] raw & co: {a}"
    for command in (
        ["ingest", name, "raw.parquet"],
        ["branches", "create", name, "side", "--from", "master"],
        ["branches", "list", name],
        ["branches", "delete", name, "side"],
        ["datasets"],
        ["history", name],
        ["show", name],
    ):
        capsys.readouterr()
        assert run(command) == 0, command
        assert name in capsys.readouterr().out, command


def test_show_takes_the_name_of_a_transform(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = next(repo.glob("transforms-python/src/*/jobs.py"))
    jobs.write_text(JOBS.replace("def clean(", "def tidy(").replace("def late(", "def tidier("))
    assert run(["show", "tidy"]) == 0
    out = capsys.readouterr().out
    assert "made by tidy" in out
    assert "check v is there" in out
    assert "holds nothing" not in out
    assert run(["ingest", "/Fleet/clean", "raw.parquet"]) == 0
    assert run(["--json", "show", "tidy"]) == 0
    assert '"rows": 3' in capsys.readouterr().out
    jobs.write_text(JOBS.replace("def clean(", "def late("))
    assert run(["show", "late"]) == 0  # the end of a path comes before the name of a transform
    assert "output output (dataset_output): /Fleet/late" in capsys.readouterr().out


@pytest.mark.nightly
def test_a_refusing_check_exits_1_and_commits_nothing(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = next(repo.glob("transforms-python/src/*/jobs.py"))
    jobs.write_text(JOBS.replace('E.col("v").non_null()', 'E.col("v").gt(1)').replace("/clean", "/[v1] clean"))
    assert run(["ingest", "/Fleet/raw", "raw.parquet"]) == 0
    assert run(["build"]) == 1
    out = capsys.readouterr().out
    assert "FAIL /Fleet/[v1] clean: v is there: FAIL" in out
    assert re.search(r"^ /Fleet/\[v1\] clean  master ", out, re.M)
    assert "build of master: failed" in out
    assert run(["--json", "show", "[v1] clean"]) == 0
    assert json.loads(capsys.readouterr().out)["transaction"] is None


def test_profiles_are_copied_once(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("profile: boats\nsource: {dataset: /Fleet/boats/landing, header: [{name: t}]}\n")
    assert run(["init", "--profile", "mine.yaml"]) == 0
    target = next(repo.glob("transforms-python/src/*/profiles")) / "boats.yaml"
    assert target.read_text() == Path("mine.yaml").read_text()
    assert run(["init", "--profile", "mine.yaml"]) == 0
    Path("x.csv").write_text("nope\n")
    assert run(["ingest", "boats/landing", "x.csv"]) == 2
    assert "column 't' ('t') is missing" in capsys.readouterr().err
    Path("mine.yaml").write_text("profile: boats\n")
    assert run(["init", "--profile", "mine.yaml"]) == 2
    assert "another profile 'boats'" in capsys.readouterr().err
    Path("mine.yaml").write_text("profile: ../../escape\n")
    assert run(["init", "--profile", "mine.yaml"]) == 2
    Path("mine.yaml").write_text("a: [\n")
    assert run(["init", "--profile", "mine.yaml"]) == 2
    assert "mine.yaml, line 2" in capsys.readouterr().err


REFUSING = """
def load_profile(path):
    text = path.read_text()
    if "kW" in text:
        raise ValueError(f"{path}, line 2: unit 'kW' is unknown. Did you mean 'W'?")
"""


def test_a_profile_that_its_own_loader_refuses_is_not_copied(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next(repo.glob("transforms-python/src/*/profiles"))
    (folder / "__init__.py").write_text("")
    (folder / "loader.py").write_text(REFUSING)
    Path("mine.yaml").write_text("profile: boats\nunit: kW\n")
    assert run(["init", "--profile", "mine.yaml"]) == 2
    assert "mine.yaml, line 2: unit 'kW' is unknown. Did you mean 'W'? The profile was not copied." in (
        capsys.readouterr().err.replace("\n", " ")
    )
    assert not (folder / "boats.yaml").exists()
    Path("mine.yaml").write_text("profile: boats\nunit: W\n")
    assert run(["init", "--profile", "mine.yaml"]) == 0
    assert (folder / "boats.yaml").read_text() == Path("mine.yaml").read_text()
    (folder / "loader.py").write_text("1 / 0\n")
    assert run(["init", "--profile", "mine.yaml"]) == 2
    assert "loader.py:1" in capsys.readouterr().err


FULL_DISK = """
set -e
mount -t tmpfs -o size=2m tmpfs {mount}
cd {mount}
{python} -m mirror.cli_entry init --repo {repo} >/dev/null
{python} -m mirror.cli_entry ingest /small {repo}/small.bin >/dev/null
{python} -m mirror.cli_entry ingest /big {repo}/big.bin && exit 90 || test $? -eq 2
{python} -m mirror.cli_entry --json datasets
mount -o remount,ro tmpfs {mount}
{python} -m mirror.cli_entry ingest /other {repo}/small.bin && exit 91 || test $? -eq 2
{python} -m mirror.cli_entry --json datasets
"""


@pytest.mark.nightly
def test_full_disk_and_read_only_root(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (util-linux) to mount a small file system")
    probe = ["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs user namespaces (kernel.unprivileged_userns_clone=1) to mount a small file system")
    (tmp_path / "small.bin").write_bytes(b"s" * 1000)
    (tmp_path / "big.bin").write_bytes(os.urandom(4 << 20))
    (tmp_path / "mount").mkdir()
    run_it = f"{sys.executable} -c 'import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))'"
    script = textwrap.dedent(FULL_DISK).replace("{python} -m mirror.cli_entry", run_it)
    script = script.format(mount=tmp_path / "mount", repo=tmp_path)
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stderr
    assert "the catalog is as it was" in done.stderr
    assert "readonly" in done.stderr or "Read-only" in done.stderr
    for line in done.stdout.strip().splitlines():
        assert [(d["dataset"], d.get("files", 0)) for d in json.loads(line) if d.get("files")] == [("/small", 1)]
    assert len(done.stdout.strip().splitlines()) == 2


@pytest.mark.nightly
def test_diff_takes_the_key_from_the_outputs_checks(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = next(repo.glob("transforms-python/src/*/jobs.py"))
    jobs.write_text(JOBS.replace('E.col("v").non_null()', 'E.primary_key("v")'))
    assert run(["ingest", "/Fleet/raw", "raw.parquet"]) == 0
    assert run(["build"]) == 0
    jobs.write_text(jobs.read_text().replace("v > 0", "v > 1"))
    assert run(["build", "--branch", "feature", "--fallback", "master"]) == 0
    capsys.readouterr()
    assert run(["diff", "clean", "--to", "feature"]) == 0
    out = capsys.readouterr().out
    assert "rows 2 -> 1" in out
    assert "by (v): 0 added, 1 removed, 0 changed" in out
    assert run(["diff", "clean", "--to", "featur"]) == 2
    assert "Did you mean 'feature'" in capsys.readouterr().err
