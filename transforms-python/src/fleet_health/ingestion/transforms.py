"""Landing files to clean readings, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.contracts.raw import raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.releases import RELEASES_SCHEMA
from fleet_health.ingestion.cleansing_transform import cleansing_transform
from fleet_health.ingestion.deserialise import deserialise, malformed, readable
from fleet_health.ingestion.evolution import check_stored_types
from fleet_health.ingestion.labels import label_events
from fleet_health.ingestion.recorded_labels import recorded_labels
from fleet_health.ingestion.registry import (
    DEPARTED,
    check_registry,
    check_size,
    declared_registry,
    every_device,
    registry_from_text,
    with_departed,
)
from fleet_health.ingestion.releases import check_history, release_decisions
from fleet_health.ingestion.text_files import read_text_table
from fleet_health.ingestion.training_archive import archive_transform
from fleet_health.profiles.keys import said
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Labels, Profile, Sensor
from fleet_health.profiles.source import FROM_REGISTRY
from fleet_health.profiles.units import conversion
from fleet_health.semantic_version import semantic_version
from transforms.api import Input, Output, Transform, incremental, transform

READING = 1
"""Raised by whoever changes how files read while profiles stay as they are, so that all files are read again."""


def reading_version(profile: Profile) -> int:
    """A number that changes with everything that decides how a file reads, so that an edit reads all files again.

    Ranges, features, model and alerting are not part of it, nor is a sensor's type: that one may not change under its
    name, which only a run that goes on from the one before can see.
    """
    units = {column.name: column.unit for column in profile.source.readable}
    read = {
        "reading": READING,
        "source": said(profile.source),
        "sensors": [(sensor.name, _scale(sensor, units.get(sensor.name))) for sensor in profile.sensors],
        "units by row": [
            _scale(profile.sensor(column.name), unit)
            for column in profile.source.readable
            if column.unit_by is not None
            for unit in column.unit_by.words.values()
        ],
        "zones": [(device.device_id, device.timezone) for device in profile.registry.devices],
        "zone": profile.zone,
    }
    return semantic_version(read)


def _scale(sensor: Sensor, unit: str | None) -> tuple[float, float] | str | None:
    """What a cell is shifted and multiplied by; the unit itself where none is written for the file."""
    rule = conversion(unit or sensor.unit, sensor.unit)
    return None if rule is None or rule.is_identity else (rule.shift, rule.factor)


def registry_version(profile: Profile) -> int:
    """A number that changes with what the profile says of every device, so that an edit writes all of them anew."""
    return semantic_version(said(profile.registry))


def deserialise_transform(profile: Profile) -> Transform:
    """Reads only files it has not read before, or all where lines of several files are one reading. Zones of a registry
    are those known when a file is read.
    """
    landing = Input(profile.source.dataset)
    raw = Output(paths.dataset(profile, "raw_sensor_readings"), checks=checks_of("raw_sensor_readings", profile))
    broken = Output(paths.dataset(profile, "malformed_messages"), checks=checks_of("malformed_messages", profile))

    merge = profile.source.merge
    anew = merge is not None and merge.across_files

    def write(ctx: Any, landing: Any, readings: Any, unread: Any, zones: dict[str, str]) -> None:
        if not anew and ctx.is_incremental:
            stored = readings.dataframe("previous").schema
            check_stored_types(paths.dataset(profile, "raw_sensor_readings"), stored, raw_schema(profile))
        files = landing.filesystem()

        def open_file(path: str) -> Any:
            return files.open(path, "rb")

        parsed = deserialise(files.files(), open_file, profile, zones).persist()
        try:
            readings.write_dataframe(readable(parsed, profile))
            unread.write_dataframe(malformed(parsed))
        finally:
            parsed.unpersist()

    def file_by_file(whole: Transform, **settings: Any) -> Transform:
        """As it is where a file may add to any reading, so that all readings are made anew."""
        if anew:
            return whole
        return incremental(semantic_version=reading_version(profile), **settings)(whole)

    if profile.source.time.zone != FROM_REGISTRY:

        @transform(landing=landing, readings=raw, unread=broken)
        def deserialise_files(ctx: Any, landing: Any, readings: Any, unread: Any) -> None:
            write(ctx, landing, readings, unread, {})

        return file_by_file(deserialise_files)

    registry = Input(paths.dataset(profile, "device_registry"))

    @transform(landing=landing, registry=registry, readings=raw, unread=broken)
    def deserialise_files_in_zones(ctx: Any, landing: Any, registry: Any, readings: Any, unread: Any) -> None:
        # small: two texts per device, and every worker needs them all
        known = registry.dataframe().where("timezone is not null").select("device_id", "timezone").collect()
        write(ctx, landing, readings, unread, {row["device_id"]: row["timezone"] for row in known})

    return file_by_file(deserialise_files_in_zones, snapshot_inputs=["registry"])


def registry_transform(profile: Profile) -> Transform:
    """From the profile itself, from the devices that send, or from the CSV of the asset system."""
    target = Output(paths.dataset(profile, "device_registry"), checks=checks_of("device_registry", profile))
    if profile.registry.every_device is not None:

        @incremental(semantic_version=registry_version(profile))
        @transform(raw=Input(paths.dataset(profile, "raw_sensor_readings")), registry=target)
        def register_every_device(ctx: Any, raw: Any, registry: Any) -> None:
            known = registry.dataframe("previous", REGISTRY_SCHEMA)
            sent = every_device(raw.dataframe(), profile).join(known.select("device_id"), "device_id", "left_anti")
            if ctx.is_incremental and sent.isEmpty():
                ctx.abort_job()
            registry.write_dataframe(sent)

        return register_every_device

    if profile.registry.dataset is None:
        # incremental only to see the units that an edit of the profile took away
        @incremental()
        @transform(registry=target)
        def declare_registry(ctx: Any, registry: Any) -> None:
            before = registry.dataframe("previous", REGISTRY_SCHEMA)
            registry.set_mode("replace")
            registry.write_dataframe(with_departed(declared_registry(ctx.spark_session, profile), before))

        return declare_registry

    # incremental only to see the registry in force: a much smaller CSV must not replace it, and a unit that left stays
    @incremental(snapshot_inputs=["landing"])
    @transform(landing=Input(profile.registry.dataset), registry=target)
    def read_registry(ctx: Any, landing: Any, registry: Any) -> None:
        table = read_text_table(landing.filesystem())
        check_registry(table, profile)
        before = registry.dataframe("previous", REGISTRY_SCHEMA)
        check_size(len(table), before.where(~F.col("status").eqNullSafe(DEPARTED)).count(), profile)
        registry.set_mode("replace")
        listed = registry_from_text(ctx.spark_session.createDataFrame(table), profile)
        registry.write_dataframe(with_departed(listed, before))

    return read_registry


def label_transform(profile: Profile, labels: Labels) -> Transform:
    """Known faults, for evaluation only."""

    @transform(
        landing=Input(labels.dataset),
        events=Output(paths.dataset(profile, "label_events"), checks=checks_of("label_events", profile)),
    )
    def read_labels(ctx: Any, landing: Any, events: Any) -> None:
        schedule = read_text_table(landing.filesystem())
        if labels.format == "events":
            recorded = recorded_labels(schedule, labels.dataset)
            events.write_dataframe(ctx.spark_session.createDataFrame(recorded, LABEL_SCHEMA))
        else:
            events.write_dataframe(label_events(ctx.spark_session, schedule, profile, labels))

    return read_labels


def release_transform(profile: Profile) -> Transform:
    """Which version does what, as people decided it."""
    landing_path = paths.dataset(profile, "release_landing")

    # incremental only to see the decisions in force, none of which may be lost
    @incremental(snapshot_inputs=["landing"])
    @transform(
        landing=Input(landing_path),
        releases=Output(
            paths.dataset(profile, "model_release_config"), checks=checks_of("model_release_config", profile)
        ),
    )
    def read_releases(ctx: Any, landing: Any, releases: Any) -> None:
        decisions = release_decisions(read_text_table(landing.filesystem()), landing_path)
        # a few rows a month
        check_history(decisions, releases.dataframe("previous", RELEASES_SCHEMA).toPandas(), landing_path)
        releases.set_mode("replace")
        releases.write_dataframe(ctx.spark_session.createDataFrame(decisions, RELEASES_SCHEMA))

    return read_releases


def for_profile(profile: Profile) -> list[Transform]:
    made = [deserialise_transform(profile), registry_transform(profile), cleansing_transform(profile)]
    made += [release_transform(profile)]
    made += [label_transform(profile, profile.labels)] if profile.labels else []
    made += [archive_transform(profile, profile.archive)] if profile.archive else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
