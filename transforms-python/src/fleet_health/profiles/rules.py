"""Whether the parts of a profile agree with each other: names that exist, ranges that can hold, units that convert."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleet_health.definition_errors import nearest
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.learning_rules import check_learning
from fleet_health.profiles.model import (
    DERIVED_AGGREGATIONS,
    QUALITY_AGGREGATIONS,
    SENSOR_AGGREGATIONS,
    Profile,
    RegistryDevice,
)
from fleet_health.profiles.records_rules import check_records
from fleet_health.profiles.serving_rules import check_serving
from fleet_health.profiles.source_rules import check_source
from fleet_health.profiles.units import UNITS
from fleet_health.yaml_lines import Lines


class _Check:
    def __init__(self, profile: Profile, file: str, lines: Lines) -> None:
        self.profile, self._file, self._lines = profile, file, lines
        self.units = UNITS | set(profile.units)

    def fail(self, path: tuple[str | int, ...], problem: str, fix: str) -> None:
        raise ProfileReferenceError(self._file, self._lines.of(path), problem, fix)

    def known(self, path: tuple[str | int, ...], name: str, known: Iterable[str], kind: str) -> None:
        names = list(known)
        if name not in names:
            self.fail(path, f"{kind} {name!r} is not declared", nearest(name, names))

    def unit(self, path: tuple[str | int, ...], unit: str, of: str) -> None:
        fix = f"{nearest(unit, self.units)} A unit of your own is listed as `units: [{unit!r}]`."
        self.fail(path, f"unit {unit!r} of {of!r} is unknown", fix)

    def zone(self, path: tuple[str | int, ...], name: str) -> None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            fix = "Use an IANA name such as Europe/Berlin, or Etc/GMT+8 for a fixed UTC-08:00."
            self.fail(path, f"time zone {name!r} does not exist", fix)

    def unique(self, section: tuple[str | int, ...], names: Iterable[str], kind: str) -> None:
        seen: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in seen:
                first = self._lines.of((*section, seen[name]))
                self.fail(
                    (*section, index), f"{kind} {name!r} is declared twice (first on line {first})", "Rename one."
                )
            seen[name] = index


def check_agreement(profile: Profile, file: str, lines: Lines) -> None:
    """Raises :class:`ProfileReferenceError` for the first disagreement found."""
    check = _Check(profile, file, lines)
    _sensors(check)
    check_source(check)
    _registry(check)
    _cleansing(check)
    _features(check)
    _model(check)
    _alerting(check)
    check_learning(check)
    check_serving(check)
    check_records(check)


def _sensors(check: _Check) -> None:
    check.unique(("sensors",), check.profile.sensor_names, "sensor")
    for index, sensor in enumerate(check.profile.sensors):
        path = ("sensors", index)
        if sensor.unit not in check.units:
            check.unit((*path, "unit"), sensor.unit, sensor.name)
        if sensor.type == "boolean":
            if (sensor.min, sensor.max, sensor.suspect_below, sensor.suspect_above) != (None,) * 4:
                check.fail(path, f"boolean sensor {sensor.name!r} has a range", "Remove the range.")
            if sensor.counter:
                check.fail((*path, "counter"), f"boolean sensor {sensor.name!r} cannot count", "Remove `counter`.")
            continue
        if sensor.min is None or sensor.max is None or sensor.reason is None:
            fix = "Add min, max and a `reason` that says why; no threshold is accepted without its reason."
            check.fail(path, f"sensor {sensor.name!r} has no complete range with a reason", fix)
        elif sensor.min > sensor.max:
            fix = f"Swap them, or correct the wrong one: min is {sensor.min:g}, max is {sensor.max:g}."
            check.fail((*path, "min"), f"sensor {sensor.name!r} has min > max", fix)
        else:
            low, high = sensor.suspect_below, sensor.suspect_above
            if any(limit is not None and not sensor.min <= limit <= sensor.max for limit in (low, high)):
                check.fail(
                    path, f"suspect limits of {sensor.name!r} lie outside min..max", "Move them inside the range."
                )


def _registry(check: _Check) -> None:
    registry = check.profile.registry
    if registry.updated_at is not None:
        try:
            datetime.fromisoformat(registry.updated_at)
        except ValueError:
            problem = f"updated_at {registry.updated_at!r} is no date"
            check.fail(("registry", "updated_at"), problem, "Write it as 2020-01-01 or 2020-01-01T00:00:00Z.")
    given = [name for name in ("dataset", "devices", "every_device") if getattr(registry, name)]
    if len(given) != 1:
        fix = "Keep exactly one; `every_device` is for a fleet that has no registry."
        check.fail(("registry",), f"give one of `dataset`, `devices` and `every_device`, not {len(given)}", fix)
    if registry.dataset is None and registry.updated_at is None:
        check.fail(
            ("registry",), f"`{given[0]}` needs `updated_at`", "Add the date of the last change, e.g. 2020-01-01."
        )
    if not 0.0 <= registry.kept_share_min.value <= 1.0:
        key = ("registry", "kept_share_min", "value")
        check.fail(key, "kept_share_min must lie between 0 and 1", "Write 0.99 for ninety-nine percent.")
    check.unique(("registry", "devices"), (device.device_id for device in registry.devices), "device")
    for index, device in enumerate(registry.devices):
        path = ("registry", "devices", index)
        for position, sensor in enumerate(device.expected_sensors):
            check.known((*path, "expected_sensors", position), sensor, check.profile.sensor_names, "sensor")
        check.zone((*path, "timezone"), device.timezone)
        _device_ranges(check, path, device)
    if registry.every_device is not None:
        _id_pattern(check, registry.every_device.id_pattern)
        check.zone(("registry", "every_device", "timezone"), registry.every_device.timezone)
        for position, sensor in enumerate(registry.every_device.expected_sensors):
            section = ("registry", "every_device", "expected_sensors", position)
            check.known(section, sensor, check.profile.sensor_names, "sensor")
    known = [device.device_id for device in registry.devices]
    for index, assignment in enumerate(check.profile.source.devices):
        if known:
            check.known(("source", "devices", index, "device_id"), assignment.device_id, known, "device")
        if not assignment.file or fnmatch.translate(assignment.file) == fnmatch.translate(""):
            check.fail(
                ("source", "devices", index, "file"), "empty file pattern", "Name the file, e.g. unit_7*.csv.gz."
            )


def _id_pattern(check: _Check, pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        fix = "For the ids 1 to 58 write id_pattern: '[1-9]|[1-4]\\d|5[0-8]'."
        check.fail(("registry", "every_device", "id_pattern"), f"id_pattern is no regular expression ({error})", fix)


def _device_ranges(check: _Check, path: tuple[str | int, ...], device: RegistryDevice) -> None:
    numeric = [sensor.name for sensor in check.profile.sensors if sensor.type == "double"]
    check.unique((*path, "ranges"), (one.sensor for one in device.ranges), f"range on {device.device_id}, of")
    for position, one in enumerate(device.ranges):
        place = (*path, "ranges", position)
        check.known((*place, "sensor"), one.sensor, numeric, "sensor with a range")
        whole = check.profile.sensor(one.sensor)
        low, high = (whole.min if one.min is None else one.min), (whole.max if one.max is None else one.max)
        if low is None or high is None or whole.min is None or whole.max is None or (one.min, one.max) == (None, None):
            check.fail(place, f"no limit of {one.sensor!r} on {device.device_id!r}", "Give `min`, `max` or both.")
        elif not whole.min <= low <= high <= whole.max:
            fix = f"Let min <= max lie inside {whole.min:g}..{whole.max:g}, to which checks hold every device."
            check.fail(place, f"the range of {one.sensor!r} on {device.device_id!r} is not inside the fleet's", fix)
    if device.ranges and check.profile.streaming is not None:
        fix = "Limits of a device go to `streaming.devices` there; leave `ranges` out."
        check.fail((*path, "ranges"), "the stream would judge the device by the ranges of the fleet", fix)


def _cleansing(check: _Check) -> None:
    tolerance = check.profile.cleansing.future_tolerance_minutes
    if tolerance is not None and tolerance.value < 0:
        key = ("cleansing", "future_tolerance_minutes", "value")
        check.fail(key, "the future tolerance is negative", "Give minutes ahead of receipt, 0 or more.")
    rules = check.profile.cleansing.impossible_rows
    check.unique(("cleansing", "impossible_rows"), (rule.id for rule in rules), "rule")
    for index, rule in enumerate(rules):
        for position, condition in enumerate(rule.all_of):
            path = ("cleansing", "impossible_rows", index, "all_of", position, "sensor")
            check.known(path, condition.sensor, check.profile.sensor_names, "sensor")


def _features(check: _Check) -> None:
    profile = check.profile
    check.unique(("windows_minutes",), map(str, profile.windows_minutes), "window")
    check.unique(("lateness",), (str(part.window_minutes) for part in profile.lateness), "lateness of window")
    for index, part in enumerate(profile.lateness):
        lengths = map(str, profile.windows_minutes)
        check.known(("lateness", index, "window_minutes"), str(part.window_minutes), lengths, "window")
    check.unique(("features",), (feature.name for feature in profile.features), "feature")
    earlier: list[str] = []
    for index, feature in enumerate(profile.features):
        path: tuple[str | int, ...] = ("features", index)
        if feature.aggregation in SENSOR_AGGREGATIONS:
            if feature.sensor is None or feature.of is not None:
                check.fail(
                    path, f"feature {feature.name!r} needs `sensor` and no `of`", "Name the sensor it summarises."
                )
            else:
                check.known((*path, "sensor"), feature.sensor, profile.sensor_names, "sensor")
                sensor = profile.sensor(feature.sensor)
                boolean = sensor.type == "boolean"
                if sensor.counter and feature.aggregation != "slope":
                    fix = "Use `slope`, what it gains in a minute; what it shows is higher in every window."
                    check.fail(path, f"{feature.aggregation!r} of the counter {feature.sensor!r} always drifts", fix)
                if boolean != (feature.aggregation == "fraction"):
                    fix = "Use `fraction` for boolean sensors and only for them."
                    check.fail(path, f"{feature.aggregation!r} does not fit the type of {feature.sensor!r}", fix)
        elif feature.aggregation in DERIVED_AGGREGATIONS:
            if feature.of is None or feature.sensor is not None:
                check.fail(
                    path, f"feature {feature.name!r} needs `of: [a, b]` and no `sensor`", "Name its two operands."
                )
            else:
                for position, operand in enumerate(feature.of):
                    # only earlier features are known, so a circle cannot be written
                    check.known((*path, "of", position), operand, earlier, "earlier feature")
        elif feature.aggregation in QUALITY_AGGREGATIONS:
            if feature.name != feature.aggregation:
                check.fail(
                    path, f"quality feature {feature.name!r} must be called {feature.aggregation!r}", "Rename it."
                )
        else:
            known = (*SENSOR_AGGREGATIONS, *DERIVED_AGGREGATIONS, *QUALITY_AGGREGATIONS)
            check.known((*path, "aggregation"), feature.aggregation, known, "aggregation")
        earlier.append(feature.name)
    for name in QUALITY_AGGREGATIONS:
        if name not in earlier:
            check.fail(
                ("features",), f"quality feature {name!r} is missing", "Add it; scoring and training filter on it."
            )


def _model(check: _Check) -> None:
    model = check.profile.model
    names = [feature.name for feature in check.profile.features]
    if model.features != "all":
        check.unique(("model", "features"), model.features, "model feature")
        for index, name in enumerate(model.features):
            check.known(("model", "features", index), name, names, "feature")
    if model.window_duration_minutes not in check.profile.windows_minutes:
        fix = f"Use one of windows_minutes: {', '.join(map(str, check.profile.windows_minutes))}."
        check.fail(("model", "window_duration_minutes"), f"no window of {model.window_duration_minutes} minutes", fix)
    for key in ("training_completeness_min", "scoring_completeness_min"):
        if not 0.0 <= getattr(model, key).value <= 1.0:
            check.fail(("model", key, "value"), f"{key} must lie between 0 and 1", "Write 0.7 for seventy percent.")
    if not 0.0 < model.flagged_share.value < 1.0:
        check.fail(("model", "flagged_share"), "flagged_share must lie between 0 and 1", "Write 0.05 for five percent.")
    known = [device.device_id for device in check.profile.registry.devices]
    for index, days in enumerate(model.training_days):
        if known:
            check.known(("model", "training_days", index, "device_id"), days.device_id, known, "device")


def _alerting(check: _Check) -> None:
    severities = check.profile.alerting.severities
    check.unique(("alerting", "severities"), (rule.severity for rule in severities), "severity")
    limits = [rule.above for rule in severities if rule.above is not None]
    if limits != sorted(limits, reverse=True):
        check.fail(
            ("alerting", "severities"), "score limits do not fall from rule to rule", "List the most urgent first."
        )
    if not severities or severities[-1].above is not None:
        check.fail(
            ("alerting", "severities"), "no rule catches every flagged window", "End with a rule without `above`."
        )
