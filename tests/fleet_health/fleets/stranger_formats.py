"""Invented fleets in the formats of other trades, each with the count of what was planted in it.

``turbines``    UTF-16 from a wind farm's SCADA: tabs, 12-hour clock with month names in local time, date and time
                apart, separators of thousands, status texts with line breaks, a header before each day
``racks``       JSON lines from gateways: a batch of readings per line, milliseconds, keys with two names
``meters``      district heat: Latin-1, a row of units under the names, two-digit years, totals at the end, NaN texts
``pumps``       a spreadsheet every five seconds, its pumps side by side, empty columns and rows at its ends
``chillers``    one JSON document per day with an object per machine in each sample
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from stranger_fleets import Stranger, rest


def other_formats() -> dict[str, Stranger]:
    return {
        "turbines": _turbines(),
        "racks": _racks(),
        "meters": _meters(),
        "pumps": _pumps(),
        "chillers": _chillers(),
    }


def _registry(hour: int, zone: str, sensors: str, *devices: str) -> str:
    every = f"timezone: {zone}, expected_sensors: [{sensors}], reason: it is on the list of the plant"
    head = f'registry:\n  updated_at: "2024-01-01"\n  expected_readings_per_hour: {hour}\n'
    if not devices:
        return f"{head}  every_device: {{site_id: PLANT, {every}}}\n"
    listed = [f"    - {{device_id: {name}, site_id: PLANT, status: active, {every}}}\n" for name in devices]
    return f"{head}  devices:\n{''.join(listed)}"


_TURBINES = (
    """
profile: turbines
description: three turbines of a Danish wind farm, ten-minute means
source:
  dataset: /Fleet/turbines/landing
  format: csv
  encoding: utf-16
  delimiter: "\\t"
  quoted_line_breaks: true
  repeated_headers: ignore
  thousands: ","
  missing: ["-", "N/A", "null", "Bad", "I/O Timeout", -999]
  header:
    - {name: day, aliases: ["Date"]}
    - {name: clock, aliases: ["Time"]}
    - {name: turbine, aliases: ["WTG"]}
    - {name: wind, aliases: ["Wind Speed (mph)"]}
    - {name: power, aliases: ["Active Power (kW)"], unit: kW}
    - {name: status, aliases: ["Status"]}
  time: {column: [day, clock], format: "%d-%b-%Y %I:%M %p", reason: "the clock on the wall of the control room"}
  ingested: same_as_time
  ingested_reason: the export has one time per line
  device: turbine
  event_id: device_and_time
  sequence: line_number
"""
    + _registry(6, "Europe/Copenhagen", "wind, power", "WTG-1", "WTG-2")
    + """
units: [mph]
sensors:
  - {name: wind, type: double, unit: mph, meaning: "at the hub", min: 0, max: 120, reason: "cups break above"}
  - {name: power, type: double, unit: kW, meaning: "delivered", min: -100, max: 2500, reason: "2.3 MW and its own use"}
"""
    + rest(wind="mph", power="kW")
)


def _turbines() -> Stranger:
    header = "Date\tTime\tWTG\tWind Speed (mph)\tActive Power (kW)\tStatus"
    lines = []
    for day in (30, 31):  # on the 31st the clocks skip 2 to 3 in the morning
        lines.append(header)
        for ten in range(24 * 6):
            at = datetime(2024, 3, day) + timedelta(minutes=10 * ten)  # noqa: DTZ001 - local, as the file is
            when = f"{at:%d-%b-%Y}\t{at:%I:%M %p}"
            lines += [f"{when}\tWTG-{n}\t{10 + n}.5\t1,21{n}.7\tOK" for n in (1, 2)]
    wind_lost, power_lost = ("N/A", "-999", "-999.00", "I/O Timeout"), ("-", "null", "Bad", "12,34.5", "99,999.0")
    for field, places in ((3, dict(enumerate(wind_lost, 1))), (4, dict(enumerate(power_lost, 11)))):
        for place, cell in places.items():
            fields = lines[place].split("\t")
            lines[place] = "\t".join([*fields[:field], cell, *fields[field + 1 :]])
    lines[20] = lines[20].replace("OK", '"Yaw fault\nreset by hand"')
    lines[21] = "\t".join([*lines[21].split("\t")[:3], "-", "-999", "Stop"])  # nothing is left of it
    lines += [lines[5], lines[6]]  # sent twice
    lines += [lines[7].replace("WTG-1", "WTG-9").replace("WTG-2", "WTG-9")]  # not of this farm
    lines += ["31-Mar-2024\t13:10 PM\tWTG-1\t1\t1\tOK", "31-Mar-2024\t11:59 PM\tWTG-1\t1", "Total\t\t\t\t9,999\t"]
    return Stranger(
        _TURBINES,
        {"scada.txt": "\r\n".join(lines).encode("utf-16")},
        {
            ("CLEAN", "NONE"): 2 * 2 * 144 - 12 - 1,
            ("DEAD_LETTER", "ALL_SENSORS_NULL"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 12 + 2,  # the skipped hour, no such hour, no time
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 2,
            ("QUARANTINE", "DEVICE_UNKNOWN"): 1,
        },
        {"wind": len(wind_lost), "power": len(power_lost)},
    )


_RACKS = (
    """
profile: racks
description: sensors of a server room, whose gateways send what they have collected
source:
  dataset: /Fleet/racks/landing
  format: json_lines
  records: data.readings
  header:
    - {name: time, aliases: [ts]}
    - {name: rack, aliases: [gateway.rack]}
    - {name: inlet, aliases: [air.inlet, inletTemp], unit: degF}
    - {name: fan, aliases: [fan.rpm], missing: [65535]}
    - {name: door, aliases: [door], true_words: [open], false_words: [closed]}
  time: {column: time, format: epoch_milliseconds, reason: "the gateways count since 1970"}
  ingested: same_as_time
  ingested_reason: the message has no receipt time
  device: rack
  event_id: device_and_time
  sequence: line_number
"""
    + _registry(60, "UTC", "inlet, fan, door")
    + """
sensors:
  - {name: inlet, type: double, unit: degC, meaning: "air in front", min: 0, max: 60, reason: "the probe ends there"}
  - {name: fan, type: double, unit: rpm, meaning: "speed", min: 0, max: 20000, reason: "no fan turns faster"}
  - {name: door, type: boolean, unit: bool, meaning: "true while open"}
"""
    + rest(inlet="degC", fan="rpm")
)


def _racks() -> Stranger:
    start = 1_704_067_200_000

    def reading(minute: int, **more: Any) -> dict[str, Any]:
        return {"ts": start + minute * 60_000, "air": {"inlet": 68.0}, "fan": {"rpm": 4100}, "door": "closed", **more}

    def message(rack: str, readings: list[dict[str, Any]]) -> str:
        return json.dumps({"gateway": {"rack": rack, "fw": "1.2"}, "data": {"unit": "degF", "readings": readings}})

    first = [reading(n) for n in range(10)]
    second = [{**reading(n), "inletTemp": 50.0} for n in range(10)]
    for record in second:
        del record["air"]
    second[2]["inletTemp"] = None
    second[3]["fan"] = {}
    second[4]["fan"] = {"rpm": 65535}
    second[5]["door"] = "ajar"
    second[6]["inletTemp"] = float("nan")
    second[7] = {"ts": second[7]["ts"], "note": "no sensor at all"}
    second[8]["inletTemp"] = 500
    lines = [
        *(message("R1", first[:6]), message("R2", second), message("R1", first[5:])),  # minute 5 came twice
        *("", message("R3", [])),
        *(message("R1", [reading(11, ts="soon"), reading(12, ts=None)]), message("", [reading(0)])),
        *('{"gateway": {"rack": "R1"}', "[1, 2]", '{"gateway": {"rack": "R1"}, "data": {"unit": "degF"}}'),
    ]
    return Stranger(
        _RACKS,
        {"2024/01/01.jsonl": "\n".join(lines).encode()},
        {
            ("CLEAN", "NONE"): 10 + 9,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 1,
            ("DEAD_LETTER", "ALL_SENSORS_NULL"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 2 + 1 + 1,  # no time, no device, torn
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1 + 1 + 1,  # the blank line, no object, no records
        },
        {"inlet": 3, "fan": 2, "door": 1},
    )


_METERS = (
    """
profile: meters
description: heat meters of a district, a file per building
source:
  dataset: /Fleet/meters/landing
  format: csv
  encoding: latin-1
  delimiter: ";"
  decimal: ","
  thousands: "."
  lines_before_header: 2
  lines_after_header: 1
  comment: "Summe"
  missing: ["--", "k.A.", "#NV"]
  header:
    - {name: time, aliases: ["Zeitpunkt"]}
    - {name: flow, aliases: ["Durchfluß"], unit: L/h}
    - {name: supply, aliases: ["Vorlauf"]}
    - {name: power, aliases: ["Leistung"], suffixes: [" kW"]}
  time: {column: time, format: "%d.%m.%y %H:%M", zone: Etc/GMT-1, reason: "the meters never change to summer time"}
  ingested: same_as_time
  ingested_reason: the meters are read out once a month
  device: file_name
  event_id: device_and_time
  sequence: line_number
"""
    + _registry(1, "Etc/GMT-1", "flow, supply, power")
    + """
sensors:
  - {name: flow, type: double, unit: L/s, meaning: "water", min: 0, max: 10, reason: "the pipe takes no more"}
  - {name: supply, type: double, unit: degC, meaning: "supply", min: 0, max: 130, reason: "it is under pressure"}
  - {name: power, type: double, unit: kW, meaning: "heat", min: 0, max: 5000, reason: "the exchanger ends there"}
"""
    + rest(flow="L/s", supply="degC", power="kW")
)


def _meters() -> Stranger:
    title = ["Wärmezähler;Straße 7", "", "Zeitpunkt;Durchfluß;Vorlauf;Leistung", ";l/h;°C;"]
    hours = [f"{31 if h < 24 else 1:02}.{3 if h < 24 else 4:02}.24 {h % 24:02}:00" for h in range(30)]
    rows = [f"{hour};1.800,0;{70 + n % 9},5;1.216,7 kW" for n, hour in enumerate(hours)]
    other = list(rows)
    rows[3] = rows[3].replace("1.800,0", "--")
    rows[4] = rows[4].replace("1.216,7 kW", "k.A.")
    rows[5] = rows[5].replace("1.216,7", "12.16,7")
    rows[6] = f"{hours[6]};--;#NV;k.A."
    rows[7] = f"{hours[7]};99.000,0;70,5;-3,0 kW"
    rows += [rows[0], "Summe;54.000,0;;36.501,0 kW", "Summe Vormonat;1;;1"]
    return Stranger(
        _METERS,
        {
            "haus-7.csv": "\r\n".join([*title, *rows]).encode("latin-1"),
            "haus-9.2024.csv": "\r\n".join([*title, *other, "31.02.24 00:00;1;1;1", "01.04.24 07:00;1;1"]).encode(
                "latin-1"
            ),
        },
        {
            ("CLEAN", "NONE"): 29 + 30,
            ("DEAD_LETTER", "ALL_SENSORS_NULL"): 1,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1,
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
        },
        {"flow": 2, "supply": 0, "power": 3},
    )


_PUMPS = (
    """
profile: pumps
description: two water pumps of a works, side by side in one spreadsheet
source:
  dataset: /Fleet/pumps/landing
  format: csv
  blank_lines: ignore
  missing: ["#DIV/0!"]
  header:
    - {name: time, aliases: ["Time stamp"]}
    - {name: flow, aliases: ["flow [m3/h]"], unit: m3/h}
    - {name: pressure, aliases: ["pressure"], required: true}
    - {name: vibration, aliases: ["vib"], optional: true}
    - {name: level, aliases: ["tank level"]}
  time: {column: time, format: "%m/%d/%Y %H:%M:%S", reason: "the spreadsheet says UTC in its title"}
  ingested: same_as_time
  ingested_reason: the sheet has one time per row
  device: in_header
  device_pattern: '(?P<device>P\\d) (?P<column>.+)'
  event_id: device_and_time
  sequence: line_number
"""
    + _registry(720, "UTC", "flow, pressure, level", "P1", "P2")
    + """
sensors:
  - {name: flow, type: double, unit: L/s, meaning: "delivered", min: 0, max: 100, reason: "the pump's curve ends there"}
  - {name: pressure, type: double, unit: bar, meaning: "behind it", min: 0, max: 16, reason: "the pipe bursts above"}
  - {name: vibration, type: double, unit: mm/s, meaning: "bearing", min: 0, max: 50, reason: "the probe ends there"}
  - {name: level, type: double, unit: m, meaning: "in the tank of both", min: 0, max: 8, reason: "it overflows"}
"""
    + rest(flow="L/s", pressure="bar", level="m")
)


def _pumps() -> Stranger:
    lines = [
        "Time stamp,P1 flow [m3/h],P2 flow [m3/h],P1 pressure,P2 pressure,P2 vib,"
        "P9 pressure,P9 flow [m3/h],tank level,,"
    ]
    for n in range(40):
        at = datetime(2024, 6, 1) + timedelta(seconds=5 * n)  # noqa: DTZ001 - the sheet says UTC
        lines.append(f"{at:%m/%d/%Y %H:%M:%S},36,72,5.5,6.5,2.25,1,3.6,{4 + n / 100:.2f},,")
    lines[3] = lines[3].replace(",5.5,", ",,")  # P1 without the pressure that it needs
    lines[4] = lines[4].replace(",72,", ",#DIV/0!,")
    lines[5] = lines[5].replace(",36,", ",off,")
    lines[6] = lines[6].replace(",2.25,", ",99,")
    lines[7] = "sometime" + lines[7][lines[7].index(",") :]  # of no pump
    lines[8] += ","
    lines += [lines[9], ",,,,,,,,,,", ",,,,,,,,,,"]
    return Stranger(
        _PUMPS,
        {"june.csv": ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()},
        {
            ("CLEAN", "NONE"): 2 * 38 - 1,
            ("QUARANTINE", "DEVICE_UNKNOWN"): 38,  # P9 is of another works
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 3,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1 + 1,
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
        },
        {"flow": 2, "pressure": 0, "vibration": 37 + 1, "level": 0},
    )


_CHILLERS = (
    """
profile: chillers
description: chillers of a hospital, a document per day
source:
  dataset: /Fleet/chillers/landing
  format: json
  records: samples
  decimal: ","
  header:
    - {name: time, aliases: [at]}
    - {name: load, aliases: [load, loadPct]}
    - {name: leaving, aliases: [water.leaving]}
  time: {column: time, format: iso8601, reason: "each sample has its offset"}
  ingested: same_as_time
  ingested_reason: the document is written at midnight
  device: in_header
  device_pattern: '(?P<device>CH-\\d)\\.(?P<column>.+)'
  event_id: device_and_text
  sequence: line_number
"""
    + _registry(4, "UTC", "load, leaving")
    + """
sensors:
  - {name: load, type: double, unit: percent, meaning: "of its capacity", min: 0, max: 110, reason: "it trips above"}
  - {name: leaving, type: double, unit: degC, meaning: "water", min: -5, max: 40, reason: "the probe ends there"}
"""
    + rest(load="percent", leaving="degC")
)


def _chillers() -> Stranger:
    samples: list[dict[str, Any]] = []
    for quarter in range(8):
        one = {"load": 50 + quarter, "water": {"leaving": 6.5, "entering": 12}}
        two = {"loadPct": "45,5", "water": {"leaving": "7,25"}}
        at = f"2024-01-01T{2 + quarter // 4:02}:{15 * (quarter % 4):02}:00+02:00"
        samples.append({"at": at, "CH-1": one, **({} if quarter % 2 else {"CH-2": two})})
    samples[2]["CH-1"]["load"] = None
    samples[3]["CH-1"]["water"] = {"leaving": "7.5"}  # a point, where commas are the mark
    samples[4]["CH-1"] = {"alarm": "offline"}
    samples += [samples[5], {"at": "2024-01-01T25:00:00Z", "CH-1": {"load": 1}, "CH-2": {"load": 1}}]
    return Stranger(
        _CHILLERS,
        {
            "day.json": json.dumps({"site": "H", "samples": samples}, indent=1).encode(),
            "torn.json": b'{"samples": [{"at": ',
        },
        {
            ("CLEAN", "NONE"): 7 + 4,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1 + 1,
        },
        {"load": 1, "leaving": 1},
    )
