"""``retraining_triggers``: when a model is to be looked at again; a row may start a training and never releases one."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform, frame_of
from fleet_health.contracts.monitoring import RETRAINING_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.ids import natural_key_id
from fleet_health.monitoring.definitions import (
    Against,
    Metric,
    Strict,
    Text,
    Threshold,
    known,
    parse_definitions,
    shipped_text,
    unique,
)
from fleet_health.monitoring.judgement import ALL, Figure, Verdict, judge
from fleet_health.monitoring.lengths import LENGTH
from fleet_health.monitoring.measured import DAY, Pass, Told, Watched, collected, figure, rows_of
from fleet_health.monitoring.passes import MEASURES, PASSES
from fleet_health.monitoring.triage import SIGNIFICANT
from fleet_health.profiles.model import Profile

YOUNG_DAYS = 30
_FOUND = T.StructType([T.StructField(name, T.StringType()) for name in ("rule_id", "model_id", "evidence", "action")])


class Condition(Strict):
    """One way for a trigger to fire; read like a threshold of a metric."""

    measure: Text
    op: Literal["<", "<=", ">", ">=", "abs >"]
    value: float | dict[str, float]
    for_: int = Field(default=1, alias="for", gt=0)
    of: Literal["figure", "change"] = "figure"
    against: Against | None = None
    least_rows: int = Field(default=0, ge=0)


class Trigger(Strict):
    id: Annotated[str, Field(pattern=r"^RT-[0-9]{2}$")]
    name: Text
    any_of: tuple[Condition, ...] = ()
    declared: bool = False
    unless: tuple[Literal["pipeline_fault", "seasonal", "composition", "sensor_hardware", "covariate"], ...] = ()
    action: Literal["train_candidate", "ticket_ml_scientist", "update_seasonal_baseline", "halt_model"]
    reason: Annotated[str, Field(min_length=10)]


class _Triggers(Strict):
    triggers: tuple[Trigger, ...] = Field(min_length=1)


def parse_triggers(text: str, file: str) -> tuple[Trigger, ...]:
    """Trigger definitions.

    Raises:
        MetricDefinitionError: not YAML, no reason, an action that is none, a measure nobody takes (with the nearest
            one), a trigger without a condition that people do not declare either, or an id used twice.
    """
    parsed, lines = parse_definitions(text, file, _Triggers)
    unique("triggers", [trigger.id for trigger in parsed.triggers], file, lines)
    for index, trigger in enumerate(parsed.triggers):
        line = lines.of(("triggers", index))
        known(
            "condition",
            "any_of" if bool(trigger.any_of) != trigger.declared else None,
            ("any_of",),
            trigger.id,
            file,
            line,
        )
        for condition in trigger.any_of:
            known("measure", condition.measure, (*MEASURES, *_OWN_MEASURES), trigger.id, file, line)
    return parsed.triggers


@functools.cache
def shipped_triggers() -> tuple[Trigger, ...]:
    return parse_triggers(shipped_text("retraining.yaml"), "fleet_health/monitoring/retraining.yaml")


def _registry(watched: Watched) -> Iterator[Told]:
    """Share of active devices that were installed in the last month before the newest change of the registry."""
    newest = watched.newest("device_registry", "updated_at")
    young = f"datediff(timestamp_micros({newest or 0}), install_date) < {YOUNG_DAYS}"
    told = (f"count_if({young}) AS young", "count(install_date) AS n")
    # an aggregate of all rows has one row
    row = watched.active().agg(*map(F.expr, told)).collect()[0]
    if row["n"] > 0:
        yield figure("young_devices_share", row["young"] / row["n"])


def _training(watched: Watched) -> Iterator[Told]:
    """Days between the assembly of the training rows and the newest window, by family of the model."""
    trained = watched.newest("training_data", "assembled_at")
    now = watched.newest("model_drift_metrics", "scored_at")
    family = watched.profile.model.model_id.rsplit("_v", 1)[0]
    if trained is not None and now is not None:
        yield figure("days_since_training", (now // 1_000_000 - trained // 1_000_000) / DAY, family)


_OWN = (
    Pass(("young_devices_share",), ("device_registry",), _registry),
    Pass(("days_since_training",), ("training_data", "model_drift_metrics"), _training),
)
_OWN_MEASURES = ("young_devices_share", "days_since_training")
DATASETS = (
    "feature_drift_metrics",
    "model_drift_metrics",
    "model_agreement_metrics",
    "alert_effectiveness_metrics",
    "device_registry",
    "training_data",
)


def triggered(watched: Watched, triggers: Sequence[Trigger]) -> DataFrame:
    """The rows of contract M9 for the triggers that fire at this look, one per rule, model and day."""
    wanted = {condition.measure for trigger in triggers for condition in trigger.any_of}
    found = collected(watched, [one for one in (*PASSES, *_OWN) if wanted & set(one.measures)])
    at = watched.newest("model_drift_metrics", "scored_at") or 0
    rows = fired(triggers, found, _kinds(watched), watched.profile)
    made = frame_of(watched["model_drift_metrics"].sparkSession, rows, _FOUND)
    timed = made.withColumn("triggered_at", F.timestamp_micros(F.lit(at)))
    day = F.date_format("triggered_at", "yyyy-MM-dd")
    keyed = timed.withColumn("trigger_id", natural_key_id("retraining", F.col("rule_id"), F.col("model_id"), day))
    return conform(keyed.withColumn("state", F.lit("open")), RETRAINING_SCHEMA)


def _kinds(watched: Watched) -> Counter[str]:
    """How many features of the newest period show each kind of the triage, at the length that is scored first."""
    of_length = f"{LENGTH} = {watched.profile.model.window_duration_minutes}"
    whole = watched["feature_drift_metrics"].where(f"{of_length} AND slice_name = '{ALL}'")
    newest = with_data_time(whole, whole, "_newest", F.col("scoring_window_start"))
    moved = f"scoring_window_start = _newest AND triage IS NOT NULL AND psi_value > {SIGNIFICANT}"
    return Counter(row["triage"] for row in rows_of(newest.where(moved), "triage"))


def fired(
    triggers: Iterable[Trigger], found: Mapping[str, Sequence[Figure]], kinds: Counter[str], profile: Profile
) -> Iterable[tuple[str, str, str, str]]:
    """Rule, model, evidence and action of every trigger that fires.

    A trigger with ``unless`` holds back while most of the drifted features show one of these kinds: retraining on a
    fault of the pipeline would teach the fault.
    """
    for trigger in triggers:
        held = sum(kinds[kind] for kind in trigger.unless)
        if held and held >= kinds.total() / 2:
            continue
        for condition in trigger.any_of:
            breaches = _breaches(condition, trigger, found.get(condition.measure, ()))
            if breaches:
                evidence = {
                    "reason": trigger.reason,
                    "condition": f"{condition.measure} {condition.op} {breaches[0].limit:g}, {condition.for_} in a row",
                    "figures": {verdict.dimension: verdict.value for verdict in breaches},
                    "triage": dict(sorted(kinds.items())),
                }
                yield trigger.id, profile.model.model_id, json.dumps(evidence, sort_keys=True), trigger.action
                break


def _breaches(condition: Condition, trigger: Trigger, seen: Sequence[Figure]) -> list[Verdict]:
    """Judged as a metric would be; a measure without figures fires nothing, because its own metric says so already."""
    if not seen:
        return []
    threshold = Threshold.model_validate(
        {
            "severity": "LOW",
            "reason": trigger.reason,
            **condition.model_dump(by_alias=True, include={"op", "value", "for_", "of"}),
        }
    )
    metric = Metric.model_construct(
        id=trigger.id,
        against=condition.against,
        least_rows=condition.least_rows,
        thresholds=(threshold,),
        expected=None,
    )
    return [verdict for verdict in judge(metric, seen) if verdict.status == "WARN"]
