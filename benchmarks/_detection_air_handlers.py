"""What became of the documented fault days of three measured air handlers, on the way of ``make run``.

Days that trained the model and days the inventory does not document are left out. A fault day is found when its unit
raised an alert within it.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import Bench, Figure
from benchmarks._intervals import interval

ROOT = Path(__file__).resolve().parent.parent
FLEET, DATA = "/Fleet/air_handler", ROOT / "data" / "lbnl_ahu"
CAMPAIGNS = [str(DATA / f"{unit}.csv.gz") for unit in ("szcav", "szvav", "mzvav_2_1")]
RELEASE = ("--approve-as", "benchmarks", "--reason", "python -m benchmarks detection")
WAY = (
    ("init",),
    ("ingest", f"{FLEET}/landing", *CAMPAIGNS, "--type", "append"),
    ("ingest", f"{FLEET}/label_landing", str(DATA / "fault_schedule.csv")),
    ("build", f"{FLEET}/models/isolation_forest"),
    ("models", "submit", "isolation_forest"),
    ("models", "release", "isolation_forest", "--to", "staging", *RELEASE),
    ("models", "release", "isolation_forest", "--to", "production", *RELEASE),
    ("build", f"{FLEET}/detection_report", f"{FLEET}/device_alerts"),
)
_SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_PAGING = ("HIGH", "CRITICAL")
_RUN = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"


def air_handlers(bench: Bench) -> Iterator[Figure]:
    workspace = bench.scratch / "air-handlers"
    for step in WAY:
        bench.say(f"detection: mirror {' '.join(step[:2])}")
        command = [sys.executable, "-c", _RUN, "--workspace", str(workspace), *step]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mirror {' '.join(step)} ended with {done.returncode}:\n{done.stderr}")
    yield from told(bench, workspace)


def told(bench: Bench, workspace: Path) -> Iterator[Figure]:
    """The figures of a workspace in which the whole way was gone."""
    days, areas = _read(bench, workspace)
    for day in days.itertuples():
        first = "no alert" if pd.isna(day.hours) else f"first alert after {day.hours:.1f} h, worst {day.severity}"
        what = day.failure_mode if day.fault else "fault-free"
        bench.say(f"detection: {day.device_id} {day.day:%Y-%m-%d} {what}: mean score {day.score:.2f}, {first}")
    for (unit, fault), of_unit in days.groupby(["device_id", "fault"]):
        bench.say(f"detection: {unit}, {len(of_unit)} {_kind(fault)} days: {_raised(of_unit)}")
    for row in areas[areas["unit"] == "day"].itertuples():
        low, high = area_interval(row.auc, row.fault_count, row.fault_free_count)
        bench.say(f"detection: {row.device_id} area under the curve by day {row.auc:.2f} ({low:.2f} to {high:.2f})")
        yield bench.share(f"auc_by_day_{row.device_id.lower()}", [row.auc], [1.0])
    for fault in (True, False):
        of_kind = days[days["fault"] == fault]
        bench.say(f"detection: air handlers, {len(of_kind)} {_kind(fault)} days: {_raised(of_kind)}")
        name = f"air_handler_{_kind(fault).replace('-', '_')}_days"
        yield bench.share(f"{name}_with_an_alert", [of_kind["hours"].notna().sum()], [len(of_kind)])
        yield bench.share(f"{name}_with_a_page", [of_kind["severity"].isin(_PAGING).sum()], [len(of_kind)])


def _kind(fault: bool) -> str:
    return "fault" if fault else "fault-free"


def _raised(days: pd.DataFrame) -> str:
    """On how many days somebody was told, and on how many somebody was called."""
    said = []
    for what, those in (("an alert", days["hours"].notna()), ("a page", days["severity"].isin(_PAGING))):
        low, high = interval(int(those.sum()), len(days))
        said.append(f"{what} on {those.sum()} ({low:.2f} to {high:.2f})")
    return ", ".join(said)


def _read(bench: Bench, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The days that may be compared, with what the pipeline said of each; and its own report."""
    from fleet_health.local_days import zone_of
    from fleet_health.profiles.loader import shipped_profile
    from fleet_health.scoring.detection import CERTAIN
    from mirror.datasets import Workspace

    profile, workspace, spark = shipped_profile("air_handler"), Workspace.open(folder), bench.spark()

    def rows(name: str) -> pd.DataFrame:
        store = workspace.store
        return store.read(spark, store.view(store.dataset(f"{FLEET}/{name}"))).toPandas()

    scores, alerts, labels, report = map(rows, ("model_scores", "device_alerts", "label_events", "detection_report"))
    workspace.close()
    alerts = alerts[~alerts["suppressed"] & (alerts["alert_type"] != "ANOMALY_RESOLVED")]
    trained = {(one.device_id, day) for one in profile.model.training_days for day in one.days}
    scores = scores[scores["model_id"] == profile.model.model_id]
    found = []
    for label in labels[labels["label_confidence"] >= CERTAIN].itertuples():
        start = label.event_timestamp
        day = start.tz_localize("UTC").tz_convert(zone_of(label.device_id, profile)).date()
        own = scores[(scores["device_id"] == label.device_id) & _within(scores["window_start"], start)]
        if own.empty or (label.device_id, day) in trained:
            continue
        raised = alerts[(alerts["device_id"] == label.device_id) & _within(alerts["window_end"], start)]
        found.append(
            {
                "device_id": label.device_id,
                "day": day,
                "fault": label.label_type != "normal_operation",
                "failure_mode": label.failure_mode,
                "score": own["anomaly_score"].mean(),
                "hours": (raised["window_end"].min() - start).total_seconds() / 3600.0 if len(raised) else None,
                "severity": max(raised["severity"], key=_SEVERITIES.index, default=None),
            }
        )
    return pd.DataFrame(found).sort_values(["device_id", "day"]), report


def _within(times: pd.Series, start: pd.Timestamp) -> pd.Series:
    return (times >= start) & (times < start + pd.Timedelta(hours=24))


def area_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 percent interval of an area under a curve, by the variance of Hanley and McNeil."""
    with_two_positives, with_two_negatives = area / (2.0 - area), 2.0 * area * area / (1.0 + area)
    variance = area * (1.0 - area)
    variance += (positives - 1) * (with_two_positives - area * area)
    variance += (negatives - 1) * (with_two_negatives - area * area)
    half = 1.96 * math.sqrt(variance / (positives * negatives))
    return max(area - half, 0.0), min(area + half, 1.0)
