"""Synthetic fleets from raw messages to alerts. One walk of 21 units answers most cases, one unit each; the ten healthy
ones train the model. A second walk knows a single unit and fewer hours, and may not see any of it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from shapes import columns
from whole_way import PROFILE, Measured, Scored, Stored, measured, scored, trained

from fleet_health.contracts.compiled import checks_of, input_checks_of
from fleet_health.contracts.schemas import stored_schema
from fleet_health.ingestion.registry import registry_from_text
from fleet_health.model_input.prepared import model_input_exclusions
from fleet_health.monitoring.dropouts import dropout_flags
from mirror.checks import CheckSubject, evaluate
from mirror.synth import Anomaly, Fleet, SynthRequest, load_fleet, write_fleet
from mirror.synth.fleet import Scenario

pytestmark = pytest.mark.timeout(600)  # the two walks take half a minute, and minutes on a busy machine

HOURS, SEED = 14, 18  # ten units teach a model little: with three seeds of seven it wakes somebody for a healthy one
HEALTHY = [f"REF-TEST-{n:05d}" for n in range(10)]
SPIKE, LEAK, NULLS, DROPOUT, ONE_SENSOR, SILENT, HALF, BURST, MIXED, REPLAY = (
    f"REF-TEST-{n:05d}" for n in range(10, 20)
)
FAST = BORDER = "REF-TEST-00020"
LEAK_HOUR = 10  # of the long series, so that the leak has a whole day
REPLAY_LEAD = 22  # its 30 silent hours begin before the others, so that it empties its buffer in their eighth hour
CUT = 10  # hours that the second walk knows


@dataclass(frozen=True)
class World:
    """Both halves of the first walk, and of the one that knows less."""

    start: pd.Timestamp
    before: Measured
    after: Scored
    alone: Scored

    def windows(self, device: str, minutes: int = 15) -> pd.DataFrame:
        rows = self.before.windows
        return rows[(rows["device_id"] == device) & (rows["window_duration_minutes"] == minutes)]

    def verdicts(self, device: str) -> pd.DataFrame:
        return self.before.judged[self.before.judged["device_id"] == device]

    def since(self, hours: float) -> pd.Timestamp:
        return self.start + pd.Timedelta(hours=hours)


def _fleet() -> Fleet:
    fleet = load_fleet()
    numeric = [sensor.name for sensor in fleet.numeric]
    blank = {"effect": "blank"}
    own: dict[str, list[dict[str, Any]]] = {
        "scattered_nulls": [{**blank, "sensors": [name], "share": 0.02} for name in numeric],
        "one_sensor_left": [{**blank, "sensors": [n for n in fleet.sensor_names if n != "temperature_ambient"]}],
        "strangers_and_torn": [{"effect": "stranger", "share": 0.1}, {"effect": "garble", "share": 0.1}],
    }
    made = {
        name: Scenario.model_validate({"id": "TEST", "equipment": False, "onset_hours": 0, "effects": effects})
        for name, effects in own.items()
    }
    return fleet.model_copy(update={"scenarios": {**fleet.scenarios, **made}})


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    fleet, folder = _fleet(), tmp_path_factory.mktemp("fleet")
    start = fleet.start + timedelta(hours=REPLAY_LEAD)
    planted = (
        Anomaly(10, "compressor_vibration_spike", 8),
        Anomaly(12, "scattered_nulls"),
        Anomaly(13, "intermittent_dropout", 2),
        Anomaly(14, "one_sensor_left"),
        Anomaly(15, "full_dropout"),
        Anomaly(16, "half_rate"),
        Anomaly(17, "duplicate_burst"),
        Anomaly(18, "strangers_and_torn"),
        Anomaly(20, "compressor_vibration_spike", 8.125),
    )
    request = SynthRequest(21, HOURS, SEED, planted, start=start, chunk_rows=1, format="csv")
    earlier = (Anomaly(19, "buffered_replay_30h"), Anomaly(11, "refrigerant_leak", LEAK_HOUR))
    long = SynthRequest(20, HOURS + REPLAY_LEAD, SEED, earlier, chunk_rows=1, format="csv")
    made, replayed = write_fleet(fleet, request, folder / "a"), write_fleet(fleet, long, folder / "b")
    landed = made.files[0].parent
    (landed / "part-00019.csv").write_bytes(replayed.files[19].read_bytes())
    _only_the_first(replayed.files[11], landed / "part-00011.csv", (LEAK_HOUR + 15) * 60)
    repeats = _in_two_batches(landed / "part-00017.csv")
    _ten_times_as_often(landed / "part-00020.csv", hours=1)
    _only_the_first(landed / "part-00000.csv", landed / "alone.csv", CUT * 60)
    names = [_in_one_file([landed / file.name for file in made.files], landed / "fleet.csv"), *repeats]
    registry = pd.read_csv(made.registry, dtype=str, keep_default_na=False)
    known = registry_from_text(spark.createDataFrame(registry), PROFILE).persist()
    before = measured(Stored(spark, folder / "among"), landed, names, known)
    model = trained(before, HEALTHY)
    alone = scored(measured(Stored(spark, folder / "alone"), landed, ["alone.csv"], known), model)
    return World(pd.Timestamp(start).tz_localize(None), before, scored(before, model), alone)


def _in_one_file(files: list[Path], to: Path) -> str:
    """As a fleet is delivered; twenty units are then read as quickly as one."""
    header, *_ = files[0].read_text().splitlines()
    lines = [line for file in files for line in file.read_text().splitlines()[1:]]
    to.write_text("\n".join([header, *lines]) + "\n")
    return to.name


def _in_two_batches(file: Path) -> list[str]:
    """The copies that follow a message go into the next file."""
    header, *lines = file.read_text().splitlines()
    first: dict[str, str] = {}
    later = []
    for line in lines:
        event = line.partition(",")[0]
        if event in first:
            later.append(line)
        else:
            first[event] = line
    file.write_text("\n".join([header, *first.values()]) + "\n")
    file.with_name("repeats.csv").write_text("\n".join([header, *later]) + "\n")
    return ["repeats.csv"]


def _ten_times_as_often(file: Path, hours: int) -> None:
    """Every message of the first hours ten times, six seconds apart and each with an id of its own."""
    header, *lines = file.read_text().splitlines()
    made = []
    for line in lines[: hours * 60]:
        event, device, measured_at, received, rest = line.split(",", 4)
        stamps = [str(pd.Timestamp(measured_at) + pd.Timedelta(seconds=6 * n)).replace(" ", "T") for n in range(10)]
        made += [f"{event}-{n},{device},{stamp},{received},{rest}" for n, stamp in enumerate(stamps)]
    file.write_text("\n".join([header, *made, *lines[hours * 60 :]]) + "\n")


def _only_the_first(file: Path, to: Path, rows: int) -> None:
    to.write_text("\n".join(file.read_text().splitlines()[: rows + 1]) + "\n")


def loud(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts[alerts["severity"].isin(["HIGH", "CRITICAL"])]


@pytest.mark.case("E2E-HP-01")
def test_a_healthy_fleet_stays_quiet(world: World) -> None:
    scores = world.after.scores[world.after.scores["device_id"].isin(HEALTHY)]
    assert len(scores) == 10 * (HOURS * 4 - 2)  # the last half hour is not closed yet
    assert 0.0 < scores["anomaly_flag"].mean() <= 0.08
    disturbed = set(loud(world.after.alerts)["device_id"])
    assert len(disturbed & set(HEALTHY)) <= 1


@pytest.mark.case("E2E-HP-02")
def test_a_spike_is_flagged_in_its_first_window_and_named(world: World) -> None:
    own = world.after.of(SPIKE)
    first = own[own["window_start"] == world.since(8)].iloc[0]
    assert first["anomaly_flag"]
    assert first["top_contributors"][0].startswith(("vibration", "current"))
    alerts = world.after.alerts[world.after.alerts["device_id"] == SPIKE]
    assert alerts["window_end"].le(world.since(8.5)).any()


@pytest.mark.case("E2E-HP-03")
def test_a_leak_scores_higher_by_the_hour(world: World) -> None:
    own = world.after.of(LEAK)
    onset = world.since(LEAK_HOUR - REPLAY_LEAD)
    leaking = own[own["window_start"] >= onset]
    assert leaking["anomaly_score"].rank().corr(leaking["window_end"].rank()) > 0.5
    flagged = leaking.set_index("window_end")["anomaly_flag"].rolling(4).sum()
    assert flagged[flagged >= 3].index.min() <= onset + pd.Timedelta(hours=14)


@pytest.mark.case("E2E-HP-04")
def test_every_frame_on_the_way_is_its_contract(world: World) -> None:
    """Names, types and order, as the functions hand them on. Each build checks what its transforms store, and at night
    those of every transform are compared.
    """
    found = {**world.before.schemas, **world.after.schemas}
    told = {name: columns(schema) for name, schema in found.items()}
    assert told == {name: columns(stored_schema(name, PROFILE)) for name in found}
    assert len(told) == 11


@pytest.mark.case("E2E-HP-05", "E2E-DI-02")
def test_a_unit_walked_again_alone_has_the_same_ids_and_scores(world: World) -> None:
    columns = ["score_id", "anomaly_score", "anomaly_flag", "top_contributors", "imputed_feature_count"]
    alone, among = world.alone.of(HEALTHY[0]), world.after.of(HEALTHY[0])
    assert len(alone) == CUT * 4 - 2
    pd.testing.assert_frame_equal(alone[columns], among[columns].head(len(alone)), check_exact=True)


@pytest.mark.case("E2E-DI-01")
def test_sick_neighbours_move_no_score(world: World) -> None:
    alone, among = (way.of(HEALTHY[0])["anomaly_score"].to_numpy() for way in (world.alone, world.after))
    assert world.after.of(SPIKE)["anomaly_score"].max() > among.max()
    np.testing.assert_allclose(alone, among[: len(alone)], rtol=0, atol=1e-9)


@pytest.mark.case("E2E-FL-01")
def test_a_later_walk_repeats_the_earlier_alerts(world: World) -> None:
    early = world.alone.alerts.sort_values("alert_id", ignore_index=True)
    later = world.after.alerts
    later = later[later["alert_id"].isin(early["alert_id"])].sort_values("alert_id", ignore_index=True)
    own = world.after.alerts.query("device_id == @HEALTHY[0]")
    known = own[own["alert_created_at"] <= world.since(CUT - 0.5)]
    assert set(early["alert_id"]) == set(known["alert_id"])
    told = ["alert_id", "alert_type", "severity", "anomaly_score", "suppressed", "alert_created_at", "sla_deadline"]
    # both columns of instants hold the same ones, in another resolution
    pd.testing.assert_frame_equal(early[told], later[told], check_dtype=False)


@pytest.mark.case("E2E-FL-02")
def test_no_flag_before_the_fault_beyond_the_healthy_rate(world: World) -> None:
    own = world.after.of(SPIKE)
    before = own[own["window_end"] <= world.since(8)]
    assert len(before) == 32
    calm = world.after.scores[world.after.scores["device_id"].isin([*HEALTHY, BURST, MIXED, HALF])]
    assert before["anomaly_flag"].mean() <= calm.groupby("device_id")["anomaly_flag"].mean().max()
    assert own[own["window_start"] >= world.since(8)]["anomaly_flag"].mean() > 0.5


@pytest.mark.case("E2E-NU-01")
def test_scattered_nulls_cost_no_coverage(world: World) -> None:
    counts = world.verdicts(NULLS)["sensor_null_count"]
    assert counts.mean() - counts.min() == pytest.approx(12 * 0.02, rel=0.25)
    assert len(world.after.of(NULLS)) == len(world.windows(NULLS))


@pytest.mark.case("E2E-NU-02")
def test_a_unit_that_drops_a_third_of_its_rows_is_scored(world: World) -> None:
    rows = world.verdicts(DROPOUT)
    rows = rows[rows["timestamp_utc"] >= world.since(2)]
    gaps = rows["quality_flags"].map(lambda flags: "SENSOR_GAP" in flags)
    assert gaps.mean() == pytest.approx(0.3, abs=0.05)
    windows = world.windows(DROPOUT).query("window_start >= @world.since(2)")
    missing = world.verdicts(DROPOUT)["sensor_null_count"].min()
    assert windows["sensor_completeness"].mean() == pytest.approx(1 - (0.3 * 12 + 0.7 * missing) / 14, abs=0.04)
    assert len(world.after.of(DROPOUT)) >= 0.95 * len(world.windows(DROPOUT))


@pytest.mark.case("E2E-NU-03")
def test_one_working_sensor_is_too_few(world: World) -> None:
    windows = world.windows(ONE_SENSOR)
    assert windows["sensor_completeness"].unique() == pytest.approx([1 / 14])
    assert world.after.of(ONE_SENSOR).empty
    own = world.after.vectors.where(world.after.vectors["device_id"] == ONE_SENSOR)
    excluded = model_input_exclusions(own).toPandas()
    assert excluded["reason"].value_counts().to_dict() == {"SENSOR_COMPLETENESS_BELOW_GATE": len(windows)}


@pytest.fixture(scope="module")
def hours(world: World) -> pd.DataFrame:
    """How the silent unit and the one at half the rate reported, by the end of the hour."""
    before = world.before
    clean, registry = (rows.where(rows["device_id"].isin(SILENT, HALF)) for rows in (before.clean, before.registry))
    flags = dropout_flags(clean, registry, PROFILE, round(world.start.timestamp())).toPandas()
    return flags.pivot(index="evaluated_hour", columns="device_id", values="dropout_type")


@pytest.mark.case("E2E-EC-01")
def test_a_silent_unit_is_no_equipment_alert(world: World, hours: pd.DataFrame) -> None:
    fallen = hours.index[hours[SILENT] == "FULL_DROPOUT"]
    assert list(fallen) == [world.since(hour) for hour in (7, 8, 9)]
    quiet = [world.windows(SILENT)["window_start"], world.after.of(SILENT)["window_start"]]
    for starts in quiet:
        assert len(starts) == (HOURS - 3) * 4 - 2
        assert not starts.between(world.since(6), world.since(9), inclusive="left").any()
    alerts = world.after.alerts[world.after.alerts["device_id"] == SILENT]
    assert not alerts["window_end"].between(world.since(6.01), world.since(9)).any()


@pytest.mark.case("E2E-EC-02")
def test_half_the_rate_is_judged_per_window_length(world: World, hours: pd.DataFrame) -> None:
    """7 or 8 of 15 readings are below the ten that a training window needs; 30 in an hour are not, and both score."""
    assert set(hours[HALF]) == {"HEALTHY"}  # half of what is expected is not less than half
    assert set(world.windows(HALF)["reading_count"]) <= {7, 8}
    assert set(world.windows(HALF, 60)["reading_count"]) == {30}
    floor = PROFILE.model.training_reading_count_min.value
    assert 8 < floor <= 30
    assert len(world.after.of(HALF)) == HOURS * 4 - 2


@pytest.mark.case("E2E-EC-03")
def test_a_replayed_day_stays_out_of_todays_windows(world: World) -> None:
    rows = world.verdicts(REPLAY)
    assert len(rows) == (HOURS + REPLAY_LEAD) * 60
    drifted = rows[rows["quality_flags"].map(lambda flags: "CLOCK_DRIFT" in flags)]
    assert len(drifted) == pytest.approx(6 * 60, abs=10)  # of 30 h those that are older than 24
    released = world.since(30 - REPLAY_LEAD)
    assert drifted["timestamp_utc"].between(released, released + pd.Timedelta(minutes=10)).all()
    now = world.windows(REPLAY).query("window_start >= @released")
    assert len(now) > 0
    assert now["reading_count"].max() == 15


@pytest.mark.case("E2E-EC-04")
def test_a_burst_of_repeats_counts_once(world: World) -> None:
    assert world.verdicts(BURST)["outcome"].value_counts().to_dict() == {"CLEAN": HOURS * 60, "DUPLICATE": 120}
    assert set(world.windows(BURST)["reading_count"]) == {15}


@pytest.mark.nightly
@pytest.mark.case("E2E-EC-05")
def test_a_fault_that_begins_within_a_window_is_flagged_there_or_in_the_next(world: World) -> None:
    own = world.after.of(BORDER)
    around = own[own["window_start"].isin([world.since(8), world.since(8.25)])]
    assert len(around) == 2
    assert around["anomaly_flag"].any()


@pytest.mark.case("E2E-BI-01")
def test_strangers_and_torn_messages_are_contained(world: World) -> None:
    unknown = world.before.judged[world.before.judged["outcome"] == "QUARANTINE"]
    assert set(unknown["reason"]) == {"DEVICE_UNKNOWN"}
    assert len(unknown) == pytest.approx(HOURS * 60 * 0.1, rel=0.4)
    why = world.before.malformed.select("reason").toPandas()["reason"]
    dead = why.isin(["SCHEMA_MISMATCH", "DESERIALIZATION_FAILURE"]).sum()
    clean = len(world.verdicts(MIXED).query("outcome == 'CLEAN'"))
    assert dead > 0
    assert clean + len(unknown) + dead == HOURS * 60
    assert set(world.windows(HEALTHY[0])["reading_count"]) == {15}


@pytest.mark.case("E2E-BI-02")
def test_a_renamed_column_stops_at_the_first_border(spark: SparkSession) -> None:
    """Raw readings are judged before anything is made of them, each later dataset before the next step reads it."""
    borders = ["clean_sensor_readings", "device_features", "model_input", "model_scores", "device_alerts"]
    checks = {"raw_sensor_readings": input_checks_of("raw_sensor_readings", PROFILE)}
    checks |= {name: checks_of(name, PROFILE) for name in borders}
    for name, all_of in checks.items():
        (schema,) = [check for check in all_of if "schema equals the contract" in check.name]
        old = stored_schema(name, PROFILE).fieldNames()[-3]
        frame = spark.createDataFrame([], stored_schema(name, PROFILE)).withColumnRenamed(old, "renamed")
        subject = CheckSubject(name, frame.schema, lambda frame=frame: frame)  # type: ignore[misc]
        (result,) = evaluate([schema], subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC))
        assert (result.outcome, result.blocks) == ("FAIL", True), name
        assert old in result.detail


def test_a_unit_at_ten_times_the_rate_is_scored_and_crowds_nobody_out(world: World) -> None:
    counts = world.windows(FAST).sort_values("window_start")["reading_count"].tolist()
    assert counts == [150] * 4 + [15] * (HOURS * 4 - 2 - 4)
    assert len(world.after.of(FAST)) == len(counts)
    assert set(world.windows(HEALTHY[0])["reading_count"]) == {15}
