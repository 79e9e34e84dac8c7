"""Three invented fleets written the way published data sets are, each with the count of what was planted in it.

``weather``     European CSV in a zip: BOM, semicolons, decimal commas, points between thousands, two-digit years,
                24:00, both clock changes, sentinels, degF and psi, comments, rows of delimiters, two empty columns
``motes``       blank-separated lines without header, date and clock apart, radio messages cut off, sent twice or
                without sender
``historian``   a file per unit and month, named after the unit: words instead of values, a column that judges another,
                tenths, suffixes, irregular minutes, UTC
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

Fates = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Stranger:
    """A profile, its files, how many lines meet which fate, and how many cells of each sensor have no value."""

    profile: str
    files: Mapping[str, bytes]
    fates: Fates
    nulls: Mapping[str, int]


_REST = """
cleansing:
  max_clock_drift_hours: 24
  max_clock_drift_reason: unused here, because reading time and receipt time are one
windows_minutes: [60]
features:
{features}
  - {{name: sensor_completeness, group: data_quality, aggregation: sensor_completeness, unit: "1"}}
  - {{name: quality_flag_count, group: data_quality, aggregation: quality_flag_count, unit: count}}
  - {{name: reading_count, group: data_quality, aggregation: reading_count, unit: count}}
model:
  model_id: isolation_forest_v1
  model_version: 1.0.0
  window_duration_minutes: 60
  features: all
  n_estimators: 50
  max_samples: 64
  seed: 1
  flagged_share: {{value: 0.05, reason: "nobody looks at more than that"}}
  training_completeness_min: {{value: 0.5, reason: "half of the sensors are enough"}}
  training_reading_count_min: {{value: 2, reason: "one reading is no window"}}
  training_flagged_readings_max: {{value: 6, reason: "more describe the data only"}}
  scoring_completeness_min: {{value: 0.5, reason: "half of the sensors are enough"}}
  training_days_reason: every day is an ordinary one
alerting:
  severities: [{{severity: LOW, acknowledge_minutes: 1440, reason: "worth a look within a day"}}]
  dedup_hours: 4
  dedup_reason: twice a day somebody passes by
  resolve_after_windows: 2
  resolve_reason: one quiet hour may be chance
"""


def rest(**units: str) -> str:
    lines = [
        f'  - {{name: {name}_mean, group: air, sensor: {name}, aggregation: mean, unit: "{unit}"}}'
        for name, unit in units.items()
    ]
    return _REST.format(features="\n".join(lines))


def strangers() -> dict[str, Stranger]:
    return {"weather": _weather(), "motes": _motes(), "historian": _historian()}


_WEATHER = """
profile: weather
description: two stations of a valley, a row every half hour
source:
  dataset: /Fleet/weather/landing
  format: csv
  delimiter: ";"
  decimal: ","
  thousands: "."
  comment: "#"
  blank_lines: ignore
  missing: ["", 9999, "-999,9"]
  header:
    - {name: time, aliases: ["Datum Zeit"]}
    - {name: temperature, aliases: ["T [°F]"], unit: degF}
    - {name: pressure, aliases: ["p [psi]"], unit: psi}
    - {name: sunshine, aliases: ["Licht [lx]"]}
  time: {column: time, format: "%d.%m.%y %H:%M", hour_24: true, reason: "the observers' journal, clock on the wall"}
  ingested: same_as_time
  ingested_reason: the export carries no receipt time
  device: file_name
  event_id: device_and_time
  sequence: line_number
registry:
  updated_at: "2024-01-01"
  expected_readings_per_hour: 2
  every_device:
    site_id: VALLEY
    timezone: Europe/Berlin
    expected_sensors: [temperature, pressure, sunshine]
    reason: the stations are listed nowhere
sensors:
  - {name: temperature, type: double, unit: degC, meaning: "air", min: -40, max: 50, reason: "records with margin"}
  - {name: pressure, type: double, unit: hPa, meaning: "air", min: 800, max: 1100, reason: "barometers end there"}
  - {name: sunshine, type: double, unit: lux, meaning: "light", min: 0, max: 150000, reason: "the sun gives no more"}
""" + rest(temperature="degC", pressure="hPa", sunshine="lux")


def _weather() -> Stranger:
    title = ["# Wetterdienst; Auszug", "Datum Zeit;T [°F];p [psi];Licht [lx];;", "# Einheiten siehe Kopf"]
    autumn = ["26.10.24 24:00"]  # the first instant of the 27th, on which 02:00 to 03:00 comes twice
    autumn += [
        f"27.10.24 {h:02}:{m:02}" for h, m in ((0, 30), (1, 0), (1, 30), (2, 0), (2, 30), (2, 0), (2, 30), (3, 0))
    ]
    spring = [f"31.03.24 {h:02}:{m:02}" for h in (0, 1, 2, 3) for m in (0, 30)]  # 02:00 and 02:30 never were
    north = [f"{time};50,0;14,5;1.234,5;;" for time in autumn]
    north[2] = north[2].replace("50,0", "9999")
    north[3] = north[3].replace("14,5", "-999,9")
    north += [north[1], ";;;;;", ";;;;;", "27.10.24 24:10;50,0;14,5;1,0;;", "27.10.24 04:00;50.0;14,5;1,0;;"]
    south = [f"{time};-4,0;14,0;12.34,5;;" for time in spring]
    south += ["# Wartung", "31.03.24 04:00;50,0;14,5;1,0", "31.03.24 05:00;250,0;9999,0;0,0;;"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, lines in (("2024/north.csv", [*title, *north]), ("2024/south.csv", [*title, *south])):
            archive.writestr(name, "\ufeff" + "\r\n".join(lines) + "\r\n")
        archive.writestr("__MACOSX/2024/._north.csv", b"\x00\x05")
    return Stranger(
        _WEATHER,
        {"valley.zip": packed.getvalue()},
        {
            ("CLEAN", "NONE"): 9 + 1 + 6 + 1,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1 + 2,  # 24:10, and the hour that spring skips
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
        },
        # a sentinel, a decimal point that nobody declared, and 250 degF (121 degC) out of range after cleansing
        {"temperature": 3, "pressure": 2, "sunshine": 6},
    )


_MOTES = """
profile: motes
description: battery motes in an office, two messages a minute when all goes well
source:
  dataset: /Fleet/motes/landing
  format: csv
  delimiter: whitespace
  without_header: true
  short_lines: missing
  missing: [""]
  header:
    - {name: day, aliases: [date]}
    - {name: clock, aliases: [time]}
    - {name: epoch, aliases: [epoch], required: true}
    - {name: mote, aliases: [moteid]}
    - {name: temperature, aliases: [temperature], required: true}
    - {name: humidity, aliases: [humidity]}
    - {name: light, aliases: [light]}
    - {name: voltage, aliases: [voltage]}
  time: {column: [day, clock], format: iso8601, reason: "the base station writes its own clock, UTC"}
  ingested: same_as_time
  ingested_reason: the log has one time per line
  device: mote
  event_id: [epoch]
  sequence: line_number
registry:
  updated_at: "2004-02-28"
  expected_readings_per_hour: 120
  devices:
    - &mote {device_id: "1", site_id: LAB, status: active, timezone: UTC, reason: "on the floor plan of the lab",
             expected_sensors: [temperature, humidity, light, voltage]}
    - {device_id: "2", site_id: LAB, status: active, timezone: UTC, reason: "on the floor plan of the lab",
       expected_sensors: [temperature, humidity, light, voltage]}
sensors:
  - {name: temperature, type: double, unit: degC, meaning: "air", min: -10, max: 60, reason: "dying motes report 122"}
  - {name: humidity, type: double, unit: "%RH", meaning: "air", min: 0, max: 100, reason: "by definition"}
  - {name: light, type: double, unit: lux, meaning: "light", min: 0, max: 150000, reason: "the sun gives no more"}
  - {name: voltage, type: double, unit: V, meaning: "battery", min: 1.8, max: 3.3, reason: "the radio dies below"}
""" + rest(temperature="degC", humidity="%RH", light="lux", voltage="V")


def _motes() -> Stranger:
    lines = []
    for mote in (1, 2):
        for epoch in range(20):
            lines.append(f"2004-02-28 00:{epoch:02}:16.02785 {epoch} {mote} 19.9884 37.0933 45.08 2.69964")
    lines += lines[3:6]  # the radio repeated itself: same epoch, later on
    lines += ["2004-02-28 00:40:01.5 40 1 122.153 -3.91901 11.04 2.03397"]  # out of range twice, kept
    lines += ["2004-02-28 00:41:01.5 41 1 20.1", "2004-02-28 00:42:01.5 42 1 20.1 37.0"]  # cut off, with a temperature
    lines += ["2004-02-28 00:43:01.5 43 1", "2004-02-28 00:44:01.5 44", "2004-02-28 00:45:01.5"]  # and without
    lines += ["2004-02-28 00:46:01.5 46 65407 21.0 37.0 1.0 2.7"]  # no such mote
    lines += ["2004-02-28 00:47:61.5 47 1 21.0 37.0 1.0 2.7", "2004-02-28 00:48:01.5 48 1 21.0 37.0 1.0 2.7 9 9"]
    return Stranger(
        _MOTES,
        {"data.txt.gz": gzip.compress("\n".join(lines).encode(), mtime=0)},
        {
            ("CLEAN", "NONE"): 40 + 1 + 2,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 3,
            ("QUARANTINE", "DEVICE_UNKNOWN"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 3 + 1,
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
        },
        {"temperature": 1, "humidity": 2, "light": 2, "voltage": 2},
    )


_SHARE = '  - {name: running_share, group: air, sensor: running, aggregation: fraction, unit: "1"}\n'
_HISTORIAN = """
profile: historian
description: pumps whose plant historian exports a file per unit and month
source:
  dataset: /Fleet/historian/landing
  format: csv
  missing: ["", "Bad", "I/O Timeout", "No Data", -200]
  header:
    - {name: time, aliases: ["Timestamp"]}
    - {name: flow, aliases: ["FIC-1.PV"], suffixes: [" m3/h"], unit: m3/h, valid_when: {column: quality, words: [Good]}}
    - {name: quality, aliases: ["FIC-1.Q"]}
    - {name: temperature, aliases: ["TI-7"], divided_by: 10}
    - {name: running, aliases: ["Status"], true_words: [RUN], false_words: [STOP, TRIP]}
  time: {column: time, format: ["%d-%b-%y %H.%M.%S", epoch_milliseconds], reason: "two versions of it, both UTC"}
  ingested: same_as_time
  ingested_reason: the historian keeps one time per value
  device: in_path
  device_pattern: '(?P<device>P-\\d+[AB])_\\d{4}-\\d\\d\\.csv$'
  event_id: device_and_time
  sequence: line_number
registry:
  updated_at: "2024-01-01"
  expected_readings_per_hour: 6
  every_device:
    site_id: PLANT
    timezone: UTC
    expected_sensors: [flow, temperature, running]
    reason: each pump exports all of them
sensors:
  - {name: flow, type: double, unit: L/s, meaning: "delivered", min: 0, max: 100, reason: "the pump's curve ends there"}
  - {name: temperature, type: double, unit: degC, meaning: "bearing", min: -20, max: 150, reason: "grease burns"}
  - {name: running, type: boolean, unit: bool, meaning: "motor on"}
""" + rest(flow="L/s", temperature="degC").replace("features:\n", "features:\n" + _SHARE)


def _historian() -> Stranger:
    header = '"Timestamp","FIC-1.PV","FIC-1.Q","TI-7","Status"'
    minutes = (0, 9, 21, 30, 42, 50)
    first = [f'03-Jan-24 05.{m:02}.00,"36 m3/h",Good,655,RUN' for m in minutes]
    first[1] = first[1].replace("Good", "Uncertain")
    first[2] = first[2].replace("655", "I/O Timeout")
    first[3] = "03-Jan-24 05.30.00,Bad,Bad,-200,No Data"  # nothing is left of this row
    first[4] = first[4].replace("RUN", "MAINT")  # a word that nobody declared
    second = [f"{1706745600000 + m * 60000},7.2 m3/h,Good,655.0,STOP" for m in minutes]
    other = [*first[:1], *first[:1], "03-Jan-24 25.00.00,36 m3/h,Good,655,RUN"]
    return Stranger(
        _HISTORIAN,
        {
            "P-101A_2024-01.csv": "\n".join([header, *first]).encode(),
            "P-101A_2024-02.csv": "\n".join([header, *second]).encode(),
            "north/P-102B_2024-01.csv": "\n".join([header, *other]).encode(),
            "P-103_2024-01.csv": "\n".join([header, first[0]]).encode(),  # neither A nor B: of no pump
        },
        {
            ("CLEAN", "NONE"): 5 + 6 + 1,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 1,
            ("DEAD_LETTER", "ALL_SENSORS_NULL"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1 + 1,
        },
        {"flow": 1, "temperature": 1, "running": 1},
    )
