"""A fleet of forty units over 110 days, one quarter-hour window each at every fourth noon: enough to be divided.

Its first instants are chosen so that training period, gap and validation period have windows at both of their edges.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from fleet_health.profiles.learning import ExcludedPeriod
from fleet_health.profiles.loader import shipped_profile
from fleet_health.training_data.split import part_of

REFRIGERATION = shipped_profile("refrigeration")
KEPT = ("temp_evaporator_mean", "current_compressor_mean", "humidity_mean")
QUALITY = ("sensor_completeness", "quality_flag_count", "reading_count")
SPLIT: Any = REFRIGERATION.training.split
OUTAGE = (datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 2, 11, tzinfo=UTC))
PROFILE = REFRIGERATION.model_copy(
    update={
        # a few features behave like all of them and cost a tenth of the planning
        "features": tuple(f for f in REFRIGERATION.features if f.name in (*KEPT, *QUALITY)),
        "models": REFRIGERATION.models[2:],  # the days, for a second window length
        "training": REFRIGERATION.training.model_copy(
            update={
                "exclude": (
                    ExcludedPeriod(kind="outage", start=OUTAGE[0], end=OUTAGE[1], reason="the power was off"),
                    ExcludedPeriod(
                        kind="maintenance",
                        device_id="unit-00",
                        start=datetime(2026, 2, 20, 10, tzinfo=UTC),
                        end=datetime(2026, 2, 20, 13, tzinfo=UTC),
                        reason="the fan was replaced",
                    ),
                )
            }
        ),
    }
)
DEVICES = [f"unit-{n:02d}" for n in range(40)]
FIRST, LAST = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-04-21")
JUDGED = pd.Timestamp("2026-04-14")
TRAINED = pd.Timestamp("2026-04-07")
QUARTER = pd.Timedelta(minutes=15)
PART = {device: part_of(device, SPLIT) for device in DEVICES}


def _windows(starts: list[pd.Timestamp], minutes: int, devices: list[str], **cells: Any) -> pd.DataFrame:
    table = pd.MultiIndex.from_product([devices, starts], names=["device_id", "window_start"]).to_frame(index=False)
    random = np.random.default_rng(minutes + len(table))
    values = {name: random.normal(10.0 * (n + 1), 1.0, len(table)) for n, name in enumerate(KEPT)}
    full = {"sensor_completeness": 0.95, "quality_flag_count": 0, "reading_count": minutes}
    ends = table["window_start"] + pd.Timedelta(minutes=minutes)
    return table.assign(**{**values, **full, **cells}, window_duration_minutes=minutes, window_end=ends)


def feature_table() -> pd.DataFrame:
    """Rows in the shape of ``device_features``: windows at the edges of the split, and some that may not train."""
    noons = list(pd.date_range(FIRST + pd.Timedelta(hours=12), LAST, freq="4D"))
    edges = [TRAINED - QUARTER, TRAINED, JUDGED - QUARTER, JUDGED, LAST - QUARTER]
    straddling = _windows([TRAINED - pd.Timedelta(hours=12), JUDGED - pd.Timedelta(hours=12)], 1440, DEVICES)
    days = _windows(list(pd.date_range(FIRST, LAST, freq="10D", inclusive="left")), 1440, DEVICES)
    days.loc[days["device_id"] == "unit-00", "quality_flag_count"] = 5
    days.loc[days["device_id"] == "unit-01", "reading_count"] = 959
    early = [pd.Timestamp("2026-02-01 03:00")]
    table = pd.concat(
        [
            _windows([*noons, *edges], 15, DEVICES),
            days,
            straddling,
            _windows(early, 15, ["unit-00", "unit-02"], sensor_completeness=0.65),
            _windows(early, 15, ["unit-03"], quality_flag_count=6),
            _windows(early, 15, ["unit-04"], reading_count=9),
        ],
        ignore_index=True,
    )
    # two of five values are missing, and every unit has some to go by
    hidden = (table.index % 5 < 2) & (table["window_duration_minutes"] == 15)
    table["humidity_mean"] = table["humidity_mean"].mask(hidden)
    return table.assign(computed_at=table["window_end"] + pd.Timedelta(minutes=20))
