"""The policy file: what it says is what is read, and every mistake is named with file, line and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.promotion.errors import PolicyError
from mirror.promotion.gates import known_gates
from mirror.promotion.policy import POLICY_FILE, load_policy

GOOD = """\
protected: [staging]
people: {Ada: ada@example.org}
roles: {owner: [Ada]}
steps:
  - from: feature/*
    to: staging
    tag: v{n}
    gates:
      lint:
        reason: style
        command: ["{python}", -m, ruff]
        limit_seconds: 20
      approvals: {reason: eyes, roles: [owner]}
"""


def test_what_is_written_is_what_is_read():
    policy = load_policy(GOOD)
    step = policy.step("feature/deep/er", "staging")
    assert step is not None
    assert [(g.gate, g.reason) for g in step.gates] == [("lint", "style"), ("approvals", "eyes")]
    assert step.gates[0].texts("command") == ("{python}", "-m", "ruff")
    assert step.gates[0].number("limit_seconds") == 20
    assert step.up_to_date
    assert step.rebuild is None
    assert step.next_tag({"v1": "", "v12": "", "v012": "", "w99": "", "v3-rc": ""}) == "v13"
    assert policy.step("main", "staging") is None
    assert policy.step("feature/x", "release") is None


MISTAKES = [
    ("protected: [staging]", "protected: [release]", 6, "'staging' is not under protected"),
    ("    to: staging\n", "    too: staging\n", 6, "Did you mean 'to'?"),
    ("roles: {owner: [Ada]}", "roles: {owner: [Adda]}", 3, "Did you mean 'Ada'?"),
    ("roles: {owner: [Ada]}", "roles: {owner: []}", 3, "role 'owner' is empty"),
    ("ada@example.org", "ada", 2, "no e-mail address"),
    ("      lint:\n", "      lintt:\n", 9, "Did you mean 'lint'?"),
    ("        reason: style\n", "", 10, "needs 'reason'"),
    ("limit_seconds: 20", "limit_seconds: soon", 12, "must be a number above zero, not 'soon'"),
    ("limit_seconds: 20", "limit_seconds: 0", 12, "must be a number above zero, not 0"),
    ("limit_seconds: 20", "limit: 20", 12, "Known: command, limit_seconds, override, reason"),
    ('"{python}"', '"{pyton}"', 11, "Did you mean 'python'?"),
    ('["{python}", -m, ruff]', "ruff check", 11, "must be a list"),
    ('["{python}", -m, ruff]', "[]", 11, "is empty"),
    ("roles: [owner]}", "roles: [owners]}", 13, "Did you mean 'owner'?"),
    ("tag: v{n}", "tag: latest", 7, "needs {n} once"),
    ("    to: staging\n", "    to: staging\n    base: rebased\n", 7, "up_to_date or merged, not 'rebased'"),
    ("people:", "roles: {}\npeople:", 4, "'roles' is given twice"),
    ("people: {Ada: ada@example.org}\n", "", 1, "needs 'people'"),
    ("      lint:\n", "      lint: [\n", 11, "not valid YAML"),
    (GOOD, "", 1, "the file is empty"),
    (GOOD, "- a\n", 1, "must be a mapping"),
    ("steps:\n", "steps: {}\nolder:\n", 5, "has no 'older'"),
    (GOOD[GOOD.index("    gates:") :], "    gates: {}\n", 8, "has no gate"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), MISTAKES)
def test_a_mistake_is_named_with_its_line(old, new, line, words):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(PolicyError) as mistake:
        load_policy(text, "ci/branches.yml")
    assert str(mistake.value).startswith(f"ci/branches.yml:{line}: ")
    assert words in str(mistake.value)


def test_a_step_given_twice_is_refused():
    twice = GOOD + GOOD[GOOD.index("  - from") :]
    with pytest.raises(PolicyError, match=r":14: the step feature/\* -> staging is given twice"):
        load_policy(twice)


def test_the_policy_of_this_repository_is_valid_and_says_why_for_every_gate():
    root = Path(__file__).resolve().parent.parent.parent
    policy = load_policy((root / POLICY_FILE).read_text(encoding="utf-8"))
    assert [(step.source, step.target, step.emergency is not None) for step in policy.steps] == [
        ("feature/*", "staging", False),
        ("staging", "release", False),
        ("hotfix/*", "release", True),
    ]
    assert all(len(gate.reason) > 20 for step in policy.steps for gate in step.gates)
    assert {gate.gate for step in policy.steps for gate in step.gates} == set(known_gates())
    # Nobody talks a contract, a cycle or a missing approval away.
    ways = {gate for step in policy.steps for gate in step.ways_to_override}
    assert ways == {"tests", "timing", "documents", "new_warnings", "data_diff", "model_criteria"}
    assert all((root / path).is_dir() for path in policy.python_path)
