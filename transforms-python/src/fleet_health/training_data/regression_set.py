"""``regression_test_features``: a thousand windows on which every retrained model is compared with the one before.

They are drawn once from the statistics of the first training and then stay, whatever is trained later: a set that
follows the data would hide exactly the change that it should show.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from fleet_health.contracts.experiments import regression_schema
from fleet_health.contracts.schemas import COUNTS
from fleet_health.profiles.model import QUALITY_AGGREGATIONS, Profile
from fleet_health.training_data.errors import RegressionSetChangedError

DEVICES = 1000
"""Five percent of them are fifty, enough for an order to mean something."""
INCOMPLETE, FAR_ABOVE = "INCOMPLETE", "FAR_ABOVE"
_ODD, _FEW = 90, 10
_START = pd.Timestamp("2000-01-01")
_SHARES = (0.0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0)
_QUANTILES = ("min", "p0_1", "p05", "p25", "p50", "p75", "p95", "p99_9", "max")
_COMPLETENESS = 0.6


def fixture_version(profile: Profile) -> str:
    """The newest version in which a feature joined."""
    return max((feature.added for feature in profile.features), key=lambda version: int(version[1:]))


def regression_set(statistics: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """The rows of contract X7: one window of the first model's length per device.

    Args:
        statistics: ``training_statistics`` of the first model; a feature that was never seen is null everywhere.
        profile: features, seed and window length.

    Returns:
        900 devices drawn from the training distribution, feature by feature; 90 with one feature far above everything
        that trained (``scenario`` names it), and 10 that lack every second feature. The same statistics give the same
        rows.
    """
    model = profile.model
    random = np.random.default_rng(model.seed)
    known = statistics.set_index("feature_name")
    table = pd.DataFrame({"device_id": [f"REGRESSION-{n:04d}" for n in range(DEVICES)]})
    for feature in profile.features:
        drawn = random.random(DEVICES)
        told = known.loc[feature.name] if feature.name in known.index else None
        if told is None or pd.isna(told["training_p50"]):
            table[feature.name] = np.nan
        else:
            table[feature.name] = np.interp(drawn, _SHARES, [told[f"training_{name}"] for name in _QUANTILES])
    scenario = pd.Series([None] * DEVICES, dtype="object")
    measured = [f.name for f in profile.features if f.aggregation not in QUALITY_AGGREGATIONS]
    sensed = [name for name in measured if table[name].notna().all()]
    for place in range(_ODD if sensed else 0):
        name, row = sensed[place % len(sensed)], DEVICES - _ODD - _FEW + place
        width = float(known.at[name, "training_max"] - known.at[name, "training_min"]) or 1.0
        table.loc[row, name] = float(known.at[name, "training_max"]) + 2.0 * width
        scenario[row] = f"{FAR_ABOVE}:{name}"
    last = table.index >= DEVICES - _FEW
    table.loc[last, sensed[::2]] = np.nan
    table.loc[last, "sensor_completeness"] = _COMPLETENESS
    scenario[last] = INCOMPLETE
    for name in COUNTS:
        table[name] = table[name].round().fillna(0.0).astype("int32")
    end = _START + pd.Timedelta(minutes=model.window_duration_minutes)
    table = table.assign(
        window_start=_START,
        window_end=end,
        window_duration_minutes=model.window_duration_minutes,
        computed_at=end,
        scenario=scenario,
        fixture_version=fixture_version(profile),
    )
    return table.assign(content_sha256=content_digest(table, profile))[regression_schema(profile).fieldNames()]


def content_digest(rows: pd.DataFrame, profile: Profile) -> str:
    """The sha256 of every value of every row but the digest itself, in the order of the devices."""
    names = [name for name in regression_schema(profile).fieldNames() if name != "content_sha256"]
    found = hashlib.sha256()
    ordered = rows.sort_values("device_id", kind="stable")
    for name in names:
        values = ordered[name]
        numbers = pd.api.types.is_numeric_dtype(values)
        texts = [None if pd.isna(one) else float(one).hex() if numbers else str(one) for one in values]
        found.update(f"{name}:{texts!r}".encode())
    return found.hexdigest()


def refuse_changed(rows: pd.DataFrame, dataset: str, profile: Profile) -> None:
    """Raises :class:`RegressionSetChangedError` unless the stored rows have the digest stored with them."""
    expected, found = str(rows["content_sha256"].iloc[0]), content_digest(rows, profile)
    if found != expected:
        raise RegressionSetChangedError(dataset, str(rows["fixture_version"].iloc[0]), expected, found)
