"""A tiny fleet with cohorts, and every model family trained on it as the shipped profile declares it, only smaller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from fleet_health.training_data.described import described_models
from model_training.training import Trained, fitted
from palantir_models.state import ModelStateWriter

REFRIGERATION = shipped_profile("refrigeration")
NAMES = ("temp_evaporator_mean", "temp_evaporator_std", "current_compressor_mean", "pressure_low_mean", "reading_count")
KEPT = (*NAMES, "sensor_completeness", "quality_flag_count")
DAY = pd.Timedelta(days=1)
UNTIL = pd.Timestamp("2026-03-31")


def small() -> Profile:
    """The shipped declarations with few trees, short networks and few features."""
    baseline, autoencoder, days = REFRIGERATION.models
    few = {"value": 40.0, "reason": "a tiny fleet has few rows"}
    members = {"rows_per_cohort_min": type(autoencoder.rows_per_cohort_min).model_validate(few)}  # type: ignore[union-attr]
    return REFRIGERATION.model_copy(
        update={
            "features": tuple(f for f in REFRIGERATION.features if f.name in KEPT),
            "model": REFRIGERATION.model.model_copy(update={"n_estimators": 20, "max_samples": 64}),
            "models": (
                baseline,
                autoencoder.model_copy(update={**members, "hidden_layers": (4, 2, 4), "epochs_max": 15}),
                days.model_copy(update={**members, "min_samples": 5}),
            ),
        }
    )


PROFILE = small()
FAMILIES = {model.family: model for model in PROFILE.every_model}


def table(minutes: int, devices: int = 10, days: int = 48, seed: int = 1) -> pd.DataFrame:
    """One window a day per device: 38 days that train, a week that judges; the last device is held out."""
    starts = pd.date_range(UNTIL - (days - 1) * DAY, UNTIL, freq="D")
    rows = pd.MultiIndex.from_product([[f"d{n}" for n in range(devices)], starts], names=["device_id", "window_start"])
    made = rows.to_frame(index=False)
    random = np.random.default_rng(seed + minutes)
    for place, name in enumerate(PROFILE.model_features):
        made[name] = random.normal(10.0 * place, 1.0 + 0.1 * place, len(made))
    made["sensor_completeness"], made["quality_flag_count"] = 1.0, 0
    number = made["device_id"].str[1:].astype(int)
    made[NAMES[0]] += 0.3 * number  # devices differ, so that they have an order
    made["cohort_id"] = np.where(number < 4, "A", np.where(number < 8, "B", None))
    made["device_part"] = np.where(number == devices - 1, "validation", "train")
    made["period"] = np.where(made["window_start"] > UNTIL - 7 * DAY, "validation", "train")
    wanted = (made["period"] == "validation") | (made["device_part"] == "train")
    gap = (made["window_start"] > UNTIL - 14 * DAY) & (made["period"] == "train")
    made = made[wanted & ~gap].reset_index(drop=True)
    made["window_end"] = made["window_start"] + pd.Timedelta(minutes=minutes)
    return made.assign(window_duration_minutes=minutes, assembled_at=UNTIL + DAY, snapshot_id="tx")


def assembled(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``training_data`` and ``training_statistics`` of these windows."""
    learned = rows[(rows["device_part"] == "train") & (rows["period"] == "train")]
    statistics = described_models(learned, PROFILE, "tx").statistics
    names = list(PROFILE.model_features)
    vectors = list(rows[names].to_numpy(dtype=float))
    return rows.assign(feature_vector=vectors, feature_names=[names] * len(rows)), statistics


WINDOWS = pd.concat([table(minutes) for minutes in (15, 60, 1440)], ignore_index=True)
DATA, STATISTICS = assembled(WINDOWS)


def of_family(family: str, data: pd.DataFrame = DATA, statistics: pd.DataFrame = STATISTICS) -> Trained:
    model = FAMILIES[family]
    return fitted(data[data["window_duration_minutes"] == model.window_duration_minutes], statistics, PROFILE, model)


def probe(rows: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(77)
    made = pd.DataFrame(random.normal(10.0, 4.0, (rows, len(PROFILE.model_features))), columns=PROFILE.model_features)
    return made.assign(device_id="d1", cohort_id=[("A", "B", None, "never seen")[n % 4] for n in range(rows)])


def files(model: Trained, folder: Path) -> dict[str, bytes]:
    """What a version of the model would store."""
    model.adapter.save(ModelStateWriter(folder))
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
