"""How far away an earlier copy of a message is looked for: a week, as long as a hub can send it again."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import SparkSession

from fleet_health.ingestion.look_back import Added, seen_before

DAY = date(2026, 1, 15)


def test_a_copy_is_known_for_a_week_before_and_after_and_no_longer(spark: SparkSession) -> None:
    away = {f"{n:+d}": DAY + timedelta(days=n) for n in (-8, -7, 0, 7, 8)}
    written = pd.DataFrame({"event_id": [*away, "another"], "date": [*away.values(), DAY]})
    clean = spark.createDataFrame(written, "event_id string, date date")
    added = spark.createDataFrame(pd.DataFrame({"event_id": [*away, "new"]}))
    found = seen_before(added, [clean], Added(rows=len(away) + 1, days=(DAY,), newest=0))
    assert sorted(row["event_id"] for row in found.collect()) == ["+0", "+7", "-7"]
