"""Landing files to clean readings, for every profile."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fleet_health import paths
from fleet_health.contracts import bound
from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.deserialise import deserialise, malformed, readable
from fleet_health.ingestion.labels import label_events
from fleet_health.ingestion.recorded_labels import recorded_labels
from fleet_health.ingestion.registry import check_registry, declared_registry, every_device, registry_from_text
from fleet_health.ingestion.routing import clean_rows, conservation, dead_letters, quarantined_rows
from fleet_health.ingestion.text_files import read_text_table
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import FROM_REGISTRY, Labels, Profile
from transforms.api import Input, Output, Transform, incremental, transform


def reading_version(profile: Profile) -> int:
    """A number that changes with everything that decides how a file reads, so that an edit reads all files again.

    Ranges, features, model and alerting are not part of it.
    """
    read = {
        "source": profile.source.model_dump(mode="json"),
        "sensors": [(sensor.name, sensor.type, sensor.unit) for sensor in profile.sensors],
        "zones": [(device.device_id, device.timezone) for device in profile.registry.devices],
        "zone": profile.zone,
    }
    return int(hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:7], 16) + 1


def deserialise_transform(profile: Profile) -> Transform:
    """Reads only files it has not read before. Zones of a registry are those known when a file is read."""
    landing = Input(profile.source.dataset)
    raw = Output(paths.dataset(profile, "raw_sensor_readings"), checks=bound.raw_checks(profile))
    broken = Output(paths.dataset(profile, "malformed_messages"), checks=bound.malformed_checks())

    def write(landing: Any, readings: Any, unread: Any, zones: dict[str, str]) -> None:
        files = landing.filesystem()

        def open_file(path: str) -> Any:
            return files.open(path, "rb")

        parsed = deserialise(files.files(), open_file, profile, zones).persist()
        try:
            readings.write_dataframe(readable(parsed, profile))
            unread.write_dataframe(malformed(parsed))
        finally:
            parsed.unpersist()

    if profile.source.time.zone != FROM_REGISTRY:

        @incremental(semantic_version=reading_version(profile))
        @transform(landing=landing, readings=raw, unread=broken)
        def deserialise_files(landing: Any, readings: Any, unread: Any) -> None:
            write(landing, readings, unread, {})

        return deserialise_files

    registry = Input(paths.dataset(profile, "device_registry"))

    @incremental(semantic_version=reading_version(profile), snapshot_inputs=["registry"])
    @transform(landing=landing, registry=registry, readings=raw, unread=broken)
    def deserialise_files_in_zones(landing: Any, registry: Any, readings: Any, unread: Any) -> None:
        # small: two texts per device, and every worker needs them all
        known = registry.dataframe().where("timezone is not null").select("device_id", "timezone").collect()
        write(landing, readings, unread, {row["device_id"]: row["timezone"] for row in known})

    return deserialise_files_in_zones


def registry_transform(profile: Profile) -> Transform:
    """From the profile itself, from the devices that send, or from the CSV of the asset system."""
    target = Output(paths.dataset(profile, "device_registry"), checks=bound.registry_checks())
    if profile.registry.every_device is not None:

        @transform(raw=Input(paths.dataset(profile, "raw_sensor_readings")), registry=target)
        def register_every_device(raw: Any, registry: Any) -> None:
            registry.write_dataframe(every_device(raw.dataframe(), profile))

        return register_every_device

    if profile.registry.dataset is None:

        @transform(registry=target)
        def declare_registry(ctx: Any, registry: Any) -> None:
            registry.write_dataframe(declared_registry(ctx.spark_session, profile))

        return declare_registry

    @transform(landing=Input(profile.registry.dataset), registry=target)
    def read_registry(ctx: Any, landing: Any, registry: Any) -> None:
        table = read_text_table(landing.filesystem())
        check_registry(table, profile)
        registry.write_dataframe(registry_from_text(ctx.spark_session.createDataFrame(table), profile))

    return read_registry


def cleansing_transform(profile: Profile) -> Transform:
    """One pass over raw, four datasets and the count that proves that nothing was lost between them."""

    @transform(
        raw=Input(paths.dataset(profile, "raw_sensor_readings")),
        unread=Input(paths.dataset(profile, "malformed_messages")),
        registry=Input(paths.dataset(profile, "device_registry")),
        clean=Output(paths.dataset(profile, "clean_sensor_readings"), checks=bound.clean_checks(profile)),
        quarantine=Output(
            paths.dataset(profile, "quarantine_sensor_readings"), checks=bound.quarantine_checks(profile)
        ),
        dead=Output(paths.dataset(profile, "dead_letter"), checks=bound.dead_letter_checks()),
        counts=Output(paths.dataset(profile, "row_conservation"), checks=bound.conservation_checks()),
    )
    def cleanse(raw: Any, unread: Any, registry: Any, clean: Any, quarantine: Any, dead: Any, counts: Any) -> None:
        judged = judge(raw.dataframe(), registry.dataframe(), profile).persist()
        try:
            clean.write_dataframe(clean_rows(judged, profile))
            quarantine.write_dataframe(quarantined_rows(judged, profile))
            dead.write_dataframe(dead_letters(judged, unread.dataframe()))
            counts.write_dataframe(conservation(judged, unread.dataframe()))
        finally:
            judged.unpersist()

    return cleanse


def label_transform(profile: Profile, labels: Labels) -> Transform:
    """Known faults, for evaluation only."""

    @transform(
        landing=Input(labels.dataset),
        events=Output(paths.dataset(profile, "label_events"), checks=bound.label_checks()),
    )
    def read_labels(ctx: Any, landing: Any, events: Any) -> None:
        schedule = read_text_table(landing.filesystem())
        if labels.format == "events":
            recorded = recorded_labels(schedule, labels.dataset)
            events.write_dataframe(ctx.spark_session.createDataFrame(recorded, LABEL_SCHEMA))
        else:
            events.write_dataframe(label_events(ctx.spark_session, schedule, profile, labels))

    return read_labels


def for_profile(profile: Profile) -> list[Transform]:
    made = [deserialise_transform(profile), registry_transform(profile), cleansing_transform(profile)]
    made += [label_transform(profile, profile.labels)] if profile.labels else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
