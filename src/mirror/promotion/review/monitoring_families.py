"""Monitoring covers volume, freshness, null rate, outlier rate and feature drift."""

from __future__ import annotations

from collections import Counter

from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._monitoring import monitoring

FAMILIES = ("volume", "freshness", "null_rate", "outlier_rate", "feature_drift")


def examine(case: ReviewCase) -> Answer:
    found = monitoring(case.repository)
    counts = Counter(str(metric.get("family")) for metric in found.metrics)
    link = ", ".join(found.files) or "transforms-python/src/<package>/monitoring/*.yaml"
    proof = ", ".join(f"{family} {counts[family]}" for family in FAMILIES)
    missing = [family for family in FAMILIES if not counts[family]]
    if missing:
        fix = f"Define a metric of family {' and '.join(missing)} with thresholds, an owner and a runbook."
        return Answer(Verdict.NOT_MET, f"metrics per family: {proof}", link, fix)
    return Answer(Verdict.MET, f"metrics per family: {proof}", link)
