"""Excel workbooks: what cells say, which sheets are read, and what a broken workbook becomes."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from stranger_fleets import strangers

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.ingestion.sheets import cell_text
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import parse_profile
from fleet_health.profiles.model import Profile
from mirror.datasets.errors import WrongHeaderError
from mirror.datasets.sources import find_declarations

WEATHER = strangers()["weather"].profile
HEAD = ["Datum Zeit", "T [°F]", "p [psi]", "Licht [lx]"]
NOON = datetime(2024, 10, 27, 12)  # noqa: DTZ001 - a workbook knows no zones


def fleet(*more: str) -> str:
    text = WEATHER.replace("  format: csv\n", "".join(f"  {line}\n" for line in ("format: xlsx", *more)))
    return text.replace('  delimiter: ";"\n', "").replace('format: "%d.%m.%y %H:%M"', "format: iso8601")


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def read(profile: Profile, path: str, raw: bytes) -> pd.DataFrame:
    return pd.concat([part.astype("object") for part in parse_file(io.BytesIO(raw), path, profile)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, ""), (True, "true"), ("Bad", "Bad"), (1360, "1360"), (1360.0, "1360"), (2.6, "2,6"), (1e22, "1e+22")),
        *((datetime(2024, 10, 27), "2024-10-27"), (NOON, "2024-10-27 12:00:00"), (date(2024, 1, 2), "2024-01-02")),  # noqa: DTZ001
        *((time(18, 5), "18:05:00"), (timedelta(hours=24), "24:00:00"), ("#N/A", "#N/A")),
    ],
)
def test_cells_are_text_that_profiles_read(value: object, text: str) -> None:
    assert cell_text(value, ",") == text


def test_rows_of_a_sheet_are_lines_of_a_file() -> None:
    rows: list[list[Any]] = [["Auszug, amtlich"], HEAD, [NOON, 50, 14.5, 7, "a remark"], ["27.10.24 12:30", "50,0"], []]
    rows += [[NOON + timedelta(hours=1), -999.9, 14.5, "#N/A"], ["Summe", 1, 2, 3], [None, None]]
    raw = workbook(Only=rows)
    text = fleet("lines_before_header: 1").replace("iso8601", '[iso8601, "%d.%m.%y %H:%M"]')
    profile = parse_profile(text.replace("  blank_lines: ignore\n", ""), "w.yaml")
    found = read(profile, "north.xlsx", raw).set_index("line_number")
    dead = found["error_detail"].dropna()
    assert dead.to_dict() == {
        5: "the line is blank",
        7: "time 'Summe' does not read as 'iso8601' or '%d.%m.%y %H:%M'",
    }
    assert [str(t)[:16] for t in found["timestamp_device"].dropna()] == [
        *("2024-10-27 11:00", "2024-10-27 11:30", "2024-10-27 12:00")
    ]
    assert found["temperature"].drop(dead.index).isna().tolist() == [False, False, True]
    assert (found["temperature"][3], found["device_id"][3], set(found["source_file"])) == (
        10.0,
        "north",
        {"north.xlsx"},
    )
    assert found["unreadable"][6] == ["sunshine"]


def test_sheets_are_files_and_a_list_of_files_names_them(tmp_path: Path) -> None:
    table = [HEAD, [NOON, 50, 14.5, 7]]
    raw = workbook(Pump1=table, Pump2=table, Notes=[["none"]])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/pumps.xlsx", raw)
        archive.writestr("licence.txt", "free")
    text = fleet("files: ['Pump*']")
    found = read(parse_profile(text, "w.yaml"), "all.zip", packed.getvalue())
    assert found["device_id"].tolist() == ["Pump1", "Pump2"]
    assert found["source_file"].tolist() == ["all.zip/in/pumps.xlsx/Pump1", "all.zip/in/pumps.xlsx/Pump2"]

    # before anything is stored, the same sheets are looked into
    (tmp_path / "p" / "profiles").mkdir(parents=True)
    (tmp_path / "p" / "profiles" / "w.yaml").write_text(text, encoding="utf-8")
    file = tmp_path / "all.zip"
    file.write_bytes(packed.getvalue())
    (declared,) = find_declarations(tmp_path)
    declared.verify(file)
    (tmp_path / "p" / "profiles" / "w.yaml").write_text(fleet("files: ['*.xlsx']"), encoding="utf-8")
    (declared,) = find_declarations(tmp_path)
    with pytest.raises(WrongHeaderError, match=r"pumps\.xlsx/Notes, line 1: it has no declared column at all"):
        declared.verify(file)
    torn = tmp_path / "torn.xlsx"
    torn.write_bytes(raw[:2000])
    with pytest.raises(WrongHeaderError, match="it is no whole Excel workbook"):
        declared.verify(torn)


def test_a_broken_workbook_is_one_dead_letter() -> None:
    profile = parse_profile(fleet(), "w.yaml")
    for raw in (b"", b"no workbook", workbook(a=[HEAD])[:2000]):
        (row,) = read(profile, "north.xlsx", raw).to_dict("records")
        assert row["reason"] == "DESERIALIZATION_FAILURE"
        assert "no whole Excel workbook" in row["error_detail"]


def test_keys_about_text_are_refused() -> None:
    with pytest.raises(ProfileReferenceError, match="`quoted` is about text, and a workbook has cells"):
        parse_profile(fleet("quoted: true"), "w.yaml")
