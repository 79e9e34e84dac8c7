"""Submission, checks, staging, production, rollback: each step once, in order, on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.datasets import Workspace
from mirror.models import PRODUCTION, STAGING, Governance
from mirror.models.errors import (
    ArtefactMissingError,
    ArtefactTamperedError,
    NotGovernedError,
    ReleaseRefusedError,
    SubmissionNotFoundError,
)
from mirror.models.records import Outcome

from .conftest import FOREST, OBJECTIVES, Publish

WHO = {"actor": "ada", "approved_by": ["Ada"], "reason": "because"}


@pytest.fixture
def governance(workspace: Workspace) -> Governance:
    return Governance(workspace)


def released(governance: Governance, publish: Publish, *limits: float) -> None:
    """Takes each version all the way to production."""
    for limit in limits:
        publish(limit)
        governance.submit(FOREST, owner="ada", branch="master")
        governance.release(FOREST, to=STAGING, **WHO)
        governance.release(FOREST, to=PRODUCTION, **WHO)


def in_force(governance: Governance, environment: str = PRODUCTION) -> str | None:
    release = governance.in_force(governance.registry.model(FOREST), environment)
    return governance.registry.by_rid(release.version_rid)[1].semantic if release else None


def test_a_version_goes_through_staging_to_production_and_every_step_is_idempotent(
    governance: Governance, publish: Publish
) -> None:
    publish(0.5)
    submitted = governance.submit("isolation_forest", owner="ada", branch="master")
    assert submitted.changed
    assert [(v.name, v.outcome) for v in submitted.verdicts] == [("loads", Outcome.PASS), ("rate", Outcome.PASS)]
    again = governance.submit("isolation_forest", owner="ada", branch="master")
    assert (again.changed, again.sentence) == (
        False, "/Fleet/air_handler/models/isolation_forest 1.0.0 is already submitted to isolation_forest",
    )  # fmt: skip
    with pytest.raises(ReleaseRefusedError, match=r"has not been through staging.*--to staging --approve-as NAME"):
        governance.release(FOREST, to=PRODUCTION, **WHO)
    assert governance.release(FOREST, to=STAGING, **WHO).changed
    assert not governance.release(FOREST, to=STAGING, **WHO).changed
    assert governance.release(FOREST, to=PRODUCTION, **WHO).sentence.endswith("released to production (release 1)")
    repeated = governance.release(FOREST, to=PRODUCTION, **WHO)
    assert "is already in production" in repeated.sentence
    assert len(governance.releases(governance.registry.model(FOREST))) == 2


def test_a_blocking_check_keeps_a_version_out_of_production_but_not_out_of_staging(
    governance: Governance, publish: Publish
) -> None:
    released(governance, publish, 0.5)
    publish(0.6, rate=0.3)
    verdicts = governance.submit(FOREST, owner="ada", branch="master").verdicts
    assert [v.outcome for v in verdicts] == [Outcome.PASS, Outcome.REJECT]
    governance.release(FOREST, to=STAGING, **WHO)
    with pytest.raises(
        ReleaseRefusedError, match=r"check 'rate' says REJECT: rate is 0.3, wanted 0.01 to 0.1"
    ) as caught:
        governance.release(FOREST, to=PRODUCTION, **WHO)
    assert f"mirror models evaluate {FOREST}" in str(caught.value)
    assert in_force(governance) == "1.0.0"
    assert in_force(governance, STAGING) == "1.1.0"


def test_only_the_named_people_may_approve_and_one_of_them_must(governance: Governance, publish: Publish) -> None:
    publish(0.5)
    governance.submit(FOREST, owner="ada", branch="master")
    governance.release(FOREST, to=STAGING, actor="x", approved_by=["Anybody"], reason="r")
    with pytest.raises(ReleaseRefusedError, match=r"'Mallory' may not approve it. These may: Ada, Grace"):
        governance.release(FOREST, to=PRODUCTION, actor="x", approved_by=["Mallory"], reason="r")
    with pytest.raises(ReleaseRefusedError, match=r"0 approval\(s\) of 1"):
        governance.release(FOREST, to=PRODUCTION, actor="x", approved_by=[], reason="r")
    assert in_force(governance) is None


def test_rollback_goes_back_one_version_and_no_further_than_what_is_kept(
    governance: Governance, publish: Publish
) -> None:
    released(governance, publish, 0.5, 0.6, 0.7)
    back = governance.rollback(FOREST, environment=PRODUCTION, **WHO)
    assert back.sentence.endswith("1.2.0 -> 1.1.0 (release 4)")
    assert in_force(governance) == "1.1.0"
    assert not governance.rollback(FOREST, environment=PRODUCTION, version="1.1.0", **WHO).changed
    with pytest.raises(ReleaseRefusedError, match=r"1.0.0 .*no longer kept for rollback. Kept: 1.1.0, 1.2.0"):
        governance.rollback(FOREST, environment=PRODUCTION, **WHO)
    assert governance.rollback(FOREST, environment=PRODUCTION, version="1.2.0", **WHO).changed


def test_there_is_nothing_to_roll_back_to_before_the_second_release(governance: Governance, publish: Publish) -> None:
    publish(0.5)
    with pytest.raises(ReleaseRefusedError, match="nothing was ever released there"):
        governance.rollback(FOREST, environment=PRODUCTION, **WHO)
    released(governance, publish, 0.5)
    with pytest.raises(ReleaseRefusedError, match="is the first version released there"):
        governance.rollback(FOREST, environment=PRODUCTION, **WHO)


def test_the_audit_trail_holds_done_and_refused_with_who_and_why(governance: Governance, publish: Publish) -> None:
    publish(0.5)
    governance.submit(FOREST, owner="ada", branch="master")
    with pytest.raises(ReleaseRefusedError):
        governance.release(FOREST, to=PRODUCTION, **WHO)
    governance.release(FOREST, to=STAGING, **WHO)
    trail = governance.trail(governance.registry.model(FOREST))
    assert [(e.actor, e.action, e.outcome) for e in trail] == [
        ("build", "publish", "done"),
        ("ada", "submit", "done"),
        ("ada", "release", "refused"),
        ("ada", "release", "done"),
    ]
    assert trail[2].detail == {"environment": "production", "why": "it has not been through staging"}
    assert trail[3].detail == {"environment": "staging", "number": 1, "approved_by": ["Ada"], "reason": "because"}
    assert [e.at for e in trail] == sorted(e.at for e in trail)


def test_evaluating_again_keeps_the_newest_verdict_and_judges_against_production(
    governance: Governance, publish: Publish
) -> None:
    publish(0.5, rate=0.2)
    governance.submit(FOREST, owner="ada", branch="master")
    model = governance.registry.model(FOREST)
    version = governance.registry.versions(model)[0]
    with governance.workspace.catalog.writing() as connection:
        document = {
            "rid": "ri.evaluation.1", "modelVersionRid": version.rid, "evaluationSet": "week 3", "name": "week 3",
            "metrics": {"rate": 0.05},
        }  # fmt: skip
        governance.registry.record_evaluation(connection, document)
    verdicts = governance.evaluate(FOREST, actor="ada").verdicts
    assert [v.detail for v in verdicts if v.name == "rate"] == ["rate is 0.05, wanted 0.01 to 0.1"]


def test_ungoverned_and_unsubmitted_models_say_what_to_do(governance: Governance, publish: Publish) -> None:
    publish(0.5, path="/other/models/plain")
    with pytest.raises(NotGovernedError, match=r"no objective in ci/objectives.yml governs '/other/models/plain'"):
        governance.submit("plain", owner="ada", branch="master")
    publish(0.5)
    with pytest.raises(SubmissionNotFoundError, match=f"mirror models submit {FOREST}"):
        governance.release(FOREST, to=STAGING, **WHO)


def test_a_submission_is_archived_unless_it_was_released(governance: Governance, publish: Publish) -> None:
    released(governance, publish, 0.5)
    publish(0.6)
    governance.submit(FOREST, owner="ada", branch="master")
    assert governance.archive(FOREST, version="1.1.0", actor="ada", reason="no use").changed
    assert not governance.archive(FOREST, version="1.1.0", actor="ada", reason="no use").changed
    with pytest.raises(ReleaseRefusedError, match=r"its submission is archived. Submit a newer version"):
        governance.release(FOREST, to=STAGING, version="1.1.0", **WHO)
    assert not governance.release(FOREST, to=STAGING, **WHO).changed
    with pytest.raises(ReleaseRefusedError, match=r"1.0.0 is not put into the archive: it was released once"):
        governance.archive(FOREST, version="1.0.0", actor="ada", reason="no use")
    assert governance.trail(governance.registry.model(FOREST))[-1].outcome == "refused"


def test_a_check_added_since_the_submission_blocks_until_it_is_judged(governance: Governance, publish: Publish) -> None:
    publish(0.5)
    governance.submit(FOREST, owner="ada", branch="master")
    added = "      - {name: traced, kind: provenance, blocks: [staging], reason: later idea}\n"
    (governance.workspace.config.repository / "ci" / "objectives.yml").write_text(OBJECTIVES + added)
    stricter = Governance(governance.workspace)
    with pytest.raises(ReleaseRefusedError, match="check 'traced' says PENDING: it was never judged"):
        stricter.release(FOREST, to=STAGING, **WHO)
    stricter.evaluate(FOREST, actor="ada")
    assert stricter.release(FOREST, to=STAGING, **WHO).changed


def test_a_version_whose_artefact_is_gone_or_changed_is_neither_released_nor_put_back(
    governance: Governance, publish: Publish
) -> None:
    released(governance, publish, 0.5, 0.6)
    registry = governance.registry
    first = registry.versions(registry.model(FOREST))[0]
    file = Path(governance.workspace.storage.root, first.location)
    file.unlink()
    with pytest.raises(ArtefactMissingError, match="Restore the file, or release another version"):
        governance.rollback(FOREST, environment=PRODUCTION, **WHO)
    file.write_bytes(b"else")
    with pytest.raises(ArtefactTamperedError):
        governance.release(FOREST, to=STAGING, version="1.0.0", **WHO)
    assert (in_force(governance), in_force(governance, STAGING)) == ("1.1.0", "1.1.0")
    trail = governance.trail(registry.model(FOREST))
    assert [(e.action, "is gone" in e.detail["why"]) for e in trail if e.outcome == "refused"] == [
        ("rollback", True),
        ("release", False),
    ]
