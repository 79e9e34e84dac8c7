"""Measures of the pipeline itself, for every profile; they run outside the builds they measure."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.conform import frame_of
from fleet_health.contracts.monitoring import (
    DRIFT_BASELINES_SCHEMA,
    DRIFT_SCHEMA,
    DROPOUT_SCHEMA,
    RETRAINING_SCHEMA,
    SCORE_DRIFT_SCHEMA,
)
from fleet_health.in_service import by_family, inputs_beside, together
from fleet_health.ingestion.text_files import read_text_table
from fleet_health.ingestion.work_orders import work_orders
from fleet_health.monitoring.agreement import agreement
from fleet_health.monitoring.baselines import published_baselines
from fleet_health.monitoring.definitions import shipped_metrics, shipped_playbook
from fleet_health.monitoring.drift import measure
from fleet_health.monitoring.drift_rows import drift_rows, with_joint
from fleet_health.monitoring.dropouts import dropout_flags
from fleet_health.monitoring.effectiveness import effectiveness
from fleet_health.monitoring.health import coverage_rows, health_rows, look, quality_alerts
from fleet_health.monitoring.joint import drawn, joint
from fleet_health.monitoring.lengths import LENGTH
from fleet_health.monitoring.maintenance import maintenance_events
from fleet_health.monitoring.measured import Watched
from fleet_health.monitoring.passes import MEASURES, PASSES
from fleet_health.monitoring.quality import daily_summary
from fleet_health.monitoring.retraining import DATASETS as RETRAINING_DATASETS
from fleet_health.monitoring.retraining import shipped_triggers, triggered
from fleet_health.monitoring.schema_log import LOG_SCHEMA, coverage, log_rows
from fleet_health.monitoring.scores import measured_runs, unmeasured
from fleet_health.monitoring.sensor_statistics import sensor_statistics
from fleet_health.monitoring.triage import MODERATE
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.profiles.records import Maintenance, SchemaLog
from fleet_health.training_data.split import TRAIN
from fleet_health.training_data.transforms import features_to_train_on
from transforms.api import Input, Output, Transform, incremental, transform, transform_df

METRICS = shipped_metrics(MEASURES)
PLAYBOOK = shipped_playbook()
TRIGGERS = shipped_triggers()
ASKED_FROM = 3
"""Features in moderate drift from which on whole vectors are compared."""


def _in(profile: Profile, *names: str) -> dict[str, Input]:
    return {name: Input(paths.dataset(profile, name)) for name in names}


def _out(profile: Profile, name: str) -> Output:
    return Output(paths.dataset(profile, name), checks=checks_of(name, profile))


def dropout_transform(profile: Profile) -> Transform:
    """Hours that have verdicts keep them."""

    @incremental(semantic_version=1, snapshot_inputs=["clean", "registry"])
    @transform(
        clean=Input(paths.dataset(profile, "clean_sensor_readings")),
        registry=Input(paths.dataset(profile, "device_registry")),
        flags=_out(profile, "device_dropout_flags"),
    )
    def flag_dropouts(clean: Any, registry: Any, flags: Any) -> None:
        newest = flags.dataframe("previous", DROPOUT_SCHEMA).agg(F.max(F.unix_timestamp("evaluated_hour")).alias("at"))
        # one row: the newest hour with verdicts
        after = newest.collect()[0]["at"]
        flags.write_dataframe(dropout_flags(clean.dataframe(), registry.dataframe(), profile, after))

    return flag_dropouts


def quality_transform(profile: Profile) -> Transform:
    read = ("raw_sensor_readings", "clean_sensor_readings", "row_conservation", "device_features", "device_registry")

    @transform(
        summary=_out(profile, "data_quality_daily_summary"),
        sensors=_out(profile, "ingestion_distribution_stats"),
        **_in(profile, *read, "device_dropout_flags"),
    )
    def summarise_quality(summary: Any, sensors: Any, **inputs: Any) -> None:
        frames = {name: one.dataframe() for name, one in inputs.items()}
        summary.write_dataframe(daily_summary(frames, profile))
        clean, registry = frames["clean_sensor_readings"], frames["device_registry"]
        sensors.write_dataframe(sensor_statistics(clean, registry, profile))

    return summarise_quality


def scores_transform(profile: Profile) -> Transform:
    """Runs that have figures keep them; of each model only windows after the newest of them are read."""
    beside = inputs_beside(profile, "model_scores")

    @incremental(semantic_version=1, snapshot_inputs=["model_scores", "device_registry", *beside])
    @transform(runs=_out(profile, "model_drift_metrics"), **_in(profile, "model_scores", "device_registry"), **beside)
    def measure_scores(runs: Any, model_scores: Any, device_registry: Any, **others: Any) -> None:
        before = runs.dataframe("previous", SCORE_DRIFT_SCHEMA)
        # one row per model: its newest run with figures
        told = before.groupBy("model_id").agg(F.max("scored_at").alias("at")).collect()
        newest = {row["model_id"]: row["at"] for row in told}
        scores = by_family(profile, "model_scores", model_scores.dataframe(), others)
        recent = unmeasured(scores, newest)
        runs.write_dataframe(measured_runs(recent, before, device_registry.dataframe(), profile))

    return measure_scores


def agreement_transform(profile: Profile) -> Transform:
    labelled = _in(profile, "label_events") if profile.has_labels else {}
    beside = inputs_beside(profile, "model_scores")

    @transform(
        pairs=_out(profile, "model_agreement_metrics"),
        work=_out(profile, "alert_effectiveness_metrics"),
        **_in(profile, "model_scores", "device_alerts", "device_registry"),
        **labelled,
        **beside,
    )
    def compare_models(pairs: Any, work: Any, **inputs: Any) -> None:
        frames = {name: one.dataframe() for name, one in inputs.items() if name not in beside}
        pairs.write_dataframe(agreement(together(profile, "model_scores", frames["model_scores"], inputs)))
        alerts, labels = frames["device_alerts"], frames.get("label_events")
        work.write_dataframe(effectiveness(alerts, labels, frames["device_registry"]))

    return compare_models


def baselines_transform(profile: Profile) -> Transform:
    """Rows of every training stay; the same training again adds none."""

    told = _in(profile, "label_events") if profile.labels_tell_maintenance else {}

    @incremental(semantic_version=1, snapshot_inputs=["features", "training_statistics", "device_registry", *told])
    @transform(
        features=Input(features_to_train_on(profile)),
        **_in(profile, "training_statistics", "device_registry"),
        **told,
        baselines=_out(profile, "drift_baselines"),
    )
    def publish_drift_baselines(
        features: Any, training_statistics: Any, device_registry: Any, baselines: Any, label_events: Any = None
    ) -> None:
        before = baselines.dataframe("previous", DRIFT_BASELINES_SCHEMA)
        labels: DataFrame | None = label_events and label_events.dataframe()
        statistics = training_statistics.dataframe()
        baselines.write_dataframe(published_baselines(features, statistics, device_registry, before, profile, labels))

    return publish_drift_baselines


def drift_transform(profile: Profile) -> Transform:
    """Periods that were compared keep their rows, each window length its own."""
    whole = ("device_features", "device_registry", "drift_baselines", "training_data", "model_input")

    @incremental(semantic_version=3, snapshot_inputs=list(whole))
    @transform(drift=_out(profile, "feature_drift_metrics"), **_in(profile, *whole))
    def measure_drift(ctx: Any, drift: Any, **inputs: Any) -> None:
        frames = {name: one.dataframe() for name, one in inputs.items()}
        before = drift.dataframe("previous", DRIFT_SCHEMA)
        # a histogram per feature and slice of each version, whatever the size of the fleet
        baselines = frames["drift_baselines"].toPandas()
        features = frames["device_features"]
        found = measure(features, frames["device_registry"], baselines, profile) if len(baselines) else []
        if not found:
            drift.write_dataframe(ctx.spark_session.createDataFrame([], DRIFT_SCHEMA))
            return
        first = found[0]
        # vectors are those of the first model, so they are compared at its length
        scored = first.minutes == profile.model.window_duration_minutes
        if scored and sum(one.psi > MODERATE for one in first.movements.values()) >= ASKED_FROM:
            found[0] = with_joint(first, _joint(frames, first.period.start, profile))
        made = drift_rows(found, features)
        key = ["scoring_window_start", LENGTH, "model_id", "model_version"]
        done = before.select(*key).distinct()
        # a join by name puts its key first
        added = made.join(F.broadcast(done), key, "left_anti").select(*made.columns)
        drift.write_dataframe(added)

    return measure_drift


def _joint(frames: dict[str, DataFrame], start: int, profile: Profile) -> Any:
    model = profile.model
    of_length = F.col(LENGTH) == model.window_duration_minutes
    recent = frames["model_input"].where(F.unix_timestamp("window_end") > start)
    parts = (F.col("device_part") == TRAIN) & (F.col("period") == TRAIN)
    learned = frames["training_data"].where(parts)
    samples = [
        drawn(rows.where(own), profile.model.seed)
        for rows, own in ((recent, F.col("model_id") == model.model_id), (learned, of_length))
    ]
    if any(sample.empty for sample in samples):
        return None
    now, then = (np.vstack(sample["feature_vector"].tolist()) for sample in samples)
    return joint(now, then, profile.model.seed)


def health_transform(profile: Profile) -> Transform:
    read = {name for one in PASSES if one.absent(profile) is None for name in one.needs}
    beside = inputs_beside(profile, "scoring_run_metrics") if "scoring_run_metrics" in read else {}

    @transform(
        health=_out(profile, "pipeline_health_metrics"),
        coverage=_out(profile, "metric_coverage"),
        **_in(profile, *sorted(read)),
        **beside,
    )
    def measure_health(ctx: Any, health: Any, coverage: Any, **inputs: Any) -> None:
        frames = {name: one.dataframe() for name, one in inputs.items() if name not in beside}
        if beside:
            logged = frames["scoring_run_metrics"]
            frames["scoring_run_metrics"] = together(profile, "scoring_run_metrics", logged, inputs)
        looked = look(Watched(frames, profile), METRICS)
        health.write_dataframe(health_rows(looked, ctx.spark_session, profile))
        coverage.write_dataframe(coverage_rows(looked, METRICS, ctx.spark_session))

    return measure_health


def quality_alert_transform(profile: Profile) -> Transform:
    @transform_df(_out(profile, "quality_alerts"), health=Input(paths.dataset(profile, "pipeline_health_metrics")))
    def raise_quality_alerts(health: DataFrame) -> DataFrame:
        return quality_alerts(health, METRICS, PLAYBOOK)

    return raise_quality_alerts


def retraining_transform(profile: Profile) -> Transform:
    """A trigger that fired stays; looking again the same day adds nothing."""

    @incremental(semantic_version=1, snapshot_inputs=list(RETRAINING_DATASETS))
    @transform(triggers=_out(profile, "retraining_triggers"), **_in(profile, *RETRAINING_DATASETS))
    def trigger_retraining(triggers: Any, **inputs: Any) -> None:
        frames = {name: one.dataframe() for name, one in inputs.items()}
        done = triggers.dataframe("previous", RETRAINING_SCHEMA).select("trigger_id")
        made = triggered(Watched(frames, profile), TRIGGERS)
        added = made.join(F.broadcast(done), "trigger_id", "left_anti")
        triggers.write_dataframe(added.select(*made.columns))

    return trigger_retraining


def maintenance_transform(profile: Profile, maintenance: Maintenance) -> Transform:
    """Reads the orders themselves, as ``label_events`` does: labels come before training, and these scores after."""

    @transform(
        landing=Input(maintenance.dataset),
        events=_out(profile, "maintenance_events"),
        **_in(profile, "model_scores"),
    )
    def read_maintenance(landing: Any, model_scores: Any, events: Any) -> None:
        orders = work_orders(read_text_table(landing.filesystem()), profile, maintenance.dataset)
        events.write_dataframe(maintenance_events(orders, model_scores.dataframe()))

    return read_maintenance


def schema_log_transform(profile: Profile, given: SchemaLog) -> Transform:
    """Incremental only to see the log in force, which remembers what the days before told."""
    share = given.covered_above.value

    @incremental(semantic_version=1, snapshot_inputs=["clean_sensor_readings", "device_registry"])
    @transform(log=_out(profile, "schema_change_log"), **_in(profile, "clean_sensor_readings", "device_registry"))
    def log_sensors(ctx: Any, log: Any, clean_sensor_readings: Any, device_registry: Any) -> None:
        # one row per sensor
        told = {row["column_name"]: row.asDict() for row in log.dataframe("previous", LOG_SCHEMA).collect()}
        until = min((row["measured_until"] for row in told.values()), default=None)
        # a sensor that the profile gained may have been reported before
        until = until if set(profile.sensor_names) <= told.keys() else None
        clean, registry = clean_sensor_readings.dataframe(), device_registry.dataframe()
        found = coverage(clean, registry, profile, share, until)
        rows = told.values() if found is None else log_rows(found, told, profile, given)
        listed = [[row[name] for name in LOG_SCHEMA.fieldNames()] for row in rows]
        log.set_mode("replace")
        log.write_dataframe(frame_of(ctx.spark_session, listed, LOG_SCHEMA))

    return log_sensors


def for_profile(profile: Profile) -> list[Transform]:
    made = [
        dropout_transform(profile),
        quality_transform(profile),
        baselines_transform(profile),
        drift_transform(profile),
        scores_transform(profile),
        agreement_transform(profile),
        health_transform(profile),
        quality_alert_transform(profile),
        retraining_transform(profile),
    ]
    made += [schema_log_transform(profile, profile.schema_log)] if profile.schema_log else []
    made += [maintenance_transform(profile, profile.maintenance)] if profile.maintenance else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
