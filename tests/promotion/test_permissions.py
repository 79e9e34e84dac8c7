"""Who may let what through: approvals that expire, overrides that stay visible, emergencies that are answered for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mirror.promotion import errors, permission_errors
from mirror.promotion.emergency import review_emergency
from mirror.promotion.promote import approve, show_plan
from mirror.promotion.verdict import Override

EMERGENCY = """\
  - from: hotfix/*
    to: release
    emergency: {review_within_days: 2, roles: [owner], reason: something is broken in production}
    gates:
      lint: {reason: style, command: [grep, -q, fine, code.txt], limit_seconds: 20}
"""


@pytest.fixture
def strict(world):
    """A policy with an override and an emergency step, on every branch."""
    world.git("switch", "--quiet", "main")
    policy = (world.path / "ci/branches.yml").read_text()
    policy = policy.replace("code.txt], limit_seconds: 20}", "code.txt], limit_seconds: 20, override: [owner]}", 1)
    world.commit("Strict", ci__branches_yml=policy + EMERGENCY)
    world.git("branch", "--force", "staging", "main")
    world.git("branch", "--force", "release", "main")
    world.git("switch", "--quiet", "--create", "feature/y", "main")
    world.commit("Spoil it", code_txt="bad\n")
    return world


@pytest.mark.nightly
def test_an_approval_counts_until_the_next_commit(world):
    approve(world.repository, world.request("feature/x", "staging", "Grace"), clock=world.clock)
    assert [entry["kind"] for entry in world.audit()] == ["approved"]
    world.commit("One more thing", side_txt="side\n")

    with pytest.raises(errors.GateRefusedError) as expired:
        world.promote()
    assert "what was approved is no longer the head: Grace approved" in str(expired.value)

    approve(world.repository, world.request("feature/x", "staging", "Grace"), clock=world.clock)
    world.promote()
    assert world.audit()[-1]["approvals"] == ["Grace"]


@pytest.mark.nightly
def test_an_override_lets_one_gate_pass_and_is_shown_for_ever(strict):
    override = {"lint": Override("Grace", "the linter is down")}
    same = strict.untouched()
    for gate, by, kind, words in (
        ("lintt", "Grace", permission_errors.UnknownGateError, "Did you mean 'lint'?"),
        ("approvals", "Grace", permission_errors.OverrideRefusedError, "lets nobody override it"),
        ("lint", "Ada", permission_errors.OverrideRefusedError, "who wrote part of this change"),
        ("lint", "Grce", errors.UnknownPersonError, "Did you mean 'Grace'?"),
    ):
        with pytest.raises(kind) as refused:
            strict.promote("feature/y", "staging", "Grace", overrides={gate: Override(by, "because")})
        assert words in str(refused.value)
    # Only that gate: nobody approved, so it still does not pass.
    with pytest.raises(errors.GateRefusedError) as refused:
        strict.promote("feature/y", "staging", overrides=override)
    assert "lint" not in str(refused.value)
    assert same()

    strict.promote("feature/y", "staging", "Grace", overrides=override)

    lint = strict.audit()[-1]["gates"][0]
    assert (lint["outcome"], lint["override"]) == ("FAIL", {"by": "Grace", "reason": "the linter is down"})
    message = strict.git("log", "-1", "--format=%B", "staging")
    assert "Gate-overridden: lint by Grace: the linter is down" in message
    strict.git("switch", "--quiet", "--create", "feature/z", "staging")
    strict.commit("Mend it", code_txt="fine\n")
    notes = show_plan(strict.repository, strict.request("feature/z"), clock=strict.clock).notes
    assert notes == ("entry 2, 2026-01-01: gate lint overridden by Grace: the linter is down",)


@pytest.mark.nightly
def test_an_emergency_goes_first_and_is_answered_for(strict):
    strict.git("switch", "--quiet", "--create", "hotfix/now", "main")
    strict.commit("Mend it", code_txt="fine again\n")
    with pytest.raises(permission_errors.EmergencyReasonError, match="something is broken in production"):
        strict.promote("hotfix/now", "release")
    with pytest.raises(permission_errors.NoEmergencyError):
        strict.promote("feature/y", "staging", emergency="hurry")

    strict.promote("hotfix/now", "release", emergency="alerts stand still")

    due = (strict.now + timedelta(days=2)).date().isoformat()
    assert strict.audit()[-1]["emergency"]["reason"] == "alerts stand still"
    strict.git("switch", "--quiet", "--create", "hotfix/more", "release")
    strict.commit("Mend more", code_txt="fine again, really\n")
    plan = show_plan(strict.repository, strict.request("hotfix/more", "release", emergency="more"), clock=strict.clock)
    reason = "Ada <ada@example.org>: alerts stand still"
    assert plan.notes == (f"emergency of entry 1 ({reason}), review due {due}",)

    strict.now += timedelta(days=3)
    with pytest.raises(permission_errors.EmergencyUnreviewedError, match="mirror review --emergency"):
        strict.promote("hotfix/more", "release", emergency="more")
    review = ("it was the limit; a test was added",)
    with pytest.raises(permission_errors.ReviewRefusedError, match="who wrote part of it"):
        review_emergency(strict.repository, 1, "Ada", *review, clock=strict.clock)
    with pytest.raises(permission_errors.NothingToReviewError, match="Open: entry 1"):
        review_emergency(strict.repository, 2, "Grace", *review, clock=strict.clock)
    review_emergency(strict.repository, 1, "Grace", *review, clock=strict.clock)
    strict.promote("hotfix/more", "release", emergency="more")
    assert [entry["kind"] for entry in strict.audit()] == ["promoted", "reviewed", "promoted"]
