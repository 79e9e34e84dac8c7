"""Whether the sections about lasting records agree with the rest of a profile."""

from __future__ import annotations

from fleet_health.profiles.learning_rules import Check


def check_records(check: Check) -> None:
    """Raises :class:`ProfileReferenceError` for the first disagreement found."""
    _archive(check)
    _maintenance(check)
    _schema_log(check)
    if check.profile.exemplars is not None and not check.profile.labels_tell_maintenance:
        fix = "Declare `labels` with `format: events`, or `maintenance` with a `label_confidence`."
        check.fail(("exemplars",), "nothing here confirms a failure", fix)


def _archive(check: Check) -> None:
    archive, source = check.profile.archive, check.profile.source
    if archive is None:
        return
    days = archive.late_days.value
    if days < 0 or days != int(days):
        check.fail(("archive", "late_days"), f"late_days is {days:g}", "Use whole days from 0 up.")
    if source.ingested == "same_as_time":
        problem = "days of receipt are archived, and this fleet has no time of receipt"
        check.fail(("archive",), problem, "Name the column of the receipt time in `source.ingested`, or leave it out.")
    if source.merge is not None and source.merge.across_files:
        problem = "a reading that any later file may add to is never ready to be archived"
        check.fail(("archive",), problem, "Leave `archive` or `across_files` out.")


def _maintenance(check: Check) -> None:
    profile = check.profile
    told = [one.dataset for one in (profile.labels, profile.maintenance, profile.reviews) if one is not None]
    check.unique(("maintenance",), told, "landing dataset of records")
    if profile.maintenance is None or profile.maintenance.label_confidence is None:
        return
    path = ("maintenance", "label_confidence")
    if not 0 < profile.maintenance.label_confidence.value <= 1:
        check.fail(path, "label_confidence is no share above 0", "Use a number up to 1, such as 0.8.")
    if profile.labels is not None and profile.labels.format == "inventory":
        problem = "an inventory says what every day was, so work orders cannot be labels beside it"
        check.fail(path, problem, "Leave `label_confidence` out, or list faults as `format: events`.")


def _schema_log(check: Check) -> None:
    log = check.profile.schema_log
    if log is None:
        return
    if not 0 <= log.covered_above.value < 1:
        fix = "Use a share from 0 up and below 1, such as 0.8."
        check.fail(("schema_log", "covered_above"), "no coverage can exceed covered_above", fix)
    check.unique(("schema_log", "notes"), (note.sensor for note in log.notes), "note on sensor")
    for index, note in enumerate(log.notes):
        check.known(("schema_log", "notes", index, "sensor"), note.sensor, check.profile.sensor_names, "sensor")
