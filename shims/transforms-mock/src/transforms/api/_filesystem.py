"""Files of a dataset: listing with glob, regex and the hidden-file rule, and opening them on the driver or on
workers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from transforms._names import Named, caller, known_arguments
from transforms.api._empty import empty_frame
from transforms.errors import DriverOnlyError, ReadOnlyError, TransformsError, TransformTypeError, TransformValueError
from transforms.ports import ReadPort, WritePort

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PACKINGS = ("ffd", "wfd")


class FileStatus(NamedTuple):
    """One file.

    Attributes:
        path: logical path inside the dataset, without leading slash.
        size: bytes.
        modified: milliseconds since the epoch.
    """

    path: str
    size: int
    modified: int


def glob_pattern(glob: str) -> re.Pattern[str]:
    """A unix pattern with globstar as a regular expression over whole logical paths.

    ``*`` and ``?`` stay inside one folder, ``**/`` spans any number of folders (none included), ``{a,b}`` and
    ``[a-z]`` as in a shell.
    """
    out, i, depth = [], 0, 0
    while i < len(glob):
        rest = glob[i:]
        if rest.startswith("**/"):
            out.append("(?:.*/)?")
            i += 3
            continue
        if rest.startswith("**"):
            out.append(".*")
            i += 2
            continue
        char = glob[i]
        i += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := glob.find("]", i + 1)) > 0:
            inner = glob[i:end].replace("\\", "\\\\")
            out.append(f"[{'^' + inner[1:] if inner.startswith('!') else inner}]")
            i = end + 1
        elif char == "{" and "}" in glob[i:]:
            out.append("(?:")
            depth += 1
        elif char == "}" and depth:
            out.append(")")
            depth -= 1
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def is_hidden(path: str) -> bool:
    """Whether the file or a folder on the way to it begins with ``.`` or ``_``."""
    return any(part.startswith((".", "_")) for part in path.split("/"))


def select(
    statuses: Sequence[FileStatus], glob: str | None = None, regex: str = ".*", show_hidden: bool = False
) -> Iterator[FileStatus]:
    """The files whose logical path matches both patterns: ``glob`` as a whole, ``regex`` from the path's start."""
    wanted = glob_pattern(glob) if glob is not None else None
    pattern = re.compile(regex)
    for status in statuses:
        if not show_hidden and is_hidden(status.path):
            continue
        if wanted is not None and not wanted.match(status.path):
            continue
        if pattern.match(status.path):
            yield status


def logical(owner: str, path: Any) -> str:
    """A logical path as text, without leading slash; a row of a listing stands for its path.

    Raises:
        TransformTypeError: it is nothing of that kind.
    """
    found = os.fspath(path) if isinstance(path, str | os.PathLike) else getattr(path, "path", None)
    if not isinstance(found, str):
        raise TransformTypeError(f"{owner} takes the path of a file as text, got {path!r}.", caller())
    return found.lstrip("/")


def _texts(owner: str, glob: Any, regex: Any) -> None:
    for name, given in (("glob", glob), ("regex", regex)):
        if not isinstance(given, str) and not (given is None and name == "glob"):
            raise TransformTypeError(f"{name} of {owner} is one pattern as text, got {given!r}.", caller())


class BaseFileSystem(Named):
    """What Spark and single-node file systems share. Pickles; usable on workers and from threads."""

    def __init__(self, port: ReadPort, read_only: bool, read_mode: str, owner: Any = None) -> None:
        self._port, self._read_only, self._read_mode, self._owner = port, read_only, read_mode, owner

    def _statuses(self) -> list[FileStatus]:
        return [FileStatus(f.path, f.size, f.modified) for f in self._port.files(self._read_mode)]

    @known_arguments("{}.ls")
    def ls(self, glob: str | None = None, regex: str = ".*", show_hidden: bool = False) -> Iterator[FileStatus]:
        """The files, recursively from the dataset's root, as a generator.

        Raises:
            TransformTypeError: a pattern is no text.
        """
        _texts(type(self).__name__, glob, regex)
        return select(self._statuses(), glob, regex, show_hidden)

    @known_arguments("{}.open")
    def open(self, path: str, mode: str = "r", **kwargs: Any) -> IO[Any]:
        """A stream over one file, text unless ``mode`` says ``b``; further keywords as for ``io.open``.

        Raises:
            FileNotFoundError: no such file in this view.
            ReadOnlyError: opened for writing where only reading is allowed.
        """
        owner = f"{type(self).__name__}.open"
        name = logical(owner, path)
        if not isinstance(mode, str):
            raise TransformTypeError(f"mode of {owner} is a text such as 'rb', got {mode!r}.", caller())
        if not set(mode) & set("wax+"):
            return self._port.open(name, mode, read_mode=self._read_mode, **kwargs)
        if self._read_only or not isinstance(self._port, WritePort):
            raise ReadOnlyError(self._port.path, name, mode)
        if self._owner is not None:
            self._owner._before_file_write(name)
        return self._port.create(name, mode, **kwargs)


class FileSystem(BaseFileSystem):
    """The files of a dataset in a Spark transform."""

    def __init__(
        self,
        foundry_fs: ReadPort,
        read_only: bool = False,
        *,
        read_mode: str = "current",
        spark: SparkSession | None = None,
        owner: Any = None,
    ) -> None:
        super().__init__(foundry_fs, read_only, read_mode, owner)
        self._spark = spark

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_spark": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def hadoop_path(self) -> str | None:
        """A URI without trailing slash that Spark's readers take with a file's logical path behind it."""
        return self._port.directory(self._read_mode).rstrip("/")

    @known_arguments("{}.files")
    def files(
        self,
        glob: str | None = None,
        regex: str = ".*",
        show_hidden: bool = False,
        packing_heuristic: str | None = None,
    ) -> DataFrame:
        """The listing as a frame, so that work on many files spreads over executors.

        Columns: ``path`` (string), ``size`` (long, bytes), ``modified`` (long, milliseconds since the epoch).

        Args:
            packing_heuristic: ``ffd`` or ``wfd`` packs files into partitions by
            ``spark.sql.files.maxPartitionBytes``; without
                it they are spread evenly.

        Raises:
            DriverOnlyError: called on a worker.
        """
        if self._spark is None:
            raise DriverOnlyError(self._port.path, "filesystem().files()")
        from pyspark.sql.types import LongType, StringType, StructField, StructType

        _texts(type(self).__name__, glob, regex)
        if packing_heuristic is not None and packing_heuristic not in PACKINGS:
            what = f"packing_heuristic of FileSystem.files is 'ffd' or 'wfd', got {packing_heuristic!r}."
            raise TransformValueError(what, caller())
        schema = StructType(
            [
                StructField("path", StringType()),
                StructField("size", LongType()),
                StructField("modified", LongType()),
            ]
        )
        found = list(select(self._statuses(), glob, regex, show_hidden))
        if packing_heuristic is not None and found:
            bins = self._packed(found, packing_heuristic)
            rows = self._spark.sparkContext.parallelize(bins, len(bins)).flatMap(lambda group: group)
            return self._spark.createDataFrame(rows, schema)
        if not found:
            return empty_frame(self._spark, schema)
        import pandas as pd

        return self._spark.createDataFrame(pd.DataFrame(found, columns=schema.fieldNames()), schema)

    def _packed(self, found: Sequence[FileStatus], heuristic: str) -> list[list[tuple[str, int, int]]]:
        if self._spark is None:
            raise DriverOnlyError(self._port.path, "filesystem().files()")
        limit = _bytes(self._spark.conf.get("spark.sql.files.maxPartitionBytes") or "128m")
        cost = _bytes(self._spark.conf.get("spark.sql.files.openCostInBytes") or "4m")
        return pack(found, limit, cost, worst_fit=heuristic == "wfd")


def pack(
    files: Sequence[FileStatus], limit: int, cost: int, *, worst_fit: bool = False
) -> list[list[tuple[str, int, int]]]:
    """Files in bins of at most ``limit`` bytes, each counted with ``cost`` for opening it; larger ones stand alone.

    First-fit decreasing takes the first bin with room, worst-fit decreasing the emptiest one.
    """
    bins: list[list[tuple[str, int, int]]] = []
    filled: list[int] = []
    for status in sorted(files, key=lambda f: (-f.size, f.path)):
        weight = status.size + cost
        fitting = [i for i, used in enumerate(filled) if used + weight <= limit]
        if not fitting:
            bins.append([])
            filled.append(0)
            fitting = [len(bins) - 1]
        chosen = min(fitting, key=lambda i: filled[i]) if worst_fit else fitting[0]
        bins[chosen].append((status.path, status.size, status.modified))
        filled[chosen] += weight
    return bins


def _bytes(text: str) -> int:
    units = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
    match = re.fullmatch(r"(\d+)\s*([bkmgt]?)b?", text.strip().lower())
    if match is None:
        raise TransformsError(f"not a size: {text!r}")
    return int(match[1]) * units[match[2] or "b"]
