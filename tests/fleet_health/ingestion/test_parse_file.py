"""One file to frames: every data line becomes a reading or a malformed message, never nothing."""

from __future__ import annotations

import gzip
import io

import pandas as pd
import pytest

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("air_handler")
HEADER = ",".join(column.aliases[0] for column in PROFILE.source.header)
WIDTH = HEADER.count(",") + 1


def line(time: str, first: str = "70", rest: str = "0.5") -> str:
    cells = [time, first, *[rest] * (WIDTH - 2)]
    for place, column in enumerate(PROFILE.source.header):
        if column.name in PROFILE.sensor_names and PROFILE.sensor(column.name).type == "boolean":
            cells[place] = "1"
    return ",".join(cells)


def parse(content: str | bytes, path: str = "szcav_extra.csv") -> pd.DataFrame:
    raw = content.encode() if isinstance(content, str) else content
    frames = list(parse_file(io.BytesIO(raw), path, PROFILE))
    kept = [frame.dropna(axis="columns", how="all") for frame in frames if len(frame)]
    names = frames[0].columns if frames else []
    return pd.concat(kept).reindex(columns=names).sort_values("line_number") if kept else pd.DataFrame()


def test_a_device_column_reads_local_times_in_the_zone_of_each_device() -> None:
    fleet, ahu = shipped_profile("refrigeration"), PROFILE.registry.devices[0]
    zones = {"EAST": "Europe/Berlin", "WEST": "America/Chicago"}
    known = tuple(ahu.model_copy(update={"device_id": d, "timezone": zone}) for d, zone in zones.items())
    registry = fleet.registry.model_copy(update={"dataset": None, "devices": known})
    fleet = fleet.model_copy(update={"registry": registry})
    names = [column.name for column in fleet.source.header]
    texts = [",".join(column.aliases[0] for column in fleet.source.header)]
    for number, device in enumerate(("WEST", "EAST", "STRANGER", "WEST")):
        end = "Z" if number == 3 else ""
        known_cells = {
            "event_id": f"e{number}",
            fleet.source.device: device,
            fleet.source.time.column: f"2026-01-15T12:00:00{end}",
            fleet.source.ingested: "2026-01-15T18:00:00Z",
            fleet.source.sequence: str(number),
        }
        texts.append(",".join(known_cells.get(name, "1") for name in names))
    (rows,) = parse_file(io.BytesIO("\n".join(texts).encode()), "day.csv", fleet)
    assert [f"{t:%H:%M}" for t in rows["timestamp_device"]] == ["18:00", "11:00", "12:00", "12:00"]
    assert rows["device_id"].tolist() == ["WEST", "EAST", "STRANGER", "WEST"]


def test_a_nasty_file_loses_no_line() -> None:
    nasty = [
        HEADER,
        line("3/11/2017 0:00"),
        line("3/11/2017 0:01", first="#VALUE!"),
        line("3/11/2017 0:02") + ",extra",
        "3/11/2017 0:03,70",
        line("25:61 yesterday"),
        "",
        line("3/11/2017 0:05").replace("70", "7\x000"),
        "x" * 70_000,
        line("3/11/2017 0:06").replace("70", '"70"'),
    ]
    found = parse("\n".join(nasty) + "\n\n\n")
    assert len(found) == len(nasty) - 1  # every line but the header; blank lines at the very end are no lines
    reasons = dict(zip(found["line_number"], found["reason"].fillna("READ"), strict=True))
    assert reasons == {
        2: "READ",
        3: "READ",
        4: "SCHEMA_MISMATCH",
        5: "SCHEMA_MISMATCH",
        6: "DESERIALIZATION_FAILURE",
        7: "SCHEMA_MISMATCH",
        8: "DESERIALIZATION_FAILURE",
        9: "DESERIALIZATION_FAILURE",
        10: "READ",
    }
    told = dict(zip(found["line_number"], found["error_detail"], strict=True))
    assert told[4] == f"{WIDTH + 1} fields instead of {WIDTH}"
    assert told[6] == "time '25:61 yesterday' does not read as '%m/%d/%Y %H:%M'"
    assert told[7] == "the line is blank"
    payload = dict(zip(found["line_number"], found["payload"], strict=True))
    assert payload[5] == "3/11/2017 0:03,70"
    assert payload[6] == line("25:61 yesterday")
    first = found.iloc[0]
    assert first["device_id"] == "AHU-X3A-CAV-2017S"
    assert first["timestamp_device"] == first["timestamp_ingested"] == pd.Timestamp("2017-03-11 08:00", tz="UTC")
    assert found.iloc[1]["unreadable"] == [PROFILE.source.header[1].name]
    assert found["event_id"].dropna().is_unique


def test_the_same_reading_in_another_file_has_the_same_id() -> None:
    text = f"{HEADER}\n{line('3/11/2017 0:00')}\n"
    ids = [parse(text, name)["event_id"].iloc[0] for name in ("szcav_a.csv", "szcav_b.csv", "szvav_c.csv")]
    assert ids[0] == ids[1]  # sent twice
    assert ids[0] != ids[2]  # another device


def test_header_without_a_needed_column_sends_every_line_to_the_dead_letters() -> None:
    found = parse(f"{HEADER.replace('AHU: Mixed Air Temperature', 'MAT')}\n{line('3/11/2017 0:00')}\n")
    assert found["reason"].tolist() == ["SCHEMA_MISMATCH"]
    assert found["error_detail"].iloc[0] == (
        "header: column 'mixed_air_temperature' ('AHU: Mixed Air Temperature') is missing"
    ).replace("mixed_air_temperature", PROFILE.source.header[6].name)


def test_column_order_and_unknown_columns_do_not_matter() -> None:
    rows = [HEADER.split(","), line("3/11/2017 0:00", first="212").split(",")]
    turned = "\n".join(",".join(["note", *reversed(row)]) for row in rows)
    found = parse(turned)
    assert found["reason"].isna().all()
    assert found[PROFILE.source.header[1].name].iloc[0] == 100.0


def test_file_of_no_device() -> None:
    found = parse(f"{HEADER}\n{line('3/11/2017 0:00')}\n", "unit_77.csv")
    assert found["error_detail"].tolist() == ["file 'unit_77.csv' belongs to no device of the profile"]


@pytest.mark.nightly
def test_torn_archive_ends_with_a_message() -> None:
    body = "\n".join(
        [HEADER, *(line(f"3/{d}/2017 {h}:{m}") for d in range(11, 21) for h in range(24) for m in range(60))]
    )
    whole = gzip.compress(body.encode(), mtime=0)
    found = parse(whole[: len(whole) * 2 // 3], "szcav.csv.gz")
    assert found["reason"].notna().sum() in (1, 2)  # the tear, and the line it cut where that can be seen
    assert "torn" in found["error_detail"].iloc[-1]
    assert found["reason"].isna().sum() > 1_000


def test_empty_file_and_bare_header() -> None:
    assert list(parse_file(io.BytesIO(b""), "szcav.csv", PROFILE)) == []
    assert list(parse_file(io.BytesIO(HEADER.encode()), "szcav.csv", PROFILE)) == []
