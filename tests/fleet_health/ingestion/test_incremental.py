"""One history of a small fleet, judged file by file and judged at once: the rows must be the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from shapes import columns
from stored_rows import stored_rows

from fleet_health.contracts import clean as contract
from fleet_health.contracts.loader import shipped_contract
from fleet_health.contracts.raw import MALFORMED_SCHEMA, raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.schemas import stored_schema
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.release import release
from fleet_health.ingestion.transforms import for_profile
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Condition, ImpossibleRow, Profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

START = pd.Timestamp("2026-01-15T23:00:00Z")
TWO_DAYS = pd.Timedelta(days=2)
OUTPUTS = ("clean_sensor_readings", "quarantine_sensor_readings", "dead_letter", "row_conservation")
KNOWN, NEW, LATER, NEVER, BUSY = "REF-KNOWN", "REF-NEW", "REF-LATER", "REF-NEVER", "REF-BUSY"


def small_profile() -> Profile:
    """Refrigeration with four of its sensors and one rule, so that a build is a second and not ten."""
    fleet = shipped_profile("refrigeration")
    wanted = ("temperature_evaporator", "humidity", "superheat", "door_open_close")
    cold = Condition(sensor="temperature_evaporator", op="<=", value=-59.0)
    wet = Condition(sensor="humidity", op=">=", value=99.0)
    rule = ImpossibleRow(id="REF-01", all_of=(cold, wet), reason="so cold an air holds no water")
    cleansing = fleet.cleansing.model_copy(update={"impossible_rows": (rule,)})
    sensors = tuple(fleet.sensor(name) for name in wanted)
    return fleet.model_copy(update={"sensors": sensors, "cleansing": cleansing})


PROFILE = small_profile()
HEALTHY: dict[str, Any] = {
    "temperature_evaporator": -10.0, "humidity": 50.0, "superheat": 6.0, "door_open_close": True
}  # fmt: skip


def row(event: str, device: str, minute: float, sequence: int, *, receipt: float = 1.0, **cells: Any) -> dict[str, Any]:
    """``receipt``: seconds between the reading and its arrival."""
    measured = START + pd.Timedelta(minutes=minute)
    return {
        **HEALTHY,
        "event_id": event,
        "device_id": device,
        "timestamp_device": measured,
        "timestamp_ingested": measured + pd.Timedelta(seconds=receipt),
        "_partition_key": device,
        "_sequence_number": sequence,
        "unreadable": [],
        **cells,
    }


def history(seed: int, devices: Sequence[str] = (KNOWN, NEW, LATER, NEVER)) -> dict[str, list[dict[str, Any]]]:
    """File name -> rows, over two hours around midnight: every fate, sent again within and across files."""
    chance = random.Random(seed)
    rows = [
        row(f"{device}-{minute}", device, minute, minute * 10) for device in devices for minute in range(0, 120, 20)
    ]
    rows += [row(f"busy-{n}", BUSY, n * 2, n) for n in range(60)]  # ten times the rate of the others
    rows += [
        row("empty", KNOWN, 7, 3, **dict.fromkeys(HEALTHY)),
        row("emptied", KNOWN, 8, 4, **{**dict.fromkeys(HEALTHY), "humidity": 140.0}),
        row("ice", KNOWN, 9, 5, temperature_evaporator=-59.5, humidity=99.5),
        row("gap", LATER, 10, 6, superheat=None),
        row("unread", LATER, 11, 7, superheat=None, unreadable=["superheat"]),
        row("later-empty", LATER, 12, 8, **dict.fromkeys(HEALTHY)),
        row("later-ice", LATER, 13, 9, temperature_evaporator=-59.5, humidity=99.5),
        row("1970", KNOWN, 14, 10, timestamp_device=pd.Timestamp("1970-01-01T00:00:00Z")),
        row("2100", KNOWN, 15, 11, timestamp_device=pd.Timestamp("2100-01-01T00:00:00Z")),
        row("old", NEVER, 0, 1, timestamp_ingested=START - pd.Timedelta(days=120)),
    ]
    rows += [
        {
            **one,
            "_sequence_number": one["_sequence_number"] + 5_000,
            "timestamp_ingested": one["timestamp_ingested"] + late,
        }
        for one in chance.sample(rows, 25)
        for late in (pd.Timedelta(seconds=40 * n) for n in range(1, chance.randint(2, 3)))
    ]
    chance.shuffle(rows)
    files: dict[str, list[dict[str, Any]]] = {f"{n}.csv": [] for n in range(6)}
    for one in rows:
        files[chance.choice(list(files))].append(one)
    return files


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """With lists that compare."""
    cell = lambda value: tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value  # noqa: E731
    return frame.map(cell)


@dataclass
class Fleet:
    """The cleansing of one fleet over an in-memory store."""

    spark: SparkSession
    store: InMemoryDatastore = field(default_factory=InMemoryDatastore)

    def __post_init__(self) -> None:
        pipeline = Pipeline()
        self.transforms = {one.__name__: one for one in for_profile(PROFILE)}
        pipeline.add_transforms(*self.transforms.values())
        self.runner = TransformRunner(pipeline, self.store)

    def arrive(self, files: dict[str, list[dict[str, Any]]]) -> None:
        """What deserialising some files adds: their rows, and one torn line each."""
        rows = [
            {**one, "source_file": name, "line_number": number}
            for name, lines in files.items()
            for number, one in enumerate(lines, start=2)
        ]
        frame = pd.DataFrame(rows).reindex(columns=raw_schema(PROFILE).fieldNames())
        for sensor in PROFILE.sensors:
            frame[sensor.name] = frame[sensor.name].astype("boolean" if sensor.type == "boolean" else "float64")
        self.put("raw_sensor_readings", frame, raw_schema(PROFILE), append=True)
        torn = pd.DataFrame(
            [{"dead_letter_id": f"torn {name}", "reason": "SCHEMA_MISMATCH", "source_file": name} for name in files]
        )
        self.put(
            "malformed_messages", torn.reindex(columns=MALFORMED_SCHEMA.fieldNames()), MALFORMED_SCHEMA, append=True
        )

    def register(self, *devices: str) -> None:
        self.store.store_dataframe("/Fleet/refrigeration/device_registry", self.registry(*devices))

    def registry(self, *devices: str) -> DataFrame:
        rows = [
            {"device_id": one, "site_id": "S", "status": "active", "expected_sensors": list(HEALTHY)} for one in devices
        ]
        frame = pd.DataFrame(rows).reindex(columns=REGISTRY_SCHEMA.fieldNames())
        return self.made(frame, REGISTRY_SCHEMA)

    def put(self, name: str, frame: pd.DataFrame, schema: Any, *, append: bool = False) -> None:
        alias = f"/Fleet/refrigeration/{name}"
        append = append and alias in self.store
        self.store.store_dataframe(alias, self.made(frame, schema), append=append)

    def made(self, frame: pd.DataFrame, schema: Any) -> DataFrame:
        empty = [column for column in frame if frame[column].isna().all()]
        frame[empty] = frame[empty].astype("object").where(frame[empty].notna(), None)
        return self.spark.createDataFrame(frame, schema)

    def stored(self, name: str) -> DataFrame:
        return self.store.get_dataframe(f"/Fleet/refrigeration/{name}", self.spark)

    def build(self) -> Any:
        return self.runner.run(self.spark, self.transforms["refrigeration_cleanse"])

    def frame(self, name: str) -> pd.DataFrame:
        return flat(stored_rows(self.store, f"/Fleet/refrigeration/{name}"))

    def outputs(self) -> dict[str, pd.DataFrame]:
        return {name: self.frame(name) for name in OUTPUTS}

    def parts(self, name: str) -> list[Any]:
        return list(self.store.parts(f"/Fleet/refrigeration/{name}"))


@dataclass(frozen=True)
class Steps:
    """Two builds of three files each: what they left, and of which parts each dataset is made."""

    fleet: Fleet
    files: dict[str, list[dict[str, Any]]]
    before: dict[str, pd.DataFrame]
    after: dict[str, pd.DataFrame]
    parts: dict[str, tuple[list[Any], list[Any]]]


def told_apart(files: dict[str, list[dict[str, Any]]], split: Sequence[Sequence[str]]) -> set[str]:
    """Events of which different builds see a copy: which copy survives depends on the order of the builds."""
    build_of = {name: number for number, names in enumerate(split) for name in names}
    builds: dict[str, set[int]] = {}
    for name, rows in files.items():
        for one in rows:
            builds.setdefault(one["event_id"], set()).add(build_of[name])
    return {event for event, numbers in builds.items() if len(numbers) > 1}


def comparable(frame: pd.DataFrame, torn_apart: set[str]) -> list[tuple[Any, ...]]:
    """Rows as text, without the one flag that a later build cannot set any more; of an event with copies in several
    builds also without what tells its copies from each other.
    """
    frame = frame.copy()
    if "quality_flags" in frame:
        kept = [tuple(f for f in flags if f != contract.DUPLICATE_REMOVED) for flags in frame["quality_flags"]]
        frame["quality_flags"] = pd.Series(kept, index=frame.index, dtype="object")
    copy = [
        name
        for name in ("timestamp_ingested", "source_file", "line_number", "_sequence_number", "quarantined_at",
                     "routed_at", "dead_letter_id")
        if name in frame
    ]  # fmt: skip
    frame = frame.astype("object")
    torn = frame["event_id"].isin(torn_apart)
    frame.loc[torn, copy] = "any copy"
    if "quality_flags" in frame:
        # a clock that is not believed is replaced by the receipt, which is that of the surviving copy
        drifted = frame["quality_flags"].map(lambda flags: contract.CLOCK_DRIFT in flags)
        frame.loc[torn & drifted, "timestamp_utc"] = "any copy"
    return sorted((tuple(map(str, cells)) for cells in frame.itertuples(index=False)), key=repr)


def ledger(frame: pd.DataFrame) -> dict[tuple[str, str, str], int]:
    return frame.groupby(["source_file", "outcome", "reason"])["rows"].sum().to_dict()


def assert_conserved(fleet: Fleet, outputs: dict[str, pd.DataFrame], files: dict[str, list[dict[str, Any]]]) -> None:
    """raw = clean + quarantine + dead letters + duplicates, per file and to the row, in the ledger and the datasets."""
    counts = outputs["row_conservation"]
    key = ["source_file", "outcome", "reason", "device_id"]
    assert not counts.duplicated(key).any()
    lines = {name: len(rows) + 1 for name, rows in files.items()}  # one torn line each
    assert counts.groupby("source_file")["rows"].sum().to_dict() == lines
    per_outcome = counts.groupby("outcome")["rows"].sum().to_dict()
    clean, held, dead = (outputs[name] for name in OUTPUTS[:3])
    assert len(clean) == per_outcome["CLEAN"] + per_outcome.get("RELEASED", 0)
    assert (len(held), len(dead)) == (per_outcome["QUARANTINE"], per_outcome["DEAD_LETTER"])
    events = [*clean["event_id"], *held["event_id"], *dead["event_id"].dropna()]
    assert len(set(events)) == len(events)
    assert set(events) == {one["event_id"] for rows in files.values() for one in rows}


def whole(spark: SparkSession, files: dict[str, list[dict[str, Any]]]) -> dict[str, pd.DataFrame]:
    fleet = Fleet(spark)
    fleet.arrive(files)
    fleet.register(KNOWN, NEW, BUSY, LATER)
    fleet.build()
    return fleet.outputs()


SPLIT = (("0.csv", "1.csv", "2.csv"), ("3.csv", "4.csv", "5.csv"))


def two_builds(spark: SparkSession, *registered: str) -> Steps:
    """The second build knows the devices ``registered`` as well."""
    files = history(5)
    files["0.csv"].append(row("stale", LATER, 0, 1, timestamp_ingested=START - pd.Timedelta(days=88, seconds=-1)))
    files["0.csv"].append(row("too stale", LATER, 0, 1, timestamp_ingested=START - pd.Timedelta(days=88)))
    files["0.csv"].append(row("twice", KNOWN, 70, 100, humidity=51.0))
    # the lower sequence number, two days late, by when the receipt counts as its time
    files["4.csv"].append({**row("twice", KNOWN, 70, 1, humidity=52.0), "timestamp_ingested": START + TWO_DAYS})
    fleet = Fleet(spark)
    fleet.register(KNOWN, NEW, BUSY)
    fleet.arrive({name: files[name] for name in SPLIT[0]})
    fleet.build()
    before, first = fleet.outputs(), {name: fleet.parts(name) for name in OUTPUTS}
    fleet.register(KNOWN, NEW, BUSY, *registered)
    fleet.arrive({name: files[name] for name in SPLIT[1]})
    fleet.build()
    return Steps(fleet, files, before, fleet.outputs(), {n: (first[n], fleet.parts(n)) for n in OUTPUTS})


@pytest.fixture(scope="module")
def steps(spark: SparkSession) -> Steps:
    return two_builds(spark)


@pytest.mark.case("ING-HP-04")
def test_every_row_has_one_fate_over_builds(steps: Steps) -> None:
    assert_conserved(steps.fleet, steps.before, {name: steps.files[name] for name in SPLIT[0]})
    assert_conserved(steps.fleet, steps.after, steps.files)
    assert set(steps.after["row_conservation"]["outcome"]) == {"CLEAN", "QUARANTINE", "DEAD_LETTER", "DUPLICATE"}
    assert {str(day) for day in steps.after["clean_sensor_readings"]["date"]} >= {"2026-01-15", "2026-01-16"}


def test_builds_of_parts_end_with_the_rows_of_one_build(steps: Steps) -> None:
    apart = told_apart(steps.files, SPLIT)
    assert len(apart) > 5
    raw, registry = (steps.fleet.stored(name) for name in ("raw_sensor_readings", "device_registry"))
    judged = flat(judge(raw, registry, PROFILE).toPandas())
    names = {"reason": "quarantine_reason", "rule": "quarantine_rule", "known_at": "quarantined_at"}
    at_once = {
        "clean_sensor_readings": judged[judged["outcome"] == "CLEAN"],
        "quarantine_sensor_readings": judged[judged["outcome"] == "QUARANTINE"].rename(columns=names),
    }
    # of two copies that differ, one build of everything takes the lower sequence number
    (lower,) = at_once["clean_sensor_readings"].query("event_id == 'twice'").itertuples()
    assert (lower.humidity, lower.quality_flags) == (52.0, ("CLOCK_DRIFT", "DUPLICATE_REMOVED"))
    for name, one in at_once.items():
        parts = steps.after[name].query("event_id != 'twice'")
        assert comparable(parts, apart) == comparable(one.query("event_id != 'twice'")[list(parts.columns)], apart)
    dead = judged[judged["outcome"] == "DEAD_LETTER"]["event_id"]
    assert set(dead) == set(steps.after["dead_letter"]["event_id"].dropna())
    told = ledger(steps.after["row_conservation"])
    assert sum(n for key, n in told.items() if key[1] == "DUPLICATE") == (judged["outcome"] == "DUPLICATE").sum()


@pytest.mark.case("ING-HP-05")
def test_what_cleansing_writes_is_its_contract(steps: Steps) -> None:
    """Names, types and order, of a profile that has four of the sensors."""
    made = {name: columns(steps.fleet.stored(name).schema) for name in OUTPUTS}
    assert made == {name: columns(stored_schema(name, PROFILE)) for name in OUTPUTS}
    clean = made["clean_sensor_readings"]
    assert clean[:3] == [("event_id", "string"), ("device_id", "string"), ("timestamp_utc", "timestamp")]
    assert clean[3:7] == [
        ("temperature_evaporator", "double"),
        ("humidity", "double"),
        ("superheat", "double"),
        ("door_open_close", "boolean"),
    ]
    assert clean[7:10] == [
        ("quality_flags", "array<string>"),
        ("sensor_null_count", "int"),
        ("timestamp_ingested", "timestamp"),
    ]
    may_be_null = {c.name for c in shipped_contract("clean_sensor_readings").plain.values() if c.nullable}
    assert may_be_null == {"source_file", "line_number"}


@pytest.mark.case("ING-FL-01")
def test_an_increment_leaves_the_rows_before_it_alone(steps: Steps) -> None:
    for name in OUTPUTS:
        first, second = steps.parts[name]
        assert second[: len(first)] == first, name
        assert len(second) == len(first) + 1, name
    before, after = (outputs["clean_sensor_readings"].set_index("event_id") for outputs in (steps.before, steps.after))
    pd.testing.assert_frame_equal(after.loc[list(before.index)], before)


@pytest.mark.case("ING-FL-04")
def test_the_first_copy_stays_and_the_later_one_is_counted(steps: Steps) -> None:
    clean = steps.after["clean_sensor_readings"].set_index("event_id")
    assert clean.loc["twice", ["humidity", "source_file", "quality_flags"]].tolist() == [51.0, "0.csv", ()]
    known = {e for name in OUTPUTS[:3] for e in steps.before[name]["event_id"].dropna()}
    late = [one["event_id"] for name in SPLIT[1] for one in steps.files[name]]
    counted = ledger(steps.after["row_conservation"])
    told = sum(n for (name, outcome, _), n in counted.items() if outcome == "DUPLICATE" and name in SPLIT[1])
    assert told == len(late) - len({*late} - known)


@pytest.mark.nightly
def test_a_registered_device_is_freed_with_the_verdict_it_would_have_had(steps: Steps) -> None:
    """The rows alone; that they move from dataset to dataset is proved below."""
    registry = steps.fleet.registry(KNOWN, NEW, BUSY, LATER)
    held, raw = (steps.fleet.stored(name) for name in ("quarantine_sensor_readings", "raw_sensor_readings"))
    freed = flat(release(held, registry, raw, PROFILE).freed.toPandas()).set_index("event_id")
    assert set(freed["device_id"]) == {LATER}
    assert "too stale" not in freed.index  # exactly 90 days before the newest receipt, which came two days late
    assert freed.loc["stale", "outcome"] == "CLEAN"
    assert "SENSOR_GAP" in freed.loc["gap", "quality_flags"]
    assert [f for f in freed.loc["unread", "quality_flags"] if f != "DUPLICATE_REMOVED"] == ["UNREADABLE_VALUE"]
    assert freed.loc["later-empty", ["outcome", "reason"]].tolist() == ["DEAD_LETTER", "ALL_SENSORS_NULL"]
    assert freed.loc["later-ice", ["outcome", "reason", "rule"]].tolist() == ["QUARANTINE", "IMPOSSIBLE_ROW", "REF-01"]


@pytest.mark.nightly
def test_a_build_that_adds_nothing_commits_nothing(steps: Steps) -> None:
    assert steps.fleet.build().aborted


@pytest.mark.nightly
def test_a_release_moves_rows_from_quarantine_to_where_they_belong(spark: SparkSession) -> None:
    steps = two_builds(spark, LATER)
    assert_conserved(steps.fleet, steps.after, steps.files)
    assert "RELEASED" in set(steps.after["row_conservation"]["outcome"])
    # quarantine alone was rewritten, because rows left it
    assert [len(steps.parts[name][1]) for name in OUTPUTS] == [2, 1, 2, 2]
    apart, at_once = told_apart(steps.files, SPLIT), whole(spark, steps.files)
    for name in OUTPUTS[:3]:
        parts, one = (o[name].query("event_id not in ('twice', 'too stale')") for o in (steps.after, at_once))
        assert comparable(parts, apart) == comparable(one, apart), name
    held = steps.after["quarantine_sensor_readings"].query("quarantine_reason == 'DEVICE_UNKNOWN'")
    assert set(held[held["device_id"] == LATER]["event_id"]) == {"too stale"}
    assert steps.fleet.build().aborted  # what is too old to be released makes no build of its own


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(12))
def test_any_split_in_any_order_ends_with_the_same_rows(spark: SparkSession, seed: int) -> None:
    chance, files = random.Random(seed), history(seed)
    names = list(files)
    chance.shuffle(names)
    cuts = sorted(chance.sample(range(1, len(names)), chance.randint(1, 4)))
    split = [names[a:b] for a, b in zip([0, *cuts], [*cuts, len(names)], strict=True)]
    registered = chance.randrange(len(split))
    fleet = Fleet(spark)
    for number, part in enumerate(split):
        fleet.register(KNOWN, NEW, BUSY, *([LATER] if number >= registered else []))
        fleet.arrive({name: files[name] for name in part})
        fleet.build()
        assert_conserved(fleet, fleet.outputs(), {name: files[name] for done in split[: number + 1] for name in done})
    apart, at_once, found = told_apart(files, split), whole(spark, files), fleet.outputs()
    for name in OUTPUTS[:3]:
        assert comparable(found[name], apart) == comparable(at_once[name], apart), (name, split)
