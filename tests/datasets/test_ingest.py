"""What comes from outside is verified before a transaction is opened, and kept byte for byte."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.datasets import TransactionType, Workspace
from mirror.datasets.errors import (
    AmbiguousDatasetError,
    AppendOverwritesError,
    DatasetNotFoundError,
    DeleteMissingError,
    ProfileError,
    SchemaMismatchError,
    UnreadableFileError,
    WrongHeaderError,
)
from mirror.datasets.ingest import IngestResult, ingest

PROFILE = """\
source:
  dataset: /Fleet/ahu/landing
  format: csv
  encoding: utf-8
  delimiter: ","
  header:
    - {name: time, aliases: ["Datetime"]}
    - {name: supply, aliases: ["AHU: Supply Air Temperature ", "SAT"]}
    - {name: label, aliases: ["Ground Truth"], optional: true}
"""


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    folder = tmp_path / "transforms-python" / "src" / "fleet" / "profiles"
    folder.mkdir(parents=True)
    (folder / "ahu.yaml").write_text(PROFILE)
    return folder


def take(workspace: Workspace, name: str, *files: object, kind: str = "APPEND", **options) -> IngestResult:
    kind_of = TransactionType(kind)
    return ingest(workspace, name, [str(f) for f in files], branch="master", kind=kind_of, **options)


def content(workspace: Workspace, name: str) -> dict[str, bytes]:
    view = workspace.store.view(workspace.store.dataset(name))
    return {f.path: Path(view.root, f.location).read_bytes() for f in view.files}


def transactions(workspace: Workspace) -> int:
    return sum(len(workspace.store.history(d)) for d in workspace.store.datasets() if workspace.store.branches(d))


def test_raw_files_stay_as_they_are_and_come_once(workspace: Workspace, tmp_path: Path) -> None:
    torn = tmp_path / "torn.csv"
    torn.write_bytes(b'a,b\r\n1,\xff\xfe\x00\n"half')
    packed = tmp_path / "day.csv.gz"
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n", mtime=0))
    result = take(workspace, "/raw", torn, packed)
    assert (result.created, result.added, result.rows) == (True, ("torn.csv", "day.csv.gz"), None)
    assert content(workspace, "raw") == {"torn.csv": torn.read_bytes(), "day.csv.gz": packed.read_bytes()}
    again = take(workspace, "raw", torn, packed)
    assert (again.transaction, again.unchanged) == (None, ("torn.csv", "day.csv.gz"))
    # The same bytes under another name are the same file.
    copy = tmp_path / "copy.csv"
    copy.write_bytes(torn.read_bytes())
    (tmp_path / "new.csv").write_text("a,b\n")
    mixed = take(workspace, "raw", copy, tmp_path / "new.csv")
    assert (mixed.added, mixed.unchanged) == (("new.csv",), ("copy.csv",))
    assert transactions(workspace) == 2


def test_types_of_transaction(workspace: Workspace, tmp_path: Path) -> None:
    day = tmp_path / "day.csv"
    day.write_text("one")
    take(workspace, "/raw", day)
    day.write_text("two")
    with pytest.raises(AppendOverwritesError, match=r"'day\.csv'"):
        take(workspace, "/raw", day)
    take(workspace, "/raw", day, kind="UPDATE")
    assert content(workspace, "raw") == {"day.csv": b"two"}
    other = tmp_path / "other.csv"
    other.write_text("three")
    take(workspace, "/raw", other, kind="SNAPSHOT")
    assert content(workspace, "raw") == {"other.csv": b"three"}
    assert take(workspace, "/raw", other, kind="SNAPSHOT").transaction is None
    with pytest.raises(DeleteMissingError, match=r"day\.csv"):
        take(workspace, "/raw", "day.csv", kind="DELETE")
    take(workspace, "/raw", "other.csv", kind="DELETE")
    assert content(workspace, "raw") == {}
    with pytest.raises(DatasetNotFoundError, match="Did you mean '/raw'"):
        take(workspace, "/rawr", "other.csv", kind="DELETE")


def test_folders_keep_their_inner_paths(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("a")
    (tmp_path / "in" / "sub" / "b.txt").write_text("b")
    take(workspace, "/raw", tmp_path / "in")
    assert sorted(content(workspace, "raw")) == ["a.txt", "sub/b.txt"]
    with pytest.raises(UnreadableFileError, match=r"a\.txt has the same name 'a\.txt'"):
        take(workspace, "/raw", tmp_path / "in" / "a.txt", tmp_path / "in")


def test_parquet_brings_schema_and_rows_without_spark(workspace: Workspace, tmp_path: Path) -> None:
    pd.DataFrame({"v": [1, 2], "w": ["x", None]}).to_parquet(tmp_path / "a.parquet")
    result = take(workspace, "/table", tmp_path / "a.parquet")
    view = workspace.store.view(workspace.store.dataset("table"))
    assert (result.rows, view.rows) == (2, 2)
    assert view.schema is not None
    assert [(f["name"], f["type"]) for f in view.schema.fields["fields"]] == [("v", "long"), ("w", "string")]
    pd.DataFrame({"v": ["text"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SchemaMismatchError, match="column 'v' is string instead of long"):
        take(workspace, "/table", tmp_path / "b.parquet")
    with pytest.raises(UnreadableFileError, match=r"b\.parquet: it does not fit a\.parquet"):
        take(workspace, "/table", tmp_path / "a.parquet", tmp_path / "b.parquet", kind="SNAPSHOT")
    (tmp_path / "c.csv").write_text("v\n")
    with pytest.raises(UnreadableFileError, match=r"c\.csv: it is no Parquet file while others are"):
        take(workspace, "/table", tmp_path / "a.parquet", tmp_path / "c.csv", kind="SNAPSHOT")
    assert transactions(workspace) == 1


def test_unreadable_parquet_leaves_the_catalog_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    pd.DataFrame({"v": [1]}).to_parquet(tmp_path / "a.parquet")
    torn = tmp_path / "torn.parquet"
    torn.write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(UnreadableFileError, match=r"torn\.parquet: it is no readable Parquet file"):
        take(workspace, "/table", tmp_path / "a.parquet", torn)
    with pytest.raises(UnreadableFileError, match=r"none\.parquet: there is no such file"):
        take(workspace, "/table", tmp_path / "none.parquet")
    assert workspace.store.datasets() == ()


def test_inferred_csv_reads_as_a_table(workspace: Workspace, spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,x,t,d,s,ok\n1,1.5,2026-01-01 10:00:00,2026-01-01,a,true\n")
    (tmp_path / "b.csv").write_text("n,x,t,d,s,ok\n2,2,2026-01-02T00:00:00,2026-01-02,,false\n")
    both = (tmp_path / "a.csv", tmp_path / "b.csv")
    assert take(workspace, "/table", *both).rows is None
    # Files that are there already as bytes become a table; a second time nothing changes.
    result = take(workspace, "/table", *both, infer_schema=True)
    assert (result.rows, result.type) == (2, "SNAPSHOT")
    assert take(workspace, "/table", *both, infer_schema=True).transaction is None
    frame = workspace.store.read(spark, workspace.store.view(workspace.store.dataset("table")))
    kinds = [f.dataType.simpleString() for f in frame.schema]
    assert kinds == ["bigint", "double", "timestamp", "date", "string", "boolean"]
    rows = [tuple(r) for r in frame.selectExpr("n", "x", "cast(t AS string)", "cast(d AS string)", "s", "ok").collect()]
    assert sorted(rows) == [
        (1, 1.5, "2026-01-01 10:00:00", "2026-01-01", "a", True),
        (2, 2.0, "2026-01-02 00:00:00", "2026-01-02", None, False),
    ]
    (tmp_path / "c.csv").write_text("n,other\n1,2\n")
    with pytest.raises(UnreadableFileError, match=r"c\.csv: its header differs from that of a\.csv"):
        take(workspace, "/t2", tmp_path / "a.csv", tmp_path / "c.csv", infer_schema=True)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UnreadableFileError, match="no schema can be inferred"):
        take(workspace, "/t2", tmp_path / "empty.csv", infer_schema=True)


def test_header_declared_by_a_profile(workspace: Workspace, profiles: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_bytes(b"\xef\xbb\xbfSAT, Datetime,Unknown\n1,2,3\n")
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(b'Datetime,"AHU: Supply Air Temperature"\n'))
    assert take(workspace, "landing", good, packed).dataset == "/Fleet/ahu/landing"
    bad = tmp_path / "bad.csv"
    bad.write_text("Datetime,AHU: Supply Air Temp\n")
    with pytest.raises(WrongHeaderError) as caught:
        take(workspace, "landing", bad)
    said = str(caught.value)
    assert f"{bad}, line 1: column 'supply' ('AHU: Supply Air Temperature') is missing" in said
    assert "The file has 'AHU: Supply Air Temp'" in said
    assert str(profiles / "ahu.yaml") in said
    for text, problem in (
        (b"", "the file is empty"),
        (b"Datetime,SAT,Datetime\n", "column 'time' occurs 2 times"),
        (b"\xff\xfe\x00\x01\n", "cannot be read as utf-8 text"),
    ):
        bad.write_bytes(text)
        with pytest.raises(WrongHeaderError, match=problem):
            take(workspace, "landing", bad)
    bad_gz = tmp_path / "bad.csv.gz"
    bad_gz.write_bytes(b"no gzip")
    with pytest.raises(WrongHeaderError, match="cannot be read as utf-8 text"):
        take(workspace, "landing", bad_gz)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.csv", "Datetime,SAT\n")
        archive.writestr("in/bad.csv", "Datetime,S\n")
    with pytest.raises(WrongHeaderError, match=r"bad\.zip/in/bad\.csv, line 1: column 'supply'"):
        take(workspace, "landing", tmp_path / "bad.zip")
    assert transactions(workspace) == 1
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  comment: '#'\n", 1))
    late_binary = tmp_path / "late.csv"
    late_binary.write_bytes(b"\n# a remark\nDatetime,SAT\n1,2\n\xff\xfe\n")  # its own line is a dead letter, later
    assert take(workspace, "landing", late_binary).added == ("late.csv",)
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  lines_before_header: 2\n", 1))
    titled = tmp_path / "titled.csv"
    titled.write_text('Unit "7\n\nDatetime,SAT\n')
    assert take(workspace, "landing", titled).added == ("titled.csv",)
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  without_header: true\n", 1))
    (tmp_path / "bare.csv").write_text("2026-01-01,1\n")
    assert take(workspace, "landing", tmp_path / "bare.csv").added == ("bare.csv",)
    assert transactions(workspace) == 4
    # Where names tell devices apart, the same bytes of two devices are two files.
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  device: file_name\n", 1))
    twin = tmp_path / "twin.csv"
    twin.write_bytes(good.read_bytes())
    assert take(workspace, "landing", good, twin).added == ("twin.csv",)
    # The header rule is the landing dataset's alone.
    (tmp_path / "free.csv").write_text("anything\n")
    assert take(workspace, "/elsewhere", tmp_path / "free.csv").created


def test_files_without_readings_lie_beside_the_others(workspace: Workspace, profiles: Path, tmp_path: Path) -> None:
    licence, packed = tmp_path / "LICENSE", tmp_path / "packed.zip"
    licence.write_text("free for all\n")
    with pytest.raises(WrongHeaderError, match=r"`source.files` names the files that hold readings"):
        take(workspace, "landing", licence)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("good.csv", "Datetime,SAT\n")
        archive.writestr("units.csv", "sensor,unit\n")
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  files: ['good*']\n", 1))
    assert take(workspace, "landing", licence, packed).added == ("LICENSE", "packed.zip")
    with pytest.raises(WrongHeaderError, match=r"none of the 1 files is one that `source.files` names"):
        take(workspace, "landing", licence)
    (profiles / "ahu.yaml").write_text(PROFILE.replace("source:\n", "source:\n  files: ['best*']\n", 1))
    with pytest.raises(WrongHeaderError, match=r"there is no file in it that `source.files` names"):
        take(workspace, "landing", packed)


def test_keys_of_json_and_devices_in_a_header_are_declared_too(
    workspace: Workspace, profiles: Path, tmp_path: Path
) -> None:
    def declare(*more: str) -> None:
        lines = "".join(f"  {line}\n" for line in more)
        (profiles / "ahu.yaml").write_text(PROFILE.replace("  format: csv\n  encoding: utf-8\n", lines))

    def refused(problem: str, file: Path) -> None:
        with pytest.raises(WrongHeaderError, match=problem) as caught:
            take(workspace, "landing", file)
        assert "nothing was ingested" in str(caught.value)

    declare("format: csv", "encoding: utf-8")
    wide = tmp_path / "wide.csv"
    wide.write_bytes("Datetime,SAT\r\n1,2\r\n".encode("utf-16"))
    refused(r"begins like UTF-16: `source\.encoding: utf-16` reads that", wide)
    old = tmp_path / "old.csv"
    old.write_bytes(b"Datetime,SAT\r1,2\r")
    refused(r"carriage returns alone, as `source\.line_ends: carriage_return` says", old)
    declare("format: csv", "line_ends: carriage_return")
    assert take(workspace, "landing", old).added == ("old.csv",)
    declare("format: csv", "header_lines: 2", "comment: '#'")
    refused("'supply' .* is missing", _written(tmp_path / "half.csv", "Datetime,AHU:\n# two\n,Return Air\n"))
    whole = _written(tmp_path / "whole.csv", "Datetime,AHU:,\n# two\n,Return Air,Supply Air Temperature\n1,2,3\n")
    assert take(workspace, "landing", whole).added == ("whole.csv",)
    declare("format: csv", "encoding: utf-16")
    assert take(workspace, "landing", wide).added == ("wide.csv",)
    unmarked = tmp_path / "unmarked.csv"
    unmarked.write_bytes("Datetime,SAT\r\n1,3\r\n".encode("utf-16-le"))
    refused("does not start with BOM", unmarked)
    declare("format: csv", "encoding: utf-16-le")
    assert take(workspace, "landing", unmarked).added == ("unmarked.csv",)
    declare("format: csv", "device: in_header", r"device_pattern: '(?P<device>u\d) (?P<column>.+)'")
    (tmp_path / "two.csv").write_text("Datetime,u1 SAT,u2 SAD\n1,2,3\n")
    refused(r"column 'supply' \('AHU: Supply Air Temperature'\) of device 'u2' is missing", tmp_path / "two.csv")
    refused("no column is one of a device", _written(tmp_path / "none.csv", "Datetime,SAT\n"))
    (tmp_path / "two.csv").write_text("Datetime,u1 SAT,u2 SAT\n1,2,3\n")
    assert take(workspace, "landing", tmp_path / "two.csv").added == ("two.csv",)
    declare("format: json_lines", "records: day.rows")
    late = '{"Datetime": 1, "day": {"rows": []}}\nno json\n{"Datetime": 2, "day": {"rows": [{}, {"SAT": null}]}}\n'
    assert take(workspace, "landing", _written(tmp_path / "late.jsonl", late)).added == ("late.jsonl",)
    flat = _written(tmp_path / "flat.jsonl", '{"day": {"rows": [{"AHU": {"Supply Air": 1}, "Datetime": 2}]}}\n')
    refused(r"'supply' .* is missing from its first records.*The file has 'AHU\.Supply Air'", flat)
    declare("format: json")
    (tmp_path / "no.json").write_text("SAT,Datetime\n1,2\n")
    refused("the file holds no JSON record", tmp_path / "no.json")
    torn = _written(tmp_path / "torn.json", '[{"SAT": 1, ')  # one dead letter, later
    assert take(workspace, "landing", torn).added == ("torn.json",)
    assert take(workspace, "landing", _written(tmp_path / "all.json", '[{"SAT": 1},\n {"Datetime": 1}]')).added
    assert transactions(workspace) == 8


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_malformed_profiles_name_file_and_line(workspace: Workspace, profiles: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x\n")
    for text, problem in (
        ("source:\n  dataset: [\n", r"ahu\.yaml, line 3"),
        ("source: 3\n", "`source` must be a mapping"),
        ("source: {format: csv}\n", "names no `dataset`"),
        ("source: {dataset: /a, header: [{aliases: [x]}]}\n", "names no column"),
        ("source: {dataset: /a, header_lines: 0}\n", "header_lines` is 0, which is no number"),
        ("source: {dataset: /a, lines_before_header: -1}\n", "lines_before_header` is -1, which is no number"),
    ):
        (profiles / "ahu.yaml").write_text(text)
        with pytest.raises(ProfileError, match=problem):
            take(workspace, "/raw", tmp_path / "x.csv")
    assert workspace.store.datasets() == ()


def test_bare_names_must_be_known(workspace: Workspace, profiles: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x\n")
    workspace.store.create("/Fleet/raw/readings")
    with pytest.raises(DatasetNotFoundError, match="Did you mean '/Fleet/raw/readings'"):
        take(workspace, "redings", tmp_path / "x.csv")
    workspace.store.create("/Other/readings")
    with pytest.raises(AmbiguousDatasetError):
        take(workspace, "readings", tmp_path / "x.csv")
