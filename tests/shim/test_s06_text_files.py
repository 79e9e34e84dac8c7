"""Fact sheet section 6: CSV, JSON and text files read on one node give the rows that Spark gives."""

from __future__ import annotations

import bz2
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from pyspark.sql import types as T

from transforms.api import (
    Input,
    LightweightInput,
    Output,
    transform,
)
from transforms.errors import (
    LightweightValueError,
)
from transforms.ports import WriteOptions
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing._parts import Part, scratch_folder

MOMENT = datetime(2024, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)
TEXTS = {
    "spark_default": ({}, 'a,1,2024-01-02T03:04:05.120Z\n"",,2024-01-02 03:04:05.12\n'),
    "header_by_position": (
        {"header": "true"},
        'x,y,z\na,1,2024-01-02T05:04:05.12+02:00\n"",,2024-01-02T03:04:05.120Z\n',
    ),
    "separator": (
        {"sep": ";", "HEADER": "True"},
        'k;v;t\na;1;2024-01-02T03:04:05.120Z\n"";;2024-01-02T03:04:05.120Z\n',
    ),
    "null_and_encoding": (
        {"delimiter": "\t", "nullValue": "-", "encoding": "latin-1"},
        'a\t1\t2024-01-02T03:04:05.120Z\n""\t-\t2024-01-02T03:04:05.120Z\n',
    ),
}


def _stored(path: str, content: bytes, kind: str, options: dict[str, str]) -> MemoryReadPort:
    folder = scratch_folder()
    (folder / path).write_bytes(content)
    schema = T.StructType([T.StructField(*f) for f in (("k", T.StringType()), ("v", T.LongType()))])
    schema = schema.add("t", T.TimestampType()) if kind != "text" else T.StructType(schema.fields[:1])
    return MemoryReadPort("/texts", [Part(folder=folder, schema=schema, options=WriteOptions(kind, options=options))])


@pytest.mark.parametrize("case", TEXTS)
def test_csv_is_parsed_as_spark_parses_it(case):
    options, text = TEXTS[case]
    port = _stored("part-0.csv", text.encode(options.get("encoding", "utf-8")), "csv", options)
    empty = "" if "nullValue" in options else None
    assert LightweightInput(port).arrow().to_pylist() == [
        {"k": "a", "v": 1, "t": MOMENT},
        {"k": empty, "v": None, "t": MOMENT},
    ]


def test_text_files_of_every_kind():
    quoted = _stored("a.csv", b'"say \\"hi\\", C:\\\\a\\b",2\nC:\\\\a\\b,3\n', "csv", {})
    assert LightweightInput(quoted).arrow()["k"].to_pylist() == ['say "hi", C:\\a\\b', "C:\\\\a\\b"]
    assert LightweightInput(quoted).arrow()["t"].to_pylist() == [None, None]
    packed = _stored("a.csv.bz2", bz2.compress(b"z,26\n"), "csv", {})
    assert LightweightInput(packed).polars().rows() == [("z", 26, None)]
    lines = _stored("part-0.txt", b"one\r\ntwo, 2\n", "text", {})
    assert LightweightInput(lines).arrow().to_pydict() == {"k": ["one", "two, 2"]}
    objects = b'{"v": 1, "t": "2024-01-02T03:04:05.120Z"}\n{"k": "a"}\n'
    found = LightweightInput(_stored("part-0.json", objects, "json", {})).arrow().to_pylist()
    assert found == [{"k": None, "v": 1, "t": MOMENT}, {"k": "a", "v": None, "t": None}]
    for kind, content in (("csv", b""), ("csv", b"k,v,t\n"), ("json", b"")):
        assert LightweightInput(_stored(f"part-0.{kind}", content, kind, {"header": "true"})).pandas().empty


@pytest.mark.parametrize(
    ("path", "content", "options", "says"),
    [
        ("a.csv", b"x,y\n", {}, "'a.csv' does not hold what the schema says"),
        ("a.csv", b"x,1\ny\n", {}, "Expected 2 columns, got 1"),
        ("a.csv", b"x,1\n", {"dateFormat": "yyyy"}, "option 'dateformat', which only Spark honours"),
        ("a.csv", b"x||1\n", {"sep": "||"}, "separated by '||', which only Spark reads"),
        ("a.json", b"[1]", {}, "'a.json' is no sequence of JSON objects"),
        ("a.xml", b"<a/>", {}, "'a.xml' is no table file"),
    ],
)
def test_what_one_node_cannot_parse_is_refused_and_never_guessed(path, content, options, says):
    kind = "xml" if path.endswith("xml") else path[2:]
    with pytest.raises(LightweightValueError) as caught:
        LightweightInput(_stored(path, content, kind, options)).arrow()
    assert says in str(caught.value)


@pytest.mark.nightly
def test_both_engines_read_the_same_rows_of_every_format(store, run, frame, rows):
    columns = {"k": ['say "hi", C:\\tmp;', "", None], "v": [1, 2, 3], "x": [1.5, float("nan"), None], "b": [True] * 3}
    moments = [pd.Timestamp("2024-01-02T03:04:05.123456", tz="UTC")] * 3
    store.store_dataframe("/in", frame(**columns, t=moments, day=[date(2024, 1, 2)] * 3, part=["a", "b", "a"]))
    forms = {
        "csv": {},
        "csv_headed": {"header": True, "sep": ";", "nullValue": "nil"},
        "json": {},
        "orc": {},
        "parquet": {},
    }
    seen = {}
    for name, options in forms.items():
        kind = name.partition("_")[0]

        def write(s, out, kind=kind, options=options):
            out.write_dataframe(s.dataframe(), output_format=kind, options=options, partition_cols=["part"])

        def copy(s, out):
            out.write_dataframe(s.dataframe())

        run(transform(s=Input("/in"), out=Output(f"/{name}"))(write))
        run(transform(s=Input(f"/{name}"), out=Output(f"/{name}_spark"))(copy))
        run(
            transform.using(s=Input(f"/{name}"), out=Output(f"/{name}_node"))(lambda s, out: out.write_table(s.arrow()))
        )
        seen[name] = [str(rows(f"/{name}_{engine}")) for engine in ("spark", "node")]
        assert len(rows(f"/{name}_node")) == 3
    assert {name: pair for name, pair in seen.items() if pair[0] != pair[1]} == {}
