"""Cells: text to numbers in stored units, booleans and instants."""

from __future__ import annotations

import math

import pandas as pd
import pyarrow as pa
import pytest

from fleet_health.ingestion.cells import read_sensor
from fleet_health.ingestion.times import read_time
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Sensor
from fleet_health.profiles.source import Column, SourceTime

SOURCE = shipped_profile("air_handler").source
NUMBER = Sensor(name="t", type="double", unit="degC", meaning="", min=0, max=1, reason="only for this test")
SWITCH = Sensor(name="s", type="boolean", unit="bool", meaning="")


def rule(pattern: str, **more: object) -> SourceTime:
    return SourceTime.model_validate({"column": "time", "format": pattern, "reason": "only for this test", **more})


def read(cells: list[str], unit: str = "degC", **source: object) -> tuple[list[float | None], list[bool]]:
    column = Column(name="t", aliases=("t",), unit=unit)
    values, unreadable = read_sensor(pd.Series(cells), NUMBER, column, SOURCE.model_copy(update=source))
    return [None if pd.isna(v) else float(v) for v in values], unreadable.tolist()


def test_numbers_missing_and_unreadable() -> None:
    cells = [
        "1.5",
        " 2 ",
        "-0.04",
        "1e3",
        "",
        "  ",
        "nan",
        "NaN",
        "#VALUE!",
        "inf",
        "-inf",
        "1e400",
        "1,5",
        "0x10",
        "1_000",
    ]
    values, unreadable = read(cells)
    assert values == [1.5, 2.0, -0.04, 1000.0, *[None] * 11]
    assert unreadable == [False] * 8 + [True] * 7


def test_nan_is_no_null_unless_the_profile_calls_it_missing() -> None:
    """Raw keeps it for the check that tells of it; cleansing makes it null."""

    def kept(**source: object) -> list[tuple[float | None, bool]]:
        column, cells = Column(name="t", aliases=("t",), unit="degF"), pd.Series(["NaN", "", "nan", "212"])
        values, _ = read_sensor(cells, NUMBER, column, SOURCE.model_copy(update=source))
        arrow = pa.array(values, from_pandas=True)
        return [(value, math.isnan(value)) if value is not None else (None, False) for value in arrow.to_pylist()]

    assert [is_nan for _, is_nan in kept()] == [True, False, True, False]
    assert [value for value, _ in kept()][1::2] == [None, 100.0]
    assert kept(missing=("NaN", "nan")) == [(None, False)] * 3 + [(100.0, False)]


def test_units_become_stored_units() -> None:
    assert read(["32", "212", "-40"], unit="degF")[0] == [0.0, 100.0, -40.0]


def test_words_for_missing_may_be_numbers() -> None:
    values, unreadable = read(["-999.9", "NA", "3"], missing=("", "NA", "-999.9"))
    assert values == [None, None, 3.0]
    assert unreadable == [False, False, False]


def test_decimal_comma() -> None:
    assert read(["22,5", "1"], decimal=",")[0] == [22.5, 1.0]
    # a point there is somebody's thousands separator: 1.216 may mean 1216
    assert read(["1.216", "1.216,7", "-999,9"], decimal=",", missing=("-999,9",)) == (
        [None, None, None],
        [True, True, False],
    )


def test_numbers_read_as_python_reads_them() -> None:
    cells = ["72.99", "0.1", "107.81", "1.3399999999999999", "4.35"]
    assert read(cells)[0] == [float(cell) for cell in cells]


def test_booleans() -> None:
    cells = pd.Series(["1", "0", "1.0", "TRUE", "false", "", "2", "#VALUE!"])
    values, unreadable = read_sensor(cells, SWITCH, Column(name="s", aliases=("s",)), SOURCE)
    assert [None if pd.isna(v) else bool(v) for v in values] == [True, False, True, True, False, None, None, None]
    assert unreadable.tolist() == [False] * 6 + [True, True]


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "expected"),
    [
        ("3/11/2017 0:00", "%m/%d/%Y %H:%M", "Etc/GMT+8", "2017-03-11T08:00:00+00:00"),
        ("3/12/2017 2:30", "%m/%d/%Y %H:%M", "Etc/GMT+8", "2017-03-12T10:30:00+00:00"),
        ("3/12/2017 2:30", "%m/%d/%Y %H:%M", "America/Los_Angeles", None),  # the zone skipped that hour
        ("11/5/2017 1:30", "%m/%d/%Y %H:%M", "America/Los_Angeles", "2017-11-05T08:30:00+00:00"),  # the first of two
        ("31/12/2017 0:00", "%m/%d/%Y %H:%M", None, None),
        ("2026-01-01T00:00:00Z", "iso8601", "Europe/Berlin", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T01:00:00+01:00", "iso8601", None, "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T01:00:00", "iso8601", "Europe/Berlin", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01 01:00:00.250", "iso8601", None, "2026-01-01T01:00:00.250000+00:00"),
        ("yesterday", "iso8601", None, None),
        ("", "iso8601", None, None),
    ],
)
def test_times(text: str, pattern: str, zone: str | None, expected: str | None) -> None:
    found = read_time(pd.Series([text]), rule(pattern), zone).iloc[0]
    assert (None if pd.isna(found) else found.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "expected"),
    [
        ("31.12.2025 24:00", "%d.%m.%Y %H:%M", "Europe/Berlin", "2025-12-31T23:00:00+00:00"),
        ("29.03.2025 24:00", "%d.%m.%Y %H:%M", "Europe/Berlin", "2025-03-29T23:00:00+00:00"),
        ("30.03.2025 24:00", "%d.%m.%Y %H:%M", "Europe/Berlin", "2025-03-30T22:00:00+00:00"),  # a day of 23 hours
        ("31.12.2025 24:01", "%d.%m.%Y %H:%M", None, None),
        ("24.12.2025 00:24", "%d.%m.%Y %H:%M", None, "2025-12-24T00:24:00+00:00"),
        ("20250228 24", "%Y%m%d %H", None, "2025-03-01T00:00:00+00:00"),
        ("240224 2400", "%y%m%d %H%M", None, "2024-02-25T00:00:00+00:00"),
        ("2025-12-31T24:00:00Z", "iso8601", None, "2026-01-01T00:00:00+00:00"),
        ("2025-12-31 24:00", "iso8601", "Etc/GMT-1", "2025-12-31T23:00:00+00:00"),
        ("2025-12-31T24:00:01", "iso8601", None, None),
    ],
)
def test_24_00_is_the_end_of_its_local_day(text: str, pattern: str, zone: str | None, expected: str | None) -> None:
    found = read_time(pd.Series([text]), rule(pattern, hour_24=True), zone).iloc[0]
    assert (None if pd.isna(found) else found.isoformat()) == expected
    if "24" in text[-8:]:
        assert pd.isna(read_time(pd.Series([text]), rule(pattern), zone).iloc[0]) or ":24" in text


def test_the_doubled_hour_at_odd_minutes_and_newest_first() -> None:
    def utc(*clock: str) -> list[str]:
        cells = pd.Series([f"2025-10-26 {time}" for time in clock])
        return [f"{t:%H:%M}" for t in read_time(cells, rule("iso8601"), "Europe/Berlin")]

    assert utc("01:50", "02:03", "02:33", "02:57", "02:12", "02:41", "03:01") == [
        *("23:50", "00:03", "00:33", "00:57", "01:12", "01:41", "02:01")
    ]
    assert utc("02:00", "02:20", "02:10", "02:40", "02:00", "02:20") == [
        *("00:00", "00:20", "00:10", "00:40", "01:00", "01:20")
    ]
    back = utc("03:00", "02:40", "02:20", "02:00", "02:40", "02:20", "02:00", "01:40")
    assert len(set(back)) == len(back)  # no reading is taken for another


def test_numbers_with_suffixes_tenths_and_typographic_thousands() -> None:
    column = Column(name="t", aliases=("t",), unit="degC", suffixes=("°C", "%"), divided_by=10)
    source = SOURCE.model_copy(update={"thousands": " ", "decimal": ","})
    cells = pd.Series(["215 °C", "3", "45%", "1\u202f234,5", "7 K", "°C"])
    values, unreadable = read_sensor(cells, NUMBER, column, source)
    assert [None if pd.isna(v) else float(v) for v in values] == [21.5, 0.3, 4.5, 123.45, None, None]
    assert unreadable.tolist() == [False] * 4 + [True] * 2


def test_offsets_may_come_and_go_in_one_column() -> None:
    found = read_time(pd.Series(["2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00"]), rule("iso8601"), "Etc/GMT-1")
    assert [t.isoformat() for t in found] == ["2025-12-31T22:00:00+00:00", "2025-12-31T23:00:00+00:00"]
