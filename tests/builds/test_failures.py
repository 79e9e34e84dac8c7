"""What the author of a transform reads when it fails."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from mirror.builds.failures import text_of, told

ROOT = Path("/repo/src")
WORKER = """An error occurred while calling o49.parquet.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, most recent \
failure: Lost task 0.0 in stage 0.0 (TID 0) (192.0.2.2 executor driver): org.apache.spark.SparkException: [TASK_WRITE]
\tat org.apache.spark.sql.execution.datasources.FileFormatWriter$.executeTask(FileFormatWriter.scala:420)
Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/site-packages/pyspark/worker.py", line 1247, in main
    process()
  File "/repo/src/p/clean.py", line 7, in parse
    {line}
{error}

\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:572)
\t... 17 more

Driver stacktrace:
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""
JAVA = (
    "An error occurred while calling o139.parquet.\n: org.apache.spark.SparkException: Job aborted due to stage"
    " failure: Task 0 in stage 3.0 failed 1 times, most recent failure: Lost task 0.0 in stage 3.0 (TID 3)"
    " (192.0.2.2 executor driver): java.io.IOException: Mkdirs failed\n\tat x.Y(Z.java:1)\n\nDriver stacktrace:\n"
)


class Py4JJavaError(Exception):
    """Named as Spark's, whose own needs a gateway to be made."""


@pytest.mark.parametrize(
    ("error", "place", "kind", "text"),
    [
        ("ValueError: bad value: 3", "/repo/src/p/clean.py:7", "ValueError", "bad value: 3"),
        ("KeyError", "/repo/src/p/clean.py:7", "KeyError", "no message"),
        ("ValueError: two\nlines", "/repo/src/p/clean.py:7", "ValueError", "two\nlines"),
        (
            "ModuleNotFoundError: No module named 'cv2'",
            "/repo/src/p/clean.py:7",
            "ModuleNotFoundError",
            "No module named 'cv2'. Install it where mirror runs: pip install opencv-python-headless; a library of your"
            " own: pip install its src folder",
        ),
    ],
)
def test_the_error_of_a_worker_is_told_without_its_wrapping(error, place, kind, text) -> None:
    assert told(Py4JJavaError(WORKER.replace("{error}", error)), ROOT) == (place, kind, text)


def test_java_alone_tells_its_innermost_error() -> None:
    assert told(Py4JJavaError(JAVA), ROOT) == (None, "IOException", "Mkdirs failed")
    caused = JAVA + "Caused by: a.B: first\n\tat x\nCaused by: a.b.C$D: is not a Parquet file\n\tat x\n"
    assert told(Py4JJavaError(caused), ROOT)[1:] == ("C$D", "is not a Parquet file")
    assert told(ValueError("x"), ROOT) == (None, "ValueError", "x")


def test_a_missing_package_and_spark_at_import_come_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    def text(error: BaseException) -> str:
        return text_of(error, tmp_path)

    with pytest.raises(ModuleNotFoundError) as missing:
        importlib.import_module("sklearn_no.x")
    assert text(missing.value) == (
        "No module named 'sklearn_no'. Install it where mirror runs: pip install sklearn_no; a library of your own:"
        " pip install its src folder"
    )
    assert text(ModuleNotFoundError("gone", name="mine.x")) == "gone"
    assert "'functions' belongs to Foundry; docs/fidelity.md" in text(ModuleNotFoundError("x", name="functions.api"))
    misspelt = text(ModuleNotFoundError("x", name="transforms.verb.dataframe"))
    assert misspelt.endswith("served here, nearest: 'transforms.verbs.dataframes'")
    assert text(ValueError("x")) == "ValueError: x"
    session = "need a running session, which there is none at import, in Foundry neither: move the expression"
    assert session in text(RuntimeError("SparkContext or SparkSession should be created first."))
    assert session in text(AttributeError("'NoneType' object has no attribute '_jvm'"))
    assert text(AssertionError()) == "AssertionError: no message"
    # Spark asserts without a word.
    with pytest.raises(AssertionError) as wordless:
        exec(compile("assert False", "/site-packages/pyspark/sql/utils.py", "exec"))  # noqa: S102 -- a frame of Spark
    assert text(wordless.value).startswith("AssertionError: Column functions, windows")
