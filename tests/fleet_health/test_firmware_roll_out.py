"""A roll-out that changes what units send, from their messages to what is said of it: SC-22 and SC-25 on one fleet.

Nothing here is an equipment fault; what notices are the null share of a sensor and a check on raw readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from whole_way import PROFILE, Stored, parsed

from fleet_health.contracts.compiled import checks_of
from fleet_health.ingestion import routing
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.deserialise import readable
from fleet_health.ingestion.registry import registry_from_text
from fleet_health.monitoring.definitions import shipped_metrics
from fleet_health.monitoring.health import judged
from fleet_health.monitoring.measured import Watched, collected
from fleet_health.monitoring.passes import MEASURES, PASSES
from mirror.checks import CheckSubject, evaluate
from mirror.synth import Anomaly, SynthRequest, load_fleet, write_fleet
from mirror.synth.device import describe

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

HOURS, SEED, ONSET = 14, 18, 10
UNITS, STRUCK = 20, 2
"""Units that report humidity, and the tenth of them whose new firmware does not."""


@dataclass(frozen=True)
class Received:
    """Messages as raw and as clean readings, and who should report what."""

    raw: DataFrame
    clean: DataFrame
    registry: DataFrame


@pytest.fixture(scope="module")
def received(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Received:
    fleet, folder = load_fleet(), tmp_path_factory.mktemp("roll-out")
    fitted = [place for place in range(40) if "humidity" in describe(fleet, SEED, place).expected_sensors][:UNITS]
    planted = tuple(Anomaly(place, "firmware_drops_sensor", ONSET) for place in fitted[:STRUCK])
    planted += (Anomaly(fitted[STRUCK], "nan_values"),)
    made = write_fleet(
        fleet, SynthRequest(fitted[-1] + 1, HOURS, SEED, planted, chunk_rows=1, format="csv"), folder / "fleet"
    )
    text = pd.read_csv(made.registry, dtype=str, keep_default_na=False).iloc[fitted]
    registry = registry_from_text(spark.createDataFrame(text), PROFILE).persist()
    stored = Stored(spark, folder / "steps")
    raw = readable(parsed(stored, made.files[0].parent, [made.files[place].name for place in fitted]), PROFILE)
    rows = stored(judge(raw, registry, PROFILE))
    return Received(raw, stored(routing.clean_rows(rows, PROFILE)), registry)


def test_a_tenth_of_the_fleet_without_a_sensor_is_ten_points_of_it(received: Received) -> None:
    frames = {"clean_sensor_readings": received.clean, "device_registry": received.registry}
    watched = Watched(frames, PROFILE)
    figures = collected(watched, [one for one in PASSES if "sensor_null_share" in one.measures])
    (metric,) = (one for one in shipped_metrics(MEASURES) if one.id == "NUL-01")
    said = judged([metric], figures, PROFILE, set(watched.frames)).verdicts
    verdicts = {told.dimension: told for _, told in said}
    assert len(verdicts) == len(PROFILE.sensors)
    assert {name for name, told in verdicts.items() if told.severity is not None} == {"humidity"}
    newest = max(
        (one for one in figures["sensor_null_share"] if one.dimension == "humidity"), key=lambda one: one.period
    )
    assert newest.value == pytest.approx(STRUCK / UNITS, abs=0.005)
    assert verdicts["humidity"].severity == "MEDIUM"


def test_numbers_that_are_none_warn_and_stop_nothing(received: Received, spark: SparkSession) -> None:
    (check,) = (check for check in checks_of("raw_sensor_readings", PROFILE) if check.name.startswith("RAW-03"))
    subject = CheckSubject("raw_sensor_readings", received.raw.schema, lambda: received.raw)
    (told,) = evaluate([check], subject, spark=spark, now=datetime(2026, 1, 6, tzinfo=UTC))
    assert (told.outcome, told.blocks) == ("FAIL", False)
    assert "superheat" in f"{told.detail} {told.measured}"
