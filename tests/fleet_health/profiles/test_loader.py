"""Profiles: what is shipped is sound, and every mistake names file, line and the way out."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from fleet_health.ingestion.cleansing_transform import cleansing_version
from fleet_health.profiles.errors import (
    ProfileError,
    ProfileMissingError,
    ProfileReferenceError,
    ProfileSchemaError,
    ProfileSyntaxError,
)
from fleet_health.profiles.loader import load_profile, parse_profile, shipped_profile, shipped_profiles

SOURCE = Path(__file__).resolve().parents[3] / "transforms-python" / "src"


def shipped_text(name: str) -> str:
    return resources.files("fleet_health.profiles").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def line_of(text: str, fragment: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if fragment in line)


def test_refrigeration_is_the_contract() -> None:
    profile = shipped_profile("refrigeration")
    assert len(profile.sensors) == 14
    assert [s.name for s in profile.sensors if s.type == "boolean"] == ["door_open_close", "defrost_cycle"]
    assert len(profile.model_features) == 45
    assert profile.model_features[0] == "temp_evaporator_mean"
    assert profile.model_features[23] == "pressure_ratio"
    assert profile.model_features[-3:] == ("sensor_completeness", "quality_flag_count", "reading_count")
    assert profile.windows_minutes == (15, 60, 1440)
    late = [profile.lateness_of(minutes) for minutes in profile.windows_minutes]
    assert [(part.close_after.minutes, part.horizon.hours) for part in late] == [(20, 0), (20, 2), (20, 48)]
    at_once = shipped_profile("air_handler").lateness_of(60)
    assert (at_once.close_after.minutes, at_once.horizon.hours) == (0, 0)
    ranges = {s.name: (s.min, s.max) for s in profile.sensors}
    assert ranges["temperature_evaporator"] == (-60, 30)
    assert ranges["pressure_high_side"] == (500, 3500)
    assert profile.sensor("superheat").suspect_below == 0


def test_air_handler_declares_fixed_zones_and_no_label_sensor() -> None:
    profile = shipped_profile("air_handler")
    assert {d.device_id: d.timezone for d in profile.registry.devices} == {
        "AHU-X3A-CAV-2017S": "Etc/GMT+8",
        "AHU-X3A-VAV-2017F": "Etc/GMT+8",
        "AHU-ERS-A-MZVAV": "Etc/GMT+6",
    }
    assert "ground_truth" in {column.name for column in profile.source.header}
    assert "ground_truth" not in profile.sensor_names


def test_nothing_in_the_code_names_a_sensor() -> None:
    names = {sensor for profile in shipped_profiles() for sensor in profile.sensor_names}
    words = re.compile(r"\b(" + "|".join(sorted(names - {"occupied"})) + r")\b")
    found = [
        f"{file.name}: {match.group()}"
        for file in SOURCE.rglob("*.py")
        for match in words.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []


Edit = Callable[[str], str]


def swap(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


MISTAKES = {
    "min above max": (
        swap("min: -60, max: 30,", "min: 60, max: 30,"),
        ProfileReferenceError,
        "min: 60, max: 30",
        "'temperature_evaporator' has min > max",
        "min is 60, max is 30",
    ),
    "range without reason": (
        swap(',\n     reason: "relative humidity is a percentage"}', "}"),
        ProfileReferenceError,
        "name: humidity, type",
        "'humidity' has no complete range with a reason",
        "no threshold is accepted without its reason",
    ),
    "model threshold without reason": (
        swap("    reason: two thirds of the 15 readings a full window holds\n", ""),
        ProfileSchemaError,
        "training_reading_count_min",
        "model.training_reading_count_min.reason: Field required",
        "Say in `reason` why this number",
    ),
    "reason that says nothing": (
        swap("reason: below half of the sensors a score is not trusted", "reason: because"),
        ProfileSchemaError,
        "reason: because",
        "at least 10 characters",
        "why this number",
    ),
    "unknown sensor in a feature": (
        swap("sensor: vibration_compressor, aggregation: p95", "sensor: vibration_compresor, aggregation: p95"),
        ProfileReferenceError,
        "vibration_compressor_p95",
        "sensor 'vibration_compresor' is not declared",
        "Did you mean 'vibration_compressor'?",
    ),
    "a counter as a feature": (
        swap(
            'reason: "relative humidity is a percentage"}',
            'counter: true, reason: "relative humidity is a percentage"}',
        ),
        ProfileReferenceError,
        "name: humidity_mean",
        "'mean' of the counter 'humidity' always drifts",
        "Use `slope`",
    ),
    "a switch that counts": (
        swap("type: boolean,", "type: boolean, counter: true,"),
        ProfileReferenceError,
        "type: boolean, counter",
        "boolean sensor",
        "Remove `counter`",
    ),
    "derived from a later feature": (
        swap("of: [pressure_high_mean, pressure_low_mean]", "of: [pressure_high_mean, subcooling_mean]"),
        ProfileReferenceError,
        "name: pressure_ratio",
        "earlier feature 'subcooling_mean' is not declared",
        "",
    ),
    "derived from itself": (
        swap("of: [pressure_high_mean, pressure_low_mean]", "of: [pressure_ratio, pressure_low_mean]"),
        ProfileReferenceError,
        "name: pressure_ratio",
        "earlier feature 'pressure_ratio' is not declared",
        "",
    ),
    "feature declared twice": (
        swap("name: humidity_std,", "name: humidity_mean,"),
        ProfileReferenceError,
        'aggregation: std, unit: "%RH"',
        "feature 'humidity_mean' is declared twice",
        "Rename one",
    ),
    "sensor declared twice": (
        swap("{name: subcooling, type", "{name: superheat, type"),
        ProfileReferenceError,
        "condenser saturation temperature above",
        "sensor 'superheat' is declared twice",
        "Rename one",
    ),
    "unknown unit": (
        swap(
            'type: double, unit: kPa, meaning: "refrigerant pressure on the suction',
            'type: double, unit: kPA, meaning: "refrigerant pressure on the suction',
        ),
        ProfileReferenceError,
        "unit: kPA",
        "unit 'kPA' of 'pressure_low_side' is unknown",
        "Did you mean 'kPa'?",
    ),
    "unit that cannot be converted": (
        swap('aliases: ["humidity"],', 'aliases: ["humidity"], unit: degF,'),
        ProfileReferenceError,
        'aliases: ["humidity"]',
        "'degF' cannot be converted to '%RH'",
        "Use one of: %RH",
    ),
    "unknown aggregation": (
        swap("aggregation: p95", "aggregation: p59"),
        ProfileReferenceError,
        "aggregation: p59",
        "aggregation 'p59' is not declared",
        "Did you mean 'p95'?",
    ),
    "lateness of a window that is not computed": (
        swap("  - window_minutes: 1440", "  - window_minutes: 144"),
        ProfileReferenceError,
        "- window_minutes: 144",
        "window '144' is not declared",
        "Did you mean '1440'?",
    ),
    "horizon without a reason": (
        lambda text: re.sub(r'horizon: \{hours: 2, reason: "[^"]*"\}', "horizon: {hours: 2}", text),
        ProfileSchemaError,
        "horizon: {hours: 2}",
        "lateness.1.horizon.reason: Field required",
        "no threshold is accepted without its reason",
    ),
    "unknown key": (
        swap("windows_minutes: [15, 60, 1440]", "windows_minutes: [15, 60, 1440]\nwindow_hours: 1"),
        ProfileSchemaError,
        "window_hours: 1",
        "window_hours: Extra inputs are not permitted",
        "correct its spelling",
    ),
    "key written twice": (
        swap("registry:\n", "registry:\n  dataset: /a/b\n"),
        ProfileSyntaxError,
        "dataset: /Fleet/refrigeration/registry_landing",
        "key 'dataset' is written twice",
        "Remove one",
    ),
    "merge key": (
        swap("registry:\n", "registry:\n  <<: {expected_readings_per_hour: 12}\n"),
        ProfileSyntaxError,
        "  <<:",
        "merge keys (`<<`) are not read",
        "Write the keys out",
    ),
    "encoding that does not exist": (
        lambda text: re.sub(r"(?m)^  encoding: .*$", "  encoding: utf-88", text),
        ProfileReferenceError,
        "encoding: utf-88",
        "encoding 'utf-88' does not exist",
        "latin-1",
    ),
    "directive that strptime does not know": (
        lambda text: text.replace("format: iso8601", 'format: "%Y-%Q"'),
        ProfileReferenceError,
        "%Y-%Q",
        "'%Q' is no directive",
        "%Y-%m-%d %H:%M:%S",
    ),
    "delimiter that is the decimal mark": (
        lambda text: re.sub(r"(?m)^  delimiter: .*$", '  delimiter: ","\n  decimal: ","', text),
        ProfileReferenceError,
        '  delimiter: ","',
        "',' is delimiter and decimal mark",
        "';'",
    ),
    "landing of another fleet": (
        swap("dataset: /Fleet/refrigeration/landing", "dataset: /Fleet/air_handler/landing"),
        ProfileReferenceError,
        "dataset: /Fleet/air_handler/landing",
        "the landing dataset of another fleet",
        "/Fleet/refrigeration/",
    ),
    "no reading expected": (
        lambda text: re.sub(r"expected_readings_per_hour: \d+", "expected_readings_per_hour: 0", text),
        ProfileSchemaError,
        "expected_readings_per_hour: 0",
        "greater than 0",
        "Correct the value",
    ),
    "date that is none": (
        swap("registry:\n", "registry:\n  updated_at: last spring\n"),
        ProfileReferenceError,
        "updated_at: last spring",
        "updated_at 'last spring' is no date",
        "2020-01-01",
    ),
    "negative hours": (
        lambda text: re.sub(r"(?m)^  dedup_hours: .*$", "  dedup_hours: -4", text),
        ProfileSchemaError,
        "dedup_hours: -4",
        "greater than or equal to 0",
        "Correct the value",
    ),
    "not YAML": (
        swap("windows_minutes: [15, 60, 1440]", "windows_minutes: [15, 60, 1440"),
        ProfileSyntaxError,
        "lateness:",
        "not valid YAML",
        "brackets",
    ),
    "model window that is not computed": (
        swap("window_duration_minutes: 15", "window_duration_minutes: 30"),
        ProfileReferenceError,
        "window_duration_minutes: 30",
        "no window of 30 minutes",
        "15, 60, 1440",
    ),
    "zone of the fleet that does not exist": (
        swap("    column: timestamp_device\n", "    column: timestamp_device\n    zone: Europe/Berln\n"),
        ProfileReferenceError,
        "zone: Europe/Berln",
        "time zone 'Europe/Berln' does not exist",
        "Europe/Berlin",
    ),
    "days that end before they begin": (
        swap(
            "    column: timestamp_device\n",
            "    column: timestamp_device\n    earliest: 2027-01-01\n    latest: 2026-01-01\n",
        ),
        ProfileReferenceError,
        "earliest: 2027-01-01",
        "earliest is not before latest",
        "Swap them",
    ),
    "one of two formats": (
        swap("format: iso8601", "format: [iso8601, epoch_second]"),
        ProfileReferenceError,
        "epoch_second]",
        "no directive in time format 'epoch_second'",
        "epoch_seconds",
    ),
    "separator of thousands that is the delimiter": (
        lambda text: re.sub(r"(?m)^  delimiter: .*$", '  delimiter: ","\n  thousands: ","', text),
        ProfileReferenceError,
        '  thousands: ","',
        "thousands separator ',' has a meaning already",
        "leave the key out",
    ),
    "bare word that YAML reads as false": (
        lambda text: re.sub(r"(?m)^  missing: .*$", "  missing: [no]", text),
        ProfileSchemaError,
        "missing: [no]",
        "source.missing.0: Input should be a valid string",
        "in quotes",
    ),
    "lines after a header that is not there": (
        lambda text: re.sub(r"(?m)^  missing: .*$", "  without_header: true\n  lines_after_header: 1", text),
        ProfileReferenceError,
        "  lines_after_header: 1",
        "lines after a header that the files do not have",
        "`lines_before_header`",
    ),
    "empty fleet": (
        swap("  dataset: /Fleet/refrigeration/registry_landing\n", "  devices: []\n"),
        ProfileReferenceError,
        "registry:",
        "give one of `dataset`, `devices` and `every_device`, not 0",
        "a fleet that has no registry",
    ),
    "severity limits out of order": (
        swap("above: 0.95", "above: 0.75"),
        ProfileReferenceError,
        "  severities:",
        "score limits do not fall",
        "most urgent first",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_names_line_and_fix(case: str) -> None:
    edit, kind, at, problem, fix = MISTAKES[case]
    text = edit(shipped_text("refrigeration"))
    with pytest.raises(kind) as caught:
        parse_profile(text, "my_fleet.yaml")
    told = str(caught.value)
    assert told.startswith(f"my_fleet.yaml, line {line_of(text, at)}: "), told
    assert problem in told
    assert fix in told
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own error, just made
    assert str(copy) == told


def test_air_handler_mistakes() -> None:
    text = shipped_text("air_handler")
    zone = text.replace("timezone: Etc/GMT+6", "timezone: America/Ankeny", 1)
    with pytest.raises(ProfileReferenceError, match=r"'America/Ankeny' does not exist\. Use an IANA name"):
        parse_profile(zone, "p.yaml")
    rule = text.replace("- {sensor: return_air_temperature, op", "- {sensor: return_temperature, op", 1)
    with pytest.raises(
        ProfileReferenceError, match=r"sensor 'return_temperature' is not declared.*return_air_temperature"
    ):
        parse_profile(rule, "p.yaml")
    day = text.replace("- device_id: AHU-ERS-A-MZVAV\n      days", "- device_id: AHU-ERS-B\n      days", 1)
    with pytest.raises(ProfileReferenceError, match="device 'AHU-ERS-B' is not declared"):
        parse_profile(day, "p.yaml")


@pytest.mark.parametrize(
    ("ranges", "says"),
    [
        ("{sensor: supply_air_temperature, max: 1000, reason: it is hot there}", "is not inside the fleet's"),
        ("{sensor: supply_air_temperature, min: 30, max: 20, reason: it is hot there}", "is not inside the fleet's"),
        ("{sensor: supply_air_temperature, reason: it is hot there}", "no limit of 'supply_air_temperature'"),
        ("{sensor: supply_fan_running, max: 1, reason: it is on or off}", "sensor with a range 'supply_fan_running'"),
        ("{sensor: supply_air_temperature, max: 30}", "reason: Field required"),
    ],
)
def test_a_range_of_one_device_lies_inside_that_of_the_fleet(ranges: str, says: str) -> None:
    text = shipped_text("air_handler")
    zone = "      timezone: Etc/GMT+8\n"

    def declared(range_: str) -> str:
        return text.replace(zone, f"{zone}      ranges: [{range_}]\n", 1)

    with pytest.raises(ProfileError, match=re.escape(says)) as caught:
        parse_profile(declared(ranges), "ahu.yaml")
    assert f"ahu.yaml, line {line_of(text, zone.strip()) + 1}: " in str(caught.value)
    own = parse_profile(declared("{sensor: supply_air_temperature, max: 30, reason: it has no heat}"), "ahu.yaml")
    versions = {cleansing_version(one) for one in (own, shipped_profile("air_handler"))}
    assert len(versions) == 2  # every row is judged again


def test_a_fleet_without_a_registry_says_what_holds_for_each_device() -> None:
    dataset = "  dataset: /Fleet/refrigeration/registry_landing\n"
    every = """  every_device:
    site_id: SITE-1
    timezone: {zone}
    expected_sensors: [{sensor}]
    reason: nobody keeps a list of these units
"""
    text = shipped_text("refrigeration")
    told = [
        ({"zone": "UTC", "sensor": "superheat"}, "", "`every_device` needs `updated_at`"),
        ({"zone": "Mars/Base", "sensor": "superheat"}, '  updated_at: "2026-01-01"\n', "'Mars/Base' does not exist"),
        ({"zone": "UTC", "sensor": "superheats"}, '  updated_at: "2026-01-01"\n', "Did you mean 'superheat'?"),
    ]
    for facts, date, problem in told:
        with pytest.raises(ProfileReferenceError, match=re.escape(problem)):
            parse_profile(swap(dataset, every.format(**facts) + date)(text), "p.yaml")
    with pytest.raises(ProfileReferenceError, match=re.escape("not 2. Keep exactly one")):
        parse_profile(swap(dataset, dataset + every.format(zone="UTC", sensor="superheat"))(text), "p.yaml")


def test_a_unit_of_ones_own_is_declared_and_converts_to_nothing_else() -> None:
    text = shipped_text("refrigeration").replace('unit: "%RH"', "unit: drops", 1)
    with pytest.raises(ProfileReferenceError, match=r"'drops' of 'humidity' is unknown.*`units: \['drops'\]`"):
        parse_profile(text, "p.yaml")
    own = swap("sensors:\n", "units: [drops]\n\nsensors:\n")(text)
    assert parse_profile(own, "p.yaml").sensor("humidity").unit == "drops"
    with pytest.raises(ProfileReferenceError, match=r"'percent' cannot be converted to 'drops'\. Use one of: drops"):
        parse_profile(swap('aliases: ["humidity"],', 'aliases: ["humidity"], unit: percent,')(own), "p.yaml")


def test_missing_and_empty_files(tmp_path: Path) -> None:
    (tmp_path / "refrigeration.yaml").write_text("profile: x")
    with pytest.raises(ProfileMissingError, match=r"no such profile file\. Did you mean 'refrigeration.yaml'\?"):
        load_profile(tmp_path / "refrigertion.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    with pytest.raises(ProfileSyntaxError, match="the file is empty"):
        load_profile(tmp_path / "empty.yaml")
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    with pytest.raises(ProfileSchemaError, match="line 1: the file is not a mapping"):
        load_profile(tmp_path / "list.yaml")
    with pytest.raises(ProfileError, match="Did you mean 'air_handler'"):
        shipped_profile("air_handlers")


def test_an_unquoted_date_is_a_date() -> None:
    text = shipped_text("air_handler").replace('updated_at: "2019-02-28"', "updated_at: 2019-02-28")
    assert parse_profile(text, "p.yaml").registry.updated_at == "2019-02-28"
