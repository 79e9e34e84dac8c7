"""An invented fleet that sends a line per sensor: three tags of two boilers, some seconds apart, worked out by hand."""

from __future__ import annotations

from stranger_fleets import rest

PROFILE = """
profile: boilers
description: two boilers of a laundry, each tag on its own line within a minute
source:
  dataset: /Fleet/boilers/landing
  format: csv
  missing: ["Bad"]
  header:
    - {name: time, aliases: [time]}
    - {name: boiler, aliases: [boiler]}
    - {name: tag, aliases: [tag]}
    - {name: reading, aliases: [value]}
  narrow:
    sensor: tag
    value: reading
    sensors:
      - {name: temperature, aliases: [TI, TI-B], unit: degF}
      - {name: pressure, aliases: [PI]}
      - {name: burning, aliases: [BURNER], true_words: ["ON"], false_words: ["OFF"]}
    merge: {every_seconds: 60, reason: "the gateway asks every boiler for all tags once a minute"}
  time: {column: time, format: iso8601, reason: "the gateway writes UTC"}
  ingested: same_as_time
  ingested_reason: the export carries no receipt time
  device: boiler
  event_id: device_and_time
  sequence: line_number
registry:
  updated_at: "2024-01-01"
  devices:
    - {device_id: B1, status: active, site_id: LAUNDRY, timezone: UTC, expected_sensors: &all [temperature, pressure,
       burning], reason: &why it is in the cellar}
    - {device_id: B2, status: active, site_id: LAUNDRY, timezone: UTC, expected_sensors: *all, reason: *why}
sensors:
  - {name: temperature, type: double, unit: degC, meaning: "water", min: -40, max: 150, reason: "it would be steam"}
  - {name: pressure, type: double, unit: bar, meaning: "water", min: 0, max: 10, reason: "the valve opens at 6"}
  - {name: burning, type: boolean, unit: "1", meaning: "burner on"}
""" + rest(temperature="degC", pressure="bar")

MONDAY = """time,boiler,tag,value
2024-01-01T10:00:02Z,B1,TI,140
2024-01-01T10:00:05Z,B1,PI,2.5
2024-01-01T10:00:59.9Z,B1,BURNER,ON
2024-01-01T10:01:00Z,B1,PI,2.6
2024-01-01T10:01:10Z,B1,TI,Bad
2024-01-01T10:01:20Z,B1,BURNER,maybe
2024-01-01T10:01:30Z,B1,TI-B,149
2024-01-01T10:01:40Z,B1,TI,158
2024-01-01T10:00:30Z,B2,TI,Bad
2024-01-01T10:00:31Z,B2,PI,Bad
2024-01-01T10:00:32Z,B3,TI,140
2024-01-01T10:00:33Z,B3,PI,1
2024-01-01T10:00:07Z,B1,PI,2.7
2024-01-01T10:00:40Z,B1,XY,7
2024-01-01T10:00:41Z,B1,TI
2024-01-01T10:02:00Z,B1,TI,140
2024-01-01T10:02:01Z,B1,PI,99
2024-01-01T10:02:02Z,B1,BURNER,OFF
"""
"""18 lines. B1 10:00 is three sensors and a pressure again, 10:01 three and a temperature twice again, 10:02 three."""

TUESDAY = """time,boiler,tag,value
2024-01-01T10:02:30Z,B1,TI,150
2024-01-01T10:02:40Z,B1,PI,3
2024-01-01T10:03:00Z,B1,TI,140
2024-01-01T11:00:00Z,B1,BURNER,ON
"""
"""Four lines; the first two are of a step that Monday's file has already told of."""

LATER = f"{TUESDAY}2024-01-01T11:01:00Z,B1,BURNER,ON\n"
"""The whole of Tuesday's file again, and a line more."""

LEDGER = {
    # B1 10:00, 10:01, 10:02
    ("monday.csv", "CLEAN", "NONE"): 3,
    # two each of the readings above, one each of B2 and B3
    ("monday.csv", "MERGED", "NARROW_LINE"): 2 + 2 + 2 + 1 + 1,
    ("monday.csv", "DUPLICATE", "SENSOR_REPEATED"): 1 + 2,
    ("monday.csv", "DEAD_LETTER", "ALL_SENSORS_NULL"): 1,
    ("monday.csv", "QUARANTINE", "DEVICE_UNKNOWN"): 1,
    ("monday.csv", "DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1,
    ("monday.csv", "DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
    ("tuesday.csv", "CLEAN", "NONE"): 3,
    ("tuesday.csv", "MERGED", "NARROW_LINE"): 1,
    ("tuesday_later.csv", "CLEAN", "NONE"): 1,
    ("tuesday_later.csv", "DUPLICATE", "DUPLICATE_EVENT_ID"): 3,
    ("tuesday_later.csv", "MERGED", "NARROW_LINE"): 1,
}

FILES = {"monday.csv": MONDAY, "tuesday.csv": TUESDAY, "tuesday_later.csv": LATER}
