"""A device that raised nothing still gives a frame that Spark takes for the schema of events."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from fleet_health.alerting.events import events_frame
from fleet_health.contracts.alerts import EVENT_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from transforms.api._arrow import arrow_schema


def test_no_event_is_an_empty_frame_of_the_event_schema() -> None:
    scores = pd.DataFrame(
        {
            "device_id": "unit",
            "window_duration_minutes": 15,
            "window_end": [datetime(2026, 1, 1, tzinfo=UTC)],
            "anomaly_score": 0.2,
            "model_id": "isolation_forest_v1",
            "anomaly_flag": False,
            "top_contributors": [["a"]],
        }
    )
    made = events_frame(scores, shipped_profile("refrigeration").alerting)
    table = pa.Table.from_pandas(made, schema=arrow_schema(EVENT_SCHEMA), preserve_index=False)
    assert (table.num_rows, table.column_names) == (0, EVENT_SCHEMA.fieldNames())
