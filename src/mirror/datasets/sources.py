"""The ``source:`` sections of the fleet profiles: where a delimited file goes, and what its header must hold.

Read as plain YAML: the repository is never imported here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mirror.datasets.archives import UNREADABLE, members
from mirror.datasets.errors import ProfileError, WrongHeaderError
from mirror.errors import nearest

_DELIMITED = ("csv", "tsv", "text")
_WHITESPACE = "whitespace"
_BY_NAME = ("by_file", "file_name", "in_path")


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
    """

    profile: Path
    dataset: str
    format: str
    encoding: str
    delimiter: str
    columns: tuple[SourceColumn, ...]
    lines_before_header: int = 0
    without_header: bool = False
    comment: str | None = None
    named_files: bool = False

    def verify(self, file: Path) -> None:
        """Checks the header of a file. Raises WrongHeaderError; other formats are not looked into."""
        if not self.columns or self.without_header:
            return
        if self.format == "parquet":
            self._verify_parquet(file)
            return
        if self.format not in _DELIMITED:
            return
        empty = True
        try:
            for name, content in members(file):
                empty = False
                if problems := tuple(self._problems(self._first_record(content))):
                    raise WrongHeaderError(name, self.dataset, problems, str(self.profile))
        except (UnicodeError, csv.Error, *UNREADABLE) as error:
            problem = f"it cannot be read as {self.encoding} text ({error})"
            raise WrongHeaderError(str(file), self.dataset, (problem,), str(self.profile)) from error
        if empty:
            raise WrongHeaderError(str(file), self.dataset, ("the archive holds no file",), str(self.profile))

    def _first_record(self, content: IO[bytes]) -> list[str]:
        """The first line that is neither blank nor declared to hold no data; later lines may hold anything."""
        utf8 = self.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        for number, raw in enumerate(content):
            if number < self.lines_before_header:
                continue
            line = raw.decode("utf-8-sig" if utf8 else self.encoding).rstrip("\r\n")
            if not line.strip() or (self.comment is not None and line.startswith(self.comment)):
                continue
            return line.split() if self.delimiter == _WHITESPACE else next(csv.reader([line], delimiter=self.delimiter))
        return []

    def _verify_parquet(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            # a footer comes last, and a tar archive is read forwards only
            schemas = [
                (name, pq.read_schema(content if content.seekable() else pa.BufferReader(content.read())))
                for name, content in members(file)
            ]
        except (pa.ArrowInvalid, *UNREADABLE) as error:
            problem = f"it is no whole Parquet file ({str(error).splitlines()[0]})"
            raise WrongHeaderError(str(file), self.dataset, (problem,), str(self.profile)) from error
        for name, schema in schemas:
            if problems := tuple(self._problems(schema.names)):
                raise WrongHeaderError(name, self.dataset, problems, str(self.profile))

    def _problems(self, header: Sequence[str]) -> Iterator[str]:
        if not header:
            yield "the file is empty"
            return
        found = [field.strip() for field in header]
        spellings = {alias.strip() for column in self.columns for alias in column.aliases}
        unknown = [field for field in found if field not in spellings]
        for column in self.columns:
            places = sum(1 for field in found if field in {alias.strip() for alias in column.aliases})
            if places > 1:
                yield f"column {column.name!r} occurs {places} times"
            elif not places and not column.optional:
                wanted = column.aliases[0].strip()
                hint = nearest(wanted, unknown).replace("Did you mean", "The file has")
                yield f"column {column.name!r} ({wanted!r}) is missing.{hint}".rstrip(".?")


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
        lines_before_header=_count(file, source.get("lines_before_header", 0)),
        without_header=source.get("without_header") is True,
        named_files=source.get("device") in _BY_NAME,
        comment=None if source.get("comment") is None else str(source["comment"]),
    )


def _count(file: Path, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ProfileError(str(file), None, f"`source.lines_before_header` is {value!r}, which is no number of lines")
    return value
