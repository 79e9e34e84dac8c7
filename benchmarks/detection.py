"""What is found, how late, and how often somebody is called for nothing; reported, and nothing is tuned to it.

Synthetic fleets with every scenario on a device of its own and as many healthy ones, one fleet per round (``--rounds
200`` is the number to publish; a run takes minutes of processor time). With ``--data DIR`` also: the log of a
solar plant (``*/*/????????.csv`` below it), where the change of regime on 2017-03-17 has to be among the days that
differ most from the four weeks before. Fault days of the air handlers are in ``detection_report`` of their own build.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import Bench, Figure
from benchmarks._detection_build import built

HOURS, HEALTHY = 26.0, 24
FLEET = 100_000
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
SOLAR = Path(__file__).resolve().parent.parent / "docs" / "solar_thermal" / "solar_thermal.yaml"
REGIME_CHANGE = pd.Timestamp("2017-03-17")
BEFORE, AFTER, FINDINGS = 28, 7, 10


@dataclass
class Tally:
    """What came of all runs.

    Attributes:
        tried: devices per scenario.
        found: hours from onset to the first alert, per scenario.
        wrong: alerts on devices that nothing befell, by severity.
        healthy_days: days of such devices.
        pages: HIGH and CRITICAL alerts per run.
    """

    tried: Counter[str] = field(default_factory=Counter)
    found: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    healthy_days: float = 0.0
    pages: list[int] = field(default_factory=list)
    quiet: Counter[str] = field(default_factory=Counter)


def run(bench: Bench) -> Iterator[Figure]:
    yield from _synthetic(bench)
    yield from _solar(bench)


def _synthetic(bench: Bench) -> Iterator[Figure]:
    from mirror.synth import load_fleet

    fleet, tally = load_fleet("refrigeration"), Tally()
    equipment = [name for name, one in fleet.scenarios.items() if one.equipment]
    for seed in range(bench.rounds):
        _one(bench, fleet, seed, tally)
        bench.say(f"detection: run {seed + 1} of {bench.rounds}, {sum(map(len, tally.found.values()))} faults found")
    hits = sum(len(tally.found.get(name, ())) for name in equipment)
    tried = sum(tally.tried[name] for name in equipment)
    for name in equipment:
        hours = tally.found.get(name, [])
        low, high = interval(len(hours), tally.tried[name])
        delay = f", median delay {np.median(hours):.1f} h" if hours else ""
        bench.say(f"detection: {name} {len(hours)} of {tally.tried[name]} ({low:.2f} to {high:.2f}){delay}")
    for name, count in sorted(tally.quiet.items()):
        bench.say(f"detection: {name} (no fault of a machine) raised {count} alerts")
    yield bench.share("equipment_faults_found", [hits], [max(tried, 1)])
    for severity in SEVERITIES:
        low, high = rate_interval(tally.wrong[severity], tally.healthy_days)
        budget = f"; {FLEET:,} devices: {tally.wrong[severity] / tally.healthy_days * FLEET:,.0f} a day"
        bench.say(
            f"detection: {severity} {tally.wrong[severity]} false, {low:.4f} to {high:.4f} per device-day{budget}"
        )
        yield bench.share(
            f"false_{severity.lower()}_per_healthy_device_day", [tally.wrong[severity]], [tally.healthy_days]
        )
    days = len(tally.pages) * HOURS / 24
    yield bench.share("pages_per_on_call_day_of_one_fleet", [sum(tally.pages)], [days])


def _one(bench: Bench, fleet: Any, seed: int, tally: Tally) -> None:
    """One fleet: device n has scenario n, the rest is healthy. Whole-fleet scenarios are given to one device."""
    from fleet_health.profiles.loader import shipped_profile
    from mirror.synth import Anomaly, SynthRequest, write_fleet

    kinds = list(fleet.scenarios)
    devices = len(kinds) + HEALTHY
    out = bench.scratch / f"fleet-{seed}"
    anomalies = tuple(Anomaly(n, kind) for n, kind in enumerate(kinds))
    made = write_fleet(fleet, SynthRequest(devices, HOURS, seed, anomalies, format="csv"), out)
    files = {
        "/Fleet/refrigeration/landing": {path.name: path.read_bytes() for path in made.files},
        "/Fleet/refrigeration/registry_landing": {made.registry.name: made.registry.read_bytes()},
    }
    profile = shipped_profile("refrigeration")
    frames = built(profile, files, bench.scratch / f"model-{seed}", bench.spark())
    alerts = frames["device_alerts"].where("NOT suppressed AND alert_type != 'ANOMALY_RESOLVED'")
    told = alerts.select("device_id", "severity", "window_end").toPandas()
    start = pd.Timestamp(fleet.start).tz_localize(None)
    told["hours"] = (pd.to_datetime(told["window_end"]) - start).dt.total_seconds() / 3600.0
    count(
        told, {one.device_id: one for one in made.injected}, {n: s.equipment for n, s in fleet.scenarios.items()}, tally
    )
    tally.healthy_days += HEALTHY * HOURS / 24
    tally.pages.append(int(told["severity"].isin(["HIGH", "CRITICAL"]).sum()))


def count(alerts: pd.DataFrame, injected: Mapping[str, Any], equipment: Mapping[str, bool], tally: Tally) -> None:
    """Adds one run: the first alert within a fault finds it, and one on a device without fault is wrong."""
    for device, fault in injected.items():
        after = alerts[(alerts["device_id"] == device) & (alerts["hours"] > fault.onset_hours)]
        if not equipment[fault.kind]:
            tally.quiet[fault.kind] += len(after)
            continue
        tally.tried[fault.kind] += 1
        within = after[after["hours"] <= fault.end_hours + 1.0]
        if len(within):
            tally.found.setdefault(fault.kind, []).append(float(within["hours"].min() - fault.onset_hours))
    tally.wrong.update(alerts[~alerts["device_id"].isin(injected)]["severity"])


def interval(hits: int, tried: int) -> tuple[float, float]:
    """Wilson's 95 percent interval of a share."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.96, hits / tried
    centre = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def rate_interval(events: int, exposure: float) -> tuple[float, float]:
    """Exact 95 percent interval of a Poisson rate."""
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    return float(low / exposure), float(chi2.ppf(0.975, 2 * events + 2) / 2 / exposure)


def _solar(bench: Bench) -> Iterator[Figure]:
    files = sorted(bench.data.glob("*/*/????????.csv")) if bench.data else []
    if not files:
        bench.say("detection: the solar plant is skipped, because no --data DIR holds YEAR/MONTH/YYYYMMDD.csv")
        return
    found = regime_changes(_days(files))
    near = found[[abs((day - REGIME_CHANGE).days) <= 1 for _, day in found.index]]
    for (name, day), psi in near.items():
        rank = int((found[name] > psi).sum()) + 1
        bench.say(f"detection: solar plant, {name} moved on {day:%Y-%m-%d}, index {psi:.2f}, its finding no. {rank}")
    least = min(abs((day - REGIME_CHANGE).days) for _, day in found.index)
    yield bench.share("days_from_known_regime_change_to_nearest_finding", [least], [1.0], limit=1.0)


def _days(files: list[Path]) -> pd.DataFrame:
    from fleet_health.ingestion.deserialise import parse_file
    from fleet_health.profiles.loader import load_profile

    profile = load_profile(SOLAR)
    names = [one.name for one in profile.sensors if one.type == "double"]
    parts = []
    for file in files:
        with file.open("rb") as stream:
            for part in parse_file(stream, file.name, profile):
                good = part[part["reason"].isna()]
                parts.append(good[names].astype("float64").assign(day=pd.Timestamp(file.stem)))
    return pd.concat(parts, ignore_index=True)


def regime_changes(rows: pd.DataFrame) -> pd.Series:
    """By sensor, the days at which the week that begins differs most from the four weeks before, at most one a week.

    Days with too few rows say nothing.
    """
    from fleet_health.monitoring.distances import bands, distances, psi_noise, shares_by_band
    from fleet_health.monitoring.references import layout_of, sketch_of
    from fleet_health.monitoring.sketch import Sketch
    from fleet_health.monitoring.triage import SIGNIFICANT

    names = tuple(name for name in rows.columns if name != "day")
    layout = layout_of(rows, names)
    by_day = {day: sketch_of(part, layout) for day, part in rows.groupby("day")}
    scores: dict[tuple[str, pd.Timestamp], float] = {}
    for day in sorted(by_day):
        then, now = Sketch.empty(layout), Sketch.empty(layout)
        for other, sketch in by_day.items():
            if 0 < (day - other).days <= BEFORE:
                then.add(sketch)
            elif 0 <= (other - day).days < AFTER:
                now.add(sketch)
        if psi_noise(now.rows, then.rows) > 0.05:
            continue
        for place, (name, edges) in enumerate(zip(names, layout.edges, strict=True)):
            found = bands(then.of(place), edges)
            p = shares_by_band(now.of(place), now.nulls(place), found)
            scores[name, day] = distances(p, shares_by_band(then.of(place), then.nulls(place), found))[0]
    ranked = pd.Series(scores).sort_values(ascending=False)
    ranked = ranked[ranked > SIGNIFICANT]
    kept: list[tuple[str, pd.Timestamp]] = []
    for name, day in ranked.index:
        mine = [one for sensor, one in kept if sensor == name]
        if len(mine) < FINDINGS and all(abs((day - one).days) >= AFTER for one in mine):
            kept.append((name, day))
    return ranked[kept]
