"""Fleets that differ from the shipped ones in one thing each, read by their profile alone."""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.transforms import reading_version
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import load_profile, parse_profile
from fleet_health.profiles.model import Profile

ROOT = Path(__file__).resolve().parents[3]
HEAT_PUMP = (ROOT / "docs" / "heat_pumps" / "heat_pump.yaml").read_text(encoding="utf-8")
HEADER = "Zeit;Vorlauf [°C];Rücklauf [°C];Außen [°C];Leistung [W];Verdichter"
DECLARED = HEAT_PUMP[HEAT_PUMP.index("  devices:\n    - device_id") : HEAT_PUMP.index("\nsensors:")]
NO_REGISTRY = """  every_device:
    site_id: SITE-DE-ESTATE
    timezone: Europe/Berlin
    expected_sensors: [flow_temperature]
    reason: the owner keeps no list of his units
"""


@functools.cache
def fleet(*edits: tuple[str, str]) -> Profile:
    """The documented heat pumps with some lines of their profile changed."""
    text = HEAT_PUMP
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_profile(text, "p.yaml")


def read(profile: Profile, *lines: str, header: str = HEADER, **zones: Any) -> pd.DataFrame:
    content = "\n".join([header, *lines]).encode(profile.source.encoding)
    parts = [part.astype("object") for part in parse_file(io.BytesIO(content), "hp_north_1.csv", profile, **zones)]
    return pd.concat(parts).sort_values("line_number").reset_index(drop=True)


def times(frame: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(t) else f"{t:%Y-%m-%d %H:%M:%S}" for t in frame["timestamp_device"]]


def test_six_days_of_a_solar_plant_count_as_published() -> None:
    profile = load_profile(ROOT / "docs" / "solar_thermal" / "solar_thermal.yaml")
    counts, dead, events = {}, [], set()
    for file in sorted((ROOT / "data" / "solar_thermal").glob("*.csv.gz")):
        with file.open("rb") as stream:
            rows = pd.concat([part.astype("object") for part in parse_file(stream, file.name, profile)])
        read, unread = rows[rows["reason"].isna()], rows[rows["reason"].notna()]
        nulls = {name: int(n) for name, n in read[list(profile.sensor_names)].isna().sum().items() if n}
        counts[file.name[:8]] = (len(rows), len(read), set(nulls.values()), sorted(nulls))
        dead += unread[["line_number", "reason"]].to_numpy().tolist()
        events |= set(read["event_id"])
        if file.name.startswith("20161228"):  # two rows of one time, because the clock was set back
            assert (read["timestamp_device"].duplicated().sum(), read["event_id"].duplicated().sum()) == (1, 0)
    mute = sorted(c.name for c in profile.source.header if c.missing)
    assert len(mute) == 5
    assert counts == {
        "20161228": (577, 577, {577}, mute),
        "20170317": (1406, 1406, {1406}, mute),
        "20170326": (1440, 1440, {1440}, mute),
        "20170622": (1436, 1435, {1435}, mute),
        "20171225": (1437, 1436, {1436}, mute),
        "20180623": (1440, 1438, {1438}, mute),
    }
    assert dead == [
        [221, "DESERIALIZATION_FAILURE"],
        [1155, "DESERIALIZATION_FAILURE"],
        [1068, "SCHEMA_MISMATCH"],
        [1070, "DESERIALIZATION_FAILURE"],
    ]
    assert len(events) == 7732


def test_a_sentinel_is_a_number_however_it_is_written_and_of_its_own_column() -> None:
    profile = fleet(
        ('aliases: ["Vorlauf [°C]"]', 'aliases: ["Vorlauf [°C]"], missing: [-999.9, "off"]'),
        ('missing: ["", "n/a", "-999,9"]', 'missing: ["", "n/a"]'),
    )
    found = read(
        profile, *(f"12.01.2026 00:0{n};{cell};{cell};1,0;1;1" for n, cell in enumerate(("-999,9", "-999,90")))
    )
    assert found["flow_temperature"].isna().all()
    assert found["return_temperature"].tolist() == [-999.9, -999.9]  # the range rule's case
    assert found["unreadable"].tolist() == [[], []]
    off = read(profile, "12.01.2026 00:00;off;off;1,0;1;1")
    assert off["unreadable"].tolist() == [["return_temperature"]]


def test_thousands_and_words_for_true_and_false() -> None:
    profile = fleet(
        ('  decimal: ","\n', '  decimal: ","\n  thousands: "."\n'),
        ('aliases: ["Verdichter"]', 'aliases: ["Verdichter"], true_words: ["AN"], false_words: ["aus"]'),
    )
    cells = ["1.216,7", "1.216", "12.16", "1.2167", "8999", "-999,9"]
    found = read(profile, *(f"12.01.2026 00:0{n};1;1;1;{cell};{'an' if n else ' Aus'}" for n, cell in enumerate(cells)))
    assert [None if pd.isna(v) else v for v in found["power"]] == [1216.7, 1216.0, None, None, 8999.0, None]
    assert [bool(names) for names in found["unreadable"]] == [False, False, True, True, False, False]
    assert found["compressor_running"].tolist() == [False, *[True] * 5]


def test_several_time_formats_two_columns_and_epochs() -> None:
    two = fleet(
        (
            '- {name: time, aliases: ["Zeit"]}',
            '- {name: time, aliases: ["Zeit"]}\n    - {name: clock, aliases: ["Uhr"]}',
        ),
        ("column: time, format: ", "column: [time, clock], format: "),
    )
    found = read(two, "12.01.2026;00:05;1;1;1;1;1", header=HEADER.replace("Zeit", "Zeit;Uhr"))
    assert times(found) == ["2026-01-11 23:05:00"]
    mixed = fleet(('format: "%d.%m.%Y %H:%M"', 'format: ["%d.%m.%Y %H:%M", iso8601, epoch_milliseconds]'))
    cells = ["12.01.2026 00:05", "2026-01-12T00:05:00.250", "2026-01-12T00:05:00Z", "1768172700000", "soon", ""]
    found = read(mixed, *(f"{cell};1;1;1;1;1" for cell in cells))
    assert times(found) == ["2026-01-11 23:05:00"] * 2 + ["2026-01-12 00:05:00", "2026-01-11 23:05:00", None, None]
    assert "does not read as '%d.%m.%Y %H:%M' or 'iso8601' or 'epoch_milliseconds'" in found["error_detail"].iloc[4]
    seconds = fleet(('format: "%d.%m.%Y %H:%M"', "format: epoch_seconds"))
    assert times(read(seconds, "1768172700.5;1;1;1;1;1", "nan;1;1;1;1;1")) == ["2026-01-11 23:05:00", None]


def test_times_in_many_columns_or_counted_from_a_day() -> None:
    parts = ("year", "month", "day", "hour")
    header = "".join(f'\n    - {{name: {name}, aliases: ["{name}"]}}' for name in parts)
    four = fleet(
        ('- {name: time, aliases: ["Zeit"]}', header.removeprefix("\n    ")),
        ('column: time, format: "%d.%m.%Y %H:%M"', 'column: [year, month, day, hour], format: "%Y %m %d %H"'),
    )
    found = read(four, "2026;1;12;7;1;1;1;1;1", header=HEADER.replace("Zeit", ";".join(parts)))
    assert times(found) == ["2026-01-12 06:00:00"]
    counted = fleet(('format: "%d.%m.%Y %H:%M"', "counts_from: 2026-01-12, format: epoch_minutes"))
    assert times(read(counted, "0;1;1;1;1;1", "1441;1;1;1;1;1")) == ["2026-01-12 00:00:00", "2026-01-13 00:01:00"]
    with pytest.raises(ProfileReferenceError, match="counts_from without a format that counts"):
        fleet(("column: time, format", "column: time, counts_from: 2026-01-12, format"))


def test_columns_apart_by_any_run_of_blanks() -> None:
    padded = fleet(('delimiter: ";"', "delimiter: whitespace"), ('format: "%d.%m.%Y %H:%M"', "format: epoch_minutes"))
    found = read(padded, "  1   2  3\t4 5  1  ", "1 2 3", header="Zeit Vorlauf Rück Außen Leistung Verdichter")
    assert found["reason"].tolist() == ["SCHEMA_MISMATCH"] * 2  # of the header: columns are known by their names
    named = padded.model_copy(update={"source": padded.source.model_copy(update={"without_header": True})})
    found = read(named, "  1   2  3\t4 5  1  ", "1 2 3", header="0 2 3 4 5 0")
    assert found["power"].tolist()[:2] == [5.0, 5.0]
    assert found["error_detail"].iloc[2] == "3 fields instead of 6"


def test_a_parquet_file_reads_like_text() -> None:
    text = HEAT_PUMP.replace("format: csv", "format: parquet").replace('format: "%d.%m.%Y %H:%M"', "format: iso8601")
    lines = [
        line for line in text.splitlines() if line.strip().split(":")[0] not in ("encoding", "delimiter", "decimal")
    ]
    profile = parse_profile("\n".join(lines), "p.yaml")
    names = HEADER.split(";")
    table = pa.table(
        {
            names[0]: pa.array([None, 0, 300_000_000_000], pa.timestamp("ns")),
            names[1]: pa.array([1.5, 0.1, None], pa.float64()),
            names[2]: pa.array([1, -999, None], pa.int16()),
            names[3]: pa.array([1.0, math.nan, math.inf], pa.float32()),
            names[4]: pa.array(["7", "n/a", "x"], pa.string()).dictionary_encode(),
            names[5]: pa.array([True, None, False], pa.bool_()),
            "unknown": pa.array([{"a": 1}] * 3),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)

    def rows(content: bytes) -> pd.DataFrame:
        parts = [p.astype("object") for p in parse_file(io.BytesIO(content), "hp_north_1.parquet", profile)]
        return pd.concat(parts).sort_values("line_number").reset_index(drop=True)

    found = rows(sink.getvalue())
    assert found["line_number"].tolist() == [1, 2, 3]
    assert times(found) == [None, "1969-12-31 23:00:00", "1969-12-31 23:05:00"]
    assert found["reason"].tolist() == ["DESERIALIZATION_FAILURE", None, None]
    values = found.loc[1:, ["flow_temperature", "return_temperature", "outdoor_temperature", "power"]]
    assert [[None if pd.isna(v) else v for v in row] for row in values.to_numpy()] == [
        [0.1, -999.0, None, None],
        [None] * 4,
    ]
    assert found["compressor_running"].tolist()[2] is False
    assert [list(names) for names in found.loc[1:, "unreadable"]] == [[], ["outdoor_temperature", "power"]]
    (torn,) = rows(sink.getvalue()[:-9]).to_dict("records")
    assert torn["error_detail"].startswith("the file is no whole Parquet file")
    with pytest.raises(ProfileReferenceError, match="`decimal` is about text"):
        parse_profile(text, "p.yaml")


def test_the_hour_that_a_clock_change_doubles_is_two_hours_and_the_skipped_one_none() -> None:
    autumn = [
        f"25.10.2026 {hour}:{minute:02};1;1;1;1;1" for hour in ("01", "02", "02", "03") for minute in range(0, 60, 5)
    ]
    found = read(fleet(), *autumn)
    assert found["event_id"].is_unique  # as one hour, twelve readings would be duplicates of others
    assert times(found)[12::12] == ["2026-10-25 00:00:00", "2026-10-25 01:00:00", "2026-10-25 02:00:00"]
    assert found["timestamp_device"].diff().dropna().unique().tolist() == [pd.Timedelta(minutes=5)]
    spring = read(fleet(), "29.03.2026 01:55;1;1;1;1;1", "29.03.2026 02:00;1;1;1;1;1", "29.03.2026 03:00;1;1;1;1;1")
    assert times(spring) == ["2026-03-29 00:55:00", None, "2026-03-29 01:00:00"]


def test_the_doubled_hour_is_told_apart_over_parts_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_health.ingestion.deserialise.CHUNK_LINES", 2)
    found = read(fleet(), *(f"25.10.2026 02:{minute};1;1;1;1;1" for minute in (30, 35, 30, 35)))
    assert times(found) == [f"2026-10-25 0{h}:{m}:00" for h in (0, 1) for m in (30, 35)]


def test_times_outside_the_days_of_the_fleet_are_no_times() -> None:
    profile = fleet(("column: time, format:", "column: time, earliest: 2026-01-01, latest: 2027-01-01, format:"))
    stamps = ["01.01.1970 00:00", "01.01.2100 00:00", "01.01.9999 00:00", "01.01.2026 00:59", "01.01.2026 01:00"]
    found = read(profile, *(f"{stamp};1;1;1;1;1" for stamp in stamps))
    assert times(found) == [None, None, None, None, "2026-01-01 00:00:00"]
    assert found["reason"].tolist()[:4] == ["DESERIALIZATION_FAILURE"] * 4
    assert "from 2026-01-01 on, before 2027-01-01" in found["error_detail"].iloc[1]
    # without the two days a stamp of 1970 is a reading like any other, and one beyond the type's end is none
    assert times(read(fleet(), *(f"{stamp};1;1;1;1;1" for stamp in stamps)))[:3] == [
        "1969-12-31 23:00:00",
        "2099-12-31 23:00:00",
        None,
    ]


def test_zones_come_from_the_fleet_or_from_its_registry() -> None:
    fleet_wide = fleet((DECLARED, NO_REGISTRY))
    assert times(read(fleet_wide, "12.01.2026 01:00;1;1;1;1;1")) == ["2026-01-12 00:00:00"]
    registry = fleet(
        (DECLARED, "  dataset: /Fleet/heat_pump/registry_landing\n"),
        ("column: time, format", "column: time, zone: from_registry, format"),
        (HEAT_PUMP[HEAT_PUMP.index("  training_days:\n") : HEAT_PUMP.index("\nalerting:")], ""),
    )
    (row,) = ["12.01.2026 01:00;1;1;1;1;1"]
    assert times(read(registry, row, zones={"HP-NORTH": "Asia/Tokyo"})) == ["2026-01-11 16:00:00"]
    assert times(read(registry, row, zones={"HP-EAST": "Asia/Tokyo"})) == ["2026-01-12 01:00:00"]  # unknown: UTC


def test_only_what_decides_how_a_file_reads_makes_all_files_read_again() -> None:
    same = reading_version(fleet())
    assert reading_version(fleet(("max: 9000,", "max: 9500,"))) == same
    # a sensor of another unit, where the files name none, reads the same numbers
    assert reading_version(fleet(("name: power, type: double, unit: W", "name: power, type: double, unit: kW"))) == same
    others = {
        reading_version(fleet(edit))
        for edit in (
            ('"-999,9"]', '"-999,9", "-888,8"]'),
            ('aliases: ["Leistung [W]"]}', 'aliases: ["Leistung [W]"], unit: kW}'),
            ("timezone: Europe/Berlin", "timezone: Europe/Lisbon"),
        )
    }
    assert len({same, *others}) == 4


def test_lines_that_end_with_the_delimiter() -> None:
    lines = ["12.01.2026 00:00;1;1;1;1;1;", "12.01.2026 00:05;1;1;1;1;1", "12.01.2026 00:10;1;1;1;1;1;x"]
    hint = read(fleet(), lines[0])["error_detail"].iloc[0]
    assert hint.startswith("7 fields instead of 6; ")
    assert "`source.trailing_delimiter: true`" in hint
    profile = fleet(('  decimal: ","\n', '  decimal: ","\n  trailing_delimiter: true\n'))
    for header in (HEADER, f"{HEADER};"):
        found = read(profile, *lines, header=header)
        assert found["reason"].fillna("READ").tolist() == ["READ", "SCHEMA_MISMATCH", "SCHEMA_MISMATCH"]
    assert found["error_detail"].tolist()[1:] == ["6 fields instead of 7", "the line does not end with a delimiter"]


def test_titles_units_and_a_device_named_by_its_file() -> None:
    assigned = HEAT_PUMP[HEAT_PUMP.index("  device: by_file\n") : HEAT_PUMP.index("  event_id:")]
    profile = fleet(
        (assigned, "  device: file_name\n"),
        ('  decimal: ","\n', '  decimal: ","\n  lines_before_header: 2\n  lines_after_header: 1\n'),
        (DECLARED, NO_REGISTRY),
    )
    header = f"Anlage 7\n\n{HEADER}\n;°C;°C;°C;W;"
    found = read(profile, "12.01.2026 00:00;1;1;1;1;1", ";°C;°C;°C;W;", header=header)
    assert found["line_number"].tolist() == [5, 6]  # the second row of units is no title any more
    assert found["reason"].fillna("READ").tolist() == ["READ", "DESERIALIZATION_FAILURE"]
    assert found["device_id"].tolist() == ["hp_north_1"] * 2


def test_files_without_a_header_are_known_by_the_order_of_their_columns() -> None:
    profile = fleet(
        ("  header:\n", "  without_header: true\n  header:\n    - {name: day, aliases: [day]}\n"),
        ("column: time, format: ", "column: [day, time], format: "),
        ('delimiter: ";"', 'delimiter: " "'),
    )
    lines = [
        "12.01.2026 00:05 41,5 35,5 -1,0 900 1",
        "12.01.2026 00:10 41,5 35,5 -1,0",
        "",
        "13.01.2026 00:05 1 1 1 1 0",
    ]
    found = read(profile, *lines[1:], header=lines[0])
    assert found["line_number"].tolist() == [1, 2, 3, 4]
    assert found["error_detail"].fillna("READ").tolist() == [
        "READ",
        "5 fields instead of 7",
        "the line is blank",
        "READ",
    ]
    assert found[["flow_temperature", "power"]].iloc[0].tolist() == [41.5, 900.0]
    assert times(found)[::3] == ["2026-01-11 23:05:00", "2026-01-12 23:05:00"]


def test_another_unit_and_cadence_need_no_code() -> None:
    profile = fleet(
        ('aliases: ["Leistung [W]"]}', 'aliases: ["Leistung [W]"], unit: kW}'),
        ('aliases: ["Außen [°C]"]}', 'aliases: ["Außen [°C]"], unit: degF}'),
        ("expected_readings_per_hour: 12", "expected_readings_per_hour: 4"),
    )
    found = read(profile, "12.01.2026 00:00;1;1;50;1,5;1")
    assert (found["power"].iloc[0], found["outdoor_temperature"].iloc[0]) == (1500.0, 10.0)
