"""``retraining_triggers``: when a model is to be looked at again; a row may start a training and never releases one."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
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
from fleet_health.monitoring.measured import DAY, Pass, Watched, collected, counted, figure, figures, share
from fleet_health.monitoring.passes import MEASURES, PASSES
from fleet_health.profiles.model import Profile

YOUNG_DAYS = 30
_FOUND = "rule_id string, model_id string, evidence string, action string"


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


def _registry(watched: Watched) -> DataFrame:
    """Share of active devices that were installed in the last month before the newest change of the registry."""
    rows = watched["device_registry"].where(F.col("status") == "active")
    timed = with_data_time(rows, rows, "_now", F.col("updated_at"))
    young = F.datediff("_now", "install_date") < YOUNG_DAYS
    told = timed.agg(counted(young).alias("young"), F.count("install_date").alias("n"))
    return figures(
        told,
        figure("young_devices_share", share(F.col("young"), F.col("n")), dimension=F.when(F.col("n") > 0, F.lit(ALL))),
    )


def _training(watched: Watched) -> DataFrame:
    """Days between the assembly of the training rows and the newest window, by family of the model."""
    assembled = watched["training_data"].agg(F.max(F.unix_timestamp("assembled_at")).alias("trained"))
    newest = watched["model_drift_metrics"].agg(F.max(F.unix_timestamp("scored_at")).alias("now"))
    family = watched.profile.model.model_id.rsplit("_v", 1)[0]
    days = (F.col("now") - F.col("trained")) / float(DAY)
    there = F.when(days.isNotNull(), F.lit(family))
    return figures(assembled.crossJoin(newest), figure("days_since_training", days, dimension=there))


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
    kinds = _kinds(watched["feature_drift_metrics"])
    rows = list(fired(triggers, found, kinds, watched.profile))
    scored = watched["model_drift_metrics"]
    made = scored.sparkSession.createDataFrame(rows, _FOUND)
    timed = with_data_time(made, scored, "triggered_at", F.col("scored_at"))
    day = F.date_format("triggered_at", "yyyy-MM-dd")
    keyed = timed.withColumn("trigger_id", natural_key_id("retraining", F.col("rule_id"), F.col("model_id"), day))
    return conform(keyed.withColumn("state", F.lit("open")), RETRAINING_SCHEMA)


def _kinds(drift: DataFrame) -> Counter[str]:
    """How many features of the newest period show each kind of the triage."""
    rows = drift.where((F.col("slice_name") == ALL) & F.col("triage").isNotNull() & (F.col("psi_value") > 0.25))
    counts = rows.groupBy("scoring_window_start", "triage").agg(F.count(F.lit(1)).alias("n"))
    newest = drift.agg(F.max("scoring_window_start").alias("scoring_window_start"))
    # a row per kind
    return Counter({row["triage"]: row["n"] for row in counts.join(newest, "scoring_window_start").collect()})


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
