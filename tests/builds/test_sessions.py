"""What one transform does to the Spark session does not reach another."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("spark")

CODE = """
from pyspark.sql import SparkSession

CASE = "spark.sql.caseSensitive"
SEEN = {}
POLICY = "spark.sql.legacy.timeParserPolicy"

@configure(profile="LEGACY_TIME_PARSER_POLICY")
@transform_df(Output("/first"))
def first(ctx):
    ctx.spark_session.conf.set(CASE, "true")
    ctx.spark_session.conf.set("spark.my.own", "1")
    ctx.spark_session.range(3).createOrReplaceTempView("mine")
    # Through the builder as through the context: one session.
    found = SparkSession.builder.getOrCreate()
    SEEN["builder"] = [found.conf.get(CASE), found.conf.get(POLICY)]
    return found.sql("select id from mine")

@transform_df(Output("/second"), before=Input("/first"))
def second(ctx, before):
    SEEN["case"] = ctx.spark_session.conf.get(CASE)
    SEEN["policy"] = ctx.spark_session.conf.get(POLICY)
    SEEN["own"] = ctx.spark_session.conf.get("spark.my.own", None)
    SEEN["views"] = [t.name for t in ctx.spark_session.catalog.listTables()]
    return before
"""


@pytest.mark.nightly
def test_settings_and_views_of_a_transform_end_with_it(repository, spark: SparkSession) -> None:
    r = repository()
    r.write("leak", CODE)
    policy = spark.conf.get("spark.sql.legacy.timeParserPolicy")
    report = r.build()
    assert report.status == "succeeded", [job.error for job in report.jobs]
    seen = _seen(report, r)
    assert seen == {
        "builder": ["true", "LEGACY"], "case": "false", "policy": policy, "own": None, "views": [],
    }  # fmt: skip
    assert r.rows("/second") == [(0,), (1,), (2,)]
    assert spark.conf.get("spark.sql.caseSensitive") == "false"


@pytest.mark.nightly
def test_settings_stay_apart_when_jobs_run_at_the_same_time(repository, spark: SparkSession) -> None:
    r = repository()
    r.write("apart", SIDE_BY_SIDE)
    spark.conf.set("spark.my.start", "kept")
    try:
        report = r.build(jobs=2)
    finally:
        spark.conf.unset("spark.my.start")
    assert report.status == "succeeded", [job.error for job in report.jobs]
    assert _seen(report, r) == {"left": "true", "right": "false", "start": "kept"}


SIDE_BY_SIDE = """
import threading

SET, READ = threading.Event(), threading.Event()
SEEN = {}

@transform_df(Output("/left"))
def left(ctx):
    ctx.spark_session.conf.set("spark.sql.caseSensitive", "true")
    SET.set()
    assert READ.wait(30)
    SEEN["left"] = ctx.spark_session.conf.get("spark.sql.caseSensitive")
    return ctx.spark_session.range(1)

@transform_df(Output("/right"))
def right(ctx):
    assert SET.wait(30)
    SEEN["right"] = ctx.spark_session.conf.get("spark.sql.caseSensitive")
    SEEN["start"] = ctx.spark_session.conf.get("spark.my.start", "lost")
    READ.set()
    return ctx.spark_session.range(1)
"""


def _seen(report, r) -> dict[str, object]:
    import sys

    (module,) = [m for name, m in sys.modules.items() if name.startswith(f"{r.package}.jobs.")]
    return module.SEEN
