"""How the raw files of a fleet are written: columns, cells, times and devices."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from fleet_health.profiles.keys import Name, Reason
from fleet_health.profiles.keys import Strict as _Strict

# strict, because YAML reads an unquoted no as false and that would be 0
MissingWord = StrictStr | StrictFloat | StrictInt


class ValidWhen(_Strict):
    """The column that judges a cell, and the words (as written, blanks at their ends aside) that let it count."""

    column: Name
    words: tuple[StrictStr, ...] = Field(min_length=1)


class UnitBy(_Strict):
    """The column that says the unit of a cell, and the unit that each of its words (as written) means."""

    column: Name
    words: dict[StrictStr, StrictStr] = Field(min_length=1)


class Column(_Strict):
    """One column of the source files; ``aliases`` are the exact header spellings that are accepted.

    ``missing`` adds to the words of the whole file, ``true_words`` and ``false_words`` to ``1 0 true false``.
    ``suffixes`` are texts that may follow a number in its cell. A file that counts in tenths of ``unit`` is
    ``divided_by`` 10. Where the unit differs from row to row it is known ``unit_by`` another column, and a cell with
    any other word there is unreadable. A cell counts only ``valid_when`` another column says so. A line without a
    value in a ``required`` column is a dead letter. ``place`` is the first and the last character of a column of fixed
    width, counted from 1.
    """

    name: Name
    aliases: tuple[str, ...] = Field(min_length=1)
    place: tuple[Annotated[StrictInt, Field(ge=1)], StrictInt] | None = None
    unit: str | None = None
    unit_by: UnitBy | None = None
    missing: tuple[MissingWord, ...] = ()
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    suffixes: tuple[Annotated[StrictStr, Field(min_length=1)], ...] = ()
    divided_by: Annotated[float, Field(gt=0)] | None = None
    valid_when: ValidWhen | None = None
    required: bool = False
    optional: bool = False
    reason: str | None = None


EPOCHS = {
    "epoch_nanoseconds": "ns",
    "epoch_microseconds": "us",
    "epoch_milliseconds": "ms",
    "epoch_seconds": "s",
    "epoch_minutes": "m",
    "epoch_hours": "h",
    "epoch_days": "D",
}
WHITESPACE = "whitespace"
FIXED_WIDTH = "fixed_width"
LINE_ENDS = {"line_feed": "\n", "carriage_return": "\r"}
"""The last character of a line; a carriage return before a line feed belongs to the end too."""
FROM_REGISTRY = "from_registry"
IN_HEADER = "in_header"
IN_PATH = "in_path"
ONE_COLUMN = "*"
"""What ``aliases`` call the column of a device that has one alone."""
BY_FILE = ("by_file", "file_name", IN_PATH)
"""Where the file says whose its lines are."""
WORKBOOK = "xlsx"
JSON = ("json_lines", "json")


class SourceTime(_Strict):
    """How the time text is read; an offset in the text wins over every zone.

    ``column`` may be several columns, joined by blanks. One of them may be ``in_path``: what the group ``time`` of
    ``path_pattern`` finds in the path below the dataset, such as the day of the file. Another may be ``in_header``:
    then a line has a reading for every column in which the group ``time`` of ``header_pattern`` finds a time, as tables
    with a line a day have. Of a longer text only the group ``time`` of ``text_pattern`` is read. ``format`` is a
    strptime pattern, ``iso8601``, one of :data:`EPOCHS`, or several of them, tried in order. Epochs count from 1970, or
    from the UTC day ``counts_from``: some loggers write the time since their start, and some tables only number their
    rows. ``zone`` is the IANA name of the zone in which all text without offset is written, wherever the devices stand;
    without it, and with :data:`FROM_REGISTRY`, that is the zone of each device. A time before ``earliest`` or not
    before ``latest`` (UTC days) is no time. With ``hour_24``, 24:00 is the end of the day it is written with. ``words``
    are replaced by what ``format`` reads, such as the names of months of other languages.
    """

    column: Name | tuple[Name, ...]
    path_pattern: str | None = None
    header_pattern: str | None = None
    text_pattern: str | None = None
    format: str | tuple[str, ...]
    counts_from: date | None = None
    zone: str | None = None
    earliest: date | None = None
    latest: date | None = None
    hour_24: bool = False
    words: dict[Annotated[StrictStr, Field(min_length=1)], StrictStr] = Field(default={})
    reason: Reason

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if isinstance(self.column, str) else self.column

    @property
    def formats(self) -> tuple[str, ...]:
        return (self.format,) if isinstance(self.format, str) else self.format


class SourceDevice(_Strict):
    """The device a file belongs to, by the file's name (shell pattern)."""

    file: str
    device_id: str


class Merge(_Strict):
    """Lines of one file and device whose times fall into the same step become one reading, at the step's start.

    Steps are counted in UTC and lie inside every window, so no value moves into another window. Each sensor has its
    first value in the order of ``sequence``. With ``across_files`` lines of one device become a reading whatever their
    files; then every delivery reads all files again, because a file may add to any step.
    """

    every_seconds: int = Field(ge=1)
    across_files: bool = False
    reason: Reason


class Narrow(_Strict):
    """Files with a line per sensor: the column that names the sensor, the one with its value, and how each is called.

    Where a file holds one sensor, ``sensor`` is ``file_name``, the name of the file up to its first dot, or
    ``in_path``: what the group ``sensor`` of ``sensor_pattern`` finds in the path below the dataset. ``aliases`` of the
    ``sensors`` are these words. Lines about ``other_sensors`` are dead letters, or no
    data at all. Without ``merge`` each line is a reading.
    """

    sensor: Name | Literal["file_name", "in_path"]
    sensor_pattern: str | None = None
    value: Name
    sensors: tuple[Column, ...] = Field(min_length=1)
    other_sensors: Literal["dead_letter", "ignore"] = "dead_letter"
    merge: Merge | None = None

    @property
    def by_file(self) -> bool:
        """Whether a file holds one sensor."""
        return self.sensor in BY_FILE

    @property
    def sensor_by_word(self) -> dict[str, str]:
        return {word: column.name for column in self.sensors for word in column.aliases}


Marks = tuple[Annotated[StrictStr, Field(min_length=1)], ...]
Columns = Annotated[tuple[Name, ...], Field(min_length=1)]


class Source(_Strict):
    """Where raw files land and how they are written.

    ``files`` are shell patterns of the names of those that hold readings, inside of archives too; without it, all do.
    ``delimiter`` is one character, the word ``whitespace`` for any run of blanks and tabs, or ``fixed_width`` where
    every column has its ``place`` in a line. A Parquet file has
    columns instead of text, so every key about text is refused for it. An ``xlsx`` workbook has a table in each sheet,
    whose lines may be shorter or longer than the header; cells that are dates read as ISO 8601.
    ``json_lines`` has a JSON document in each line, ``json`` one in each file. A column is called by the keys that lead
    to it, joined by points, and a key that a record lacks is a cell without a value. ``records`` are the keys that lead
    to the list of records inside a document; they have the cells of the objects around them as well. A record may be a
    list; its cells are called 0, 1, and so on. With ``record_columns`` the last object has a list for each column, or
    an object whose keys, called ``index``, are the same in all of them.
    ``line_ends: carriage_return`` is for files without any line feed.
    ``trailing_delimiter``: every data line ends with one delimiter more than there are columns.
    Of several ``header_lines`` the names that stand above each other are joined by blanks.
    ``lines_before_header`` and ``lines_after_header`` (titles, a row of units) and lines that begin with ``comment``
    are no data, nor are lines of empty fields when ``blank_lines`` are ignored, nor the header once more when
    ``repeated_headers`` are. ``short_lines: missing`` takes the
    fields that a line lacks at its end for empty cells. ``quoted``: cells that hold the delimiter stand in quotes, so
    that it may be the mark of decimals or of thousands as well. ``quoted_line_breaks``: a line goes on in the next one
    while a quote is open. In files ``without_header`` the columns are those of
    ``header``, in their order. A sensor cell with text that is no value is null and flags its row UNREADABLE_VALUE;
    ``unreadable_cells: dead_letter`` refuses the whole line instead.

    ``device`` is a column, several whose cells are joined by hyphens, ``by_file`` (``devices`` says which),
    ``file_name`` (the name of the file up to its first dot) or ``in_path``: what the group ``device`` of
    ``device_pattern`` finds in the path below the dataset. The last two may stand before columns in a list.
    With ``in_header`` a line has several devices: the groups ``device`` and ``column`` of ``device_pattern`` find whose
    a column is and what ``aliases`` call it, which is :data:`ONE_COLUMN` without the second group; columns that do not
    match are shared. ``event_id`` may be several columns that, with the device, identify a message.
    """

    dataset: str
    files: tuple[Annotated[StrictStr, Field(min_length=1)], ...] = ()
    format: Literal["csv", "xlsx", "parquet", "json_lines", "json"]
    records: Annotated[StrictStr, Field(min_length=1)] | None = None
    record_columns: bool = False
    encoding: str = "utf-8"
    line_ends: Literal["line_feed", "carriage_return"] = "line_feed"
    delimiter: Annotated[str, Field(pattern=r"^(?s:.|whitespace|fixed_width)$")] = ","
    trailing_delimiter: bool = False
    unreadable_cells: Literal["flag", "dead_letter"] = "flag"
    short_lines: Literal["dead_letter", "missing"] = "dead_letter"
    blank_lines: Literal["dead_letter", "ignore"] = "dead_letter"
    repeated_headers: Literal["dead_letter", "ignore"] = "dead_letter"
    quoted: bool = False
    quoted_line_breaks: bool = False
    comment: Annotated[StrictStr, Field(min_length=1)] | Marks = ()
    without_header: bool = False
    lines_before_header: int = Field(default=0, ge=0)
    header_lines: int = Field(default=1, ge=1)
    lines_after_header: int = Field(default=0, ge=0)
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    missing: tuple[MissingWord, ...] = ()
    header: tuple[Column, ...]
    narrow: Narrow | None = None
    time: SourceTime
    ingested: Name | Literal["same_as_time"]
    ingested_reason: Reason
    device: Name | Literal["by_file", "file_name", "in_path", "in_header"] | Columns
    device_pattern: str | None = None
    devices: tuple[SourceDevice, ...] = ()
    event_id: Name | Literal["device_and_time", "device_and_text"] | Columns
    sequence: Name | Literal["line_number"]

    @property
    def header_pattern(self) -> str | None:
        """What finds the several readings of a line in its header, where there are several."""
        return self.device_pattern if self.device == IN_HEADER else self.time.header_pattern

    @property
    def comments(self) -> tuple[str, ...]:
        """What lines without data begin with."""
        return (self.comment,) if isinstance(self.comment, str) else self.comment

    def reads(self, path: str) -> bool:
        """Whether the file holds readings."""
        return not self.files or any(fnmatchcase(path.rsplit("/", 1)[-1], pattern) for pattern in self.files)

    @property
    def device_parts(self) -> tuple[str, ...]:
        """What the id of a device is made of: columns, or one of the other words for where it stands."""
        return (self.device,) if isinstance(self.device, str) else self.device

    @property
    def readable(self) -> tuple[Column, ...]:
        """Where sensors are described: columns of the file, or the words of narrow lines."""
        return self.header if self.narrow is None else self.narrow.sensors

    @property
    def merge(self) -> Merge | None:
        return None if self.narrow is None else self.narrow.merge
