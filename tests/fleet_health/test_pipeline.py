"""The pipeline as a whole: who makes what, every check on real data, and an import that touches nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet_health import paths
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile

ROOT = Path(__file__).resolve().parents[2]
OF_EACH_MODEL = (
    *("model_input", "model_input_exclusions", "model_scores", "shadow_model_scores", "canary_comparison"),
    "scoring_run_metrics",
)


def test_every_profile_gets_the_same_transforms() -> None:
    from fleet_health.pipeline import pipeline

    made: dict[str, set[str]] = {profile.profile: set() for profile in shipped_profiles()}
    for transform in pipeline.transforms:
        for alias in transform.output_aliases:
            _, root, profile, name = alias.split("/", 3)
            assert root == "Fleet"
            made[profile].add(name)
    labelled, shown = {"label_events", "detection_report"}, {"device_properties"}
    streamed = {"device_stream_thresholds", "threshold_history", "streaming_alerts"}
    further = {
        profile.profile: {
            f"{folder}/{model.family}"
            for model in profile.models
            for folder in ("models", "experiments", *(f"{name}_of" for name in OF_EACH_MODEL))
        }
        for profile in shipped_profiles()
    }
    records = {
        "archive": "training_archive",
        "maintenance": "maintenance_events",
        "reviews": "expert_labels",
        "schema_log": "schema_change_log",
    }
    common = made["refrigeration"] - shown - streamed - set(records.values()) - further["refrigeration"]
    assert len(common) == 45
    for profile in shipped_profiles():
        own = (labelled if profile.labels else set()) | (shown if profile.properties else set())
        own |= further[profile.profile] | {name for key, name in records.items() if getattr(profile, key)}
        assert made[profile.profile] == common | own | (streamed if profile.streaming else set())


def test_every_dataset_is_made_before_it_is_read_and_nothing_is_read_around() -> None:
    from fleet_health.pipeline import pipeline

    made = {alias for t in pipeline.transforms for alias in t.output_aliases}
    read = {param.alias for t in pipeline.transforms for param in t.inputs.values()}
    declared = [(p.source, p.registry, p.labels, p.maintenance, p.reviews) for p in shipped_profiles()]
    decided = {f"/Fleet/{profile.profile}/release_landing" for profile in shipped_profiles()}
    assert read - made == decided | {part.dataset for parts in declared for part in parts if part and part.dataset}
    assert {"/Fleet/air_handler/label_landing", "/Fleet/refrigeration/registry_landing"} <= read - made


@pytest.mark.case("SRV-BI-05")
def test_no_way_leads_from_shadow_scores_to_an_alert() -> None:
    from fleet_health.pipeline import pipeline

    shadow = "shadow_model_scores"
    reached = {paths.of_model(profile, spec, shadow) for profile in shipped_profiles() for spec in profile.every_model}
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
    contracts = {path.split("/")[3].removesuffix("_of") for path in reached}
    assert contracts == {"shadow_model_scores", "canary_comparison", "score_audits"}


@pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda profile: profile.profile)
def test_a_model_without_a_release_holds_up_none_of_the_others(profile: Profile) -> None:
    """Whatever needs it, directly or through what others make of it, is a job or a dataset of its own."""
    from fleet_health.pipeline import pipeline

    for model in profile.models:
        waiting = {paths.model(profile, model.model_id)}
        jobs: set[str] = set()
        while True:
            found = {
                t.__name__: set(map(str, t.output_aliases))
                for t in pipeline.transforms
                if any(p.alias in waiting and p.kind != "model_output" for p in t.parameters.values())
            }
            if set(found) <= jobs:
                break
            jobs |= set(found)
            waiting |= set().union(*found.values())
        assert jobs == {
            f"{profile.profile}_{step}_of_{model.family}"
            for step in (
                *("prepare_model_input", "score_windows", "score_candidate", "compare_candidate"),
                "log_scoring_run",
            )
        }


def test_check_names_are_unique_and_every_check_says_why() -> None:
    from fleet_health.pipeline import pipeline

    for transform in pipeline.transforms:
        checks = [c for p in transform.outputs.values() for c in getattr(p, "checks", None) or ()]
        names = [check.name for check in checks]
        assert len(names) == len(set(names)), transform.__name__
        assert all(check.description for check in checks), transform.__name__


def checked_outputs(lbnl: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Contract name -> output with checks and the parameters beside it, of the measured campaigns.

    Of models that were never released nothing is there.
    """
    return {
        output.alias.split("/", 3)[3]: (output, transform.inputs | transform.outputs)
        for transform in lbnl.runner._pipeline.transforms
        for output in transform.outputs.values()
        if getattr(output, "checks", None) and "/air_handler/" in output.alias
        if output.alias in lbnl.runner.datastore
    }


def test_every_schema_is_its_contract(lbnl: Any, spark: Any) -> None:
    """Schema checks run no job, so all of them are judged."""
    schemas = "schema equals the contract"
    failed, judged = judge(lbnl, spark, only=schemas)
    assert failed == []
    assert judged == len(checked_outputs(lbnl)) > 40


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
    assert {line[5:11] for line in failed} == {"FDM-06", "FEA-15", "FEA-18", "IDS-02", "TST-04"}
    assert judged > 130


def judge(lbnl: Any, spark: Any, names: tuple[str, ...] = (), only: str = "") -> tuple[list[str], int]:
    from mirror.checks import CheckSubject, evaluate

    now = datetime(2026, 1, 1, tzinfo=UTC)
    failed, judged = [], 0

    def subject_of(alias: str, references: dict[str, Any]) -> Any:
        frame = lbnl.frame(alias.split("/", 3)[3])
        return CheckSubject(alias, frame.schema, lambda: frame, references=references)

    for name, (param, beside) in checked_outputs(lbnl).items():
        checks = [check for check in param.checks if only in check.name]
        if checks and (not names or name in names):
            known = {ref: subject_of(beside[ref].alias, {}) for ref in {"registry", "log"} & set(beside)}
            subject = subject_of(param.alias, known)
            results = evaluate(checks, subject, spark=spark, now=now)
            judged += len(results)
            failed += [f"{r.on_error} {r.name}: {r.detail}" for r in results if r.outcome != "PASS"]
    return failed, judged


@pytest.mark.nightly
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
