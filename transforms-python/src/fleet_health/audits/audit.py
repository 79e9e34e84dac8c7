"""``contract_audits`` and ``score_audits``: one row per measured rule, and one check per row."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.audits import features, ingestion, scores
from fleet_health.audits.measured import Audited, Group
from fleet_health.contracts.conform import conform
from fleet_health.contracts.errors import ContractAgreementError
from fleet_health.contracts.loader import shipped_contracts
from fleet_health.contracts.rules import Measured
from fleet_health.contracts.schemas import plain_schema
from fleet_health.data_time import with_data_time
from fleet_health.definition_errors import nearest
from transforms import expectations as E
from transforms.api import Check

GROUPS: tuple[Group, ...] = (*ingestion.GROUPS, *features.GROUPS, *scores.GROUPS)
_COMPARISONS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "==": "equals"}


@functools.cache
def measured_rules() -> tuple[tuple[str, Measured], ...]:
    """Every rule that is measured, with its dataset.

    Raises:
        ContractAgreementError: a rule asks for a measure that nobody takes.
    """
    known = {name for group in GROUPS for name in group.measures}
    found = []
    for dataset, parsed in shipped_contracts().items():
        for rule in parsed.contract.expectations:
            if isinstance(rule, Measured):
                if rule.measure not in known:
                    problem = f"{rule.id} asks for measure {rule.measure!r}, which nobody takes"
                    raise ContractAgreementError(parsed.file, None, problem, nearest(rule.measure, known))
                found.append((dataset, rule))
    return tuple(found)


def rules_for(groups: Collection[Group], read: Collection[str]) -> list[tuple[str, Measured, Group]]:
    """The rules that ``groups`` measure when the datasets ``read`` are there."""
    by_measure = {name: group for group in groups if set(group.needs) <= set(read) for name in group.measures}
    return [
        (dataset, rule, by_measure[rule.measure]) for dataset, rule in measured_rules() if rule.measure in by_measure
    ]


def audit_rows(audited: Audited, groups: Collection[Group], schema: str, now: DataFrame, time: str) -> DataFrame:
    """One row per rule that can be measured, all in one Spark job.

    Args:
        audited: the datasets.
        groups: whose rules.
        schema: the audit dataset that is made.
        now: dataset that tells the data time, as the newest ``time``.
        time: its column.

    Returns:
        rule, dataset, what was measured (null when there was nothing), limit, how many rows were looked at.
    """
    by_group: dict[Group, list[tuple[str, Measured]]] = {}
    for dataset, rule, group in rules_for(groups, audited.frames):
        by_group.setdefault(group, []).append((dataset, rule))
    parts = []
    for group, rules in by_group.items():
        told = F.explode(F.array(*(_row(dataset, rule) for dataset, rule in rules))).alias("row")
        parts.append(group.compute(audited).select(told).select("row.*"))
    rows = functools.reduce(DataFrame.unionByName, parts)
    return conform(with_data_time(rows, now, "measured_at", F.col(time)), plain_schema(schema))


def _row(dataset: str, rule: Measured) -> Column:
    return F.struct(
        F.lit(rule.id).alias("rule_id"),
        F.lit(dataset).alias("dataset"),
        F.col(rule.measure)["measured"].alias("measured"),
        F.lit(float(rule.limit)).alias("limit"),
        F.col(rule.measure)["rows"].alias("rows"),
    )


def audit_checks(groups: Collection[Group], read: Collection[str]) -> list[Check]:
    """One check per rule: its row keeps the limit. A row that had nothing to measure passes."""
    return [_check(rule) for _, rule, _ in rules_for(groups, read)]


def _check(rule: Measured) -> Check:
    holds: Any = getattr(E.col("measured"), _COMPARISONS[rule.op])(rule.limit)
    of_rule = E.when(E.col("rule_id").equals(rule.id), holds).otherwise(E.true())
    return Check(of_rule, f"{rule.id} {rule.says}", on_error=rule.effect, description=" ".join(rule.why.split()))
