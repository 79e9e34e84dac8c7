"""The one place that configures Spark, and the stack's versions working together."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from mirror.java import find_java
from mirror.spark import class_archive, start_session

SOURCES = Path(__file__).resolve().parents[2]


def test_a_second_start_gives_the_same_session(spark: SparkSession) -> None:
    assert start_session(app_name="another").sparkContext is spark.sparkContext


def test_the_session_is_what_tests_are_promised(spark: SparkSession) -> None:
    assert spark.sparkContext.master == "local[2]"
    # Foundry's, or the newest that `make test SPARK=4` asks for.
    assert spark.version.startswith(("3.5.", "4."))
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.shuffle.partitions") == "1"
    assert spark.conf.get("spark.sql.ansi.enabled") == "false"
    assert spark.sparkContext.uiWebUrl is None


def test_java_is_asked_once_where_a_class_and_its_method_are(spark: SparkSession) -> None:
    jvm = start_session()._jvm
    for name, method in (("functions", "col"), ("PythonUtils", "toSeq"), ("SparkSession", "getActiveSession")):
        known = getattr(jvm, name)
        assert getattr(jvm, name) is known, name
        assert getattr(known, method) is getattr(known, method), method
    types = jvm.org.apache.spark.sql.types
    assert jvm.org.apache.spark.sql.types is types
    assert types.StructType.fromDDL is types.StructType.fromDDL
    # no class yet: a jar may still bring it
    assert types.NotYetThere is not types.NotYetThere
    frame = spark.range(3).select(F.when(F.col("id") > 1, F.lit("more")).otherwise("less").alias("said"))
    assert [row.said for row in frame.collect()] == ["less", "less", "more"]


def test_what_is_written_is_all_there_is(spark: SparkSession, tmp_path: Path) -> None:
    target = tmp_path / "written"
    spark.range(3).coalesce(1).write.parquet(str(target))
    (written,) = target.rglob("*")
    assert written.suffix == ".parquet"
    assert pq.read_table(written)["id"].to_pylist() == [0, 1, 2]


@pytest.mark.nightly
def test_tasks_carry_no_settings_of_programs_that_a_local_session_never_talks_to(
    spark: SparkSession, tmp_path: Path
) -> None:
    # what writes loads the defaults of MapReduce and YARN
    spark.createDataFrame([(1,)], "v int").write.parquet(str(tmp_path / "written"))
    settings = spark.sparkContext._jsc.hadoopConfiguration()
    assert settings.get("yarn.resourcemanager.hostname") is None
    assert settings.get("mapreduce.jobhistory.address") is None
    assert settings.get("fs.trash.interval") == "0"  # of the file systems, which are talked to
    assert settings.get("parquet.enable.summary-metadata") == "false"


@pytest.mark.nightly
def test_a_class_path_of_the_defaults_is_kept(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "drivers of ours.jar", "w") as archive:
        archive.writestr("driver.txt", "here")
    asked = f"# jars\nspark.driver.extraClassPath  {tmp_path}/drivers of ours.jar \nspark.eventLog.enabled false\n"
    (tmp_path / "spark-defaults.conf").write_text(asked)
    look = """
from mirror.spark import start_session
loader = start_session()._jvm.Thread.currentThread().getContextClassLoader()
print([loader.getResource(name) is not None for name in ("driver.txt", "nowhere.txt")])
"""
    given = os.environ | {"SPARK_CONF_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", look], env=given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[True, False]"


@pytest.mark.nightly
def test_pandas_arrow_and_spark_agree_on_values_types_and_nulls(spark: SparkSession) -> None:
    sent = pd.DataFrame(
        {
            "n": np.array([1, 2, 3], dtype="int64"),
            "x": [1.5, None, float("inf")],
            "s": ["a", None, "ü"],
            "t": pd.to_datetime(["2024-01-01T00:00:00.000001", None, "2024-06-30T23:59:59"], format="ISO8601"),
            "f": [[1.0], [], None],
        }
    )
    frame = spark.createDataFrame(sent, "n long, x double, s string, t timestamp, f array<double>")
    plus_one = F.pandas_udf(lambda values: values + 1, "long")
    back = frame.mapInPandas(lambda batches: batches, frame.schema).select("*", plus_one("n").alias("m")).toPandas()
    assert back["m"].tolist() == [2, 3, 4]
    assert back["s"].tolist() == ["a", None, "ü"]
    assert back["t"].tolist() == sent["t"].tolist()
    assert back["x"].isna().tolist() == [False, True, False]
    assert [None if v is None else list(v) for v in back["f"]] == [[1.0], [], None]


def test_timestamps_are_written_so_that_footers_keep_their_range(spark: SparkSession, tmp_path: Path) -> None:
    target = tmp_path / "t"
    spark.sql("SELECT timestamp'2024-01-01 00:00:00' AS t").write.parquet(str(target))
    (part,) = target.glob("*.parquet")
    column = pq.ParquetFile(part).metadata.row_group(0).column(0)
    assert column.physical_type == "INT64"
    assert column.statistics.has_min_max
    assert not list(target.glob("_SUCCESS"))


@pytest.mark.nightly
def test_python_workers_can_import_what_the_session_was_given(spark: SparkSession) -> None:
    def locate(batches: object) -> object:
        import fleet_health

        for _ in batches:
            yield pd.DataFrame({"file": [fleet_health.__file__]})

    seen = spark.range(1).mapInPandas(locate, "file string").first().file
    assert Path(seen).is_relative_to(SOURCES / "transforms-python" / "src")


@pytest.mark.nightly
def test_python_workers_begin_with_their_libraries_and_reread_no_archive(spark: SparkSession) -> None:
    def look(batches: object) -> object:
        import gc
        import os
        import sys
        import zipimport

        for _ in batches:
            finders = sys.path_importer_cache.values()
            archives = sum(isinstance(finder, zipimport.zipimporter) for finder in finders)
            parent = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode()
            yield pd.DataFrame({"archives": [archives], "frozen": [gc.get_freeze_count()], "parent": [parent]})

    seen = spark.range(1).mapInPandas(look, "archives long, frozen long, parent string").first()
    assert seen.archives == 0
    assert seen.frozen > 30_000  # pandas and pyarrow alone are more
    assert "mirror.python_daemon" in seen.parent


@pytest.mark.nightly
def test_an_archive_that_a_job_brings_is_still_imported(spark: SparkSession, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "brought_along.zip", "w") as archive:
        archive.writestr("brought_along.py", "ANSWER = 42")
    spark.sparkContext.addPyFile(str(tmp_path / "brought_along.zip"))

    def answer(batches: object) -> object:
        import brought_along

        for _ in batches:
            yield pd.DataFrame({"answer": [brought_along.ANSWER]})

    try:
        assert spark.range(1).mapInPandas(answer, "answer long").first().answer == 42
    finally:
        spark.sparkContext._python_includes.remove("brought_along.zip")
        sys.path[:] = [entry for entry in sys.path if "brought_along" not in entry]


def test_where_libraries_lie_in_archives_alone_they_stay_on_the_path(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "spark.zip", "w") as archive:
        for name in ("pyspark", "py4j"):
            archive.writestr(f"{name}/__init__.py", "")
    ask = (
        "import sys; from mirror.python_daemon import _forget_archives; _forget_archives(); import pyspark, py4j; "
        "print(pyspark.__file__)"
    )
    # -S leaves out the environment's own packages
    given = {"PYTHONPATH": f"{tmp_path / 'spark.zip'}:{SOURCES / 'src'}"}
    done = subprocess.run([sys.executable, "-S", "-c", ask], env=given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "spark.zip" / "pyspark" / "__init__.py")


def test_the_class_archive_is_named_after_the_runtime_it_fits() -> None:
    java = find_java()
    other = type(java)(java.home, java.source, "17.9.9")
    assert class_archive(java) != class_archive(other)
    assert class_archive(java) == class_archive(java)


def test_only_one_module_configures_spark() -> None:
    roots = [SOURCES / "src", SOURCES / "transforms-python" / "src"]
    builders = [p for root in roots for p in root.rglob("*.py") if "SparkSession.builder" in p.read_text()]
    assert [p.relative_to(SOURCES).as_posix() for p in builders] == ["src/mirror/spark.py"]
