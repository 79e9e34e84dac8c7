"""Fact sheet section 12: ``transforms.verbs``, many cases in few Spark jobs."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.errors import UnionError, UnknownArgumentError
from transforms.verbs import columns as C
from transforms.verbs import dataframes as D
from transforms.verbs.dataframes import union_many


@pytest.fixture(scope="module")
def pair(spark):
    left = spark.range(1).select(F.lit("l").alias("k"), F.lit(1).alias("v"))
    return left, left.select(F.lit(2).alias("v"), F.lit("r").alias("k"), F.lit(True).alias("extra"))


@pytest.mark.nightly
def test_union_many(spark, pair):
    left, right = pair
    turned = right.drop("extra")
    tagged = [
        union_many(left, turned).withColumn("case", F.lit("strict")),
        union_many([left, turned, left]).withColumn("case", F.lit("list")),
        union_many(left, right, how="narrow").withColumn("case", F.lit("narrow")),
        union_many(left, turned.toDF("V", "K")).withColumn("case", F.lit("cased")),
        union_many(left, turned.toDF("V", "K"), how="narrow").withColumn("case", F.lit("narrow cased")),
        union_many(left).withColumn("case", F.lit("one")),
        union_many(left, right, how="wide", spark_session=spark).withColumn("case", F.lit("wide")),
    ]
    found: dict[str, list] = {}
    for row in union_many(*tagged, how="wide").collect():
        found.setdefault(row.case, []).append((row.k, row.v, row.extra))
    assert found == {
        "strict": [("l", 1, None), ("r", 2, None)],
        "list": [("l", 1, None), ("r", 2, None), ("l", 1, None)],
        "narrow": [("l", 1, None), ("r", 2, None)],
        "cased": [("l", 1, None), ("r", 2, None)],
        "narrow cased": [("l", 1, None), ("r", 2, None)],
        "one": [("l", 1, None)],
        "wide": [("l", 1, None), ("r", 2, True)],
    }
    assert union_many(how="wide", spark_session=spark).columns == []
    assert union_many(left, right, how="wide").columns == ["k", "v", "extra"]


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda left, right: union_many(left, right), UnionError, "extra ['extra']. Use how='wide'"),
        (lambda left, right: union_many(left, right, how="outer"), UnionError, "strict, narrow, wide"),
        (lambda left, right: union_many(), UnionError, "give spark_session"),
        (lambda left, right: union_many(left, None), UnionError, "frame 2 is no Spark DataFrame but NoneType"),
        (lambda left, right: union_many(f for f in (left, right)), UnionError, "frame 2 differs from the first"),
        (lambda left, right: union_many(left, right.select("extra"), how="narrow"), UnionError, "no column"),
        (lambda left, right: union_many(left, howw="wide"), UnknownArgumentError, "Did you mean 'how'"),
    ],
)
def test_union_many_refuses(pair, act, error, says):
    with pytest.raises(error) as caught:
        act(*pair)
    assert says in str(caught.value)


@pytest.mark.nightly
def test_sanitize_schema_for_parquet(spark):
    inner = T.StructType([T.StructField("x y", T.LongType()), T.StructField("x;y", T.LongType())])
    schema = T.StructType(
        [
            T.StructField("a b", T.LongType()),
            T.StructField("a=b", T.LongType()),
            T.StructField("tick`(s)", T.LongType()),
            T.StructField("n", inner),
            T.StructField("list", T.ArrayType(inner)),
            T.StructField("m", T.MapType(T.StringType(), inner)),
            T.StructField("fine", T.StringType()),
            T.StructField("A_b", T.LongType()),
        ]
    )
    rows = [(1, 2, 3, (4, 5), [(6, 7)], {"k": (8, 9)}, "f", 9)]
    clean = D.sanitize_schema_for_parquet(spark.createDataFrame(rows, schema))
    assert clean.columns == ["a_b_1", "a_b_2", "tick`_s_", "n", "list", "m", "fine", "A_b"]
    assert clean.schema["n"].dataType.fieldNames() == ["x_y", "x_y_1"]
    assert clean.first() == ((1, 2, 3, (4, 5), [(6, 7)], {"k": (8, 9)}, "f", 9))
    twice = spark.range(1).select(F.col("id").alias("x y"), F.lit("s").alias("x y"))
    assert D.sanitize_schema_for_parquet(twice).dtypes == [("x_y", "bigint"), ("x_y_1", "string")]
    untouched = spark.range(1)
    assert D.sanitize_schema_for_parquet(untouched) is untouched


def test_columns(spark):
    texts = ["  x ", "   ", "", None, "someValue", "SomeValue", "HTTPCode", "already_snake", "value2Name"]
    df = spark.createDataFrame([(t,) for t in texts], "t string")
    found = df.select(C.trim_to_null("t").alias("trim"), C.camel_to_snake_case(F.col("t")).alias("snake")).collect()
    assert [r.trim for r in found[:5]] == ["x", None, None, None, "someValue"]
    assert [r.snake for r in found[4:]] == ["some_value", "some_value", "http_code", "already_snake", "value2_name"]
