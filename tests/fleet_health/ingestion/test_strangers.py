"""Fleets that nobody here has seen: what their profiles say is read, and counts come out as planted."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from stranger_fleets import Stranger, strangers
from stranger_formats import other_formats

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.transforms import for_profile
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import parse_profile
from fleet_health.profiles.model import Profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

FLEETS = {**strangers(), **other_formats()}


def fates(stranger: Stranger) -> tuple[Counter[tuple[str, str]], dict[str, int], pd.DataFrame]:
    """What cleansing makes of the parsed rows, counted without it: copies, unknown senders, empty rows and ranges."""
    profile = parse_profile(stranger.profile, "stranger.yaml")
    parts = [p.astype("object") for f, raw in stranger.files.items() for p in parse_file(io.BytesIO(raw), f, profile)]
    rows = pd.concat(parts, ignore_index=True)
    dead, read = rows[rows["reason"].notna()], rows[rows["reason"].isna()].copy()
    again = read["event_id"].duplicated()
    known = [device.device_id for device in profile.registry.devices]
    unknown = ~read["device_id"].isin(known) if known else again & False
    empty = read[list(profile.sensor_names)].isna().all(axis=1)
    clean = read[~again & ~unknown & ~empty]
    found = Counter({("DEAD_LETTER", reason): n for reason, n in dead["reason"].value_counts().items()})
    found[("DUPLICATE", "DUPLICATE_EVENT_ID")] = int(again.sum())
    found[("QUARANTINE", "DEVICE_UNKNOWN")] = int((~again & unknown).sum())
    found[("DEAD_LETTER", "ALL_SENSORS_NULL")] = int((~again & ~unknown & empty).sum())
    found[("CLEAN", "NONE")] = len(clean)
    return +found, _nulls(clean, profile), rows


def _nulls(clean: pd.DataFrame, profile: Profile) -> dict[str, int]:
    counted = {}
    for sensor in profile.sensors:
        values = pd.to_numeric(clean[sensor.name]).astype("float64")
        inside = values.between(
            -1e300 if sensor.min is None else sensor.min, 1e300 if sensor.max is None else sensor.max
        )
        counted[sensor.name] = int((~inside).sum())
    return counted


@pytest.mark.parametrize("name", FLEETS)
def test_every_line_meets_the_fate_that_was_planted(name: str) -> None:
    found, nulls, rows = fates(FLEETS[name])
    assert dict(found) == dict(FLEETS[name].fates)
    assert nulls == dict(FLEETS[name].nulls)
    assert not rows[["source_file", "line_number", "device_id"]].duplicated().any()


def test_values_and_times_are_those_of_the_files() -> None:
    _, _, weather = fates(FLEETS["weather"])
    north = weather[weather["device_id"] == "north"].set_index("line_number")
    assert north.loc[4, "timestamp_device"] == pd.Timestamp("2024-10-26 22:00", tz="UTC")
    assert [f"{t:%H:%M}" for t in north.loc[[8, 9, 10, 11, 12], "timestamp_device"]] == [
        *("00:00", "00:30", "01:00", "01:30", "02:00")
    ]
    assert (north.loc[4, "temperature"], north.loc[4, "sunshine"]) == (10.0, 1234.5)
    assert north.loc[4, "pressure"] == pytest.approx(999.739807, abs=1e-6)
    assert set(weather["source_file"]) == {"valley.zip/2024/north.csv", "valley.zip/2024/south.csv"}
    _, _, pumps = fates(FLEETS["historian"])
    first = pumps[pumps["source_file"] == "P-101A_2024-01.csv"].set_index("line_number")
    assert (first.loc[2, "flow"], first.loc[2, "temperature"], first.loc[2, "running"]) == (10.0, 65.5, True)
    assert first.loc[6, "unreadable"] == ["running"]
    assert set(pumps["device_id"].dropna()) == {"P-101A", "P-102B"}


NARROW = """  narrow:
    sensor: tag
    value: reading
    other_sensors: {other}
    sensors:
      - {{name: flow, aliases: [FIC-1.PV], unit: m3/h}}
      - {{name: temperature, aliases: [TI-7, TI-8]}}
      - {{name: running, aliases: [Status]}}
"""


@pytest.mark.parametrize("other", ["dead_letter", "ignore"])
def test_a_line_per_sensor(other: str) -> None:
    text = FLEETS["historian"].profile
    head, rest = text[: text.index("  header:")], text[text.index("  time: {") :]
    header = "  header:\n" + "".join(f"    - {{name: {n}, aliases: [{n}]}}\n" for n in ("time", "tag", "reading"))
    profile = parse_profile(head + header + NARROW.format(other=other) + rest, "narrow.yaml")
    lines = [
        "tag,time,reading",
        *("FIC-1.PV,03-Jan-24 05.00.00,36", "TI-7,03-Jan-24 05.00.00,65.5", "Status,03-Jan-24 05.00.00,1"),
        *("TI-8,03-Jan-24 05.10.00,Bad", "TI-7,03-Jan-24 05.00.00,65.5", "XY,03-Jan-24 05.00.00,1"),
    ]
    raw = io.BytesIO("\n".join(lines).encode())
    rows = pd.concat(p.astype("object") for p in parse_file(raw, "P-1A_2024-01.csv", profile))
    read = rows[rows["reason"].isna()].sort_values("line_number")
    assert read["event_id"].duplicated().tolist() == [False] * 4 + [True]
    cells: Any = read[["flow", "temperature", "running"]].notna().sum(axis=1)
    assert cells.tolist() == [1, 1, 1, 0, 1]
    assert (read["flow"].iloc[0], read["temperature"].iloc[1]) == (10.0, 65.5)
    told = rows["error_detail"].dropna().tolist()
    assert told == (["sensor 'XY' is not in the profile"] if other == "dead_letter" else [])


@pytest.mark.parametrize(
    ("fleet", "old", "new", "says"),
    [
        ("historian", "device: in_path", "device: file_name", "belongs to `device: in_path`"),
        ("historian", "(?P<device>P-", "(P-", "no group named `device`"),
        ("historian", "(?P<device>P-", "(?P<device>P-(", "no regular expression"),
        ("historian", "column: quality, words", "column: qualty, words", "Did you mean 'quality'"),
        ("historian", "true_words: [RUN]", "true_words: [RUN], divided_by: 10", "`divided_by` of 'running'"),
        ("weather", 'format: "%d.%m.%y %H:%M"', "format: epoch_days", "hour_24 without a format that has hours"),
        ("weather", "format: csv", "format: parquet", "is about text"),
        ("racks", "records: data.readings", "delimiter: ','", "`delimiter` is about text, and JSON has keys"),
        ("meters", 'decimal: ","', 'decimal: ","\n  records: a', "`records` is about JSON, not csv"),
        ("pumps", "event_id: device_and_time", "event_id: time", "all devices of a line would have the same event_id"),
        (
            "chillers",
            "  records: samples",
            "  records: samples\n  without_header: true",
            "`without_header` is about text",
        ),
        ("motes", "event_id: [epoch]", "event_id: [epoc]", "Did you mean 'epoch'"),
        ("motes", "device: mote", "device: [mote, floor]", "column 'floor' is not declared"),
    ],
)
def test_what_a_profile_says_wrongly_is_named_with_its_line(fleet: str, old: str, new: str, says: str) -> None:
    assert old in FLEETS[fleet].profile
    with pytest.raises(ProfileReferenceError, match=says.replace("(", r"\(")) as caught:
        parse_profile(FLEETS[fleet].profile.replace(old, new, 1), "stranger.yaml")
    assert "stranger.yaml, line " in str(caught.value)


def test_cells_of_other_formats_are_those_of_the_files() -> None:
    _, _, turbines = fates(FLEETS["turbines"])
    first = turbines[turbines["line_number"] == 2].iloc[0]
    assert (first["device_id"], first["power"]) == ("WTG-1", 1211.7)
    assert str(first["timestamp_device"]) == "2024-03-29 23:00:00+00:00"
    _, _, racks = fates(FLEETS["racks"])
    assert racks.set_index("line_number").loc[[1, 7], "inlet"].tolist() == [20.0, 10.0]
    assert set(racks.loc[racks["device_id"] == "R2", "source_file"]) == {"2024/01/01.jsonl"}
    _, _, pumps = fates(FLEETS["pumps"])
    second = pumps[pumps["line_number"] == 2].set_index("device_id")
    assert second.loc["P2", ["flow", "pressure", "vibration", "level"]].tolist() == [20.0, 6.5, 2.25, 4.0]
    assert (second.loc["P1", "flow"], pd.isna(second.loc["P1", "vibration"])) == (10.0, True)
    dead = pumps[pumps["reason"].notna()].set_index("line_number")
    assert dead.loc[4, ["device_id", "error_detail"]].tolist() == [
        *("P1", "no value in the required column 'pressure' of device 'P1'")
    ]
    assert pd.isna(dead.loc[8, "device_id"])
    _, _, chillers = fates(FLEETS["chillers"])
    both = chillers[(chillers["line_number"] == 1) & chillers["reason"].isna()].set_index("device_id")
    assert both["load"].to_dict() == {"CH-1": 50.0, "CH-2": 45.5}
    assert both["leaving"].to_dict() == {"CH-1": 6.5, "CH-2": 7.25}


def test_names_above_each_other_are_one_header() -> None:
    pumps = FLEETS["pumps"]
    above = "Time stamp,P1,P2,P1,P2,,P9,,tank level,,"
    below = ",flow [m3/h],flow [m3/h],pressure,pressure,vib,pressure,flow [m3/h],,,"
    ((name, raw),) = pumps.files.items()
    _, _, rest = raw.decode().partition("\r\n")
    profile = pumps.profile.replace("  format: csv", "  format: csv\n  header_lines: 2\n  repeated_headers: ignore")
    twice = f"{above}\r\n{below}\r\n{rest}{above}\r\n{below}\r\n".encode()
    found, nulls, rows = fates(Stranger(profile, {name: twice}, {}, {}))
    assert (dict(found), nulls) == (dict(pumps.fates), dict(pumps.nulls))
    assert rows["line_number"].min() == 3


def test_numbers_in_quotes_may_hold_the_delimiter() -> None:
    text = FLEETS["weather"].profile.replace('delimiter: ";"', 'delimiter: ","\n  quoted: true')
    profile = parse_profile(text.replace('  thousands: "."\n', ""), "quoted.yaml")
    raw = 'Datum Zeit,T [°F],p [psi],Licht [lx]\n27.10.24 12:00,"50,0","14,5",7\n27.10.24 12:30,50,0,14,5,7\n'
    read, torn = parse_file(io.BytesIO(raw.encode()), "north.csv", profile)
    assert (read["temperature"].tolist(), read["sunshine"].tolist()) == ([10.0], [7.0])
    assert torn["error_detail"].tolist() == ["6 fields instead of 4"]
    american = text.replace('decimal: ","', 'decimal: "."').replace('thousands: "."', 'thousands: ","')
    raw = 'Datum Zeit,T [°F],p [psi],Licht [lx]\n27.10.24 12:00,50.0,14.5,"1,234.5"\n'
    (read,) = parse_file(io.BytesIO(raw.encode()), "north.csv", parse_profile(american, "quoted.yaml"))
    assert read["sunshine"].tolist() == [1234.5]
    with pytest.raises(ProfileReferenceError, match="add `quoted: true`"):
        parse_profile(american.replace("  quoted: true\n", ""), "quoted.yaml")


def test_a_damaged_archive_is_one_dead_letter() -> None:
    weather = parse_profile(FLEETS["weather"].profile, "stranger.yaml")
    whole = FLEETS["weather"].files["valley.zip"]
    (torn,) = parse_file(io.BytesIO(whole[: len(whole) // 2]), "valley.zip", weather)
    assert torn["reason"].tolist() == ["DESERIALIZATION_FAILURE"]
    assert "the archive is torn or damaged" in torn["error_detail"].iloc[0]


@pytest.mark.nightly
@pytest.mark.parametrize("name", FLEETS)
def test_the_ledger_says_what_was_planted(name: str, spark: SparkSession) -> None:
    profile = parse_profile(FLEETS[name].profile, "stranger.yaml")
    pipeline, store = Pipeline(), InMemoryDatastore()
    made = {one.__name__: one for one in for_profile(profile)}
    pipeline.add_transforms(*made.values())
    store.store_files(profile.source.dataset, dict(FLEETS[name].files))
    registry = "declare_registry" if profile.registry.devices else "register_every_device"
    for step in ("deserialise_files", registry, "cleanse"):
        TransformRunner(pipeline, store).run(spark, made[f"{name}_{step}"])
    ledger = store.get_dataframe(f"/Fleet/{name}/row_conservation", spark).toPandas()
    found = ledger.groupby(["outcome", "reason"])["rows"].sum().to_dict()
    assert found == dict(FLEETS[name].fates)
    clean = store.get_dataframe(f"/Fleet/{name}/clean_sensor_readings", spark).toPandas()
    assert {sensor: int(clean[sensor].isna().sum()) for sensor in profile.sensor_names} == dict(FLEETS[name].nulls)
