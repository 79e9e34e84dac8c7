"""How gates are found and heard, and what happens to one that hangs, crashes or cannot start."""

from __future__ import annotations

import ast
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirror.promotion.commands import run_command
from mirror.promotion.gates import GateCase, GateSettings, gate, known_gates, optional_settings, run_gates
from mirror.promotion.policy import KINDS
from mirror.promotion.verdict import GateResult, Outcome, Override


@pytest.fixture
def case(world, tmp_path) -> GateCase:
    from mirror.promotion.promote import show_plan

    plan = show_plan(world.repository, world.request(), clock=world.clock)
    return GateCase(plan, world.path, tmp_path, ("lib",), (), {}, world.clock)


def command(*arguments: str, limit: float = 20.0) -> GateSettings:
    return GateSettings("tests", "r", {"command": arguments, "limit_seconds": limit})


def test_every_gate_says_what_it_demands_and_needs():
    assert known_gates() == [
        "approvals",
        "contract_compatibility",
        "contract_conformance",
        "data_diff",
        "dependency_pins",
        "documents",
        "domain_files",
        "dry_build",
        "hand_overs",
        "infrastructure",
        "lint",
        "model_criteria",
        "new_warnings",
        "staging_build",
        "tests",
        "timing",
        "types",
    ]
    for name in known_gates():
        module = gate(name)
        assert (module.__doc__ or "").strip()
        assert {*module.SETTINGS.values(), *optional_settings(name).values()} <= set(KINDS)
        names = {
            node.name for node in ast.parse(Path(module.__file__).read_text()).body if isinstance(node, ast.FunctionDef)
        }
        assert "judge" in names


def test_a_command_sees_the_judged_tree_and_not_what_a_hook_set(case, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    result = gate("tests").judge(case, command("sh", "-c", 'echo "$PYTHONPATH|$PWD|${{GIT_DIR-unset}}|$0"', "{target}"))
    assert result.outcome is Outcome.PASS
    assert result.evidence[0] == "{tree}/lib|{tree}|unset|staging"


@pytest.mark.nightly
def test_a_hanging_command_is_ended_with_its_children(case, tmp_path):
    # Without the group's end the child would write its file after the limit.
    script = f"(sleep 0.4; touch {tmp_path}/late) & echo begun; wait"
    result = gate("tests").judge(case, command("sh", "-c", script, limit=0.1))
    assert (result.outcome, result.evidence[0]) == (Outcome.FAIL, "begun")
    assert "was stopped at its limit of 0.1 s" in result.summary
    assert "raise limit_seconds in the policy" in result.fix
    time.sleep(0.5)
    assert not (tmp_path / "late").exists()


def test_a_missing_program_is_an_error_and_not_a_failure(case):
    result = gate("lint").judge(case, command("no-such-program-here"))
    assert result.outcome is Outcome.ERROR
    assert "no-such-program-here could not be started: No such file or directory" in result.summary
    assert result.blocks


def test_a_crashing_gate_blocks_and_its_neighbours_are_heard(case, monkeypatch):
    def crash(_case: GateCase, _settings: GateSettings) -> GateResult:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(gate("lint"), "judge", crash)
    heard: list[GateResult] = []
    results = run_gates(case, [GateSettings("lint", "r", {}), command("true")], heard.append)
    assert [(r.gate, r.outcome) for r in results] == [("lint", Outcome.ERROR), ("tests", Outcome.PASS)]
    assert "ZeroDivisionError: by zero" in results[0].summary
    assert heard == list(results)
    assert results[1].seconds >= 1.0  # the fixed clock ticks one second per look


def test_an_override_lets_its_own_gate_pass_and_no_other(case):
    from dataclasses import replace

    override = Override("Grace", "the linter is down")
    both = [GateSettings("lint", "r", command("false").values), command("false")]
    lint, tests = run_gates(replace(case, overrides={"lint": override}), both, lambda _: None)
    assert (lint.outcome, lint.blocks, lint.override) == (Outcome.FAIL, False, override)
    assert (tests.outcome, tests.blocks, tests.override) == (Outcome.FAIL, True, None)
    assert GateResult.from_json(lint.to_json()) == lint
    assert lint.fingerprint != replace(lint, override=None).fingerprint
    # What passes needs nobody, and says so.
    (passed,) = run_gates(replace(case, overrides={"tests": override}), [command("true")], lambda _: None)
    assert passed.override is None


def test_two_roles_need_two_people(case):
    from dataclasses import replace

    settings = GateSettings("approvals", "r", {"roles": ("owner", "release manager")})
    people = {"Grace": "grace@example.org", "Ida": "ida@example.org", "Ada": "ada@example.org"}
    roles = {"owner": ("Grace", "Ida", "Ada"), "release manager": ("Grace",)}
    policy = replace(case.plan.policy, people=people, roles=roles)
    case = replace(case, plan=replace(case.plan, policy=policy))
    outcomes = {
        names: gate("approvals").judge(replace(case, approvals=names), settings).outcome
        for names in [("Grace",), ("Ida",), ("Grace", "Ida"), ("Ida", "Grace"), ("Grace", "Ada")]
    }
    assert [names for names, outcome in outcomes.items() if outcome is Outcome.PASS] == [
        ("Grace", "Ida"),
        ("Ida", "Grace"),
    ]


def test_a_target_without_contracts_is_not_applicable(case):
    from dataclasses import replace

    from mirror.promotion.compatibility import compare

    result = gate("contract_compatibility").judge(
        replace(case, plan=replace(case.plan, contracts=compare([], []))),
        GateSettings("contract_compatibility", "r", {}),
    )
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert not result.blocks


def test_a_result_survives_json_and_its_fingerprint_ignores_time():
    result = GateResult("lint", Outcome.FAIL, "größe", ("a", "b"), "mend", 1.25)
    assert GateResult.from_json(result.to_json()) == result
    slower = GateResult("lint", Outcome.FAIL, "größe", ("a", "b"), "mend", 9.0)
    other = GateResult("lint", Outcome.FAIL, "größe", ("a", "c"), "mend", 1.25)
    assert slower.fingerprint == result.fingerprint != other.fingerprint


def test_the_whole_output_is_hashed_and_its_end_is_shown(tmp_path):
    ended = run_command(
        ["sh", "-c", "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; exit 3"],
        tree=tmp_path,
        values={},
        python_path=(),
        limit_seconds=20,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert ended.code == 3
    assert ended.tail[0] == "line 25"
    assert ended.tail[-2] == "line 39"
    assert ended.tail[-1].startswith("sha256 of the whole output: ")
    assert os.sep not in ended.problem
