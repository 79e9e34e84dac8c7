"""What is written: schema, determinism whatever the chunking, transport faults, registry, truth and manifest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mirror.cli import run
from mirror.synth import (
    Fleet,
    OutputNotEmptyError,
    SynthRequest,
    SynthRequestError,
    load_fleet,
    parse_anomalies,
    write_fleet,
)
from mirror.synth.transport import Transport


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet()


def _read(out: Path) -> pa.Table:
    return pq.read_table(out / "raw_sensor_readings")


def test_rows_follow_the_raw_schema(fleet: Fleet, tmp_path: Path) -> None:
    result = write_fleet(fleet, SynthRequest(devices=3, hours=2, seed=1), tmp_path / "out")
    table = _read(tmp_path / "out")
    assert result.rows == table.num_rows == 360
    assert table.column_names == [
        "event_id",
        "device_id",
        "timestamp_device",
        "timestamp_ingested",
        *fleet.sensor_names,
        "_partition_key",
        "_sequence_number",
    ]
    assert table.schema.field("timestamp_device").type == pa.timestamp("us", tz="UTC")
    assert table["_partition_key"].equals(table["device_id"])
    one = table.filter(pc.field("device_id") == "REF-TEST-00001").to_pandas()
    assert one["_sequence_number"].tolist() == list(range(120))
    assert (one["timestamp_ingested"] >= one["timestamp_device"]).all()
    first = one["timestamp_device"].min()
    assert first == datetime(2026, 1, 5, tzinfo=UTC)
    assert one["timestamp_device"].max() - first == timedelta(minutes=119)


def test_a_device_is_the_same_in_any_fleet_and_any_chunk(fleet: Fleet, tmp_path: Path) -> None:
    anomalies = parse_anomalies(["1=refrigerant_leak"], fleet, 2)
    transport = Transport(duplicate_share=0.1, late_share=0.1)
    small = SynthRequest(devices=2, hours=3, seed=4, anomalies=anomalies, transport=transport)
    large = SynthRequest(devices=7, hours=3, seed=4, anomalies=anomalies, transport=transport, chunk_rows=1)
    write_fleet(fleet, small, tmp_path / "small")
    assert len(write_fleet(fleet, large, tmp_path / "large").files) == 7
    wide = _read(tmp_path / "large")
    both = wide.filter(pc.is_in(wide["device_id"], pa.array(["REF-TEST-00000", "REF-TEST-00001"])))
    assert both.combine_chunks().equals(_read(tmp_path / "small").combine_chunks())


def test_same_request_same_bytes_and_another_seed_another_fleet(fleet: Fleet, tmp_path: Path) -> None:
    paths = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        paths[name] = write_fleet(fleet, SynthRequest(devices=2, hours=1, seed=seed), tmp_path / name).files[0]
    assert paths["a"].read_bytes() == paths["b"].read_bytes()
    assert paths["a"].read_bytes() != paths["c"].read_bytes()


def test_duplicates_repeat_an_event_with_a_later_sequence_number(fleet: Fleet, tmp_path: Path) -> None:
    request = SynthRequest(devices=4, hours=12, seed=2, transport=Transport(duplicate_share=0.05))
    write_fleet(fleet, request, tmp_path / "out")
    frame = _read(tmp_path / "out").to_pandas()
    repeated = frame[frame.duplicated("event_id", keep=False)].sort_values(["event_id", "_sequence_number"])
    copies = repeated.groupby("event_id")
    assert copies.ngroups / (4 * 720) == pytest.approx(0.05, abs=0.015)
    assert (copies["timestamp_device"].nunique() == 1).all()
    assert (copies["temperature_evaporator"].nunique() == 1).all()
    assert (copies["timestamp_ingested"].agg(lambda t: (t.iloc[1] - t.iloc[0]).total_seconds()) >= 1.0).all()
    assert not frame.duplicated(["device_id", "_sequence_number"]).any()


def test_the_next_hours_have_ids_of_their_own(fleet: Fleet, tmp_path: Path) -> None:
    """Or ingestion would take them for repeats of the first hours."""
    starts = [datetime(2026, 1, 15, hour, tzinfo=UTC) for hour in (0, 3)]
    for start in starts:
        write_fleet(fleet, SynthRequest(devices=2, hours=3, seed=2, start=start), tmp_path / str(start.hour))
    first, then = (_read(tmp_path / str(start.hour)).to_pandas()["event_id"] for start in starts)
    assert len(first) > 300
    assert not set(first) & set(then)


def test_late_messages_arrive_out_of_order(fleet: Fleet, tmp_path: Path) -> None:
    request = SynthRequest(devices=4, hours=12, seed=2, transport=Transport(late_share=0.05))
    write_fleet(fleet, request, tmp_path / "out")
    frame = _read(tmp_path / "out").to_pandas()
    delay = (frame["timestamp_ingested"] - frame["timestamp_device"]).dt.total_seconds()
    assert (delay > 600).mean() == pytest.approx(0.05, abs=0.015)
    assert delay.max() < 241 * 60
    assert delay[delay <= 600].max() < 60
    in_order = frame.sort_values(["device_id", "_sequence_number"])
    assert in_order.groupby("device_id")["timestamp_ingested"].is_monotonic_increasing.all()
    assert not in_order.groupby("device_id")["timestamp_device"].is_monotonic_increasing.any()


def test_nan_bursts_clocks_and_replays_reach_the_files(fleet: Fleet, tmp_path: Path) -> None:
    texts = ["0=nan_values@0", "1=clock_ahead_26h@0", "2=duplicate_burst@0", "3=buffered_replay_30h"]
    request = SynthRequest(devices=4, hours=2, seed=9, anomalies=parse_anomalies(texts, fleet, 4))
    write_fleet(fleet, request, tmp_path / "out")
    table = _read(tmp_path / "out")
    device = {i: table.filter(pc.field("device_id") == f"REF-TEST-{i:05d}") for i in range(4)}
    assert pc.sum(pc.is_nan(device[0]["superheat"])).as_py() == 60
    assert device[0]["superheat"].null_count == 0
    ahead = pc.less(device[1]["timestamp_ingested"], device[1]["timestamp_device"])
    assert pc.sum(ahead).as_py() == 60
    assert device[2].num_rows == 60 * 3 + 60
    held = device[3]["timestamp_ingested"]
    assert pc.min(held).as_py() >= datetime(2026, 1, 5, 2, tzinfo=UTC)
    assert pc.max(held).as_py() < datetime(2026, 1, 5, 2, 11, tzinfo=UTC)


def test_registry_and_truth_are_written_beside(fleet: Fleet, tmp_path: Path) -> None:
    texts = ["1=SC-02", "REF-TEST-00002=sensor_failure", "*=summer_shift"]
    request = SynthRequest(devices=12, hours=8, seed=9, anomalies=parse_anomalies(texts, fleet, 12))
    result = write_fleet(fleet, request, tmp_path / "out")
    registry = pq.read_table(result.registry).to_pylist()
    assert [row["site_id"] for row in registry] == ["SITE-TEST-0000"] * 10 + ["SITE-TEST-0001"] * 2
    assert {row["expected_readings_per_hour"] for row in registry} == {60}
    table = _read(tmp_path / "out")
    for row in registry[:4]:
        mine = table.filter(pc.field("device_id") == row["device_id"])
        reported = {name for name in fleet.sensor_names if mine[name].null_count < mine.num_rows}
        assert reported >= set(row["expected_sensors"])
    truth = pq.read_table(result.ground_truth).to_pylist()
    assert len(truth) == 14
    leak = next(row for row in truth if row["scenario_id"] == "SC-02")
    assert leak == {
        "device_id": "REF-TEST-00001",
        "kind": "refrigerant_leak",
        "scenario_id": "SC-02",
        "equipment_fault": True,
        "onset": datetime(2026, 1, 5, tzinfo=UTC),
        "end": datetime(2026, 1, 5, 8, tzinfo=UTC),
        "sensors": ["pressure_low_side", "temperature_evaporator"],
    }
    manifest = json.loads(result.manifest.read_text())
    assert (manifest["rows"], manifest["seed"], len(manifest["anomalies"])) == (result.rows, 9, 3)


def test_csv_carries_the_same_messages(fleet: Fleet, tmp_path: Path) -> None:
    anomalies = parse_anomalies(["0=nan_values@0"], fleet, 2)
    transport = Transport(duplicate_share=0.1)
    for kind in ("parquet", "csv"):
        request = SynthRequest(devices=2, hours=2, seed=3, anomalies=anomalies, transport=transport, format=kind)
        result = write_fleet(fleet, request, tmp_path / kind)
    lines = result.files[0].read_text().splitlines()
    table = _read(tmp_path / "parquet")
    assert lines[0].split(",") == table.column_names
    assert len(lines) == table.num_rows + 1
    for line, row in zip(lines[1:], table.to_pylist(), strict=True):
        cells = dict(zip(table.column_names, line.split(","), strict=True))
        assert datetime.fromisoformat(cells["timestamp_device"]) == row["timestamp_device"]
        assert datetime.fromisoformat(cells["timestamp_ingested"]) == row["timestamp_ingested"]
        assert cells["_sequence_number"] == str(row["_sequence_number"])
        assert cells["defrost_cycle"] == str(row["defrost_cycle"]).lower()
        for sensor in ("temperature_evaporator", "humidity", "subcooling"):
            assert cells[sensor] == "" if row[sensor] is None else float(cells[sensor]) == row[sensor]
    assert sum(line.split(",")[table.column_names.index("superheat")] == "nan" for line in lines) >= 60
    registry = result.registry.read_text().splitlines()
    assert registry[1].startswith("REF-TEST-00000,SITE-TEST-0000,")
    assert "temperature_evaporator;temperature_condenser;" in registry[1]


def test_the_command_says_what_to_ingest_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    wanted = ["--devices", "2", "--hours", "13", "--seed", "1", "--out", str(out), "--anomaly", "1=SC-01"]
    assert run(["synth", *wanted, "--format", "csv"]) == 0
    said = capsys.readouterr().out
    assert "1,560 readings in 1 file(s)" in said
    assert "REF-TEST-00001  compressor_vibration_spike  hour 12 to 13" in said
    assert f"mirror ingest /Fleet/refrigeration/landing {out}/raw_sensor_readings/*.csv" in said
    assert run(["--json", "synth", *wanted]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_folder_with_files_is_refused_and_left_alone(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputNotEmptyError, match="is not empty; give a new folder to --out"):
        write_fleet(fleet, SynthRequest(devices=1, hours=1, seed=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"devices": 0}, "--devices: 0 will not do; wanted: at least 1 device"),
        ({"hours": 0.0}, "--hours: 0.0"),
        ({"hours": float("nan")}, "--hours: nan"),
        ({"seed": -1}, "--seed: -1"),
        ({"transport": Transport(duplicate_share=2)}, "--duplicates: 2"),
        ({"format": "orc"}, "--format: 'orc' will not do; wanted: parquet or csv"),
        ({"transport": Transport(late_share=-0.1)}, "--late: -0.1"),
        ({"start": datetime(2026, 1, 1)}, "wanted: a time with a zone"),  # noqa: DTZ001 - the missing zone is the case
    ],
)
def test_impossible_requests_name_the_argument(change: dict, named: str) -> None:
    with pytest.raises(SynthRequestError) as refused:
        SynthRequest(**({"devices": 1, "hours": 1.0, "seed": 1} | change)).checked()
    assert named in str(refused.value)


FAULTS = Transport(
    duplicate_share=0.02, late_share=0.03, out_of_order_share=0.05, lost_share=0.04, garbage_share=0.02, drift_share=0.5
)


@pytest.fixture(scope="module")
def faulty(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[str]], dict[str, dict]]:
    """The lines of ten devices whose delivery suffers from everything at once, and what is said of it beside them."""
    out = tmp_path_factory.mktemp("faulty") / "out"
    anomalies = parse_anomalies(["*=unknown_devices@0"], fleet, 10)
    request = SynthRequest(devices=10, hours=12, seed=5, transport=FAULTS, anomalies=anomalies, format="csv")
    result = write_fleet(fleet, request, out)
    lines = [line.split(",") for line in result.files[0].read_text().splitlines()[1:]]
    assert len(lines) == result.rows
    return lines, {row["device_id"]: row for row in pq.read_table(result.faults).to_pylist()}


def test_every_fault_of_transport_is_in_the_lines_and_counted_beside_them(faulty: tuple) -> None:
    lines, faults = faulty
    total = {name: sum(row[name] for row in faults.values()) for name in list(faults["REF-TEST-00000"])[1:]}
    assert total["messages"] == len(lines)
    sent = 10 * 720
    shares = {
        "unsent": 0.04, "repeated": 0.02 * 0.96, "late": 0.03, "strangers": 0.02, "cut_off": 0.01, "with_text": 0.01,
    }  # fmt: skip
    for name, share in shares.items():
        assert total[name] / sent == pytest.approx(share, rel=0.3), name
    assert total["out_of_order"] / sent > 0.05
    whole = [cells for cells in lines if len(cells) == 20]
    assert len(lines) - len(whole) == total["cut_off"]
    assert sum(cells[4] == "#ERR" for cells in whole) == total["with_text"]
    known = [cells for cells in whole if cells[1] in faults]
    strangers = {cells[1] for cells in whole} - set(faults)
    assert len(strangers) == 10
    assert all(len(name) == len("REF-TEST-10000000") for name in strangers)
    off = {
        device: {round((_at(c[3]) - _at(c[2])).total_seconds() // 30) for c in known if c[1] == device}
        for device in faults
    }
    assert {device for device, row in faults.items() if row["wrong_clock"] == row["messages"]} == {
        device for device, row in faults.items() if row["wrong_clock"]
    }
    wrong = [device for device, row in faults.items() if row["wrong_clock"]]
    assert 0 < len(wrong) < 10
    assert all(0 in off[device] for device in faults if device not in wrong)
    assert all(0 not in off[device] or min(off[device]) < 0 for device in wrong)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_fault_that_is_not_asked_for_moves_no_other(fleet: Fleet, tmp_path: Path) -> None:
    quiet = SynthRequest(devices=2, hours=3, seed=4, transport=Transport(duplicate_share=0.1, late_share=0.1))
    lossy = SynthRequest(
        devices=2, hours=3, seed=4, transport=Transport(duplicate_share=0.1, late_share=0.1, lost_share=0.2)
    )
    write_fleet(fleet, quiet, tmp_path / "quiet")
    write_fleet(fleet, lossy, tmp_path / "lossy")
    drop = ["_sequence_number", "timestamp_ingested"]
    before = _read(tmp_path / "quiet").to_pandas().drop(columns=drop).drop_duplicates("event_id").set_index("event_id")
    after = _read(tmp_path / "lossy").to_pandas().drop(columns=drop).drop_duplicates("event_id").set_index("event_id")
    assert 0.6 < len(after) / len(before) < 0.95
    assert after.equals(before.loc[after.index])


def test_broken_messages_need_a_format_of_text(fleet: Fleet, tmp_path: Path) -> None:
    anomalies = parse_anomalies(["0=SC-24"], fleet, 1)
    for more in ({"anomalies": anomalies}, {"transport": Transport(garbage_share=0.1)}):
        with pytest.raises(SynthRequestError, match="breaks messages, which only csv can hold"):
            write_fleet(fleet, SynthRequest(devices=1, hours=4, seed=1, **more), tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_share_of_the_fleet_is_the_same_devices_in_a_larger_one(fleet: Fleet, tmp_path: Path) -> None:
    struck = {}
    for devices in (60, 80):
        anomalies = parse_anomalies(["10%=firmware_drops_sensor@0"], fleet, devices)
        request = SynthRequest(devices=devices, hours=0.1, seed=3, anomalies=anomalies)
        result = write_fleet(fleet, request, tmp_path / str(devices))
        struck[devices] = [one.device_id for one in result.injected]
    assert 2 <= len(struck[60]) <= 14
    assert [device for device in struck[80] if device < "REF-TEST-00060"] == struck[60]
