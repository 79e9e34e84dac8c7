"""Times as loggers, spreadsheets and databases of other countries write them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stranger_fleets import strangers

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.times import read_time
from fleet_health.profiles.loader import parse_profile
from fleet_health.profiles.source import EPOCHS, SourceTime

MONTHS = {"Mär": "Mar", "März": "March", "Mai": "May", "Dez.": "Dec"}
HALVES = {"a. m.": "AM", "p. m.": "PM"}


def rule(pattern: str, **more: object) -> SourceTime:
    return SourceTime.model_validate({"column": "time", "format": pattern, "reason": "only for this test", **more})


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "expected"),
    [
        # databases write whole hours of an offset, and the name of UTC
        ("2018-11-04 01:15:00-06", "iso8601", "Europe/Berlin", "2018-11-04T07:15:00"),
        ("2018-11-04T01:15+05", "iso8601", None, "2018-11-03T20:15:00"),
        ("2018-11-04 01:15:00.5 -0600", "iso8601", None, "2018-11-04T07:15:00.500000"),
        ("2018-11-04 01:15:00 UTC", "iso8601", "Europe/Berlin", "2018-11-04T01:15:00"),
        ("2018-11-04", "iso8601", "Europe/Berlin", "2018-11-03T23:00:00"),  # no offset of minus four hours
        ("04.11.2018 01:15-06", "%d.%m.%Y %H:%M%z", None, "2018-11-04T07:15:00"),
        # numbers that lost their zeros in a table
        ("2010 7 15", "%Y %j %H%M", None, "2010-01-07T00:15:00"),
        ("2010 7 0", "%Y %j %H%M", None, "2010-01-07T00:00:00"),
        ("2010 107 945", "%Y %j %H%M", None, "2010-04-17T09:45:00"),
        ("5122020", "%d%m%Y", None, "2020-12-05T00:00:00"),
        ("20201205093015", "%Y%m%d%H%M%S", None, "2020-12-05T09:30:15"),
        ("2020120509301525", "%Y%m%d%H%M%S%f", None, "2020-12-05T09:30:15.250000"),
        ("202112", "%Y%m%d", None, None),  # no 2 January 2021
        # the name of the zone says which of two hours
        ("2021-10-31 02:30 CEST", "%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2021-10-31T00:30:00"),
        ("2021-10-31 02:30 CET", "%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2021-10-31T01:30:00"),
        ("2021-10-31 02:30 GMT", "%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2021-10-31T02:30:00"),
        ("2021-07-31 02:30 CET", "%Y-%m-%d %H:%M %Z", "Europe/Berlin", None),  # the zone is not called so in July
        ("2021-07-31 02:30 EDT", "%Y-%m-%d %H:%M %Z", None, None),
        ("Sun Oct 31 09:05:00 EDT 2021", "%a %b %d %H:%M:%S %Z %Y", "America/New_York", "2021-10-31T13:05:00"),
        # days of a spreadsheet
        ("44197,0416666667", "epoch_days", None, "2021-01-01T01:00:00"),
        ("44197,375", "epoch_days", None, "2021-01-01T09:00:00"),
    ],
)
def test_times_read_as_they_are_meant(text: str, pattern: str, zone: str | None, expected: str | None) -> None:
    counts = {"counts_from": "1899-12-30"} if pattern in EPOCHS else {}
    found = read_time(pd.Series([text]), rule(pattern, **counts), zone, decimal=",").iloc[0]
    assert (None if pd.isna(found) else found.isoformat()) == (None if expected is None else f"{expected}+00:00")


@pytest.mark.parametrize(
    ("text", "pattern", "words", "expected"),
    [
        ("03. März 2021 12:00", "%d. %B %Y %H:%M", MONTHS, "2021-03-03 12:00"),
        ("03-MÄR-21", "%d-%b-%y", MONTHS, "2021-03-03 00:00"),
        ("31 dez. 2021", "%d %b %Y", MONTHS, "2021-12-31 00:00"),
        ("3 Maier 2021", "%d %B %Y", MONTHS, None),
        ("3/01/2021 1:05 p. m.", "%d/%m/%Y %I:%M %p", HALVES, "2021-01-03 13:05"),
        ("12:00 Uhr 03.01.2021", "%H:%M %d.%m.%Y", {" Uhr": ""}, "2021-01-03 12:00"),
    ],
)
def test_words_stand_for_what_the_format_reads(
    text: str, pattern: str, words: dict[str, str], expected: str | None
) -> None:
    found = read_time(pd.Series([text]), rule(pattern, words=words), None).iloc[0]
    assert (None if pd.isna(found) else f"{found:%Y-%m-%d %H:%M}") == expected


def test_a_part_of_a_text_may_be_the_time() -> None:
    text = pd.Series(
        ["31.12.2016 22:59:60 - x", "01.01.2024 23:00:00 - 02.01.2024 00:00", "01.01.2024 23:00:00", "a - b"]
    )
    found = read_time(text, rule("%d.%m.%Y %H:%M:%S", text_pattern="(?P<time>.+) - "), "Etc/GMT-1")
    assert [None if pd.isna(t) else f"{t:%d %H:%M}" for t in found] == [None, "01 22:00", None, None]
    leap = read_time(text[:1], rule("%d.%m.%Y %H:%M:%S", text_pattern="(?P<time>.+) - "), "Etc/GMT+1")
    assert str(leap[0]) == "2017-01-01 00:00:00+00:00"


@pytest.mark.parametrize("pattern", ["iso8601", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S %Z", "%H%M %j %Y", *EPOCHS])
def test_no_text_stops_the_reading(pattern: str) -> None:
    odd = ["", "NaT", "nan", "now", "1e300", "-", "0000-00-00 00:00:00", "9999-12-31T23:59:59+99:99", "2021-01-01 +1"]
    odd += ["2021-01-01 00:00:00 +1", "2021-01-01T00:00-0100Z", "24 00", "١٢٣", "2021-01-01 00:00:60 CET", "\x00"]
    found: Any = read_time(pd.Series(odd), rule(pattern, hour_24=pattern not in EPOCHS), "Europe/Berlin")
    assert str(found.dtype).endswith(", UTC]")


@pytest.mark.parametrize("pattern", EPOCHS)
def test_what_memory_held_before_stops_no_reading_of_missing_epochs(pattern: str) -> None:
    cells = pd.Series(["", "1e300"] * 8)
    # what NumPy hands out next has these values in it
    left_behind = [np.full(len(cells), 1e307) for _ in range(40)]
    del left_behind
    assert read_time(cells, rule(pattern), "UTC").isna().all()


def test_text_may_be_in_one_zone_wherever_the_devices_stand() -> None:
    weather = strangers()["weather"]
    raw = b"Datum Zeit;T [\xc2\xb0F];p [psi];Licht [lx]\n31.03.24 02:30;50,0;14,5;7\n"

    def times(profile: str) -> list[str]:
        frames = parse_file(io.BytesIO(raw), "north.csv", parse_profile(profile, "weather.yaml"))
        return [str(time) for frame in frames for time in frame["timestamp_device"].dropna()]

    assert times(weather.profile) == []  # Berlin has no such time
    assert times(weather.profile.replace("hour_24: true", "zone: UTC")) == ["2024-03-31 02:30:00+00:00"]
