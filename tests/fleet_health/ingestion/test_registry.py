"""Registries: what an asset system's CSV may not say, and what a fleet without one gets."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from stranger_fleets import strangers

from fleet_health.ingestion.registry import (
    RegistryRowError,
    RegistryShrunkError,
    check_registry,
    check_size,
    every_device,
)
from fleet_health.ingestion.transforms import for_profile
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import load_profile, parse_profile, shipped_profile
from fleet_health.profiles.model import EveryDevice, ReasonedNumber, Registry
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

PROFILE = shipped_profile("refrigeration")
ROW = {
    "device_id": "REF-1",
    "timezone": "Europe/Berlin",
    "expected_readings_per_hour": "60",
    "expected_sensors": " ; ".join(PROFILE.sensor_names[:2]),
    "updated_at": "2026-01-01T00:00:00Z",
}


def test_a_sound_registry_and_one_that_leaves_out_what_it_may() -> None:
    check_registry(
        pd.DataFrame([ROW, {**ROW, "device_id": "REF-2", "timezone": "", "expected_readings_per_hour": ""}]), PROFILE
    )
    check_registry(pd.DataFrame([{"device_id": "REF-1", "updated_at": "2026-01-01"}]), PROFILE)


@pytest.mark.parametrize(
    ("cell", "text", "told"),
    [
        ("timezone", "Europe/Berln", "time zone 'Europe/Berln' does not exist; use an IANA name"),
        ("timezone", "../etc", "time zone '../etc' does not exist"),
        ("expected_readings_per_hour", "0", "expected_readings_per_hour '0' is no whole number above 0"),
        ("expected_readings_per_hour", "4.5", "expected_readings_per_hour '4.5' is no whole number above 0"),
        ("updated_at", "last spring", "updated_at 'last spring' is no time such as"),
        ("site_id", "another", "the device is in data row 1 already; readings would count twice"),
        ("expected_sensors", PROFILE.sensor_names[0] + "x", f"Did you mean '{PROFILE.sensor_names[0]}'?"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(cell: str, text: str, told: str) -> None:
    with pytest.raises(RegistryRowError) as caught:
        check_registry(pd.DataFrame([ROW, {**ROW, cell: text}]), PROFILE)
    assert str(caught.value).startswith("/Fleet/refrigeration/registry_landing, data row 2: ")
    assert told in str(caught.value)
    assert "(device 'REF-1')" in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own error, just made
    assert str(copy) == str(caught.value)


def test_a_registry_in_another_spelling_is_refused_as_a_whole() -> None:
    with pytest.raises(
        RegistryRowError, match=r"landing: column 'device_id' is missing among 'device_id;site'.*commas"
    ):
        check_registry(pd.DataFrame({"device_id;site": ["a;b"]}), PROFILE)


@pytest.fixture
def registry_build(spark: SparkSession) -> Callable[..., list[str]]:
    """``registry_build(*devices)`` ingests a CSV of devices, builds the registry and gives the devices in force."""
    pipeline, store = Pipeline(), InMemoryDatastore()
    made = {one.__name__: one for one in for_profile(PROFILE)}
    pipeline.add_transforms(*made.values())
    runner = TransformRunner(pipeline, store)

    def build(*devices: str) -> list[str]:
        lines = [f"{one},SITE-1,active,2026-01-01" for one in devices]
        text = "\n".join(["device_id,site_id,status,updated_at", *lines])
        store.store_files("/Fleet/refrigeration/registry_landing", {"registry.csv": text.encode()})
        runner.run(spark, made["refrigeration_read_registry"])
        frame = store.get_dataframe("/Fleet/refrigeration/device_registry", spark)
        return sorted(row["device_id"] for row in frame.select("device_id").collect())

    build.store = store  # type: ignore[attr-defined]
    return build


@pytest.mark.case("ING-BI-05", "ING-BI-06")
def test_a_registry_that_doubles_or_loses_devices_leaves_the_old_one_in_force(
    registry_build: Any, spark: SparkSession
) -> None:
    full = [f"REF-{n:03}" for n in range(100)]
    assert registry_build(*full) == full
    with pytest.raises(RegistryShrunkError) as caught:
        registry_build(*full[:50])
    assert "registry_landing: 50 devices instead of 100, less than 0.99 of them; " in str(caught.value)
    assert "Ingest the complete export again, or lower `registry.kept_share_min`" in str(caught.value)
    with pytest.raises(RegistryRowError, match=r"data row 101: the device is in data row 1 already"):
        registry_build(*full, full[0])
    kept = registry_build.store.get_dataframe("/Fleet/refrigeration/device_registry", spark)
    assert sorted(row["device_id"] for row in kept.collect()) == full
    assert registry_build(*full[:99]) == full  # one in a hundred may leave, and its readings keep their device
    kept = registry_build.store.get_dataframe("/Fleet/refrigeration/device_registry", spark)
    status = {row["device_id"]: row["status"] for row in kept.collect()}
    assert {device: one for device, one in status.items() if one != "active"} == {"REF-099": "decommissioned"}
    with pytest.raises(RegistryShrunkError, match="97 devices instead of 99"):
        registry_build(*full[:97])


def test_the_limit_of_a_shrinking_registry_is_the_profiles() -> None:
    lenient = ReasonedNumber(value=0.5, reason="half of the stores were sold")
    sold = PROFILE.model_copy(update={"registry": PROFILE.registry.model_copy(update={"kept_share_min": lenient})})
    check_size(50, 100, sold)
    check_size(0, 0, PROFILE)
    with pytest.raises(RegistryShrunkError):
        check_size(49, 100, sold)


def test_an_id_that_cannot_be_is_no_device(spark: SparkSession) -> None:
    facts = {"site_id": "LAB", "timezone": "UTC", "expected_sensors": [], "reason": "on the floor plan of the lab"}
    told = {"updated_at": "2004-02-28", "every_device": {**facts, "id_pattern": r"[1-9]|[1-4]\d|5[0-8]"}}
    lab = PROFILE.model_copy(update={"registry": Registry.model_validate(told)})
    raw = spark.createDataFrame([(name,) for name in ("7", "58", "58", "59", "65407", "x7", "")], "device_id string")
    assert sorted(row.device_id for row in every_device(raw, lab).collect()) == ["58", "7"]
    text = strangers()["weather"].profile.replace("    site_id: VALLEY", "    id_pattern: '('\n    site_id: VALLEY")
    with pytest.raises(ProfileReferenceError, match="id_pattern is no regular expression"):
        parse_profile(text, "weather.yaml")


@pytest.mark.nightly
def test_zones_and_devices_reach_the_datasets(spark: Any) -> None:
    """Local times become UTC in the zone of the registry's CSV; a fleet without a registry knows its senders."""
    heat_pump = load_profile(Path(__file__).resolve().parents[3] / "docs" / "heat_pumps" / "heat_pump.yaml")
    known = heat_pump.registry
    lines = ";".join(column.aliases[0] for column in heat_pump.source.header) + "\n12.01.2026 01:00;40;30;1,5;900;1\n"
    landing = {f"hp_{name}_1.csv": lines.encode("latin-1") for name in ("north", "south")}

    def built(registry: Any, time: Any, order: list[str]) -> Callable[[str], pd.DataFrame]:
        source = heat_pump.source.model_copy(update={"time": heat_pump.source.time.model_copy(update=time)})
        profile = heat_pump.model_copy(update={"registry": known.model_copy(update=registry), "source": source})
        pipeline, store = Pipeline(), InMemoryDatastore()
        made = {one.__name__: one for one in for_profile(profile)}
        pipeline.add_transforms(*made.values())
        store.store_files(profile.source.dataset, landing)
        text = "device_id,timezone,updated_at\nHP-NORTH,Asia/Tokyo,2026-01-01\nHP-SOUTH,,2026-01-01\n"
        store.store_files("/Fleet/heat_pump/registry_landing", {"registry.csv": text.encode("utf-8-sig")})
        for name in order:
            TransformRunner(pipeline, store).run(spark, made[f"heat_pump_{name}"])
        return lambda name: store.get_dataframe(f"/Fleet/heat_pump/{name}", spark).toPandas().set_index("device_id")

    from_csv = {"dataset": "/Fleet/heat_pump/registry_landing", "devices": ()}
    frame = built(from_csv, {"zone": "from_registry"}, ["read_registry", "deserialise_files_in_zones", "cleanse"])
    told = frame("clean_sensor_readings")["timestamp_utc"].map(str).to_dict()
    assert told == {"HP-NORTH": "2026-01-11 16:00:00", "HP-SOUTH": "2026-01-12 01:00:00"}

    facts = known.devices[0].model_dump(include=set(EveryDevice.model_fields))
    none = known.model_validate({"updated_at": "2026-01-01", "every_device": facts, "expected_readings_per_hour": 12})
    left = none.model_dump(exclude={"every_device", "kept_share_min"}) | {"every_device": none.every_device}
    frame = built(left, {}, ["deserialise_files", "register_every_device", "cleanse"])
    registry = frame("device_registry")
    assert sorted(registry.index) == ["HP-NORTH", "HP-SOUTH"]
    assert registry["expected_readings_per_hour"].tolist() == [12, 12]
    assert [len(names) for names in registry["expected_sensors"]] == [5, 5]
    assert len(frame("clean_sensor_readings")) == 2
