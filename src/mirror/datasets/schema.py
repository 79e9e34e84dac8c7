"""Schemas without Spark: from Parquet footers and Arrow, and the rules by which a stored schema may change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mirror.datasets.records import StoredSchema

if TYPE_CHECKING:
    import pyarrow as pa

_SPARK_METADATA = b"org.apache.spark.sql.parquet.row.metadata"


def schema_key(schema: StoredSchema) -> str:
    """The identity of a schema: equal documents share one row in the catalog."""
    return hashlib.sha256(canonical(schema).encode()).hexdigest()


def canonical(schema: StoredSchema) -> str:
    """One text per schema."""
    return json.dumps(schema.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def nullable(field_type: Any) -> Any:
    """A Spark type as JSON with everything nullable, nested fields included, and column metadata dropped."""
    if not isinstance(field_type, Mapping):
        return field_type
    kind = field_type["type"]
    if kind == "struct":
        fields = [
            {"name": f["name"], "type": nullable(f["type"]), "nullable": True, "metadata": {}}
            for f in field_type["fields"]
        ]
        return {"type": "struct", "fields": fields}
    if kind == "array":
        return {"type": "array", "elementType": nullable(field_type["elementType"]), "containsNull": True}
    if kind == "map":
        return {
            "type": "map",
            "keyType": nullable(field_type["keyType"]),
            "valueType": nullable(field_type["valueType"]),
            "valueContainsNull": True,
        }
    return dict(field_type)


def fields_of_parquet(path: Path | str | IO[bytes]) -> tuple[dict[str, Any], int]:
    """Spark fields (nullable) and row count of a Parquet file, from its footer alone.

    Raises ``OSError`` or ``pyarrow.ArrowInvalid`` for what is no Parquet file.
    """
    import pyarrow.parquet as pq

    footer = pq.read_metadata(path)
    key_values = footer.metadata or {}
    if _SPARK_METADATA in key_values:
        fields: dict[str, Any] = nullable(json.loads(key_values[_SPARK_METADATA]))
        return fields, footer.num_rows
    return fields_of_arrow(footer.schema.to_arrow_schema()), footer.num_rows


def rows_of_parquet(path: Path | str | IO[bytes]) -> int:
    """Row count from the footer."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def fields_of_arrow(schema: pa.Schema) -> dict[str, Any]:
    """The Spark fields that Spark itself would read for an Arrow schema, nullable."""
    return _struct(schema)


def _struct(fields: Any) -> dict[str, Any]:
    return {
        "type": "struct",
        "fields": [{"name": f.name, "type": _type(f.type), "nullable": True, "metadata": {}} for f in fields],
    }


def _type(kind: pa.DataType) -> Any:
    import pyarrow.types as pt

    simple = (
        (pt.is_boolean, "boolean"), (pt.is_int8, "byte"), (pt.is_int16, "short"), (pt.is_uint8, "short"),
        (pt.is_int32, "integer"), (pt.is_uint16, "integer"), (pt.is_int64, "long"), (pt.is_uint32, "long"),
        (pt.is_uint64, "decimal(20,0)"), (pt.is_float32, "float"), (pt.is_float64, "double"), (pt.is_date, "date"),
        (pt.is_string, "string"), (pt.is_large_string, "string"), (pt.is_null, "string"), (pt.is_binary, "binary"),
        (pt.is_large_binary, "binary"), (pt.is_fixed_size_binary, "binary"),
    )  # fmt: skip
    for matches, name in simple:
        if matches(kind):
            return name
    if pt.is_timestamp(kind) and kind.unit == "ns":
        raise ValueError("Spark reads no nanosecond timestamps; write the file with coerce_timestamps='us'")
    if pt.is_timestamp(kind):
        return "timestamp" if kind.tz is not None else "timestamp_ntz"
    if pt.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pt.is_dictionary(kind):
        return _type(kind.value_type)
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return {"type": "array", "elementType": _type(kind.value_type), "containsNull": True}
    if pt.is_map(kind):
        return {
            "type": "map", "keyType": _type(kind.key_type), "valueType": _type(kind.item_type),
            "valueContainsNull": True,
        }  # fmt: skip
    if pt.is_struct(kind):
        return _struct([kind.field(i) for i in range(kind.num_fields)])
    raise ValueError(f"Spark has no type for {kind}")


def differences(stored: StoredSchema, written: StoredSchema) -> tuple[str, ...]:
    """Why ``written`` may not be added to a view with schema ``stored``; empty when it may.

    Existing columns must all be there with their type; new columns may come (older rows read as null); names that
    differ only in case are refused (transforms fact sheet, section 5.3).
    """
    found: list[str] = []
    if stored.format != written.format:
        found.append(f"its files are {stored.format}, the new ones {written.format}")
    old = {f["name"]: nullable(f["type"]) for f in stored.fields["fields"]}
    new = {f["name"]: nullable(f["type"]) for f in written.fields["fields"]}
    for name, kind in old.items():
        if name not in new:
            found.append(f"column {name!r} is missing")
        elif new[name] != kind:
            found.append(f"column {name!r} is {_text(new[name])} instead of {_text(kind)}")
    folded = {name.lower(): name for name in old}
    for name in new.keys() - old.keys():
        if name.lower() in folded:
            found.append(f"column {name!r} differs from {folded[name.lower()]!r} only in case")
    return tuple(found)


def extended(stored: StoredSchema, written: StoredSchema) -> StoredSchema:
    """The schema of the view after adding files of schema ``written``: stored order first, then what is new."""
    known = {f["name"] for f in stored.fields["fields"]}
    fields = [*stored.fields["fields"], *(f for f in written.fields["fields"] if f["name"] not in known)]
    return StoredSchema(
        format=stored.format,
        fields={"type": "struct", "fields": fields},
        options={**stored.options, **written.options},
        path_columns=tuple(dict.fromkeys([*stored.path_columns, *written.path_columns])),
        column_descriptions={**stored.column_descriptions, **written.column_descriptions},
        column_typeclasses={**stored.column_typeclasses, **written.column_typeclasses},
        layout=written.layout or stored.layout,
    )


def path_columns_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Column names that every one of the logical paths carries as ``name=value`` folders."""
    found: tuple[str, ...] | None = None
    for path in paths:
        names = tuple(part.split("=", 1)[0] for part in path.split("/")[:-1] if "=" in part)
        found = names if found is None else tuple(name for name in found if name in names)
    return found or ()


def _text(kind: Any) -> str:
    return kind if isinstance(kind, str) else json.dumps(kind, separators=(",", ":"))
