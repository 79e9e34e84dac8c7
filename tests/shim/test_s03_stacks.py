"""Fact sheet section 3.8: every order of decorators, on real datasets, over three builds of one repository.

Every transform of a repository reads the same dataset and writes how many rows it saw, one row per run. Two rows lie in
it at first, one more is appended before the second build and one before the third: what reads increments and appends
leaves 2, 1 and 1; what reads everything and replaces leaves 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from mirror.builds import BuildReport, build
from mirror.cli import run as cli
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort

WHOLE, NEW, ALL_AGAIN = [4], [2, 1, 1], [2, 3, 4]
IO = 'src=Input("/in"), out=Output("/{name}")'
FIRST = 'Output("/{name}"), src=Input("/in")'
SYSTEMS = '@external_systems(api=Source("ri.magritte..source.a"))'
OLD_SYSTEMS = '@use_external_systems(egress=EgressPolicy("ri.egress"), export=ExportControl(["m"]))'

# What the function does, by what its decorators hand it.
NODE = "def {name}(ctx, src, out, **more):\n    out.write_table(pa.table({{'read': [src.arrow().num_rows]}}))\n"
REPLACING = NODE.replace("    out", "    out.set_mode('replace')\n    out")
POLARS = "def {name}(src):\n    return pl.DataFrame({{'read': [src.height]}})\n"
PANDAS = "def {name}(src):\n    return pd.DataFrame({{'read': [len(src)]}})\n"
SPARK = "def {name}(out, src, ctx, **more):\n    out.write_dataframe(src.dataframe().agg(F.count('*').alias('read')))\n"
FRAME = "def {name}(src, ctx):\n    return src.agg(F.count('*').alias('read'))\n"

SINGLE_NODE: dict[str, tuple[list[str], str, list[int]]] = {
    "bare": (["@lightweight", f"@transform({IO})"], NODE, WHOLE),
    "called": (["@lightweight(cpu_cores=1, memory_gb=4)", f"@transform({IO})"], NODE, WHOLE),
    "on_pandas": (["@lightweight()", f"@transform_pandas({FIRST})"], PANDAS, WHOLE),
    "on_external": (["@lightweight", SYSTEMS, f"@transform({IO})"], NODE, WHOLE),
    "on_old_external": (["@lightweight", OLD_SYSTEMS, f"@transform({IO})"], NODE, WHOLE),
    "below_external": ([SYSTEMS, "@lightweight", f"@transform({IO})"], NODE, WHOLE),
    "on_configure": (["@lightweight", '@configure(profile="DRIVER_MEMORY_LARGE")', f"@transform({IO})"], NODE, WHOLE),
    "on_incremental": (["@lightweight()", "@incremental()", f"@transform({IO})"], NODE, NEW),
    "below_incremental": (["@incremental()", "@lightweight", f"@transform({IO})"], NODE, NEW),
    "between": (["@incremental(v2_semantics=True)", "@lightweight()", SYSTEMS, f"@transform({IO})"], NODE, NEW),
    "pandas_below": (["@incremental()", "@lightweight", f"@transform_pandas({FIRST})"], PANDAS, NEW),
    "pandas_above": (["@lightweight", "@incremental()", f"@transform_pandas({FIRST})"], PANDAS, NEW),
    "whole_input": (['@incremental(snapshot_inputs=["src"])', "@lightweight", f"@transform({IO})"], NODE, ALL_AGAIN),
    "polars": ([f"@transform_polars({FIRST})"], POLARS, WHOLE),
    "polars_keyword": (['@transform_polars(output=Output("/{name}"), src=Input("/in"))'], POLARS, WHOLE),
    "polars_again": (["@lightweight(cpu_cores=3)", f"@transform_polars({FIRST})"], POLARS, WHOLE),
    "polars_new": (["@incremental()", f"@transform_polars({FIRST})"], POLARS, NEW),
    "using": ([f"@transform.using({IO})"], NODE, WHOLE),
    "alias_of_using": ([f"@transform.lightweight({IO})"], NODE, WHOLE),
    "using_sized": ([f"@transform.using({IO}).with_resources(cpu_cores=1, memory_gb=2)"], NODE, WHOLE),
    "using_contained": ([f'@transform.using({IO}).with_container("i", "1").with_resources(memory_mb=9)'], NODE, WHOLE),
    "using_external": ([SYSTEMS, f"@transform.using({IO})"], NODE, WHOLE),
    "using_new": (["@incremental()", f"@transform.using({IO}).with_resources(cpu_cores=1)"], NODE, NEW),
    "using_new_external": (["@incremental()", SYSTEMS, f"@transform.lightweight({IO})"], NODE, NEW),
    "using_external_new": ([SYSTEMS, "@incremental(strict_append=True)", f"@transform.using({IO})"], NODE, NEW),
    "replacing": (["@incremental()", f"@transform.using({IO})"], REPLACING, [1]),
}  # fmt: skip
CONFIGURE = '@configure(profile=["NUM_EXECUTORS_2", "LAST_MAP_KEY_WINS"])'
VELOX = "@configure(backend=ComputeBackend.VELOX, allowed_run_duration=timedelta(hours=1))"
ON_SPARK: dict[str, tuple[list[str], str, list[int]]] = {
    "objects": ([f"@transform({IO})"], SPARK, WHOLE),
    "df": ([f"@transform_df({FIRST})"], FRAME, WHOLE),
    "df_keyword": (['@transform_df(output=Output("/{name}"), src=Input("/in"))'], FRAME, WHOLE),
    "pandas": ([f"@transform_pandas({FIRST})"], PANDAS, WHOLE),
    "configured": ([CONFIGURE, f"@transform({IO})"], SPARK, WHOLE),
    "configured_df": ([CONFIGURE, f"@transform_df({FIRST})"], FRAME, WHOLE),
    "configured_pandas": ([VELOX, f"@transform_pandas({FIRST})"], PANDAS, WHOLE),
    "new": (["@incremental()", f"@transform({IO})"], SPARK, NEW),
    "new_df": (["@incremental()", f"@transform_df({FIRST})"], FRAME, NEW),
    "new_pandas": (["@incremental()", f"@transform_pandas({FIRST})"], PANDAS, NEW),
    "new_configured": (["@incremental(v2_semantics=True)", CONFIGURE, f"@transform({IO})"], SPARK, NEW),
    "new_configured_df": (["@incremental()", CONFIGURE, f"@transform_df({FIRST})"], FRAME, NEW),
    "configured_new": ([CONFIGURE, "@incremental()", f"@transform({IO})"], SPARK, NEW),
    "configured_new_df": ([VELOX, "@incremental()", f"@transform_df({FIRST})"], FRAME, NEW),
    "whole_input": (['@incremental(snapshot_inputs=["src"])', f"@transform({IO})"], SPARK, ALL_AGAIN),
    "external": ([SYSTEMS, f"@transform({IO})"], SPARK, WHOLE),
    "external_new": ([SYSTEMS, "@incremental()", f"@transform({IO})"], SPARK, NEW),
    "old_external_new": ([OLD_SYSTEMS, "@incremental()", f"@transform({IO})"], SPARK, NEW),
    "new_external": (["@incremental()", SYSTEMS, f"@transform({IO})"], SPARK, NEW),
    "new_configured_external": (["@incremental()", CONFIGURE, OLD_SYSTEMS, f"@transform({IO})"], SPARK, NEW),
    "using": ([f"@transform.spark.using({IO})"], SPARK, WHOLE),
    "using_profiled": ([f'@transform.spark.using({IO}).with_config(profiles=["LAST_MAP_KEY_WINS"])'], SPARK, WHOLE),
    "using_configured": ([CONFIGURE, f"@transform.spark.using({IO})"], SPARK, WHOLE),
    "using_new": (["@incremental()", f"@transform.spark.using({IO})"], SPARK, NEW),
    "using_new_configured": (["@incremental()", CONFIGURE, f"@transform.spark.using({IO})"], SPARK, NEW),
}  # fmt: skip
# In Foundry a container or a warehouse does the work; the build says so and goes on with the others.
WAREHOUSE = {"pushdown": ([f"@transform.snowflake.using({IO}).with_warehouse('w')"], NODE, [])}
CONTAINERS = {
    "sidecar_objects": (['@sidecar(image="image", tag="1", volumes=[Volume("v")])', f"@transform({IO})"], SPARK, []),
    "sidecar_df": (['@sidecar(image="image", tag="1")', f"@transform_df({FIRST})"], FRAME, []),
}  # fmt: skip

# Everything that Foundry acts on and that changes no result here.
NOTED = {
    "noted": (
        [
            '@configure(["EXECUTOR_MEMORY_LARGE"], timedelta(hours=2), True, ComputeBackend.VELOX, ["out"])',
            "@incremental(v2_semantics=True, semantic_version=4)",
            '@transform(src=Input("/in", branch="develop", description="what is read", failure_strategy="continue",'
            ' stop_propagating=Markings(["m1"], ["master"]), stop_requiring=OrgMarkings("o1", "master"),'
            ' transaction_limit=3), out=Output("/{name}", sever_permissions=True, description="what is written"))',
        ],
        SPARK,
        [],
    ),
    "contained": (
        [
            "@lightweight(cpu_cores=0.5, memory_mb=512, gpu_type='NVIDIA_T4', container_image='image',"
            " container_tag='1.0', container_shell_command='serve')",
            SYSTEMS,
            f"@transform({IO})",
        ],
        NODE,
        [],
    ),
    "built": (
        [f"@transform.using({IO}).with_resources(gpu_type='NVIDIA_H200').with_moonlight(phase='full')"],
        NODE,
        [],
    ),
}

HEADER = """\
from datetime import timedelta
import pandas as pd
import polars as pl
import pyarrow as pa
from pyspark.sql import functions as F
from transforms.api import (
    ComputeBackend, Input, Markings, OrgMarkings, Output,
    configure, incremental, lightweight, transform, transform_df, transform_pandas,
    transform_polars,
)
from transforms.external.systems import EgressPolicy, ExportControl, Source, external_systems, use_external_systems
from transforms.sidecar import Volume, sidecar
"""


class Guest:
    """A repository whose one module holds one transform per stack, and its workspace."""

    def __init__(self, root: Path, package: str, stacks: dict[str, Any], spark: Callable[[], SparkSession]) -> None:
        self.root, self.spark, self.empty = root, spark, root / "empty"
        self.empty.mkdir(parents=True)
        source = root / "transforms-python" / "src"
        (source / package).mkdir(parents=True)
        code = [HEADER]
        for name, (decorators, body, _) in stacks.items():
            code += [*(line.replace("{name}", name) for line in decorators), body.format(name=name)]
        (source / package / "__init__.py").write_text("")
        (source / package / "stacks.py").write_text("\n".join(code))
        (source / package / "pipeline.py").write_text(
            "from transforms.api import Pipeline\n"
            f"from {package} import stacks\n"
            "pipeline = Pipeline()\npipeline.discover_transforms(stacks)\n"
        )
        (source / "setup.py").write_text(
            "from setuptools import setup\n"
            f"setup(name='g', entry_points={{'transforms.pipelines': ['root = {package}.pipeline:pipeline']}})\n"
        )
        (root / "sources.yml").write_text('{"ri.magritte..source.a": {"url": "http://127.0.0.1"}}')
        clock = iter(range(10_000))
        self.workspace = Workspace.create(
            root / ".mirror",
            repository=root,
            sources_file=root / "sources.yml",
            clock=lambda: datetime.fromtimestamp(next(clock) + 1_767_225_600, UTC),
        )

    def put(self, count: int, kind: TransactionType) -> None:
        """Commits rows to the dataset that all transforms read, without Spark."""
        store = self.workspace.store
        opened = store.open_transaction(store.create("/in", exist_ok=True), "master", kind)
        port = DatasetWritePort(opened)
        with port.create(f"{opened.rid[-8:]}.parquet", "wb") as stream:
            pq.write_table(pa.table({"v": list(range(count))}), stream)
        port.write_files(str(self.empty))
        opened.commit()

    def build_thrice(self) -> list[BuildReport]:
        """Two rows, then one more before each further build."""
        reports = []
        for count, kind in ((2, TransactionType.SNAPSHOT), (1, TransactionType.APPEND), (1, TransactionType.APPEND)):
            self.put(count, kind)
            reports.append(build(self.workspace, (), "master", spark=self.spark))
        return reports

    def counts(self, name: str) -> list[int]:
        """What the runs that the view of an output still shows have seen."""
        store = self.workspace.store
        view = store.view(store.dataset(f"/{name}"), "master")
        return [n for entry in view.entries for n in pq.read_table(entry.location)["read"].to_pylist()]


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Callable[..., Guest]]:
    made: list[Guest] = []

    def make(package: str, stacks: dict[str, Any], spark: Callable[[], SparkSession]) -> Guest:
        made.append(Guest(tmp_path / package, package, stacks, spark))
        return made[-1]

    yield make
    for one in made:
        one.workspace.close()


def _proved(guest: Guest, stacks: dict[str, Any], refused: dict[str, str]) -> list[BuildReport]:
    reports = guest.build_thrice()
    ends = [{job.spec.name: (job.status.value, job.error or "") for job in report.jobs} for report in reports]
    for build_of in ends:
        assert {name: end for name, end in build_of.items() if name in stacks and end[0] != "succeeded"} == {}
        for name, says in refused.items():
            assert (build_of[name][0], says in build_of[name][1]) == ("failed", True), build_of[name]
    assert {name: sorted(guest.counts(name)) for name in stacks} == {name: sorted(s[2]) for name, s in stacks.items()}
    kinds = {job.spec.name: job.outputs[0].type for job in reports[-1].jobs if job.spec.name in stacks}
    appends = {name for name, (_, _, seen) in stacks.items() if len(seen) > 1}
    assert {name for name, kind in kinds.items() if kind != "SNAPSHOT"} == appends
    assert kinds.get("using_external_new", "APPEND") == "APPEND"
    return reports


# One stack of each kind; a stack costs three builds.
OF_EACH_KIND = (
    "using", "using_contained", "on_configure", "between", "pandas_above", "whole_input", "polars_new",
    "using_external_new", "replacing",
)  # fmt: skip


@pytest.mark.parametrize(
    "names", [OF_EACH_KIND, pytest.param(tuple(SINGLE_NODE), marks=pytest.mark.nightly)], ids=["kinds", "all"]
)
def test_single_node_stacks_over_three_builds_start_no_spark(guest, names):
    def no_spark() -> SparkSession:
        raise AssertionError("single-node transforms need no Spark session")

    stacks = {name: SINGLE_NODE[name] for name in names}
    made = guest(f"single_node_stacks_{len(stacks)}", {**stacks, **WAREHOUSE}, no_spark)
    reports = _proved(made, stacks, {"pushdown": "runs inside Snowflake"})
    noted = {job.spec.name: dict(job.spec.recorded) for job in reports[0].jobs}
    assert noted["using"] == {}
    assert set(noted["using_contained"]) == {"container_image", "container_tag", "memory_mb"}
    assert "DRIVER_MEMORY_LARGE" in str(noted["on_configure"]["profile"])


@pytest.mark.nightly
def test_spark_stacks_over_three_builds(guest, spark):
    made = guest("spark_stacks", {**ON_SPARK, **CONTAINERS}, lambda: spark)
    reports = _proved(made, ON_SPARK, dict.fromkeys(CONTAINERS, "works with the container image 'image'"))
    noted = {job.spec.name: dict(job.spec.recorded) for job in reports[0].jobs}
    assert set(noted["configured_new_df"]) == {"backend", "allowed_run_duration"}


SHOWN = {
    "noted": "profile = ('EXECUTOR_MEMORY_LARGE',)|allowed_run_duration = 2:00:00|run_as_user = True|backend = VELOX|"
    "checkpoint_outputs = ['out']|src.stop_propagating = Markings(marking_ids=('m1',), on_branches=('master',))|"
    "src.stop_requiring = OrgMarkings(marking_ids=('o1',)|out.sever_permissions = True|branch=develop|"
    "src.description = what is read|failure_strategy=continue|transaction_limit=3|out.description = what is written|"
    "incremental semantic_version: 4|incremental v2_semantics: True",
    "contained": "cpu_cores = 0.5|memory_mb = 512|gpu_type = NVIDIA_T4|container_image = image|container_tag = 1.0|"
    "container_shell_command = serve|input api (source): ri.magritte..source.a",
    "built": "gpu_type = NVIDIA_H200|with_moonlight = ((), {'phase': 'full'})",
}


def test_show_tells_everything_that_only_foundry_acts_on(guest, capsys):
    def never() -> SparkSession:
        raise AssertionError("showing runs nothing")

    made = guest("noted_stacks", NOTED, never)
    made.workspace.close()
    for name, says in SHOWN.items():
        assert cli(["--workspace", str(made.root / ".mirror"), "show", f"/{name}"]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert [part for part in says.split("|") if part not in told] == [], told
