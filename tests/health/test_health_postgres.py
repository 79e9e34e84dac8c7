"""Reports on PostgreSQL, where writers do not queue: every evaluation is kept, under a number of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.datasets.conftest import running_postgres

from mirror.datasets import TransactionType, Workspace
from mirror.health.kinds import check_kinds
from mirror.health.monitor import evaluate_checks
from mirror.health.reports import history, latest

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(120)]


def test_evaluations_at_the_same_time_on_postgres(tmp_path: Path) -> None:
    given = {"name": "files", "type": "datasetPartition", "dataset": "/d", "owner": "o", "severity": "MODERATE"}
    check = check_kinds()["datasetPartition"].model_validate(given)
    (tmp_path / "x").write_text("x")
    with running_postgres() as url:
        path = tmp_path / "ws"
        with Workspace.create(path, repository=tmp_path, catalog_url=url) as workspace:
            dataset = workspace.store.create("/d")
            with workspace.store.transaction(dataset, "master", TransactionType.SNAPSHOT) as opened:
                opened.add(tmp_path / "x", "x")
            evaluate_checks(workspace, [check], "master")

            def evaluate(_: int) -> None:
                with Workspace.open(path) as own:
                    evaluate_checks(own, [check], "master")

            with ThreadPoolExecutor(3) as pool:
                list(pool.map(evaluate, range(12)))
            kept = history(workspace, "master", "files")
            assert sorted(report.sequence for report in kept) == list(range(1, 14))
            assert {report.status.value for report in kept} == {"PASSED"}
            assert latest(workspace, "master")["files"].sequence == 13
