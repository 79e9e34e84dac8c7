"""What a profile may say of files, devices and units that differ inside of one delivery."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stranger_fleets import strangers

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.transforms import reading_version
from fleet_health.profiles.errors import ProfileError, ProfileReferenceError
from fleet_health.profiles.loader import parse_profile
from fleet_health.profiles.model import Profile
from mirror.datasets.json_keys import keys_of
from mirror.datasets.sources import find_declarations

WEATHER, MOTES = (strangers()[name].profile for name in ("weather", "motes"))
HEAD = "Datum Zeit;T [°F];p [psi];Licht [lx];Einheit\n"


def changed(text: str, *swaps: tuple[str, str]) -> Profile:
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_profile(text, "stranger.yaml")


def read(profile: Profile, path: str, raw: bytes) -> pd.DataFrame:
    return pd.concat([part.astype("object") for part in parse_file(io.BytesIO(raw), path, profile)])


def test_files_without_readings_may_lie_in_an_archive() -> None:
    profile = changed(WEATHER, ("  format: csv", '  files: ["Messung_*.csv", "*.txt"]\n  format: csv'))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("a/Messung_1.csv", "Metadaten.csv", "Messung_1.html", "a.txt/readme"):
            archive.writestr(name, f"{HEAD}27.10.24 12:00;50,0;14,5;7;\n")
    assert set(read(profile, "valley.zip", packed.getvalue())["source_file"]) == {"valley.zip/a/Messung_1.csv"}
    assert list(parse_file(io.BytesIO(b"licence"), "LICENSE", profile)) == []


@pytest.mark.parametrize(
    ("device", "path", "found"),
    [
        ("[in_path, mote]\n  device_pattern: '(?P<device>FD\\d+)'", "train_FD001.txt", ["FD001-7", "FD001-8"]),
        ("[file_name, mote]", "lab/floor2.txt", ["floor2-7", "floor2-8"]),
        ("[in_path, mote]\n  device_pattern: '(?P<device>FD\\d+)'", "test.txt", [None, None]),
    ],
)
def test_the_same_number_in_two_files_is_two_devices(device: str, path: str, found: list[str | None]) -> None:
    lines = "".join(f"2004-02-28 00:00:16.0 {n} {n} 19.9 37.0 45.0 2.7\n" for n in (7, 8))
    rows = read(changed(MOTES, ("device: mote", f"device: {device}")), path, lines.encode())
    assert [None if pd.isna(device) else device for device in rows["device_id"]] == found
    if found[0] is None:
        assert set(rows["error_detail"]) == {"file 'test.txt' belongs to no device of the profile"}


BY_ROW = (
    ('aliases: ["T [°F]"], unit: degF}', 'aliases: ["T [°F]"], unit_by: {column: of, words: {C: degC, F: degF}}}'),
    ("    - {name: pressure", '    - {name: of, aliases: ["Einheit"]}\n    - {name: pressure'),
)


def test_the_unit_may_stand_in_the_row() -> None:
    cells = [("50,0", "F"), ("10,0", " C "), ("10,0", "K"), ("9999", "K"), ("9999", "F"), ("\u221240,0", "F"), ("", "")]
    lines = [f"27.10.24 12:{n:02};{t};14,5;7;{unit}\n" for n, (t, unit) in enumerate(cells)]
    rows: Any = read(changed(WEATHER, *BY_ROW), "north.csv", (HEAD + "".join(lines)).encode())
    found = [None if pd.isna(value) else round(value, 9) for value in rows["temperature"]]
    assert found == [10.0, 10.0, None, None, None, -40.0, None]
    assert rows["unreadable"].tolist() == [[], [], ["temperature"], [], [], [], []]


def test_another_stored_unit_reads_rows_with_units_again() -> None:
    kelvin = ("temperature, type: double, unit: degC", "temperature, type: double, unit: kelvin")
    assert reading_version(changed(WEATHER, *BY_ROW)) != reading_version(changed(WEATHER, *BY_ROW, kelvin))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("column: of,", "column: unit,", "column that is not optional 'unit'"),
        ("F: degF}}", "F: psi}}", "'psi' cannot be converted to 'degC'"),
        ("F: degF}}", "F: degf}}", "unit 'degf' of 'temperature' is unknown"),
    ],
)
def test_a_wrong_unit_of_rows_is_named(old: str, new: str, says: str) -> None:
    with pytest.raises(ProfileReferenceError, match=says):
        changed(WEATHER, *BY_ROW, (old, new))


PLACES = {"day": (1, 10), "clock": (11, 15), "epoch": (16, 19), "mote": (20, 21), "temperature": (22, 26)}
PLACES |= {"humidity": (27, 31), "light": (32, 36), "voltage": (40, 43)}


def fixed_width(*more: tuple[str, str]) -> Profile:
    places = [(f"aliases: [{alias}]", f"aliases: [{alias}], place: {[*place]}") for alias, place in _spelled()]
    text = ("delimiter: whitespace", "delimiter: fixed_width"), ("  short_lines: missing\n", "")
    return changed(MOTES, *text, ("format: iso8601", 'format: "%Y-%m-%d %H%M"'), *places, *more)


def _spelled() -> list[tuple[str, tuple[int, int]]]:
    called = {"day": "date", "clock": "time", "mote": "moteid"}
    return [(called.get(name, name), place) for name, place in PLACES.items()]


def test_columns_of_fixed_width_need_nothing_between_them() -> None:
    whole = "2004-02-28  915   1 7 20.1 37.0-99.9   2.70 and more"
    lines = [whole, whole[:42], whole[:36], "short", whole.replace(" 7 ", "   ")]
    raw = "\n".join(lines).encode()
    rows = read(fixed_width(), "floor.txt", raw).set_index("line_number").sort_index()
    assert rows.loc[1, ["device_id", "temperature", "humidity", "light", "voltage"]].tolist() == [
        *("7", 20.1, 37.0, -99.9, 2.7)
    ]
    assert str(rows.loc[1, "timestamp_device"]) == "2004-02-28 09:15:00+00:00"
    assert rows["error_detail"].fillna("").str[:32].tolist() == [
        *("", "the line ends at character 42, w", "the line ends at character 36, w"),
        *("the line ends at character 5, wi", "no device id"),
    ]
    lenient = fixed_width(("  without_header", "  short_lines: missing\n  without_header"))
    rows = read(lenient, "floor.txt", raw).set_index("line_number").sort_index()
    assert rows["voltage"].isna().tolist() == [False, False, True, True, True]
    assert rows["reason"].isna().tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[epoch], place: [16, 19]", "[epoch]", "column 'epoch' of files of fixed width has no place"),
        ("place: [16, 19]", "place: [19, 16]", "column 'epoch' ends before it begins"),
        ("delimiter: fixed_width", 'delimiter: ";"', "a place in files with a delimiter"),
        ("  without_header: true\n", "", "known by their places, not by a header"),
        ("delimiter: fixed_width", "delimiter: fixed_width\n  quoted: true", "`quoted` in files without a delimiter"),
    ],
)
def test_a_wrong_place_is_named(old: str, new: str, says: str) -> None:
    with pytest.raises(ProfileReferenceError, match=says):
        fixed_width((old, new))


CLOCK = (
    (
        'column: time, format: "%d.%m.%y %H:%M"',
        "column: [in_path, time], path_pattern: '(?P<time>2024-\\d\\d-\\d\\d)', format: \"%Y-%m-%d %H:%M\"",
    ),
)


def test_the_day_may_stand_in_the_name_of_the_file() -> None:
    profile, raw = changed(WEATHER, *CLOCK), (HEAD + "24:00;50,0;14,5;7;\n").encode()
    (row,) = read(profile, "north/2024-10-27.csv", raw).to_dict("records")
    assert str(row["timestamp_device"]) == "2024-10-27 23:00:00+00:00"
    (row,) = read(profile, "north/today.csv", raw).to_dict("records")
    assert row["error_detail"] == "time ' 24:00' does not read as '%Y-%m-%d %H:%M'"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("%d.%m.%y %H:%M", "%H:%M", "no year in time format '%H:%M'"),
        ("%d.%m.%y %H:%M", "%b %d %H:%M:%S", "no year in time format"),
        ("column: time", "column: [in_path, time]", "`column: in_path` and `path_pattern` belong together"),
        ("column: time", "column: [in_path, time], path_pattern: '(x)'", "path_pattern has no group named `time`"),
        ("expected_readings_per_hour: 2", "expected_readings_per_hour: 0.04", "1 for everything that is slower"),
        ('aliases: ["p [psi]"]', "aliases: [2013_01]", "Put it in quotes, as it stands in the file"),
        ("unit: psi", "unit: PSI", "Did you mean 'psi'"),
    ],
)
def test_what_would_read_wrongly_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        changed(WEATHER, (old, new))


@pytest.mark.parametrize(
    ("kind", "more", "time", "value", "text"),
    [
        ("json", "records: data.values", "0", "1", '{"data": [{"id": 7, "values": [[60, "21.5"], [120, null]]}]}'),
        ("json_lines", "", "0", "1", "[60, 21.5]\n[120, null]"),
        ("json", "record_columns: true", "t", "v.x", '{"id": 7, "t": [60, 120], "v": [{"x": 21.5}]}'),
        ("json_lines", "record_columns: true", "index", "v", '{"id": 7, "v": {"60": 21.5, "120": null}}'),
        ("json", "record_columns: true\n  records: a", "t", "v", '{"a": {"t": [60, 120], "v": [21.5]}, "id": 7}'),
    ],
)
def test_records_may_be_lists_or_lie_in_columns(kind: str, more: str, time: str, value: str, text: str) -> None:
    head, tail = MOTES[: MOTES.index("  format: csv")], MOTES[MOTES.index("  time: {") :]
    head += f"  format: {kind}\n  {more}\n  header:\n"
    head += "".join(f'    - {{name: {n}, aliases: ["{a}"]}}\n' for n, a in (("day", time), ("temperature", value)))
    rest = "".join(f"    - {{name: {n}, aliases: [x], optional: true}}\n" for n in ("humidity", "light", "voltage"))
    swaps = (("column: [day, clock], format: iso8601", "column: day, format: epoch_seconds"),)
    swaps += (("device: mote", "device: file_name"), ("event_id: [epoch]", "event_id: device_and_time"))
    profile = changed(head + rest.replace("[x]", "[y]", 1).replace("[x]", "[z]", 1) + tail, *swaps)
    found = read(profile, "7.json", text.encode())
    times = [f"{at:%M}" for at in found["timestamp_device"]]
    assert (times, found["temperature"].astype("float64").fillna(-1).tolist()) == (["01", "02"], [21.5, -1])
    documents = [json.loads(line) for line in text.split("\n")]
    assert {time, value} <= {*keys_of(documents, profile.source.records, profile.source.record_columns)}


def test_a_column_per_device_and_nothing_else(tmp_path: Path) -> None:
    head, tail = WEATHER[: WEATHER.index("    - {name: time")], WEATHER[WEATHER.index("  time: {") :]
    columns = '    - {name: time, aliases: [""]}\n    - {name: temperature, aliases: ["*"]}\n'
    rest = "".join(f"    - {{name: {n}, aliases: [{n}], optional: true}}\n" for n in ("pressure", "sunshine"))
    text = head + columns + rest + tail
    swap = ("device: file_name", "device: in_header\n  device_pattern: '(?P<device>[A-Z]+_\\d+)'")
    raw = b'"";"MT_1";"MT_2"\n27.10.24 12:00;1,5;\n'
    found = read(changed(text, swap), "all.csv", raw).set_index("device_id")
    assert found["temperature"].astype("float64").fillna(-1).to_dict() == {"MT_1": 1.5, "MT_2": -1}

    (tmp_path / "p" / "profiles").mkdir(parents=True)
    (tmp_path / "p" / "profiles" / "weather.yaml").write_text(text.replace(*swap), encoding="utf-8")
    (tmp_path / "all.csv").write_bytes(raw)
    (declared,) = find_declarations(tmp_path)
    declared.verify(tmp_path / "all.csv")


def test_parts_joined_into_one_file_keep_their_marks_headers_and_blanks() -> None:
    marks = ('comment: "#"', 'comment: ["@", "%"]\n  quoted: true\n  repeated_headers: ignore')
    part = f'\ufeff{HEAD}% note\n 27.10.24 12:0{{}}; "50,0"; 14,5; "1;2"; F\n@ end\n'
    rows = read(changed(WEATHER, marks), "north.csv", (part.format(1) + part.format(2)).encode())
    assert rows["reason"].isna().tolist() == [True, True]
    assert (rows["temperature"].tolist(), rows["unreadable"].tolist()) == ([10.0, 10.0], [["sunshine"], ["sunshine"]])


def test_a_line_a_day_is_a_reading_of_every_time_in_the_header() -> None:
    head, tail = WEATHER[: WEATHER.index("    - {name: temperature")], WEATHER[WEATHER.index("  time: {") :]
    head += '    - {name: temperature, aliases: ["*"]}\n'
    head += "".join(f"    - {{name: {n}, aliases: [{n}], optional: true}}\n" for n in ("pressure", "sunshine"))
    clock = 'column: [time, in_header], header_pattern: \'(?P<time>\\d+:\\d\\d)\', words: {"0:00": "24:00"}'
    profile = changed(head + tail, ("column: time", clock))
    raw = "Datum Zeit;2:30;10:00;0:00;note\n31.03.24;1,5;2,5;;x\n01.04.24;3,5;4,5;5,5;y\n32.04.24;1;2;3;z\n1;2\n"
    rows = read(profile, "north.csv", raw.encode())
    found = rows[rows["reason"].isna()].sort_values("timestamp_device")
    assert [(f"{row.timestamp_device:%d %H:%M}", row.line_number, row.temperature) for row in found.itertuples()] == [
        *(("31 08:00", 2, 2.5), ("31 22:00", 2, pytest.approx(float("nan"), nan_ok=True))),
        *(("01 00:30", 3, 3.5), ("01 08:00", 3, 4.5), ("01 22:00", 3, 5.5)),
    ]
    assert found["event_id"].is_unique
    dead = rows[rows["reason"].notna()].set_index("line_number")["error_detail"].to_dict()
    assert dead == {
        2: "time '31.03.24 2:30' does not read as '%d.%m.%y %H:%M'",  # Berlin skipped it
        4: "time '32.04.24 2:30' does not read as '%d.%m.%y %H:%M'",  # of no time: once
        5: "2 fields instead of 5",
    }
    assert len(rows) == 5 + 3
    (row,) = read(profile, "north.csv", b"Datum Zeit;note\n31.03.24;x\n").to_dict("records")
    assert "no column is one of a time, as `source.time.header_pattern`" in row["error_detail"]
    for swap, says in (
        (("column: [time, in_header], ", "column: time, "), "belong together"),
        (("event_id: device_and_time", "event_id: device_and_text"), "the same event_id"),
        (("(?P<time>", "(?P<hour>"), "header_pattern has no group named `time`"),
    ):
        with pytest.raises(ProfileError, match=says):
            changed(head + tail, ("column: time", clock), swap)
