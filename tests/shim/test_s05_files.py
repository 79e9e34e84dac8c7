"""Fact sheet section 5.4: file systems of Spark transforms, on the driver and on workers."""

from __future__ import annotations

import types

import pytest

from transforms.api import (
    Input,
    Output,
    transform,
)
from transforms.api._filesystem import FileStatus, pack, select

FILES = {
    "students.csv": "x",
    "Data/alpha.csv": "xx",
    "Data/deep/beta.CSV": "xxx",
    "Data/b c&[d].txt": "xxxx",
    ".hidden.csv": "h",
    "_delta_log/0.csv": "h",
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["Data/alpha.csv", "Data/b c&[d].txt", "Data/deep/beta.CSV", "students.csv"]),
        (
            {"show_hidden": True, "glob": "**/*.csv"},
            [".hidden.csv", "Data/alpha.csv", "_delta_log/0.csv", "students.csv"],
        ),
        ({"glob": "*.csv"}, ["students.csv"]),
        ({"glob": "**/*.csv"}, ["Data/alpha.csv", "students.csv"]),
        ({"glob": "Data/*"}, ["Data/alpha.csv", "Data/b c&[d].txt"]),
        ({"glob": "Data/**"}, ["Data/alpha.csv", "Data/b c&[d].txt", "Data/deep/beta.CSV"]),
        ({"glob": "**/*.{CSV,txt}"}, ["Data/b c&[d].txt", "Data/deep/beta.CSV"]),
        ({"glob": "student?.csv"}, ["students.csv"]),
        ({"glob": "[r-t]*.csv"}, ["students.csv"]),
        ({"glob": "[!r-t]*/alpha.csv"}, ["Data/alpha.csv"]),
        ({"regex": r"[A-Z]*\.csv"}, []),
        ({"regex": "Data"}, ["Data/alpha.csv", "Data/b c&[d].txt", "Data/deep/beta.CSV"]),
        ({"regex": r"(?i).*beta.*\.csv"}, ["Data/deep/beta.CSV"]),
        ({"regex": r".*alpha", "glob": "**/*.csv"}, ["Data/alpha.csv"]),
    ],
)
def test_listing_rules(arguments, expected):
    statuses = [FileStatus(path, len(text), 0) for path, text in sorted(FILES.items())]
    assert [s.path for s in select(statuses, **arguments)] == expected


def test_packing_fills_bins_by_size_and_open_cost():
    files = [FileStatus(name, size, 0) for name, size in (("a", 60), ("b", 50), ("c", 30), ("d", 10), ("e", 500))]
    names = [[path for path, *_ in group] for group in pack(files, 100, 5)]
    assert names == [["e"], ["a", "c"], ["b", "d"]]
    assert [[p for p, *_ in g] for g in pack(files, 100, 0, worst_fit=True)] == [["e"], ["a", "d"], ["b", "c"]]


@pytest.mark.nightly
def test_files_are_listed_and_opened_on_the_driver_and_on_workers(store, run, spark, rows):
    seen = {}
    store.store_files("/raw", FILES)

    @transform(raw=Input("/raw"), parsed=Output("/parsed"), copied=Output("/copied"))
    def compute(raw, parsed, copied):
        fs = raw.filesystem()
        seen["ls"] = fs.ls()
        seen["first"] = next(fs.ls(glob="students.csv"))
        listing = fs.files(regex="(?i).*\\.(csv|txt)$")
        seen["types"], seen["count"] = listing.dtypes, listing.count()
        seen["packed"] = fs.files("**/*.csv", packing_heuristic="ffd").rdd.getNumPartitions()
        seen["nothing"] = fs.files(glob="*.xml").count()
        seen["text"] = fs.open("/students.csv").read()
        seen["seekable"] = fs.open("students.csv", "rb").seekable()
        with copied.filesystem().open("sub dir/é.csv", "w", encoding="utf-16", newline="\r\n") as stream:
            stream.write("ü\n")
        seen["encoded"] = copied.filesystem().open("sub dir/é.csv", newline="", encoding="utf-16").read()
        seen["spark"] = spark.read.text(f"{fs.hadoop_path}/Data/deep/beta.CSV").count()

        def parse(row):
            with raw.filesystem().open(row.path, "r", errors="ignore") as stream:
                yield row.path, len(stream.read()), row.size

        def write(row):
            with copied.filesystem().open(f"copy/{row.path}", "wb") as out, fs.open(row.path, "rb") as source:
                out.write(source.read())

        parsed.write_dataframe(listing.rdd.flatMap(parse).toDF(["path", "length", "size"]))
        listing.foreach(write)
        seen["written"] = sorted(s.path for s in copied.filesystem().ls(glob="copy/**"))
        seen["reread"] = copied.filesystem().open("copy/students.csv").read()

    run(compute)
    assert isinstance(seen["ls"], types.GeneratorType)
    assert seen["first"][:2] == ("students.csv", 1)
    assert seen["first"].modified > 1_500_000_000_000
    assert seen["types"] == [("path", "string"), ("size", "bigint"), ("modified", "bigint")]
    assert (seen["count"], seen["packed"], seen["nothing"], seen["text"]) == (4, 1, 0, "x")
    assert seen["seekable"]
    assert seen["spark"] == 1
    assert rows("/parsed") == [
        ("Data/alpha.csv", 2, 2),
        ("Data/b c&[d].txt", 4, 4),
        ("Data/deep/beta.CSV", 3, 3),
        ("students.csv", 1, 1),
    ]
    assert seen["written"] == sorted(f"copy/{p}" for p in FILES if not p.startswith((".", "_")))
    assert (seen["reread"], seen["encoded"]) == ("x", "ü\r\n")
    assert store.get_files("/copied")["copy/Data/alpha.csv"] == b"xx"
