"""Every rule of every contract is enforced at exactly one place, at the level it says, with its reason."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any

import pytest

from fleet_health.contracts import clean
from fleet_health.contracts.agreement import ids
from fleet_health.contracts.compiled import checks_of, input_checks_of
from fleet_health.contracts.expansion import ROUNDING, feature_bounds
from fleet_health.contracts.loader import shipped_contracts
from fleet_health.contracts.model import Parsed
from fleet_health.contracts.rules import Asserted, Measured
from fleet_health.contracts.schemas import schema_of
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile

AUDITS = ("contract_audits", "score_audits")
EACH = pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda profile: profile.profile)


def made(profile: Profile) -> dict[str, list[Any]]:
    """The checks that ride on each dataset the pipeline makes for a fleet."""
    from fleet_health.pipeline import pipeline

    found: dict[str, list[Any]] = {}
    for transform in pipeline.transforms:
        for output in transform.outputs.values():
            _, _, fleet, name = (output.alias or "").split("/", 3)
            if fleet == profile.profile and not name.startswith("models/"):
                # what every family has one of has one contract, and the same checks
                told = "experiment_runs" if name.startswith("experiments/") else name.partition("_of/")[0]
                assert found.setdefault(told, list(output.checks)) == list(output.checks)
    return found


def demanded(name: str, parsed: Parsed, profile: Profile) -> dict[str, tuple[str, str]]:
    """Id -> where it is enforced and how, for the rules that say something about the fleet."""
    found = {}
    for rule in parsed.contract.expectations:
        if isinstance(rule, Measured):
            found[rule.id] = ("audits", rule.effect)
        elif not isinstance(rule, Asserted):
            said = {check.name[:6] for check in checks_of(name, profile)}
            found |= {
                owned: (name, rule.effect) for owned in ids(rule.id, getattr(rule, "through", None)) if owned in said
            }
    return found


@EACH
def test_every_rule_rides_on_its_dataset_or_on_an_audit_exactly_once(profile: Profile) -> None:
    outputs = made(profile)
    contracts = {name: parsed for name, parsed in shipped_contracts().items() if name in outputs}
    unlabelled = set() if profile.labels else {"label_events", "detection_report"}
    unshown = set() if profile.properties else {"device_properties"}
    unstreamed = set() if profile.streaming else {"device_stream_thresholds", "threshold_history", "streaming_alerts"}
    records = {
        "archive": "training_archive",
        "maintenance": "maintenance_events",
        "reviews": "expert_labels",
        "schema_log": "schema_change_log",
    }
    unkept = {name for key, name in records.items() if not getattr(profile, key)}
    absent = unlabelled | unshown | unstreamed | unkept | {"label_join_integrity", "failure_exemplars"}
    # only a fleet whose labels name alerts and confirm failures has these, and no shipped fleet does
    assert shipped_contracts().keys() - outputs.keys() <= absent
    assert outputs.keys() <= contracts.keys()
    expected = {
        owned: where for name, parsed in contracts.items() for owned, where in demanded(name, parsed, profile).items()
    }
    bound = {}
    own = {rule.id for name in AUDITS for rule in contracts[name].contract.expectations}
    for name, checks in outputs.items():
        for check in checks:
            audited = name in AUDITS and check.name[:6] not in own
            bound[check.name[:6]] = ("audits" if audited else name, check.on_error)
    assert bound == expected
    names = Counter(check.name for checks in outputs.values() for check in checks)
    shared = {name[:6] for name, count in Counter(check[:6] for check in names).items() if count > 1}
    assert shared <= {"CLN-16", "FEA-12"}  # the last id of a family, where a fleet has more members than ids


def test_refrigeration_has_one_check_for_every_id_of_its_families() -> None:
    (profile,) = (p for p in shipped_profiles() if p.profile == "refrigeration")
    said = Counter(check.name[:6] for checks in made(profile).values() for check in checks)
    rules = [
        rule
        for name, parsed in shipped_contracts().items()
        if name in made(profile)
        for rule in parsed.contract.expectations
    ]
    owned = [
        one for rule in rules if not isinstance(rule, Asserted) for one in ids(rule.id, getattr(rule, "through", None))
    ]
    assert {one: said[one] for one in owned if said[one] != 1} == {}


@EACH
def test_reasons_ride_along_and_levels_decide(profile: Profile) -> None:
    whys = {rule.id: rule for parsed in shipped_contracts().values() for rule in parsed.contract.expectations}
    checks = [check for checks in made(profile).values() for check in checks]
    for check in checks:
        rule = whys.get(check.name[:6])
        if rule is not None:
            assert (check.description, check.on_error) == (" ".join(rule.why.split()), rule.effect)
    soft = {rule.id for rule in whys.values() if rule.level == "soft"}
    assert soft == {
        *("RAW-03", "RAW-04", "RAW-05", "RAW-06", "CLN-20", "CLN-23", "CLN-24", "QUA-03", "DLQ-03", "LBL-05", "LBL-07"),
        *("FEA-15", "FEA-17", "FEA-18", "TRN-09", "TST-04", "MIN-07", "CCM-03", "CCM-04", "SCO-11", "SCO-12", "ALR-13"),
        *("FDM-06", "SAL-11", "EXR-02", "SHA-04", "CAN-06", "IDS-02", "AEM-03", "ARC-02"),
    }


def test_a_reader_demands_what_is_hard() -> None:
    (profile,) = (p for p in shipped_profiles() if p.profile == "refrigeration")
    assert [check.name[:6] for check in input_checks_of("raw_sensor_readings", profile)] == ["RAW-01", "RAW-02"]


def test_asserted_rules_name_an_error_that_exists() -> None:
    rules = [
        r for parsed in shipped_contracts().values() for r in parsed.contract.expectations if isinstance(r, Asserted)
    ]
    assert {rule.id for rule in rules} == {"REG-04", "LBL-06", "RTF-05", "MRC-03", "MRC-07", "SHA-03", "SHA-05"}
    for rule in rules:
        module, name = rule.error.split(":")
        assert issubclass(getattr(importlib.import_module(module), name), Exception)


def test_the_refrigeration_fleet_is_what_its_contracts_count() -> None:
    (profile,) = (p for p in shipped_profiles() if p.profile == "refrigeration")
    raw = schema_of("raw_sensor_readings", profile).fieldNames()
    assert raw[:20] == [
        *("event_id", "device_id", "timestamp_device", "timestamp_ingested"),
        *("temperature_evaporator", "temperature_condenser", "temperature_ambient", "temperature_discharge"),
        *("temperature_suction", "pressure_high_side", "pressure_low_side", "current_compressor"),
        *("vibration_compressor", "humidity", "door_open_close", "defrost_cycle", "superheat", "subcooling"),
        *("_partition_key", "_sequence_number"),
    ]
    kept = schema_of("clean_sensor_readings", profile)
    assert kept.fieldNames()[2:17] == ["timestamp_utc", *raw[4:18]]
    assert [field.name for field in kept if field.dataType.simpleString() == "double"] == [*raw[4:14], *raw[16:18]]
    features = [
        field for field in schema_of("device_features", profile) if field.name in {f.name for f in profile.features}
    ]
    assert [field.name for field in features] == [feature.name for feature in profile.features]
    assert len(features) == 45
    limits = {check.name[:6]: check.name[7:] for check in checks_of("clean_sensor_readings", profile)}
    assert [limits[f"CLN-{n:02d}"] for n in range(5, 17)] == [
        "-60 <= temperature_evaporator <= 30",
        "20 <= temperature_condenser <= 80",
        "-40 <= temperature_ambient <= 60",
        "30 <= temperature_discharge <= 150",
        "-40 <= temperature_suction <= 30",
        "500 <= pressure_high_side <= 3500",
        "50 <= pressure_low_side <= 800",
        "0 <= current_compressor <= 50",
        "0 <= vibration_compressor <= 100",
        "0 <= humidity <= 100",
        "-5 <= superheat <= 50",
        "-5 <= subcooling <= 30",
    ]
    assert limits["CLN-19"] == "0 <= sensor_null_count <= 14"


def test_what_features_can_be_follows_from_the_ranges_of_their_sensors() -> None:
    (profile,) = (p for p in shipped_profiles() if p.profile == "refrigeration")
    bounds = feature_bounds(profile)
    assert bounds["pressure_ratio"] == pytest.approx((0.625, 70.0), abs=1e-7)
    assert bounds["temp_evaporator_mean"] == pytest.approx((-60.0, 30.0), abs=2 * ROUNDING)
    assert bounds["temp_evaporator_mean"] != (-60.0, 30.0)  # an average of equal values may be off by a rounding
    assert bounds["temp_evaporator_min"] == (-60.0, 30.0)
    assert bounds["temp_spread_evap_cond"] == pytest.approx((-10.0, 140.0), abs=1e-7)
    assert (bounds["superheat_std"], bounds["door_open_fraction"]) == ((0.0, None), (0.0, 1.0))
    assert bounds["temp_evaporator_slope"] == bounds["current_per_temp_spread"] == (None, None)
    ordered = " and ".join(
        repr(c.expectation) for c in checks_of("device_features", profile) if c.name[:6] in ("FEA-09", "FEA-10")
    )
    pairs = [
        *("temp_evaporator_min temp_evaporator_mean", "temp_evaporator_mean temp_evaporator_max"),
        *("temp_condenser_min temp_condenser_mean", "temp_condenser_mean temp_condenser_max"),
        *("pressure_high_mean pressure_high_max", "pressure_low_min pressure_low_mean"),
        *("current_compressor_mean current_compressor_max", "vibration_compressor_p95 vibration_compressor_max"),
        "temp_discharge_mean temp_discharge_max",
    ]
    for pair in pairs:
        low, high = pair.split()
        assert f"E.col({low!r}).lte_col({high!r})" in ordered


@EACH
def test_a_column_that_may_not_be_null_is_kept_from_it_by_a_hard_check(profile: Profile) -> None:
    for name, parsed in shipped_contracts().items():
        said = " ".join(repr(check.expectation) for check in checks_of(name, profile) if check.on_error == "FAIL")
        keys = [set(r.columns) for r in parsed.contract.expectations if r.kind == "primary_key"]
        open_columns = [c.name for c in parsed.plain.values() if not c.nullable]
        assert [
            c for c in open_columns if f"E.col({c!r}).non_null()" not in said and not any(c in key for key in keys)
        ] == []


def test_the_words_in_code_are_those_of_the_contracts() -> None:
    flags = {clean.RANGE_VIOLATION, clean.CLOCK_DRIFT, clean.DUPLICATE_REMOVED}
    flags |= {clean.SENSOR_GAP, clean.SUSPECT_VALUE, clean.UNREADABLE_VALUE}
    assert (flags, len(clean.CLEAN_FLAGS)) == (set(clean.CLEAN_FLAGS), len(flags))
    assert {clean.DEVICE_UNKNOWN, clean.IMPOSSIBLE_ROW} == set(clean.QUARANTINE_REASONS)
    assert {*clean.UNREAD_REASONS, clean.ALL_SENSORS_NULL} == set(clean.DEAD_LETTER_REASONS)
    assert clean.OUTCOMES == ("CLEAN", "QUARANTINE", "DEAD_LETTER", "DUPLICATE", "MERGED", "RELEASED")
