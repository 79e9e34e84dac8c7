"""Frames that many cases share, and one way to ask for verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession

from mirror.checks import CheckResult, CheckSubject, evaluate
from transforms.api import Check
from transforms.expectations import Expectation

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)

Judge = Callable[..., dict[str, CheckResult]]


@pytest.fixture(scope="session")
def judge(spark: SparkSession) -> Judge:
    """Verdicts by name for named expectations on one frame, all in one evaluation."""

    def ask(frame: DataFrame, expectations: Mapping[str, Expectation], **subject: object) -> dict[str, CheckResult]:
        checks = [Check(expectation, name) for name, expectation in expectations.items()]
        about = CheckSubject("/Fleet/clean", frame.schema, lambda: frame, **subject)  # type: ignore[arg-type]
        return {result.name: result for result in evaluate(checks, about, spark=spark, now=NOW)}

    return ask


@pytest.fixture(scope="session")
def rows(spark: SparkSession) -> DataFrame:
    """Five rows with every trap: null, NaN, infinity, signed zero, null elements, empty and null arrays."""
    return spark.sql(
        """
        SELECT * FROM VALUES
        (1, 1L,    1.5D,                      1.0BD,  'alpha', true,  DATE'2024-05-01', TIMESTAMP'2024-05-01 11:00:00',
            TIMESTAMP'2024-05-01 10:00:00', TIMESTAMP_NTZ'2024-05-01 11:00:00', array('a','b'),  array(1,2)),
        (2, -1L,   double('NaN'),             -1.0BD, 'beta',  false, DATE'2024-04-01', TIMESTAMP'2024-05-01 13:00:00',
            TIMESTAMP'2024-05-01 14:00:00', TIMESTAMP_NTZ'2024-05-01 13:00:00', array('a',null), array(3)),
        (3, NULL,  CAST(NULL AS DOUBLE),      NULL,   NULL,    NULL,  NULL,             NULL,
            TIMESTAMP'2024-05-01 10:00:00', NULL,                               NULL,            NULL),
        (4, 11L,   double('-0.0'),            2.5BD,  '',      true,  DATE'2024-06-01', TIMESTAMP'2024-05-01 12:00:00',
            TIMESTAMP'2024-05-01 12:00:00', TIMESTAMP_NTZ'2024-05-01 12:00:00', array(),         array()),
        (5, 0L,    double('Infinity'),        0.0BD,  'ALPHA', false, DATE'2024-05-02', TIMESTAMP'2024-05-01 12:00:01',
            NULL,                           TIMESTAMP_NTZ'2024-05-01 12:00:00', array('c'),      array(9,1))
        AS t(row, num, dbl, dec, text, flag, day, at, ref_at, wall, tags, codes)
        """
    ).repartition(2)
