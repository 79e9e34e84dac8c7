"""Landing files to clean readings, for every profile."""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
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
from fleet_health.ingestion.reviews import EXPERT_SCHEMA, expert_labels
from fleet_health.ingestion.text_files import read_text_table
from fleet_health.ingestion.training_archive import archive_transform
from fleet_health.ingestion.work_orders import labels_of, work_orders
from fleet_health.profiles.keys import said
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Labels, Profile, Sensor
from fleet_health.profiles.records import Reviews
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


def label_transform(profile: Profile) -> Transform:
    """What is known of faults and of work on units: from files of labels, from work orders, or from both.

    An order is a label here and nowhere else, so nobody who reads labels counts it twice.
    """
    labels, maintenance = profile.labels, profile.maintenance
    confidence = maintenance.label_confidence if maintenance is not None else None
    inputs = {}
    if labels is not None:
        inputs["landing"] = Input(labels.dataset)
    if maintenance is not None and confidence is not None:
        inputs["orders"] = Input(maintenance.dataset)

    def recorded(spark: SparkSession, labels: Labels, schedule: pd.DataFrame) -> DataFrame:
        if labels.format == "events":
            return spark.createDataFrame(recorded_labels(schedule, labels.dataset), LABEL_SCHEMA)
        return label_events(spark, schedule, profile, labels)

    @transform(
        events=Output(paths.dataset(profile, "label_events"), checks=checks_of("label_events", profile)), **inputs
    )
    def read_labels(ctx: Any, events: Any, landing: Any = None, orders: Any = None) -> None:
        spark, found = ctx.spark_session, []
        if labels is not None:
            found.append(recorded(spark, labels, read_text_table(landing.filesystem())))
        if maintenance is not None and confidence is not None:
            done = work_orders(read_text_table(orders.filesystem()), profile, maintenance.dataset)
            rows = labels_of(done, confidence.value).astype(object)
            found.append(spark.createDataFrame(rows, LABEL_SCHEMA))
        events.write_dataframe(functools.reduce(DataFrame.unionByName, found))

    return read_labels


def review_transform(profile: Profile, reviews: Reviews) -> Transform:
    """Verdicts of experts, as they were written down."""

    @transform(
        landing=Input(reviews.dataset),
        verdicts=Output(paths.dataset(profile, "expert_labels"), checks=checks_of("expert_labels", profile)),
    )
    def read_reviews(ctx: Any, landing: Any, verdicts: Any) -> None:
        rows = expert_labels(read_text_table(landing.filesystem()), reviews.dataset)
        verdicts.write_dataframe(ctx.spark_session.createDataFrame(rows.astype(object), EXPERT_SCHEMA))

    return read_reviews


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
    made += [label_transform(profile)] if profile.has_labels else []
    made += [review_transform(profile, profile.reviews)] if profile.reviews else []
    made += [archive_transform(profile, profile.archive)] if profile.archive else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
