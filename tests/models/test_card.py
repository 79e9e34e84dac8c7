"""The model card: from the run alone, refused when incomplete, stale by its age."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mirror.cli import run
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort
from mirror.models import PRODUCTION, STAGING, Governance
from mirror.models.card import build_card
from mirror.models.errors import CardIncompleteError, ReleaseRefusedError
from palantir_models.publishing import described

from .conftest import FOREST, OBJECTIVES, Publish

WHO = {"actor": "ada", "approved_by": ["Ada"], "reason": "because"}
CARD = "    card: {facts: [threshold], metrics: [rate], stale_after_days: 30}\n"


@pytest.fixture
def governance(workspace: Workspace) -> Governance:
    (workspace.config.repository / "ci" / "objectives.yml").write_text(OBJECTIVES + CARD)
    return Governance(workspace)


def test_a_card_is_made_of_what_was_recorded(governance: Governance, publish: Publish) -> None:
    publish(0.5, threshold=0.6, names=[f"f{n}" for n in range(20)])
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **WHO)
    publish(0.7, threshold=0.8)
    now = governance.workspace.clock()
    card = build_card(governance, "isolation_forest", now=now)
    assert (card.version.semantic, card.stale, card.metrics["rate"]) == ("1.0.0", None, 0.05)
    text = card.to_markdown()
    assert text.startswith("# isolation_forest 1.0.0\n")
    assert "| inputs | ri.data at ri.tx.7 |" in text
    assert "| seeds | seed = 42 |" in text
    assert "| names | f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, ... (20 values) |" in text
    assert "- **PASS** rate: rate is 0.05, wanted 0.01 to 0.1 (alert volume)" in text
    assert "- production 1 (release), 2026-01-05, approved by Ada: because" in text
    assert json.loads(json.dumps(card.to_json()))["facts"]["threshold"] == 0.6
    assert "| age | 0 days, since it was published |" in text
    old = build_card(governance, FOREST, now=now + timedelta(days=31))
    assert old.stale == "Stale: 31 days old, 30 are allowed. Retrain and release."
    assert build_card(governance, FOREST, "1.1.0", now=now).version.facts["threshold"] == 0.8


def test_an_incomplete_card_is_refused_and_keeps_the_version_out_of_production(
    governance: Governance, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(0.5)
    with pytest.raises(CardIncompleteError, match=r"fact threshold not recorded. Let the training transform"):
        build_card(governance, FOREST, now=governance.workspace.clock())
    governance.submit(FOREST, owner="ada", branch="master")
    governance.release(FOREST, to=STAGING, **WHO)
    with pytest.raises(ReleaseRefusedError, match="its model card lacks fact threshold"):
        governance.release(FOREST, to=PRODUCTION, **WHO)
    assert run(["--workspace", str(governance.workspace.path), "models", "card", FOREST]) == 1
    assert "is refused: fact threshold not recorded" in capsys.readouterr().err


def test_every_required_field_is_asked_for_by_name(workspace: Workspace, publish: Publish) -> None:
    """Figures of a validation are asked of a version that was validated, and of no other."""
    rules = "{facts: [seed], metrics: [rate], validated: [rate_validation], provenance: [inputs, code]}"
    (workspace.config.repository / "ci" / "objectives.yml").write_text(f"{OBJECTIVES}    card: {rules}\n")
    governance = Governance(workspace)
    publish(0.5)
    now = workspace.clock()
    with pytest.raises(CardIncompleteError, match=r"refused: provenance code not recorded"):
        build_card(governance, FOREST, now=now)
    publish(0.6, validation_rows=7)
    with pytest.raises(CardIncompleteError, match=r"metric rate_validation, provenance code not recorded"):
        build_card(governance, FOREST, "1.1.0", now=now)


def test_a_card_is_as_old_as_its_data(workspace: Workspace, publish: Publish, tmp_path: Path) -> None:
    """Neither the platform's clock nor a pause of the fleet makes a model old; new data do."""
    told = "{dataset: '{fleet}/device_features', column: computed_at, trained_through: training_window_end}"
    (workspace.config.repository / "ci" / "objectives.yml").write_text(
        f"{OBJECTIVES}    card: {{stale_after_days: 30, data_time: {told}}}\n"
    )
    governance = Governance(workspace)
    publish(0.5, parameters={"training_window_end": datetime(2017, 9, 24, tzinfo=UTC)})
    later = workspace.clock() + timedelta(days=400)
    assert build_card(governance, FOREST, now=later).aged_by == "since it was published"  # there are no data yet
    dataset = workspace.store.create("/Fleet/air_handler/device_features")
    for day, expected, stale in ((30, 7, False), (90, 67, True)):
        newest = datetime(2017, 9, 1, tzinfo=UTC) + timedelta(days=day)
        instants = pa.array([datetime(2017, 9, 2, tzinfo=UTC), newest], pa.timestamp("us", "UTC"))
        opened = workspace.store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
        folder = tmp_path / str(day)
        folder.mkdir()
        pq.write_table(pa.table({"computed_at": instants}), folder / "0.parquet")
        DatasetWritePort(opened).write_files(str(folder))
        opened.commit()
        card = build_card(governance, FOREST, now=later)
        assert (card.age_days, card.aged_by) == (expected, "from its training data to the newest data")
        assert (card.stale is not None) == stale
    assert "| training_window_end | 2017-09-24T00:00:00+00:00 |" in card.to_markdown()


def test_the_command_writes_the_card(
    governance: Governance, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(0.5, threshold=0.6)
    out = governance.workspace.path / "card.md"
    assert run(["--workspace", str(governance.workspace.path), "models", "card", FOREST, "--out", str(out)]) == 0
    assert capsys.readouterr().out == out.read_text()
    assert "| threshold | 0.6 |" in out.read_text()


def test_display_name_and_description_come_from_the_adapters_docstring() -> None:
    class Documented:
        """Scores windows.

        :display-name: Forest of windows
        :description: Anomaly score in 0..1
            with five contributors.

        More text.
        """

    assert described(Documented) == {
        "display_name": "Forest of windows", "description": "Anomaly score in 0..1 with five contributors.",
    }  # fmt: skip
    assert described(int) == {}
