"""Rows in CSV, JSON and text files for Arrow, parsed as Spark's readers parse them: both engines read the same rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from transforms.errors import LightweightValueError

if TYPE_CHECKING:
    import pyarrow as pa

# What Spark's CSV reader takes and is either honoured here or changes no row.
_PARSING = ("header", "sep", "delimiter", "quote", "escape", "nullvalue", "encoding", "charset", "multiline")
_KNOWN = {*_PARSING, "inferschema", "enforceschema", "mode", "compression", "noho", "maxrecordsperfile"}


def read_csv(content: bytes, target: pa.Schema, options: Mapping[str, str], path: str) -> pa.Table:
    """Columns by position, as Spark reads a file with a schema: a header is skipped, not believed.

    Args:
        target: the columns the file may hold; one with fewer gives the first ones.
        options: as for Spark's reader: no header, comma, ``"`` and backslash unless they say otherwise.
        path: for errors.

    Raises:
        LightweightValueError: an option that only Spark honours, or content that does not fit the schema.
    """
    import pyarrow as pa
    import pyarrow.csv

    given = {name.lower(): value for name, value in options.items()}
    if foreign := sorted(set(given) - _KNOWN):
        what = f"'{path}' has the option '{foreign[0]}', which only Spark honours; read it in a Spark transform."
        raise LightweightValueError(what)
    separator = given.get("sep", given.get("delimiter", ","))
    quote, escape = given.get("quote", '"'), given.get("escape", "\\")
    if len(separator) != 1:
        raise LightweightValueError(f"'{path}' is separated by {separator!r}, which only Spark reads.")
    text = content.decode(given.get("encoding", given.get("charset", "utf-8")))
    null = given.get("nullvalue", "")
    header = given.get("header", "false").lower() == "true"
    lines = (line.replace(f"{escape}{quote}", "") for line in io.StringIO(text))
    first = next((row for row in csv.reader(lines, delimiter=separator) if row), None)
    if first is None:
        return target.empty_table()
    escaped = escape not in ("", quote) and escape in text
    if escaped:
        text = _escaped_for_arrow(text, quote, escape)
    names = [*target.names, *(f"_{n}" for n in range(len(target.names), len(first)))][: len(first)]
    kinds = {f.name: _parsed_as(f.type) for f in target}
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(text.encode()),
            pyarrow.csv.ReadOptions(column_names=names, skip_rows=int(header)),
            pyarrow.csv.ParseOptions(
                delimiter=separator,
                quote_char=quote or False,
                escape_char=escape if escaped else False,
                newlines_in_values=given.get("multiline", "false").lower() == "true",
            ),
            pyarrow.csv.ConvertOptions(
                column_types=kinds,
                null_values=[null, ""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=null == "",
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return target.empty_table()
        raise LightweightValueError(f"'{path}' does not hold what the schema says: {error}") from error
    kept = [name for name in names if name in target.names]
    return pa.table({name: _nulled(table.column(name), null) for name in kept})


def _escaped_for_arrow(text: str, quote: str, escape: str) -> str:
    """Arrow drops every escape character; Spark only inside quotes, and there only before a quote or another one."""
    quoted = rf"{re.escape(quote)}(?:[^{re.escape(quote + escape)}]|{re.escape(escape)}.)*{re.escape(quote)}"
    inside = re.compile(rf"{re.escape(escape)}(.)", re.DOTALL)

    def keep(found: re.Match[str]) -> str:
        return found[0] if found[1] in (quote, escape) else escape + found[0]

    def one(found: re.Match[str]) -> str:
        return escape * 2 if found[0] == escape else inside.sub(keep, found[0])

    return re.sub(rf"{quoted}|{re.escape(escape)}", one, text, flags=re.DOTALL)


def _nulled(column: Any, null: str) -> Any:
    """A text that reads like null is null for Spark, quoted or not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(column, null), None, column) if null and pa.types.is_string(column.type) else column


def _parsed_as(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    # Moments come with and without a zone in one file; they are made of text afterwards.
    return pa.string() if pa.types.is_timestamp(kind) or pa.types.is_nested(kind) else kind


def read_json(content: bytes, path: str) -> pa.Table:
    """One object per row; columns by name.

    Raises:
        LightweightValueError: this is no JSON of that shape.
    """
    import pyarrow as pa
    import pyarrow.json

    if not content.strip():
        return pa.table({})
    try:
        return pyarrow.json.read_json(io.BytesIO(content))
    except pa.ArrowInvalid as error:
        raise LightweightValueError(f"'{path}' is no sequence of JSON objects: {error}") from error


def read_text(content: bytes, target: pa.Schema) -> pa.Table:
    """One row per line."""
    import pyarrow as pa

    lines = content.decode("utf-8").split("\n")
    kept = [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    return pa.table({target.names[0]: pa.array(kept, pa.string())})


def moments(column: Any, kind: pa.TimestampType) -> Any:
    """Texts as timestamps; without a zone they are UTC, the time zone of every session here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    zoned = pc.match_substring_regex(column, r"([Zz]|[+-]\d{2}:?\d{2})$")
    plain = pc.replace_substring_regex(pc.if_else(zoned, None, column), " ", "T")
    naive = plain.cast(pa.timestamp("us"))
    aware = pc.if_else(zoned, column, None).cast(pa.timestamp("us", "UTC"))
    return pc.coalesce(aware, pc.assume_timezone(naive, "UTC")).cast(kind)
