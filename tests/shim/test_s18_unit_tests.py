"""Fact sheet section 18: unit tests as Foundry repositories write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from pyspark.sql import functions as F

from transforms.api import Input, Output, Pipeline, configure, transform, transform_df
from transforms.errors import DatasetNotFoundError, TransformTypeError
from transforms.testing_plugin import source_roots
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.frames import FramesDiffer
from transforms.verbs.testing.TransformRunner import TransformRunner


@configure(profile=["DRIVER_MEMORY_LARGE"])
@transform(aircraft=Input("/aircraft"), results=Output("/results"))
def compute(ctx, results, aircraft):
    results.write_dataframe(aircraft.dataframe())


def test_mocks_by_position_and_by_keyword():
    aircraft, output = Input(), MagicMock()
    aircraft.dataframe = MagicMock(return_value="frame")
    compute(MagicMock(), output, aircraft)
    compute(results=output, aircraft=aircraft, ctx=None)
    assert [call[0][0] for call in output.write_dataframe.call_args_list] == ["frame", "frame"]


def test_the_runner_builds_upstream_datasets_first(spark_session, spark, frame, assert_frames_equal):
    assert spark_session.sparkContext is spark.sparkContext
    doubled = transform_df(Output("/doubled"), x=Input("/in"))(lambda x: x.withColumn("v", F.col("v") * 2))
    summed = transform_df(Output("/summed"), d=Input("/doubled"))(lambda d: d.agg(F.sum("v").alias("v")))
    pipeline = Pipeline()
    pipeline.add_transforms(summed, doubled)
    store = InMemoryDatastore()
    for param in pipeline.transforms[1].inputs.values():
        store.store_dataframe(param.alias, frame(v=[1, 2]))
    runner = TransformRunner(pipeline, datastore=store)
    assert_frames_equal(runner.build_dataset(spark_session, "/summed"), frame(v=[6]))
    assert store.aliases == ["/doubled", "/in", "/summed"]
    with pytest.raises(DatasetNotFoundError, match=r"holds no '/sumed'.*Did you mean '/summed'"):
        runner.build_dataset(spark_session, "/sumed")


@pytest.mark.nightly
def test_the_runner_fixture_shares_its_datastore(transform_runner, transform_datastore, spark_session, frame):
    transform_datastore.store_dataframe("/aircraft", frame(v=[1]))
    assert transform_runner(compute).build_dataset(spark_session, "/results").count() == 1
    with pytest.raises(DatasetNotFoundError, match="no transform of the pipeline writes it"):
        transform_runner(transform_df(Output("/o"), x=Input("/none"))(lambda x: x)).build_dataset(spark_session, "/o")


def test_a_failing_run_leaves_the_datastore_alone(transform_runner, transform_datastore, spark_session, frame):
    transform_datastore.store_dataframe("/in", frame(v=[1]))
    transform_datastore.store_dataframe("/out", frame(v=[0]))

    @transform(x=Input("/in"), out=Output("/out"))
    def fails(x, out):
        out.write_dataframe(x.dataframe())
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        transform_runner(fails).build_dataset(spark_session, "/out")
    assert transform_datastore.get_dataframe("/out", spark_session).first().v == 0


def test_equal_frames_pass_and_others_say_how_they_differ(spark, assert_frames_equal):
    base = spark.sql("select * from values (1, 1.0D, 'a'), (2, double('NaN'), null) as t(i, d, s)")
    close = spark.sql("select * from values (2, double('NaN'), null), (1, 1.001D, 'a') as t(i, d, s)")
    assert_frames_equal(base, close, tolerance=0.01)
    for other, options, says in (
        (close, {}, ["2 found, 2 expected", "- (1, 1.001, 'a')", "+ (1, 1.0, 'a')"]),
        (close, {"ordered": True, "tolerance": 0.01}, ["same rows in another order"]),
        (base.limit(1), {}, ["2 found, 1 expected", "+ (2, nan, None)"]),
        (base.select("i", "d"), {}, ["columns differ", "+ s: string"]),
        (base.select("d", "i", "s"), {}, ["order: i, d, s instead of d, i, s"]),
        (base.withColumn("s", F.lit("a")), {"ignore_nullable": False}, ["- s: string not null", "+ s: string"]),
    ):
        with pytest.raises(FramesDiffer) as caught:
            assert_frames_equal(base, other, **options)
        assert all(part in str(caught.value) for part in says), str(caught.value)


def test_source_roots_are_found_above_the_tests(tmp_path):
    src = tmp_path / "transforms-python" / "src"
    (src / "test" / "deep").mkdir(parents=True)
    (src / "setup.py").write_text("")
    assert list(source_roots([src / "test" / "deep", src / "test"])) == [src]
    assert list(source_roots([tmp_path])) == list(source_roots([tmp_path / "transforms-python"])) == [src]
    assert list(source_roots([tmp_path / "transforms-python" / "other"])) == []


def _own_tests_of(src: Path, tests: dict[str, str], *options: str) -> str:
    """What pytest says about a repository of these test files, run from its top as it is."""
    (src / "myproject").mkdir(parents=True)
    (src / "test").mkdir()
    (src / "myproject" / "__init__.py").write_text("")
    (src / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    (src / "pytest.ini").write_text(
        "[pytest]\naddopts = --cov=myproject --cov-report=xml --cov-report term -p no:cacheprovider\n"
    )
    for name, text in tests.items():
        (src / "test" / name).write_text(text)
    (src / "myproject" / "clean.py").write_text(
        "from transforms.api import transform_df, Input, Output\n"
        "@transform_df(Output('/Foundry/Project/clean'), df=Input('/Foundry/Project/raw'))\n"
        "def compute(df):\n    return df.distinct()\n"
    )
    command = [sys.executable, "-m", "pytest", *options, str(src)]
    done = subprocess.run(command, cwd=src.parents[1], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.nightly
def test_a_repositorys_own_tests_run_as_they_are(tmp_path: Path):
    said = _own_tests_of(
        tmp_path / "transforms-python" / "src",
        {
            "test_clean.py": "from unittest.mock import MagicMock\nfrom myproject.clean import compute\n"
            "def test_clean(transform_datastore):\n    df = MagicMock()\n"
            "    assert compute(df) is df.distinct.return_value\n"
        },
    )
    assert "1 passed" in said, said
    assert "coverage is not measured: pytest-cov is not installed" in said


UNITTEST = """\
import unittest
import pytest
from pyspark.sql import SparkSession
from myproject.clean import compute


@pytest.fixture(scope="session")
def frame(spark_session):
    return spark_session.range(3).toDF("v")


def test_before(frame):
    assert compute(frame).count() == 3


class TestClean(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = SparkSession.builder.getOrCreate()

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()

    def test_distinct(self):
        self.assertEqual(compute(self.spark.range(2).union(self.spark.range(2))).count(), 2)


def test_after_the_session_was_stopped(frame):
    assert compute(frame).count() == 3
"""
RUNNER = """\
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner
from myproject.clean import compute


def test_with_a_session_and_a_folder_of_the_repository(spark_session):
    assert spark_session.conf.get("spark.mine") == "yes"
    pipeline = Pipeline()
    pipeline.add_transforms(compute)
    store = InMemoryDatastore()
    for name, param in pipeline.transforms[0].inputs.items():
        store.store_dataframe(param.alias, spark_session.createDataFrame([(1,), (1,)], ["v"]))
    runner = TransformRunner(pipeline, "/Foundry/Project", datastore=store)
    assert runner.build_dataset(spark_session, "clean").collect() == [(1,)]
"""
CONFTEST = """\
import pytest
from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark_session(request):
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False).getOrCreate()
    spark.conf.set("spark.mine", "yes")
    request.addfinalizer(lambda: spark.stop())
    return spark
"""


@pytest.mark.nightly
def test_a_session_that_a_test_stops_comes_back_and_a_repositorys_own_session_counts(tmp_path: Path):
    one = _own_tests_of(tmp_path / "a" / "src", {"test_case.py": UNITTEST}, "-p", "no:warnings")
    assert "3 passed" in one, one
    other = {"test_case.py": UNITTEST, "test_runner.py": RUNNER, "conftest.py": CONFTEST}
    two = _own_tests_of(tmp_path / "b" / "src", other, "-p", "no:warnings")
    assert "4 passed" in two, two


@pytest.mark.nightly
def test_the_runner_knows_datasets_by_path_and_by_name_below_its_root(spark_session, frame):
    pipeline = Pipeline()
    pipeline.add_transforms(transform_df(Output("/F/made"), x=Input("/F/raw"))(lambda x: x))
    one = frame(v=[1])
    for root, given, asked in (("/F/", "raw", "made"), ("/F", "/F/raw", "/F/made"), (None, "/F/raw", "/F/made")):
        store = InMemoryDatastore()
        store.store_dataframe(given, one)
        runner = TransformRunner(pipeline, store) if root is None else TransformRunner(pipeline, root, store)
        assert runner.build_dataset(spark_session, asked).schema.names == ["v"]
        assert store.aliases == sorted([given, "/F/made"])
    with pytest.raises(DatasetNotFoundError, match="Did you mean '/F/made'"):
        TransformRunner(pipeline, "/F", store).build_dataset(spark_session, "mede")
    with pytest.raises(TransformTypeError, match="takes a Pipeline, a folder and a datastore"):
        TransformRunner(pipeline.transforms[0], "/F")
    with pytest.raises(TransformTypeError, match="TransformRunner needs its argument 'pipeline'"):
        TransformRunner()
