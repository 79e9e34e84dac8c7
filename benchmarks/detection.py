"""What is found, how late, and how often somebody is called for nothing; reported, and nothing is tuned to it.

``--rounds 200`` is the number to publish: so many synthetic fleets of ten units. Six have a scenario each, so that five
fleets after one another hold every one; two are healthy and judged; two are healthy and train the model, and are not
judged. Forty fleets go the way from messages to alerts together, because Spark plans longer than it computes; that way
is the one of the tests (``tests/fleet_health/fleets/whole_way.py``), with the profile as shipped. With
``DETECTION_KEPT=DIR`` what came of each forty is kept there and not computed again, so a run may be ended and go on.

Then the three measured air handlers (``data/lbnl_ahu``), by documented fault day. With ``--data DIR`` also: the log of
a solar plant (``*/*/????????.csv`` below it), where the change of regime on 2017-03-17 has to be among the findings of
the monitor, and how many other days are.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import Bench, Figure
from benchmarks._detection_air_handlers import air_handlers
from benchmarks._detection_solar import solar
from benchmarks._intervals import interval, rate_interval

ROOT = Path(__file__).resolve().parent.parent
HOURS = 18.0
UNITS, FAULTY, JUDGED = 10, 6, 2
TOGETHER = 40
FLEET = 100_000
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
PAGING = ("HIGH", "CRITICAL")
KEPT = "DETECTION_KEPT"


@dataclass
class Tally:
    """What came of all fleets.

    Attributes:
        tried: units per scenario.
        found: hours from onset to the first alert, per scenario.
        wrong: alerts on units that nothing befell, by severity.
        quiet: alerts on units with a scenario that is no fault of a machine, by scenario.
        pages: HIGH and CRITICAL alerts of all units that were judged.
        healthy_days: days of the units that nothing befell.
    """

    tried: Counter[str] = field(default_factory=Counter)
    found: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    quiet: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    fleets: int = 0

    @property
    def healthy_days(self) -> float:
        return self.fleets * JUDGED * HOURS / 24


def run(bench: Bench) -> Iterator[Figure]:
    yield from _synthetic(bench)
    yield from air_handlers(bench)
    yield from solar(bench)


def _synthetic(bench: Bench) -> Iterator[Figure]:
    from mirror.synth import load_fleet

    scenarios, tally = load_fleet("refrigeration").scenarios, Tally()
    equipment = {name for name, one in scenarios.items() if one.equipment}
    kept = Path(os.environ.get(KEPT, str(bench.scratch)))
    kept.mkdir(parents=True, exist_ok=True)
    for first in range(0, bench.rounds, TOGETHER):
        fleets = min(TOGETHER, bench.rounds - first)
        file = kept / f"fleets-{first}-{fleets}.json"
        if not file.exists():
            came = _forty(bench, first, fleets)
            file.with_suffix(".part").write_text(json.dumps(came))
            file.with_suffix(".part").replace(file)
        count(json.loads(file.read_text()), equipment, tally)
        tally.fleets += fleets
        bench.say(
            f"detection: {tally.fleets} of {bench.rounds} fleets, {sum(map(len, tally.found.values()))} faults found"
        )
    yield from _figures(bench, tally, sorted(equipment))


def _figures(bench: Bench, tally: Tally, equipment: list[str]) -> Iterator[Figure]:
    for name in equipment:
        hours = tally.found.get(name, [])
        low, high = interval(len(hours), tally.tried[name])
        delay = f", median delay {np.median(hours):.1f} h" if hours else ""
        bench.say(f"detection: {name} {len(hours)} of {tally.tried[name]} ({low:.2f} to {high:.2f}){delay}")
    for name, alerts in sorted(tally.quiet.items()):
        bench.say(f"detection: {name} (no fault of a machine) raised {alerts} alerts on {tally.tried[name]} units")
    hits, tried = sum(map(len, tally.found.values())), sum(tally.tried[name] for name in equipment)
    yield bench.share("equipment_faults_found", [hits], [max(tried, 1)])
    for severity in SEVERITIES:
        events, days = tally.wrong[severity], tally.healthy_days
        low, high = rate_interval(events, days)
        budget = f"{FLEET:,} devices: {events / days * FLEET:,.0f} a day ({low * FLEET:,.0f} to {high * FLEET:,.0f})"
        bench.say(
            f"detection: {severity} {events} false in {days:.0f} device-days, {low:.4f} to {high:.4f} a day; {budget}"
        )
        yield bench.share(f"false_{severity.lower()}_per_healthy_device_day", [events], [days])
    yield bench.share("pages_per_on_call_day_of_one_fleet", [tally.pages], [tally.fleets * HOURS / 24])


def _forty(bench: Bench, first: int, fleets: int) -> dict[str, Any]:
    """Fleets that go the way together: what was planted, who was judged, and the alerts, in hours since the start."""
    from mirror.synth import Anomaly, SynthRequest, load_fleet, write_fleet

    sys.path.insert(0, str(ROOT / "tests" / "fleet_health" / "fleets"))
    from whole_way import Stored, measured, scored, trained

    from fleet_health.ingestion.registry import registry_from_text
    from fleet_health.profiles.loader import shipped_profile

    profile, fleet = shipped_profile("refrigeration"), load_fleet("refrigeration")
    kinds, folder, spark = list(fleet.scenarios), bench.scratch / f"fleets-{first}", bench.spark()
    planted = tuple(
        Anomaly(UNITS * n + unit, kinds[(FAULTY * (first + n) + unit) % len(kinds)])
        for n in range(fleets)
        for unit in range(FAULTY)
    )
    request = SynthRequest(UNITS * fleets, HOURS, first, planted, format="csv")
    made = write_fleet(fleet, request, folder / "landed")
    text = pd.read_csv(made.registry, dtype=str, keep_default_na=False)
    registry = registry_from_text(spark.createDataFrame(text), profile).persist()
    units = [fleet.device_id.format(index=n) for n in range(UNITS * fleets)]
    teaching = [name for n, name in enumerate(units) if n % UNITS >= FAULTY + JUDGED]
    way = measured(Stored(spark, folder / "stored"), made.files[0].parent, [file.name for file in made.files], registry)
    alerts = scored(way, trained(way, teaching), profile).alerts
    told = alerts[~alerts["suppressed"] & (alerts["alert_type"] != "ANOMALY_RESOLVED")]
    start = pd.Timestamp(fleet.start).tz_localize(None)
    hours = (pd.to_datetime(told["window_end"]) - start).dt.total_seconds() / 3600.0
    registry.unpersist()
    return {
        "planted": [[one.device_id, one.kind, one.onset_hours, one.end_hours] for one in made.injected],
        "healthy": [name for n, name in enumerate(units) if FAULTY <= n % UNITS < FAULTY + JUDGED],
        "alerts": [list(row) for row in zip(told["device_id"], told["severity"], hours, strict=True)],
    }


def count(came: dict[str, Any], equipment: set[str], tally: Tally) -> None:
    """Adds fleets: the first alert within a fault finds it, and one on a unit that nothing befell is wrong."""
    by_unit: dict[str, list[tuple[float, str]]] = {}
    for device, severity, hours in came["alerts"]:
        by_unit.setdefault(device, []).append((hours, severity))
    for device, kind, onset, end in came["planted"]:
        tally.tried[kind] += 1
        after = [(hours, severity) for hours, severity in by_unit.get(device, ()) if hours > onset]
        tally.pages += sum(severity in PAGING for _, severity in by_unit.get(device, ()))
        if kind not in equipment:
            tally.quiet[kind] += len(after)
        elif within := [hours for hours, _ in after if hours <= end + 1.0]:
            tally.found.setdefault(kind, []).append(min(within) - onset)
    for device in came["healthy"]:
        tally.wrong.update(severity for _, severity in by_unit.get(device, ()))
        tally.pages += sum(severity in PAGING for _, severity in by_unit.get(device, ()))
