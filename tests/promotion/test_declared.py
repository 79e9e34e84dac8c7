"""Contracts that a pipeline declares through the checks on its outputs, read from two trees of one repository."""

from __future__ import annotations

import shutil

import pytest

from mirror.promotion.contracts import Column, Contract, Promise, Unreadable
from mirror.promotion.declared import declared
from mirror.promotion.promote import show_plan

SETUP = """\
from setuptools import setup
setup(entry_points={"transforms.pipelines": ["root = fleet.pipeline:pipeline"]})
"""

PIPELINE = """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, Pipeline, transform_df

SCHEMA = {"device": T.StringType(), "value": T.DoubleType(), "note": T.StringType}


@transform_df(
    Output("/fleet/clean", checks=[
        Check(E.all(E.schema().contains(SCHEMA), E.col("value").non_null()), "shape"),
        Check(E.primary_key("device"), "key"),
        Check(E.col("note").non_null(), "only a warning", on_error="WARN"),
        Check(E.any(E.col("note").non_null(), E.col("value").gt(0)), "either"),
    ]),
    raw=Input("/fleet/raw"),
)
def clean(raw):
    return raw


@transform_df(Output("/fleet/free"), raw=Input("/fleet/raw"))
def free(raw):
    return raw


pipeline = Pipeline()
pipeline.add_transforms(clean, free)
"""


@pytest.fixture
def tree(tmp_path):
    source = tmp_path / "transforms-python" / "src"
    (source / "fleet").mkdir(parents=True)
    (source / "setup.py").write_text(SETUP)
    (source / "fleet" / "__init__.py").touch()
    (source / "fleet" / "pipeline.py").write_text(PIPELINE)
    return tmp_path


@pytest.mark.nightly
def test_promises_are_what_fails_a_build(tree, world):
    file = "transforms-python/src/fleet/pipeline.py"
    assert declared(tree, ".", (), world.clock).contracts == (
        Contract(
            "/fleet/clean",
            file,
            (Column("device", "string", False), Column("value", "double", False), Column("note", "string", True)),
            ("device",),
            "snapshot",
            promises=(Promise('["AnyOf", null, null, []]', "E.any(E.col('note').non_null(), E.col('value').gt(0))"),),
        ),
        Contract("/fleet/free", file, (), None, "snapshot", declares_columns=False),
    )
    (tree / "transforms-python/src/fleet/pipeline.py").write_text("import no_such_library\n")
    (broken,) = declared(tree, ".", (), world.clock).contracts
    assert isinstance(broken, Unreadable)
    assert (
        "fleet.pipeline:pipeline cannot be read: ModuleNotFoundError: No module named 'no_such_library'"
        in broken.problem
    )


@pytest.mark.nightly
def test_the_plan_names_the_column_that_a_code_change_breaks(world, tree):
    policy = (world.path / "ci/branches.yml").read_text() + "transforms: .\npython_path: [transforms-python/src]\n"
    world.git("switch", "--quiet", "main")
    shutil.copytree(tree / "transforms-python", world.path / "transforms-python")
    world.commit("A pipeline", ci__branches_yml=policy)
    world.git("branch", "--force", "staging", "main")
    world.git("switch", "--quiet", "--create", "feature/y")
    file = world.path / "transforms-python/src/fleet/pipeline.py"
    # The same length within the same second: a compiled file of the base would pass for this one.
    file.write_text(PIPELINE.replace('"value": T.DoubleType()', '"value": T.BinaryType()'))
    world.commit("Bytes")

    plan = show_plan(world.repository, world.request("feature/y"), clock=world.clock)

    assert [(c.subject, c.kind) for c in plan.contracts.changes] == [
        ("/fleet/clean.value", "type changed from double to binary")
    ]
