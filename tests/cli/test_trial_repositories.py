"""Two repositories in the style of public ones, from ``mirror init`` to a built result."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.cli import run

RID = "ri.foundry.main.dataset.7f3c"
SPACED = "/UNITE/Site 1 & 2: [raw] {a}/person"

LOOPS = {
    "transform-python/build.gradle": "apply plugin: 'com.palantir.transforms.lang.python'\n",
    "transform-python/src/setup.py": """
        import os
        from setuptools import find_packages, setup
        setup(name=os.environ['PKG_NAME'], version=os.environ['PKG_VERSION'], packages=find_packages(),
              entry_points={'transforms.pipelines': ['root = pedsnet_trial.pipeline:my_pipeline']})
    """,
    "transform-python/src/pedsnet_trial/__init__.py": "",
    "transform-python/src/pedsnet_trial/pipeline.py": """
        from transforms.api import Pipeline
        from pedsnet_trial import datasets
        my_pipeline = Pipeline()
        my_pipeline.discover_transforms(datasets)
    """,
    "transform-python/src/pedsnet_trial/anchor.py": 'path = "/UNITE/staging/"\n',
    "transform-python/src/pedsnet_trial/datasets/__init__.py": "",
    "transform-python/src/pedsnet_trial/datasets/2-all-domains.py": f"""
        from datetime import timedelta
        from transforms.api import Check, Input, Output, configure, transform, transform_df
        from transforms import expectations as E
        from pedsnet_trial.anchor import path

        def make(domain):
            @configure(profile=["DRIVER_MEMORY_LARGE"], allowed_run_duration=timedelta(hours=2))
            @transform(out=Output(path + domain),
                       person=Input("{RID}", checks=Check(E.primary_key("person_id"), "one row per person")))
            def compute(ctx, out, **kwargs):
                out.write_dataframe(kwargs["person"].dataframe().filter(f"domain = '{{domain}}'"))
            compute.__name__ = "clean_" + domain
            return compute

        transforms = (make(domain) for domain in ("visit", "drug"))

        @transform_df(Output(path + "all"), visit=Input(path + "visit"), drug=Input("ri.foundry.main.dataset.drug"),
                      other=Input("{SPACED}"))
        def everything(ctx, visit, drug, other):
            return visit.unionByName(drug).join(other.select("person_id"), "person_id")
    """,
    "transform-python/src/pedsnet_trial/datasets/broken.py": "import a_package_nobody_has\n",
    "transform-python/src/pedsnet_trial/datasets/unfit.py": """
        from transforms.api import Input, Output, transform_df

        @transform_df(Output("/UNITE/unfit"), source=Input("/UNITE/never"))
        def unfit(data):
            return data
    """,
    "transforms-shrinkwrap.yml": f"""
        mappings:
        - alias: "{SPACED}"
          modes: ["READ"]
          rid: "{RID}"
        - alias: "person_local"
          rid: "{RID}"
        <<<<<<< HEAD
        - alias: "/UNITE/staging/drug"
          rid: "ri.foundry.main.dataset.drug"
        =======
        >>>>>>> master
    """,
}

FILES = {
    "transforms-python/src/setup.py": "from setuptools import setup\nsetup()\n",
    "transforms-python/src/myproject_trial/__init__.py": "",
    "transforms-python/src/myproject_trial/pipeline.py": """
        from transforms.api import Pipeline
        from myproject_trial import datasets
        everything = Pipeline()
        everything.discover_transforms(datasets)
    """,
    "transforms-python/src/myproject_trial/datasets/__init__.py": "",
    "transforms-python/src/myproject_trial/datasets/parsed.py": """
        import csv
        from transforms.api import Input, Output, transform
        from transforms.external.systems import Source, external_systems
        from pyspark.sql import Row

        def rows_of(text):
            return [Row(name=name, size=int(size)) for name, size in csv.reader(text)]

        @transform(parsed=Output("/Trial/parsed"), raw=Input("/Trial/raw files"))
        def compute(ctx, parsed, raw):
            filesystem = raw.filesystem()
            def parse(status):
                with filesystem.open(status.path) as stream:
                    return rows_of(stream)
            found = filesystem.files("**/*.csv").rdd.flatMap(parse)
            parsed.write_dataframe(ctx.spark_session.createDataFrame(found, "name string, size long"))

        @external_systems(api=Source("ri.magritte..source.1"))
        @transform(called=Output("/Trial/called"), parsed=Input("/Trial/parsed"))
        def call(ctx, called, parsed, api):
            frame = parsed.dataframe()
            called.write_dataframe(frame.selectExpr(
                "sum(size) as total", f"'{api.get_https_connection().url}' as url",
                f"{len(api.get_secret('token'))} as secret_length"))
    """,
    "transforms-python/src/test/test_parsed.py": """
        from myproject_trial.datasets.parsed import call, rows_of

        def test_rows(spark_session):
            assert spark_session.createDataFrame(rows_of(["a,1", "b,2"])).count() == 2
    """,
    "reports/src/setup.py": "setup(entry_points={'transforms.pipelines': ['root = reports.pipeline:p']})\n",
}

MESSY = {
    "python/setup.py": """
        import os
        from setuptools import find_packages, setup
        ENTRY = {'transforms.pipelines': ['root = messy_trial.pipeline:everything']}
        setup(name=os.environ['PKG_NAME'], packages=find_packages(), entry_points=ENTRY)
    """,
    "python/messy_trial/__init__.py": b"\xef\xbb\xbf# a byte order mark\n",
    "python/messy_trial/pipeline.py": b"from transforms.api import Pipeline\r\nfrom . import steps\r\n\r\n"
    b"everything = Pipeline()\r\neverything.discover_transforms(steps)\r\n",
    "python/messy_trial/steps/__init__.py": "from . import parsing\n",
    "python/messy_trial/steps/parsing/__init__.py": "",
    "python/messy_trial/steps/parsing/codes.csv": "a,Alpha\nb,Beta\n",
    "python/messy_trial/steps/parsing/shared.py": """
        import csv, os, sys
        sys.path.append(os.path.dirname(os.path.abspath(__file__)))
        import legacy_trial_names
        from importlib import resources
        import utils, checks
        from utils.text import shout

        def codes():
            return dict(csv.reader((resources.files(__package__) / 'codes.csv').read_text().splitlines()))
    """,
    "python/messy_trial/steps/parsing/legacy_trial_names.py": b"# -*- coding: latin-1 -*-\nSTREET = u'stra\xdfe'\n",
    "python/messy_trial/steps/parsing/1-clean.py": """
        from transforms.api import Input, Output, configure, transform, transform_df
        from pyspark.sql import SparkSession, functions as F
        from ..parsing.shared import checks, codes, legacy_trial_names, shout

        @configure(profile=['LEGACY_TIME_PARSER_POLICY'])
        @transform_df(Output('/Messy/clean', checks=checks.NOT_EMPTY), raw=Input('/Messy/raw'))
        def my_compute_function(raw):
            raw.createOrReplaceTempView('raw_view')
            spark = SparkSession.builder.getOrCreate()
            found = spark.sql("select code, to_date('2020-1-5 x', 'yyyy-MM-dd') as day from raw_view")
            loud = F.udf(shout, 'string')
            return found.withColumn('name', loud(F.lit(codes()['a']))).withColumn(
                'street', F.lit(legacy_trial_names.STREET))

        @transform(written=Output('/Messy/written'), raw=Input('/Messy/raw'))
        def write_with_spark(raw, written):
            raw.dataframe().coalesce(1).write.csv(written.filesystem().hadoop_path + '/as csv', header=True)
    """,
    "python/messy_trial/steps/parsing/2 last (v2).py": """
        import importlib
        from transforms.api import Input, Output, transform_df
        first = importlib.import_module('messy_trial.steps.parsing.1-clean')
        made = [first.my_compute_function]

        def generate():
            for n in range(2):
                @transform_df(Output('/Messy/last %d' % n), clean=Input('/Messy/clean'))
                def my_compute_function(clean, n=n):
                    return clean.limit(n)
                yield my_compute_function
        transforms = list(generate())
    """,
    "python/utils/__init__.py": "from .text import *\n",
    "python/utils/text.py": """
        def shout(text):
            from utils import text as again  # on the worker too
            return again.__name__ + ': ' + text.upper()
    """,
    "python/checks.py": """
        from transforms import expectations as E
        from transforms.api import Check
        NOT_EMPTY = [Check(E.count().gt(0), 'not empty')]
    """,
}


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """The repository's files, texts dedented."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode())


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spark: SparkSession
) -> object:
    """Runs a command in an empty folder with ``--json`` and gives its document."""
    monkeypatch.chdir(tmp_path)

    def tell(*words: str, code: int = 0) -> dict[str, object]:
        capsys.readouterr()
        assert run(["--json", *words]) == code
        return json.loads(capsys.readouterr().out)

    return tell


@pytest.mark.nightly
def test_loops_rids_and_a_broken_module(tmp_path, told, capsys) -> None:
    write(tmp_path / "repo", LOOPS)
    found = told("init", "--repo", "repo")["inspection"]
    assert [(t["name"], t["inputs"], t["outputs"]) for t in found["transforms"]] == [
        ("clean_visit", [SPACED], ["/UNITE/staging/visit"]),
        ("clean_drug", [SPACED], ["/UNITE/staging/drug"]),
        ("everything", ["/UNITE/staging/visit", "/UNITE/staging/drug", SPACED], ["/UNITE/staging/all"]),
        ("unfit", ["/UNITE/never"], ["/UNITE/unfit"]),
    ]
    assert found["transforms"][0]["recorded"]["profile"] == "('DRIVER_MEMORY_LARGE',)"
    person, never = found["unresolved"]
    assert person["spellings"] == [RID, "person_local"]
    assert person["command"] == f"mirror ingest '{SPACED}' FILE..."
    assert person["used_by"] == ["clean_visit", "clean_drug", "everything"]
    assert never["path"] == "/UNITE/never"
    (broken,) = found["broken"]
    assert broken["module"] == "pedsnet_trial.datasets.broken"
    assert broken["place"].endswith("datasets/broken.py:1")
    assert "a_package_nobody_has" in broken["problem"]
    (reason,) = [t["blocked"] for t in found["transforms"] if t["blocked"]]
    assert "source" in reason[0]
    assert "data" in reason[0]

    # A build is as strict as Foundry's CI: it names the module, and runs once that is mended.
    assert run(["build"]) == 2
    assert "broken.py:1" in capsys.readouterr().err
    (tmp_path / "repo/transform-python/src/pedsnet_trial/datasets/broken.py").write_text("")
    never_built = told("show", "staging/drug")
    assert (never_built["dataset"], never_built["transform"]["name"]) == (None, "clean_drug")
    assert told("ingest", "/drug", "repo/transforms-shrinkwrap.yml")["dataset"] == "/drug"
    assert told("show", "/drug")["transform"] is None
    pd.DataFrame({"person_id": [1, 2, 3], "domain": ["visit", "drug", "none"]}).to_parquet("person.parquet")
    assert told("ingest", "person_local", "person.parquet")["dataset"] == SPACED
    built = {job["transform"]: job["status"] for job in told("build")["jobs"]}
    assert built == {**dict.fromkeys(("clean_visit", "clean_drug", "everything"), "succeeded"), "unfit": "waiting"}
    shown = told("show", "/UNITE/staging/all")
    assert {row["person_id"]: row["domain"] for row in shown["sample"]} == {1: "visit", 2: "drug"}
    assert told("show", RID)["spellings"] == [RID, "person_local"]
    assert run(["show", "staging/drug"]) == 0
    text = capsys.readouterr().out
    assert "made by clean_drug (pedsnet_trial/datasets/2-all-domains.py:" in text
    assert "profile = ('DRIVER_MEMORY_LARGE',)" in text
    assert "allowed_run_duration = 2:00:00" in text
    assert "check one row per person (FAIL)" in text
    assert told("init", "--repo", "repo")["inspection"]["unresolved"] == [never]


@pytest.mark.nightly
def test_files_sources_and_the_authors_tests(tmp_path, told, capsys, monkeypatch) -> None:
    write(tmp_path, FILES)
    (tmp_path / "raw").mkdir()
    for name, text in {"a": "x,1\ny,2\n", "b": "z,39\n"}.items():
        Path(f"raw/{name}.csv").write_text(text)
    first = told("init")["inspection"]
    assert (first["entry"], first["others"]) == ("myproject_trial.pipeline:everything", ["reports/src"])
    assert first["declared_in"].endswith("myproject_trial/pipeline.py")
    (blocked,) = [t for t in first["transforms"] if t["blocked"]]
    assert blocked["name"] == "call"
    assert "[sources] file" in blocked["blocked"][0]

    token = tmp_path / "token"
    token.write_text("s3cret-value\n")
    description = {"url": "https://api.example.org", "secrets": {"token": {"file": str(token)}}}
    Path("sources.yml").write_text(json.dumps({"ri.magritte..source.1": description}))
    told("--workspace", "other", "init", "--sources", "sources.yml")
    assert told("--workspace", "other", "init")["inspection"]["transforms"][1]["blocked"] == []
    told("--workspace", "other", "ingest", "/Trial/raw files", "raw/a.csv", "raw/b.csv")
    told("--workspace", "other", "build")
    shown = told("--workspace", "other", "show", "/Trial/called")
    assert shown["sample"] == [{"total": 42, "url": "https://api.example.org", "secret_length": 12}]
    assert shown["transform"]["recorded"]["external_systems"] == "('api',)"
    assert "s3cret" not in json.dumps(shown)
    assert all(b"s3cret" not in f.read_bytes() for f in Path("other").rglob("*") if f.is_file())

    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    authors = str(tmp_path / "transforms-python/src/test")
    assert pytest.main([authors, "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]) == 0
    assert "1 passed" in capsys.readouterr().out


def test_a_messy_repository_is_discovered_whole(tmp_path, told) -> None:
    write(tmp_path / "repo", MESSY)
    found = told("init", "--repo", "repo")["inspection"]
    assert found["broken"] == []
    assert [(t["source"].rpartition("/")[2].split(":")[0], t["outputs"]) for t in found["transforms"]] == [
        ("1-clean.py", ["/Messy/clean"]),
        ("1-clean.py", ["/Messy/written"]),
        ("2 last (v2).py", ["/Messy/last 0"]),
        ("2 last (v2).py", ["/Messy/last 1"]),
    ]


@pytest.mark.nightly
def test_a_messy_repository_runs(tmp_path, told) -> None:
    write(tmp_path / "repo", MESSY)
    pd.DataFrame({"code": ["a", "b"]}).to_parquet("raw.parquet")
    told("init", "--repo", "repo")
    told("ingest", "/Messy/raw", "raw.parquet")
    told("build")
    (row,) = told("show", "/Messy/last 1")["sample"]
    assert {**row, "day": str(row["day"])[:10]} == {
        "code": "a", "day": "2020-01-05", "name": "utils.text: ALPHA", "street": "stra\u00dfe",
    }  # fmt: skip
    written = [file["path"] for file in told("show", "/Messy/written")["files"]]
    assert [path.split("/")[0] for path in written if path.endswith(".csv")] == ["as csv"]


def test_several_sub_projects_ask_for_a_choice(tmp_path, told, capsys) -> None:
    for project in ("one", "two"):
        entry = f"setup(entry_points={{'transforms.pipelines': ['root = {project}_p.pipeline:p']}})\n"
        made = "from transforms.api import Pipeline\np = Pipeline()\n"
        write(tmp_path, {f"{project}/src/setup.py": entry, f"{project}/src/{project}_p/pipeline.py": made})
    assert run(["init"]) == 2
    assert "--source one/src" in capsys.readouterr().err
    assert not Path(".mirror").exists()
    assert run(["init", "--source", "three"]) == 2
    assert "no folder 'three'" in capsys.readouterr().err
    assert told("init", "--source", "two")["inspection"]["entry"] == "two_p.pipeline:p"
    assert told("init")["inspection"]["others"] == ["one/src"]
    assert run(["init", "--source", "one"]) == 2
    assert '[repository] source = "one"' in capsys.readouterr().err
    Path("elsewhere").mkdir()
    for wrong, says in (("nowhere", "'nowhere' does not exist"), ("elsewhere", '[repository] path = "../elsewhere"')):
        assert run(["init", "--repo", wrong]) == 2
        assert says in capsys.readouterr().err
    assert told("init", "--repo", ".")["created"] is False


def test_an_entry_point_that_leads_nowhere_is_told(tmp_path, told) -> None:
    entry = "setup(entry_points={'transforms.pipelines': ['root = astray.pipeline:gone']})\n"
    write(tmp_path, {"src/setup.py": entry, "src/astray/pipeline.py": "kept = 3\n", "src/astray/__init__.py": ""})
    (tmp_path / "transforms-shrinkwrap.yml").write_bytes(b"mappings:\n- alias: /caf\xe9\n")
    inspection = told("init")["inspection"]
    assert inspection["misread"] == ["alias '/caf\ufffd' has no rid"]
    (broken,) = inspection["broken"]
    assert broken["module"] == "astray.pipeline"
    assert "has no attribute 'gone'" in broken["problem"]
    Path("src/setup.py").write_text(entry.replace("gone", "kept"))
    (broken,) = told("init")["inspection"]["broken"]
    assert "astray.pipeline:kept as the pipeline" in broken["problem"]


def test_a_build_may_leave_out_what_is_broken(tmp_path, told, capsys, caplog) -> None:
    root = "repo/transforms-python/src/partly_broken"
    write(
        tmp_path,
        {
            f"{root}/__init__.py": "",
            f"{root}/pipeline.py": """
                from transforms.api import Pipeline
                from partly_broken import steps
                p: Pipeline = Pipeline()
                p.discover_transforms(steps)
            """,
            f"{root}/steps/__init__.py": "",
            f"{root}/steps/broken.py": "import a_package_nobody_has\n",
            f"{root}/steps/whole.py": """
                from transforms.api import Output, transform_df

                @transform_df(Output("/Part/made"))
                def made(ctx):
                    return ctx.spark_session.range(1)
            """,
        },
    )
    told("init", "--repo", "repo")
    for _ in range(2):
        assert run(["build", "--dry-run"]) == 2
        said = capsys.readouterr().err
        assert "steps/broken.py:1: No module named 'a_package_nobody_has'. Install it where mirror runs" in said
        assert "`mirror build --skip-broken` builds the rest" in said
        assert [job["transform"] for job in told("build", "--dry-run", "--skip-broken")["jobs"]] == ["made"]
        (left_out,) = [record.getMessage() for record in caplog.records]
        assert left_out.startswith("left out: module partly_broken.steps.broken at ")
        caplog.clear()
    (tmp_path / root / "steps/broken.py").write_text("")
    assert [job["transform"] for job in told("build", "--dry-run")["jobs"]] == ["made"]
