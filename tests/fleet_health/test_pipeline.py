"""The pipeline as a whole: who makes what, every check on real data, and an import that touches nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet_health.profiles.loader import shipped_profiles

ROOT = Path(__file__).resolve().parents[2]


def test_every_profile_gets_the_same_transforms() -> None:
    from fleet_health.pipeline import pipeline

    made: dict[str, set[str]] = {profile.profile: set() for profile in shipped_profiles()}
    for transform in pipeline.transforms:
        for alias in transform.output_aliases:
            _, root, profile, name = alias.split("/", 3)
            assert root == "Fleet"
            made[profile].add(name)
    labelled, shown = {"label_events", "detection_report"}, {"device_properties"}
    streamed = {"device_stream_thresholds", "streaming_alerts"}
    further = {
        profile.profile: {
            f"{folder}/{model.family}" for model in profile.models for folder in ("models", "experiments")
        }
        for profile in shipped_profiles()
    }
    common = made["refrigeration"] - shown - streamed - further["refrigeration"]
    assert len(common) == 44
    for profile in shipped_profiles():
        own = (labelled if profile.labels else set()) | (shown if profile.properties else set())
        own |= further[profile.profile]
        assert made[profile.profile] == common | own | (streamed if profile.streaming else set())


def test_every_dataset_is_made_before_it_is_read_and_nothing_is_read_around() -> None:
    from fleet_health.pipeline import pipeline

    made = {alias for t in pipeline.transforms for alias in t.output_aliases}
    read = {param.alias for t in pipeline.transforms for param in t.inputs.values()}
    declared = [(p.source, p.registry, p.labels) for p in shipped_profiles()]
    decided = {f"/Fleet/{profile.profile}/release_landing" for profile in shipped_profiles()}
    assert read - made == decided | {part.dataset for parts in declared for part in parts if part and part.dataset}
    assert {"/Fleet/air_handler/label_landing", "/Fleet/refrigeration/registry_landing"} <= read - made


@pytest.mark.case("SRV-BI-05")
def test_no_way_leads_from_shadow_scores_to_an_alert() -> None:
    from fleet_health.pipeline import pipeline

    reached = {f"/Fleet/{profile.profile}/shadow_model_scores" for profile in shipped_profiles()}
    while True:
        found = {
            str(alias)
            for transform in pipeline.transforms
            if reached & {param.alias for param in transform.inputs.values()}
            for alias in transform.output_aliases
        }
        if found <= reached:
            break
        reached |= found
    assert {path.rsplit("/", 1)[1] for path in reached} == {"shadow_model_scores", "canary_comparison", "score_audits"}


def test_check_names_are_unique_and_every_check_says_why() -> None:
    from fleet_health.pipeline import pipeline

    for transform in pipeline.transforms:
        checks = [c for p in transform.outputs.values() for c in getattr(p, "checks", None) or ()]
        names = [check.name for check in checks]
        assert len(names) == len(set(names)), transform.__name__
        assert all(check.description for check in checks), transform.__name__


def checked_outputs(lbnl: Any) -> dict[str, Any]:
    """Contract name -> output with checks, of the measured campaigns."""
    outputs = [p for t in lbnl.runner._pipeline.transforms for p in t.outputs.values() if getattr(p, "checks", None)]
    return {p.alias.split("/", 3)[3]: p for p in outputs if "/air_handler/" in p.alias}


def test_every_schema_is_its_contract(lbnl: Any, spark: Any) -> None:
    """Schema checks run no job, so all of them are judged."""
    schemas = "schema equals the contract"
    failed, judged = judge(lbnl, spark, only=schemas)
    assert failed == []
    assert judged == sum(any(schemas in c.name for c in p.checks) for p in checked_outputs(lbnl).values()) > 40


def test_checks_hold_where_the_data_is(lbnl: Any, spark: Any) -> None:
    names = ("clean_sensor_readings", "device_features", "model_scores", "device_alerts")
    failed, judged = judge(lbnl, spark, names)
    assert failed == []
    assert judged > 55


@pytest.mark.nightly
def test_all_hard_checks_hold_on_the_measured_campaigns(lbnl: Any, spark: Any) -> None:
    """Soft ones say what is so: the newest days of these campaigns hold the faults they were recorded for."""
    failed, judged = judge(lbnl, spark)
    assert [line for line in failed if line.startswith("FAIL")] == []
    assert {line[5:11] for line in failed} == {"FDM-06", "FEA-15", "FEA-18", "TST-04"}
    assert judged > 130


def judge(lbnl: Any, spark: Any, names: tuple[str, ...] = (), only: str = "") -> tuple[list[str], int]:
    from mirror.checks import CheckSubject, evaluate

    now = datetime(2026, 1, 1, tzinfo=UTC)
    failed, judged = [], 0
    for name, param in checked_outputs(lbnl).items():
        checks = [check for check in param.checks if only in check.name]
        if checks and (not names or name in names):
            frame = lbnl.frame(name)
            read = {"registry": lbnl.frame("device_registry"), "log": lbnl.frame("experiment_log")}
            known = {one: CheckSubject(one, made.schema, lambda made=made: made) for one, made in read.items()}
            subject = CheckSubject(param.alias, frame.schema, lambda frame=frame: frame, references=known)
            results = evaluate(checks, subject, spark=spark, now=now)
            judged += len(results)
            failed += [f"{r.on_error} {r.name}: {r.detail}" for r in results if r.outcome != "PASS"]
    return failed, judged


def test_importing_the_pipeline_starts_nothing() -> None:
    """Neither a Spark session nor scikit-learn nor a socket: declarations only."""
    from fleet_health.pipeline import pipeline

    assert len(pipeline.transforms) >= 26
    script = (
        "import socket, sys\n"
        "def no(*a, **k): raise AssertionError('a socket at import')\n"
        "socket.socket.connect = no\n"
        "from fleet_health.pipeline import pipeline\n"
        "from pyspark import SparkContext\n"
        "assert SparkContext._active_spark_context is None\n"
        "assert 'sklearn' not in sys.modules\n"
        "print(len(pipeline.transforms))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(pipeline.transforms))), done.stderr


@pytest.mark.parametrize(
    "word", ["datetime.now", "time.time", "os.environ", "getenv", "import mirror", "from mirror", "uuid4"]
)
def test_the_guest_reads_no_clock_no_environment_and_no_platform(word: str) -> None:
    source = ROOT / "transforms-python" / "src"
    files = [f for name in ("fleet_health", "model_adapters", "model_training") for f in (source / name).rglob("*.py")]
    assert len(files) > 40
    assert [f.name for f in files if word in f.read_text(encoding="utf-8")] == []


def test_setup_declares_the_entry_point_that_foundry_reads() -> None:
    text = (ROOT / "transforms-python" / "src" / "setup.py").read_text(encoding="utf-8")
    assert '"transforms.pipelines": ["root = fleet_health.pipeline:pipeline"]' in text


def test_every_transform_holds_its_profile_as_the_package_promises() -> None:
    """``profiles/__init__.py`` promises it, so that an edit of one fleet leaves the jobs of the others alone."""
    from fleet_health.pipeline import pipeline
    from fleet_health.profiles.model import Profile

    def held(function: Any) -> set[str]:
        cells = [cell.cell_contents for cell in inspect.unwrap(function).__closure__ or ()]
        found = {value.profile for value in cells if isinstance(value, Profile)}
        return found.union(*(held(value) for value in cells if inspect.isfunction(value)))

    source = Path(inspect.getfile(Profile)).parents[2]
    files = [file for file in source.rglob("*.py") if file.name != "loader.py"]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines() if "shipped_profile" in line]
    # nothing asks when it runs
    assert {line.partition(" ")[0] for line in lines} == {"from", "TRANSFORMS", "BACKFILLS", "PROFILES"}
    for transform in pipeline.transforms:
        (fleet,) = {alias.split("/")[2] for output in transform.outputs.values() for alias in [output.alias or ""]}
        uses = "profile" in _names(transform.compute_func)
        assert held(transform.compute_func) == ({fleet} if uses else set()), transform.__name__


def _names(function: Any) -> set[str]:
    """Every name that a function and the functions in its closure speak of."""
    plain = inspect.unwrap(function)
    cells = [cell.cell_contents for cell in plain.__closure__ or ()]
    inner = [_names(value) for value in cells if inspect.isfunction(value)]
    return {*plain.__code__.co_names, *plain.__code__.co_freevars}.union(*inner)
