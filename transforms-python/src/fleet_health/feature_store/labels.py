"""From recorded outcomes to training classes, and which labels are refused."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.consistency import INTEGRITY_SCHEMA
from fleet_health.contracts.labels import LABEL_SOURCES, LABEL_TYPES
from fleet_health.feature_store.errors import OrphanLabelError, UnknownLabelError

CLASSES: Mapping[str, str] = {
    "failure_confirmed": "pre_failure",
    "anomaly_confirmed": "anomaly_confirmed",
    "false_positive": "false_positive",
    "normal_operation": "normal",
}
"""Label type -> class. Planned maintenance has none: it says what people did, not how the machine was."""
ORIGINS: Mapping[str, str] = {
    "field_engineer": "field_engineer",
    "maintenance_system": "maintenance_record",
    "operator_feedback": "field_engineer",
    "automated_heuristic": "heuristic",
}
"""Label source -> origin; an operator's word counts as a person's at the site."""


def as_class(label_type: Column) -> Column:
    """The training class of a label type; null where it has none."""
    return _mapped(label_type, CLASSES)


def as_origin(label_source: Column) -> Column:
    """The origin that training data records for a label source."""
    return _mapped(label_source, ORIGINS)


def _mapped(word: Column, mapping: Mapping[str, str]) -> Column:
    pairs = [F.lit(part) for pair in mapping.items() for part in pair]
    return F.element_at(F.create_map(*pairs), word)


def refuse_unknown_words(labels: DataFrame, dataset: str) -> None:
    """Looks at every label once (they are few).

    Raises:
        UnknownLabelError: ``label_type`` or ``label_source`` holds a word outside its closed list, or null.
    """
    seen = labels.agg(F.collect_set("label_type"), F.collect_set("label_source"), F.count("*")).first()
    lists = (("label_type", LABEL_TYPES), ("label_source", LABEL_SOURCES))
    for place, (column, known) in enumerate(lists):
        unknown = sorted(set(seen[place] if seen else ()) - set(known))
        if unknown:
            raise UnknownLabelError(dataset, column, tuple(unknown), known)


def join_integrity(labels: DataFrame, alerts: DataFrame) -> DataFrame:
    """How many labels there are, how many name an alert, and the share of those whose alert exists (1 without any)."""
    there = alerts.select("alert_id", F.lit(True).alias("_there")).distinct()
    named = F.count("alert_id")
    share = F.when(named > 0, F.count("_there") / named).otherwise(F.lit(1.0))
    counted = labels.join(F.broadcast(there), "alert_id", "left").agg(
        F.count("*").alias("labels"), named.alias("labels_with_alert"), share.alias("join_integrity")
    )
    return conform(counted, INTEGRITY_SCHEMA)


def refuse_orphans(labels: DataFrame, alerts: DataFrame, dataset: str, alert_dataset: str) -> None:
    """A label that names an alert must name one that exists; a label may name none.

    Training cannot ask this itself: alerts come from scores, scores from the model, and the model from training.

    Raises:
        OrphanLabelError: with every unknown ``alert_id``.
    """
    named = labels.where(F.col("alert_id").isNotNull()).select("alert_id").distinct()
    # only ids that nobody raised; with any of them the job fails and names them
    orphans = named.join(alerts.select("alert_id"), "alert_id", "left_anti").toPandas()["alert_id"]
    if len(orphans):
        raise OrphanLabelError(dataset, alert_dataset, tuple(sorted(orphans)))
