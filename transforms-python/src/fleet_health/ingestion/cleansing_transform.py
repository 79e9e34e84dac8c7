"""The cleansing build: judges the rows that raw gained, and lets go what the registry has come to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts import clean as contract
from fleet_health.contracts.compiled import checks_of, input_checks_of
from fleet_health.ingestion import routing
from fleet_health.ingestion.cleansing import judge, reading_time, utc_day
from fleet_health.ingestion.look_back import Added, measure, seen_before
from fleet_health.ingestion.release import Release, anything_to_release, release
from fleet_health.profiles.keys import said
from fleet_health.profiles.model import Profile
from fleet_health.semantic_version import semantic_version
from transforms.api import Input, Output, Transform, incremental, transform

RULES = 2
"""Raised by whoever changes what cleansing does with a row, so that all rows are judged again."""

FEW_DAYS = 31
"""A build that adds more days sorts its rows by day first, or each task would write a file for every day."""


def cleansing_version(profile: Profile) -> int:
    """A number that changes with every part of the profile that decides how a row is judged."""
    decides = {"rules": RULES, "sensors": said(profile.sensors), "cleansing": said(profile.cleansing)}
    own = {device.device_id: said(device.ranges) for device in profile.registry.devices if device.ranges}
    if own:
        decides["ranges"] = own
    return semantic_version(decides)


def cleansing_transform(profile: Profile) -> Transform:
    """One pass over the added rows of raw, four datasets, and the ledger that proves that nothing was lost."""

    def leaving(held: DataFrame, devices: DataFrame, raw: DataFrame, added: Added) -> Release | None:
        """What leaves quarantine; ``None`` when nothing does, as in all but a few builds."""
        if not anything_to_release(held, devices, added.newest):
            return None
        cut = release(held, devices, raw, profile)
        return None if cut.freed.isEmpty() else cut

    @incremental(semantic_version=cleansing_version(profile), snapshot_inputs=["registry"])
    @transform(
        raw=Input(
            paths.dataset(profile, "raw_sensor_readings"), checks=input_checks_of("raw_sensor_readings", profile)
        ),
        unread=Input(paths.dataset(profile, "malformed_messages")),
        registry=Input(paths.dataset(profile, "device_registry")),
        clean=Output(
            paths.dataset(profile, "clean_sensor_readings"), checks=checks_of("clean_sensor_readings", profile)
        ),
        quarantine=Output(
            paths.dataset(profile, "quarantine_sensor_readings"),
            checks=checks_of("quarantine_sensor_readings", profile),
        ),
        dead=Output(paths.dataset(profile, "dead_letter"), checks=checks_of("dead_letter", profile)),
        counts=Output(paths.dataset(profile, "row_conservation"), checks=checks_of("row_conservation", profile)),
    )
    def cleanse(
        ctx: Any, raw: Any, unread: Any, registry: Any, clean: Any, quarantine: Any, dead: Any, counts: Any
    ) -> None:
        rows, devices, malformed = raw.dataframe(), registry.dataframe(), unread.dataframe()
        added = measure(rows, utc_day(reading_time(profile)))
        seen, cut = None, None
        if ctx.is_incremental:
            held = quarantine.dataframe("previous", contract.quarantine_schema(profile))
            cut = leaving(held, devices, raw.dataframe("current"), added)
            if cut is None and not added.rows and malformed.isEmpty():
                ctx.abort_job()
            if added.rows:
                earlier = [
                    clean.dataframe("previous", contract.clean_schema(profile)),
                    held,
                    dead.dataframe("previous", contract.DEAD_LETTER_SCHEMA).where("event_id is not null"),
                ]
                seen = seen_before(rows, earlier, added)
        judged = judge(rows, devices, profile, seen).persist()
        kept = [judged] if cut is None else [judged, cut.freed.persist()]
        try:
            written = _Written.of(judged, malformed, profile)
            if cut is not None:
                written = written.with_freed(cut, profile)
                quarantine.set_mode("replace")
            _write_by_day(clean, written.clean, added)
            _write_by_day(quarantine, written.quarantine, added)
            _write_by_day(dead, written.dead, added)
            counts.write_dataframe(written.counts)
        finally:
            for frame in kept:
                frame.unpersist()

    return cleanse


@dataclass(frozen=True)
class _Written:
    """What a build gives to each of its four outputs."""

    clean: DataFrame
    quarantine: DataFrame
    dead: DataFrame
    counts: DataFrame

    @classmethod
    def of(cls, judged: DataFrame, malformed: DataFrame, profile: Profile) -> _Written:
        return cls(
            routing.clean_rows(judged, profile),
            routing.quarantined_rows(judged, profile),
            routing.dead_letters(judged, malformed),
            routing.conservation(judged, malformed),
        )

    def with_freed(self, cut: Release, profile: Profile) -> _Written:
        """Freed rows beside the new ones; quarantine becomes what is left of it."""
        freed = cut.freed
        stays = routing.quarantined_rows(freed, profile)
        return _Written(
            self.clean.unionByName(routing.clean_rows(freed, profile)),
            self.quarantine.unionByName(cut.held).unionByName(stays),
            self.dead.unionByName(routing.empty_rows(freed)),
            self.counts.unionByName(routing.release_entries(freed)),
        )


def _write_by_day(output: Any, rows: DataFrame, added: Added) -> None:
    spread = rows.repartition("date") if len(added.days) > FEW_DAYS else rows
    output.write_dataframe(spread, partition_cols=contract.PARTITION)
