"""Who is told when: a play in steps of minutes, without a workspace, against the shipped routing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.health.alert_rows import FLEET, equipment, quality

from mirror.health.delivery.concerns import Concern, of_reports
from mirror.health.delivery.decide import Decision, decide
from mirror.health.delivery.inhibition import consequences
from mirror.health.delivery.messages import grouped, message
from mirror.health.delivery.silences import Silence
from mirror.health.finding import Severity, Status
from mirror.health.reports import CheckReport
from mirror.health.routing_file import shipped_routing

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROUTING = shipped_routing()
GRAPH = {
    f"{FLEET}/raw": frozenset({f"{FLEET}/clean"}),
    f"{FLEET}/clean": frozenset({f"{FLEET}/features"}),
    f"{FLEET}/features": frozenset({f"{FLEET}/scores", f"{FLEET}/features"}),
}


class Play:
    """Decisions one after the other, each knowing what the earlier ones left."""

    def __init__(self, silences: tuple[Silence, ...] = ()) -> None:
        self.states = {}
        self.silences = silences
        self.decision: Decision | None = None

    def at(self, minute: float, *concerns: Concern) -> list[tuple[str, str, str]]:
        """(change, alert, severity) of everybody told at that minute."""
        now = START + timedelta(minutes=minute)
        self.decision = decide(now, "master", concerns, self.states, self.silences, GRAPH, ROUTING)
        self.states |= {state.id: state for state in self.decision.states}
        return [(event.change, event.concern.id, event.concern.severity) for event in self.decision.events]

    def people(self) -> list[str]:
        """Who was called besides the channel, last time."""
        return [event.person for event in self.decision.events]


def test_what_was_told_is_not_told_again_but_something_worse_always_is() -> None:
    play, one = Play(), quality(severity="MEDIUM")
    assert play.at(0, one) == [("raised", one.id, "MEDIUM")]
    assert play.people() == [""]
    assert play.at(5, one) == []
    play.states[one.id] = replace(play.states[one.id], acknowledged_by="Ada", acknowledged_at=START)
    worse = quality(severity="CRITICAL")
    assert play.at(10, worse) == [("worse", one.id, "CRITICAL")]
    assert play.people() == ["On-call Data Engineer"]
    assert play.states[one.id].acknowledged_by == ""
    assert play.at(12, quality(severity="LOW")) == []
    assert play.at(13, worse) == []
    assert play.at(14) == [("resolved", one.id, "CRITICAL")]
    assert play.at(15) == []


def test_nobody_answers_and_it_climbs_until_somebody_does() -> None:
    play, one = Play(), quality(severity="CRITICAL")
    play.at(0, one)
    assert play.at(14.9, one) == []
    assert play.at(15, one) == [("escalated", one.id, "CRITICAL")]
    assert play.people() == ["second person of On-call Data Engineer"]
    assert play.at(59, one) == []
    # Two steps that came due while nobody ran delivery are both taken.
    play.at(125, one)
    assert play.people() == ["Lead Engineer desk", "platform support"]
    assert play.at(900, one) == []
    answered = Play()
    answered.at(0, one)
    answered.states[one.id] = replace(answered.states[one.id], acknowledged_by="Ada", acknowledged_at=START)
    assert answered.at(900, one) == []


def test_a_clock_that_jumps_tells_nobody_twice_and_forgets_no_step() -> None:
    play, one = Play(), quality(severity="CRITICAL")
    play.at(0, one)
    assert play.at(-180, one) == [], "set back by three hours"
    assert play.at(14, one) == []
    assert play.at(15, one) == [("escalated", one.id, "CRITICAL")]
    play.at(60 * 24 * 40, one)  # ahead by forty days: what is left of the policy is taken once
    assert play.people() == ["Lead Engineer desk", "platform support"]
    assert play.at(16, one) == []
    assert play.at(130, one) == []


def test_equipment_climbs_to_region_and_vendor_unless_its_dataset_says_it_is_acknowledged() -> None:
    play = Play()
    play.at(0, equipment(), equipment("unit-2"))
    play.at(121, equipment(), equipment("unit-2", acknowledged=True))
    assert [(e.concern.device, e.person) for e in play.decision.events] == [("unit-1", "regional engineer (L2)")]


def test_a_silence_holds_what_fits_until_it_ends_and_then_it_is_told() -> None:
    quiet = Silence("s", "master", {"dataset": "cle*"}, START, START + timedelta(hours=1), "new disks", "Ada")
    play = Play((quiet,))
    other = quality("registry")
    assert play.at(0, quality(), other) == [("raised", other.id, "HIGH")]
    assert [held.why for held in play.decision.held] == ["silenced until 2026-03-02 13:00 UTC by Ada: new disks"]
    assert play.at(59, quality(), other) == [("escalated", other.id, "HIGH")]
    assert play.at(60, quality(), other) == [("raised", "volume-clean", "HIGH")]
    gone = Play((quiet,))
    gone.at(0, quality())
    assert gone.at(1) == [], "what nobody heard of needs no end"


def test_a_stalled_input_explains_what_is_made_from_it_and_nothing_more_severe() -> None:
    stalled = quality("raw", "freshness", "HIGH")
    follows = quality("features", "volume", "HIGH")
    far = quality("scores", "freshness", "MEDIUM")
    worse = quality("features", "freshness", "CRITICAL")
    outside = quality("registry", "volume", "LOW")
    other = quality("scores", "model", "LOW", id="model")
    machine = equipment()
    play = Play()
    told = play.at(0, stalled, follows, far, worse, outside, other, machine)
    assert {name for _, name, _ in told} == {stalled.id, worse.id, outside.id, other.id, machine.id}
    # `far` follows from the stall of its own severity or above that lies farthest upstream.
    assert {held.concern.id: held.why for held in play.decision.held} == {
        follows.id: "follows from freshness of raw",
        far.id: "follows from freshness of raw",
    }
    told = play.at(1, follows)
    assert ("raised", follows.id, "HIGH") in told, "it outlived its cause"
    assert ("resolved", stalled.id, "HIGH") in told


def test_two_stalls_on_a_cycle_do_not_silence_each_other() -> None:
    cycle = {"/x": frozenset({"/y"}), "/y": frozenset({"/x"})}
    one, two = (quality(n, "freshness", "HIGH", subject=f"/{n}") for n in "xy")
    assert consequences([one, two], cycle, ROUTING.inhibition) == {}
    assert consequences([one, two], {"/x": frozenset({"/y"})}, ROUTING.inhibition) == {two.id: one}


def test_flapping_is_said_once_and_then_only_something_worse_or_the_calm_speaks() -> None:
    play, one = Play(), quality(severity="MEDIUM")
    said = [play.at(minute, *([one] if minute % 10 == 0 else [])) for minute in range(0, 45, 5)]
    changes = [event[0] for events in said for event in events]
    assert changes == ["raised", "resolved", "raised", "resolved", "flapping"]
    assert play.at(50) == []
    assert play.at(55, quality(severity="HIGH")) == [("worse", one.id, "HIGH")]
    assert play.at(60) == []
    assert play.at(119) == []
    assert play.at(120) == [("resolved", one.id, "HIGH")]
    assert play.at(200, one) == [("raised", one.id, "MEDIUM")]


def test_one_message_per_dataset_or_site_and_never_one_for_both_kinds() -> None:
    play = Play()
    play.at(0, quality(), quality(family="null_rate", severity="LOW"), quality("registry"), equipment(), equipment("b"))
    groups = grouped(play.decision.events, ROUTING)
    assert sorted(sorted({event.concern.kind for event in group}) for group in groups) == [
        ["equipment"],
        ["quality"],
        ["quality"],
    ]
    assert sorted(len(group) for group in groups) == [1, 2, 2]
    both = next(group for group in groups if group[0].concern.dataset == "clean")
    sent = message(both, "ops", "master", ROUTING, START)
    assert sent.subject == "[data quality] HIGH: volume of clean and 1 more"
    assert sent.recipients == ("#data-platform-alerts", "On-call Data Engineer")
    assert "  do: RB-13: look upstream" in sent.lines
    assert "  runbook: docs/03-production/runbooks/RB-13.md" in sent.lines
    assert {one["runbook_page"] for one in sent.alerts} == {"docs/03-production/runbooks/RB-13.md"}
    assert "  owner Data Engineer; on call On-call Data Engineer; calling On-call Data Engineer" in sent.lines
    assert any("acknowledge by 2026-03-02 12:30 UTC" in line and "Lead Engineer desk" in line for line in sent.lines)
    assert message(both[::-1], "ops", "master", ROUTING, START).id == sent.id
    late = [replace(event, change="escalated") for event in both]
    assert any("  acknowledge now: mirror alerts ack" in line for line in message(late, "o", "m", ROUTING, START).lines)
    assert message(both, "other", "master", ROUTING, START).id != sent.id


@pytest.mark.parametrize("name", ["a\r\nBcc: all@example.org", "a\x1b[2J"])
def test_names_from_the_data_break_no_line_and_no_terminal(name: str) -> None:
    play = Play()
    play.at(0, equipment(name, title=name))
    sent = message(grouped(play.decision.events, ROUTING)[0], "ops", "master", ROUTING, START)
    assert all(line.isprintable() for line in (sent.subject, *sent.lines))


def test_a_failing_health_check_is_routed_as_a_quality_alert() -> None:
    report = CheckReport(
        check="clean keeps coming",
        branch="master",
        type="timeSinceLastUpdated",
        subject="clean",
        paths=(f"{FLEET}/clean",),
        view="v",
        status=Status.FAILED,
        message="2 h is above 1 h",
        created_at=START,
        severity=Severity.CRITICAL,
        config={"owner": "Ada", "subscribers": [{"who": "x"}, {"who": "On-call ML Platform"}], "notes": "look"},
    )
    (found,) = of_reports([report], "master", ROUTING)
    assert (found.kind, found.severity, found.family, found.dataset) == ("quality", "HIGH", "freshness", "clean")
    assert (found.owner, found.rotation, found.channel) == ("Ada", "On-call ML Platform", "#data-platform-alerts")
    assert (found.runbook, found.step, found.observed) == ("RB-01", "look", "2 h is above 1 h")
    follows = quality("features", "volume", "HIGH")
    assert consequences([found, follows], GRAPH, ROUTING.inhibition) == {follows.id: found}
