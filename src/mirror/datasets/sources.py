"""The ``source:`` sections of the fleet profiles: where a delimited file goes, and what its header must hold.

Read as plain YAML: the repository is never imported here.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from mirror.datasets.archives import UNREADABLE, is_archive, members
from mirror.datasets.errors import ProfileError, WrongHeaderError
from mirror.datasets.json_keys import keys_of
from mirror.datasets.sheets import TORN_WORKBOOK, is_workbook, sheets
from mirror.errors import nearest

_DELIMITED = ("csv", "tsv", "text")
_WORKBOOK = "xlsx"
_ONE_COLUMN = "*"
_WHITESPACE = "whitespace"
_JSON = ("json_lines", "json")
_BY_NAME = ("by_file", "file_name", "in_path")
_LINE_ENDS = {"line_feed": "\n", "carriage_return": "\r"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class SourceColumn:
    """One declared column and the header spellings that count as it."""

    name: str
    aliases: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class SourceDeclaration:
    """A profile's ``source:`` section, as far as ingestion cares.

    Attributes:
        profile: the file that declares it.
        columns: columns that are not listed may come and are ignored; order is free.
        named_files: the name of a file says whose it is, so equal bytes under two names are two files.
        records: the keys that lead to the list of records in a JSON document.
        device_columns: what finds the device (or the time) and the column in a spelling of the header, where lines
            have several.
    """

    profile: Path
    dataset: str
    format: str
    encoding: str
    delimiter: str
    columns: tuple[SourceColumn, ...]
    line_ends: str = "line_feed"
    lines_before_header: int = 0
    header_lines: int = 1
    without_header: bool = False
    quoted_line_breaks: bool = False
    comments: tuple[str, ...] = ()
    named_files: bool = False
    records: str | None = None
    record_columns: bool = False
    device_columns: str | None = None
    files: tuple[str, ...] = ()

    def reads(self, name: str) -> bool:
        """Whether a file, or one in an archive, holds readings; others may lie beside them."""
        return not self.files or any(fnmatchcase(name.rsplit("/", 1)[-1], pattern) for pattern in self.files)

    def may_read(self, file: Path) -> bool:
        """Whether a file holds readings, or others that may."""
        return is_archive(file) or (self.format == _WORKBOOK and is_workbook(file.name)) or self.reads(file.name)

    def verify(self, file: Path) -> None:
        """Checks the header of a file. Raises WrongHeaderError; other formats are not looked into."""
        if not self.columns or self.without_header:
            return
        if self.format == "parquet":
            self._verify_parquet(file)
            return
        if self.format not in (*_DELIMITED, *_JSON, _WORKBOOK):
            return
        empty = True
        try:
            for name, header in self._headers(file):
                empty = False
                if problems := tuple(self._problems(header)):
                    raise WrongHeaderError(name, self.dataset, problems, str(self.profile))
        except (UnicodeError, csv.Error, *UNREADABLE) as error:
            problem = f"it cannot be read as {self.encoding} text ({error}){_byte_order(file)}"
            raise WrongHeaderError(str(file), self.dataset, (problem,), str(self.profile)) from error
        if empty and self.may_read(file):
            held = "file or sheet" if self.format == _WORKBOOK else "file"
            problem = f"there is no {held} in it{' that `source.files` names' if self.files else ''}"
            raise WrongHeaderError(str(file), self.dataset, (problem,), str(self.profile))

    def _headers(self, file: Path) -> Iterator[tuple[str, list[str]]]:
        """Name and header of each file or sheet in it that holds readings."""
        for name, content in members(file):
            if self.format == _WORKBOOK:
                yield from self._sheet_headers(name, content)
            elif self.reads(name):
                yield name, self._keys(content) if self.format in _JSON else self._header(self._records(content))

    def _header(self, records: Iterator[list[str]]) -> list[str]:
        found = list(itertools.islice(records, self.header_lines))
        return joined_names(found) if len(found) > 1 else next(iter(found), [])

    def _sheet_headers(self, name: str, content: IO[bytes]) -> Iterator[tuple[str, list[str]]]:
        if self.files and not self.reads(name) and not is_workbook(name):
            return
        try:
            for sheet, rows in sheets(content, name):
                if self.reads(name) or self.reads(sheet):
                    below = itertools.islice(rows, self.lines_before_header, None)
                    marks = self.comments
                    yield sheet, self._header(r for r in below if any(r) and not (marks and r[0].startswith(marks)))
        except TORN_WORKBOOK as error:
            problem = f"it is no whole Excel workbook ({error})"
            raise WrongHeaderError(name, self.dataset, (problem,), str(self.profile)) from error

    def _records(self, content: IO[bytes]) -> Iterator[list[str]]:
        """The lines that are neither blank nor declared to hold no data; those after the header may hold anything."""
        lines = self._lines(content)
        for number, line in enumerate(lines):
            if number < self.lines_before_header:
                continue
            if not line.strip() or (self.comments and line.startswith(self.comments)):
                continue
            if "\ufffd" in line:
                raise UnicodeError("its header holds bytes that are no text")
            if "\r" in line:
                raise csv.Error(
                    "its lines end with carriage returns alone, as `source.line_ends: carriage_return` says"
                )
            if self.delimiter == _WHITESPACE:
                yield line.split()
                continue
            following = lines if self.quoted_line_breaks else ()
            quoted = csv.reader(
                itertools.chain([line], following), delimiter=self.delimiter, skipinitialspace=self.delimiter != " "
            )
            yield next(quoted)

    def _lines(self, content: IO[bytes]) -> Iterator[str]:
        """Bytes that are no text become U+FFFD: only those of a header matter here."""
        end = _LINE_ENDS.get(self.line_ends, "\n")
        with io.TextIOWrapper(io.BufferedReader(content), self._codec, errors="replace", newline=end) as text:  # type: ignore[type-var]
            for line in text:
                yield line.rstrip("\r\n")

    @property
    def _codec(self) -> str:
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def _keys(self, content: IO[bytes]) -> list[str]:
        """The keys of the first records, each joined by points. What is no JSON says nothing about others: a line of
        it will be a dead letter, and so will a document that was cut off.
        """
        told = (self.records, self.record_columns)
        if self.format == "json_lines":
            return keys_of((found for line in self._lines(content) for found in _documents(line)), *told)
        text = content.read().decode(self._codec)
        if not (documents := _documents(text)) and text.lstrip().startswith(("[", "{")):
            return [column.aliases[0] for column in self.columns]
        return keys_of(documents, *told)

    def _verify_parquet(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            # a footer comes last, and a tar archive is read forwards only
            schemas = [
                (name, pq.read_schema(content if content.seekable() else pa.BufferReader(content.read())))
                for name, content in members(file)
                if self.reads(name)
            ]
        except (pa.ArrowInvalid, *UNREADABLE) as error:
            problem = f"it is no whole Parquet file ({str(error).splitlines()[0]})"
            raise WrongHeaderError(str(file), self.dataset, (problem,), str(self.profile)) from error
        for name, schema in schemas:
            if problems := tuple(self._problems(schema.names)):
                raise WrongHeaderError(name, self.dataset, problems, str(self.profile))

    def _problems(self, header: Sequence[str]) -> Iterator[str]:
        if not header:
            yield "the file holds no JSON record" if self.format in _JSON else "the file is empty"
            return
        found = [self._device_and_spelling(field.strip()) for field in header]
        devices = list(dict.fromkeys(device for device, _ in found if device))
        if self.device_columns is not None and not devices:
            key = "device_pattern" if "(?P<device>" in self.device_columns else "time.header_pattern"
            whose = "device" if key == "device_pattern" else "time"
            yield f"no column is one of a {whose}, as `{key}: {self.device_columns}` finds them"
            return
        spellings = {alias.strip() for column in self.columns for alias in column.aliases}
        unknown = [spelling for _, spelling in found if spelling not in spellings]
        if len(unknown) == len(found):
            yield "it has no declared column at all (`source.files` names the files that hold readings)"
        for column, device in itertools.product(self.columns, devices or [""]):
            of_device = f" of device {device!r}" if device else ""
            places = {
                whose: sum(of == whose and spelling in map(str.strip, column.aliases) for of, spelling in found)
                for whose in {device, ""}
            }
            if max(places.values()) > 1 and self.format not in _JSON:
                yield f"column {column.name!r}{of_device} occurs {max(places.values())} times"
            elif not any(places.values()) and not column.optional:
                wanted = column.aliases[0].strip()
                hint = nearest(wanted, unknown).replace("Did you mean", "The file has")
                in_json = " from its first records (`optional: true` takes files without it)"
                missing = f"column {column.name!r} ({wanted!r}){of_device} is missing"
                yield f"{missing}{in_json if self.format in _JSON else ''}.{hint}".rstrip(".?")

    def _device_and_spelling(self, field: str) -> tuple[str, str]:
        """Whose column it is ("" for one that all devices share), and what is left to call it."""
        found = re.fullmatch(self.device_columns, field) if self.device_columns is not None else None
        if found is None:
            return "", field
        named = found.groupdict()
        whose = named["device"] if "device" in named else named["time"]
        return whose, named["column"].strip() if "column" in named else _ONE_COLUMN


def joined_names(lines: Sequence[Sequence[str]]) -> list[str]:
    """One spelling per field of a header of several lines: what stands above each other, joined by blanks.

    An empty field above another one belongs to the name at its left, as tables write cells that span columns.
    """
    width = max(map(len, lines))
    names, above = [], [""] * len(lines)
    for place in range(width):
        own = [line[place].strip() if place < len(line) else "" for line in lines]
        if not any(own):
            names.append("")
            continue
        for level, name in enumerate(own):
            if name:
                above[level:] = [name] + [""] * (len(lines) - level - 1)
        names.append(" ".join(filter(None, [*above[:-1], own[-1]])))
    return names


def _byte_order(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(2)
    return "; it begins like UTF-16: `source.encoding: utf-16` reads that" if start in _UTF_16 else ""


def _documents(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def find_declarations(source_root: Path) -> tuple[SourceDeclaration, ...]:
    """Every ``<package>/profiles/*.yaml`` with a ``source:`` section. Raises ProfileError."""
    found = []
    for file in sorted([*source_root.glob("*/profiles/*.yaml"), *source_root.glob("*/profiles/*.yml")]):
        source = _section(file)
        if source is not None:
            found.append(_declaration(file, source))
    return tuple(found)


def _section(file: Path) -> dict[str, Any] | None:
    import yaml

    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are safe
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ProfileError(str(file), mark.line + 1 if mark else None, getattr(error, "problem", str(error))) from error
    section = document.get("source") if isinstance(document, dict) else None
    if section is not None and not isinstance(section, dict):
        raise ProfileError(str(file), None, "`source` must be a mapping")
    return section


def _declaration(file: Path, source: dict[str, Any]) -> SourceDeclaration:
    dataset = source.get("dataset")
    if not isinstance(dataset, str):
        raise ProfileError(str(file), None, "`source` names no `dataset`")
    columns = []
    for entry in source.get("header") or []:
        if isinstance(entry, str):
            entry = {"name": entry}
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise ProfileError(str(file), None, f"`source.header` holds {entry!r}, which names no column")
        aliases = entry.get("aliases") or [entry["name"]]
        columns.append(SourceColumn(entry["name"], tuple(map(str, aliases)), bool(entry.get("optional", False))))
    return SourceDeclaration(
        profile=file,
        dataset=dataset,
        format=str(source.get("format", "csv")),
        encoding=str(source.get("encoding", "utf-8")),
        delimiter=str(source.get("delimiter", ",")),
        columns=tuple(columns),
        line_ends=str(source.get("line_ends", "line_feed")),
        lines_before_header=_count(file, source, "lines_before_header", 0),
        header_lines=_count(file, source, "header_lines", 1),
        without_header=source.get("without_header") is True,
        quoted_line_breaks=source.get("quoted_line_breaks") is True,
        files=tuple(map(str, source.get("files") or ())),
        named_files=any(part in _BY_NAME for part in [*_listed(source.get("device")), _narrow_sensor(source)]),
        records=source.get("records"),
        record_columns=source.get("record_columns") is True,
        device_columns=_device_columns(file, source),
        comments=tuple(map(str, filter(None, _listed(source.get("comment"))))),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _narrow_sensor(source: dict[str, Any]) -> Any:
    narrow = source.get("narrow")
    return narrow.get("sensor") if isinstance(narrow, dict) else None


def _device_columns(file: Path, source: dict[str, Any]) -> str | None:
    pattern, key, group = source.get("device_pattern"), "device_pattern", "device"
    time = source.get("time")
    if isinstance(time, dict) and time.get("header_pattern") is not None:
        pattern, key, group = time["header_pattern"], "time.header_pattern", "time"
    elif source.get("device") != "in_header":
        return None
    if not isinstance(pattern, str):
        return None
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise ProfileError(str(file), None, f"`source.{key}` is no regular expression ({error})") from error
    if group not in groups:
        raise ProfileError(str(file), None, f"`source.{key}` lacks the group `{group}`")
    return pattern


def _count(file: Path, source: dict[str, Any], key: str, least: int) -> int:
    value = source.get(key, least)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ProfileError(str(file), None, f"`source.{key}` is {value!r}, which is no number of lines")
    return value
