"""Scores to alerts, for every profile."""

from __future__ import annotations

from typing import Any

from fleet_health import paths
from fleet_health.alerting.alerts import device_alerts
from fleet_health.alerting.heard import heard
from fleet_health.contracts.compiled import checks_of
from fleet_health.in_service import by_family, inputs_beside
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from transforms.api import Input, Output, Transform, transform


def alert_transform(profile: Profile) -> Transform:
    standing_in = {"fallback": Input(paths.dataset(profile, "fallback_scores"))} if profile.fallback else {}
    # models of other lengths judge the same hours again, and nobody is called twice about one hour
    beside = inputs_beside(profile, "model_scores", profile.model.window_duration_minutes)
    acute = {"streaming": Input(paths.dataset(profile, "streaming_alerts"))} if profile.streaming else {}

    @transform(
        alerts=Output(paths.dataset(profile, "device_alerts"), checks=checks_of("device_alerts", profile)),
        scores=Input(paths.dataset(profile, "model_scores")),
        registry=Input(paths.dataset(profile, "device_registry")),
        **standing_in,
        **acute,
        **beside,
    )
    def raise_alerts(alerts: Any, scores: Any, registry: Any, **others: Any) -> None:
        rows = leading = scores.dataframe()
        told = by_family(profile, "model_scores", leading, others)
        for served in profile.in_service:
            if served.family in told:
                rows = rows.unionByName(heard(told[served.family], leading, served))
        if "fallback" in others:
            rows = rows.unionByName(others["fallback"].dataframe())
        streaming = others["streaming"].dataframe() if "streaming" in others else None
        alerts.write_dataframe(device_alerts(rows, registry.dataframe(), profile, streaming))

    raise_alerts.__name__ = f"{profile.profile}_raise_alerts"
    return raise_alerts


TRANSFORMS = [alert_transform(profile) for profile in shipped_profiles()]
