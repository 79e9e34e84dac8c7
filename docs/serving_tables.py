"""Tables about serving, from a profile as plain data: acute rules, rules that stand in for a model, ages of scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Rows = list[tuple[object, ...]]
Profile = Mapping[str, Any]


def streaming_rules(profile: Profile) -> Rows:
    """The rules for acute events, with limits that hold where a device has none of its own."""
    shapes = {
        "limit": "above {limit:g} {unit}",
        "factor_over_average": "above {limit:g} times its mean of {hours} hours",
        "relative_fall": "median of {median_of} more than {percent:g} percent below the highest of {minutes} minutes",
        "slope": "rises more than {limit:g} {unit} in each of {minutes} minutes",
    }
    rows: Rows = []
    for rule in profile["streaming"]["rules"]:
        limit, average = rule["limit"], rule.get("average", {})
        facts = {"hours": average.get("hours"), "median_of": rule.get("median_of"), "minutes": rule.get("minutes")}
        percent = round(limit["default"] * 100, 6)
        says = shapes[rule["kind"]].format(limit=limit["default"], unit=limit["unit"], percent=percent, **facts)
        if "over_range" in rule:
            says += f", or {rule['over_range']['readings']} readings in a row above what the sensor can measure"
        says += f"; silent while `{rule['gate']}`" if "gate" in rule else ""
        low, high = limit["allowed"]
        columns = f"`{limit['column']}` ({low:g} to {high:g})"
        columns += f", `{average['column']}`" if average else ""
        name = f"{rule['id']} `{rule['name']}`"
        rows.append((name, f"`{rule['sensor']}`", says, columns, f"{rule['reason']}; {limit['reason']}"))
    return rows


def streaming_settings(profile: Profile) -> Rows:
    """What all streaming rules share."""
    streaming = profile["streaming"]
    reasons = {
        "dedup_hours": "dedup_reason",
        "gap_minutes": "gap_reason",
        "late_minutes": "late_reason",
        "ahead_minutes": "ahead_reason",
        "confirmed_above": "answer_reason",
        "softened_below": "answer_reason",
        "undecided_windows": "answer_reason",
    }
    return [(f"`{key}`", streaming[key], streaming[reason]) for key, reason in reasons.items()]


def fallback_rules(profile: Profile) -> Rows:
    """The rules that score while no model does."""
    rows: Rows = []
    for rule in profile["fallback"]["rules"]:
        when = f"`{rule['feature']}` {rule['op']} {rule['value']:g}"
        if "gate" in rule:
            gate = rule["gate"]
            when += f", while `{gate['feature']}` {gate['op']} {gate['value']:g} (null counts as {gate['null_as']:g})"
        rows.append((rule["id"], when, rule["reason"]))
    return rows


def staleness_bands(profile: Profile) -> Rows:
    """How old scores may be."""
    rows: Rows = []
    for cadence in ("hourly", "daily"):
        above = None
        for band in profile["staleness"][cadence]:
            end = band.get("up_to_minutes")
            age = f"up to {end:g} minutes" if end is not None else f"above {above:g} minutes"
            rows.append((cadence, band["band"], age, band["action"], band["reason"]))
            above = end
    return rows
