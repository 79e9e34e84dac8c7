"""A file with one torn line must reach Spark like any other: its failures convert to the declared schema."""

from __future__ import annotations

import inspect
import io

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_type

from fleet_health.contracts.raw import parsed_schema
from fleet_health.ingestion.deserialise import parse_file
from fleet_health.profiles.loader import shipped_profile

# Spark 4 asks for the zone that Spark 3.5 takes for granted.
ZONE = {"timezone": "UTC"} if "timezone" in inspect.signature(to_arrow_type).parameters else {}


def test_a_torn_line_converts_to_the_columns_that_workers_send() -> None:
    profile = shipped_profile("air_handler")
    header = ",".join(column.aliases[0] for column in profile.source.header)
    (frame,) = parse_file(io.BytesIO(f"{header}\ntorn\n".encode()), "szcav_torn.csv", profile)
    sent = {
        field.name: pa.Array.from_pandas(frame[field.name], type=to_arrow_type(field.dataType, **ZONE)).to_pylist()
        for field in parsed_schema(profile)
    }
    told = {name: cells for name, cells in sent.items() if cells != [None]}
    assert told == {
        "reason": ["SCHEMA_MISMATCH"],
        "payload": ["torn"],
        "error_detail": [f"1 fields instead of {len(profile.source.header)}"],
        "device_id": ["AHU-X3A-CAV-2017S"],
        "_partition_key": ["AHU-X3A-CAV-2017S"],
        "_sequence_number": [2],
        "source_file": ["szcav_torn.csv"],
        "line_number": [2],
    }


def test_what_a_whole_line_leaves_out_is_null_of_its_type() -> None:
    profile = shipped_profile("air_handler")
    header = ",".join(column.aliases[0] for column in profile.source.header)
    line = ",".join("3/11/2017 0:00" if name == "Datetime" else "1" for name in header.split(","))
    (frame,) = parse_file(io.BytesIO(f"{header}\n{line}\n".encode()), "szcav_whole.csv", profile)
    assert frame[["reason", "payload", "error_detail"]].iloc[0].tolist() == [None, None, None]
