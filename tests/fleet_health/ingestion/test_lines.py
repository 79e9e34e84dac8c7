"""Lines: bounded memory, and whatever cannot be read is told with its text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from fleet_health.ingestion.archives import decompressed, members
from fleet_health.ingestion.lines import MAX_LINE_BYTES, read_lines
from mirror.datasets.archives import members as landed


def lines(
    content: bytes, path: str = "a.csv", encoding: str = "utf-8", end: str = "\n"
) -> list[tuple[int, str, str | None]]:
    stream = decompressed(io.BytesIO(content), path)
    return [(line.number, line.text, line.problem) for line in read_lines(stream, encoding, end)]


def test_line_ends_byte_order_mark_and_missing_last_end() -> None:
    assert lines(b"\xef\xbb\xbfa,b\r\n1,2\n3,4") == [(1, "a,b", None), (2, "1,2", None), (3, "3,4", None)]


def test_binary_and_wrongly_encoded_lines_keep_their_text() -> None:
    found = lines(b"ok\n\x00\x01\x02\n\xff\xfe\xfa\nok\n")
    assert [text for _, text, problem in found if problem is None] == ["ok", "ok"]
    assert found[1][1:] == ("\\x00\x01\x02", "the line holds NUL bytes, so it is binary")
    assert found[2][1] == "\\xff\\xfe\\xfa"
    assert found[2][2] == "the line is not utf-8 text (byte 0)"


def test_latin_1_is_text_where_the_profile_says_so() -> None:
    assert lines("22,5 °C\n".encode("latin-1"), encoding="latin-1") == [(1, "22,5 °C", None)]


def test_over_long_line_is_cut_and_the_next_one_is_whole() -> None:
    found = lines(b"x" * (3 * MAX_LINE_BYTES) + b"\nnext\n")
    assert len(found[0][1]) == MAX_LINE_BYTES
    assert "longer than 65536 bytes" in str(found[0][2])
    assert found[1] == (2, "next", None)
    assert lines(b"y" * MAX_LINE_BYTES + b"\n")[0][2] is None  # exactly the limit is fine


def test_torn_gzip_keeps_what_came_before() -> None:
    whole = gzip.compress(b"".join(b"%d,%d\n" % (n, n * n) for n in range(20_000)), mtime=0)
    found = lines(whole[: len(whole) // 2], "a.csv.gz")
    assert found[0] == (1, "0,0", None)
    assert len(found) > 1_000
    assert "torn or damaged" in str(found[-1][2])
    assert all(problem is None for _, _, problem in found[:-1])


def test_a_gz_name_on_plain_text_is_told_once() -> None:
    assert [problem is not None for _, _, problem in lines(b"a,b\n1,2\n", "a.csv.gz")] == [True]


def test_every_file_of_an_archive_has_its_own_name() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, content in {"a/1.csv.bz2": bz2.compress(b"one\n"), "a/._1.csv": b"\x00", "2.csv": b"two\n"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    found = {name: content.read() for name, content in members(packed, "all.TAR.XZ")}
    assert found == {"all.TAR.XZ/a/1.csv.bz2": b"one\n", "all.TAR.XZ/2.csv": b"two\n"}
    assert lines(lzma.compress(b"x\n"), "a.csv.xz") == [(1, "x", None)]


def test_archives_in_archives_are_opened_by_ingestion_and_pipeline_alike(tmp_path: Path) -> None:
    def zipped(name: str, content: bytes) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(name, content)
        return held.getvalue()

    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        entry = tarfile.TarInfo("in/b.zip")
        entry.size = len(inner := zipped("a.csv", b"one\n"))
        archive.addfile(entry, io.BytesIO(inner))
    raw = zipped("c.tgz", held.getvalue())
    endless = b"end"
    for _ in range(6):
        endless = zipped("x.zip", endless)
    for name, content, found in (
        ("d.zip", raw, {"d.zip/c.tgz/in/b.zip/a.csv": b"one\n"}),
        ("e.zip", endless, {"e.zip/x.zip/x.zip/x.zip/x.zip": zipped("x.zip", zipped("x.zip", b"end"))[:4]}),
    ):
        assert {inside: got.read()[:4] for inside, got in members(io.BytesIO(content), name)} == found
        (tmp_path / name).write_bytes(content)
        assert {i.removeprefix(f"{tmp_path}/"): got.read()[:4] for i, got in landed(tmp_path / name)} == found


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-8-sig", "shift_jis", "gb18030"]
)
def test_lines_end_where_the_encoding_says(encoding: str) -> None:
    # each byte order has a 10 and a 13 in these characters, where no line ends
    odd = "\u010a\u0a01\u0a0a\u010d\u0d01\u0d0d" if encoding.startswith("utf") else "x"
    text = f"time,{odd}\r\n1,2\n\nlast"
    for end in ("", "\n"):
        found = lines((text + end).encode(encoding), encoding=encoding)
        assert [line for _, line, _ in found] == text.replace("\r", "").split("\n")
        assert {problem for _, _, problem in found} == {None}
        returns = (text + end).replace("\r", "").replace("\n", "\r").encode(encoding)
        assert lines(returns, encoding=encoding, end="\r") == found


def test_lines_that_end_with_carriage_returns_are_cut_and_told_like_others() -> None:
    found = lines(b"\xef\xbb\xbfa\r\r\xff\r" + b"x" * (3 * MAX_LINE_BYTES) + b"\rlast", end="\r")
    assert [(number, text) for number, text, problem in found if problem is None] == [(1, "a"), (2, ""), (5, "last")]
    assert [str(problem)[:25] for _, _, problem in found if problem is not None] == [
        "the line is not utf-8 tex",
        "the line is longer than 6",
    ]


def test_wide_text_without_a_mark_is_little_endian_and_its_broken_lines_are_told() -> None:
    broken = "a\n".encode("utf-16-le") + b"\x00\xd8\n\x00" + "ok\n".encode("utf-16-le") + b"x"
    found = lines(broken, encoding="utf-16")
    assert [text for _, text, problem in found if problem is None] == ["a", "ok"]
    assert [number for number, _, problem in found if problem is not None] == [2, 4]
    long = lines(("x" * MAX_LINE_BYTES + "\nnext\n").encode("utf-16"), encoding="utf-16")
    assert "longer than 65536 bytes" in str(long[0][2])
    assert long[1] == (2, "next", None)
    torn = gzip.compress("a\nb\n".encode("utf-16"), mtime=0)[:15]
    assert "torn or damaged" in str(lines(torn, "a.csv.gz", "utf-16")[0][2])
