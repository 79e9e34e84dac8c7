"""Contract changes by column: a table of what changed -> what it is called and whom it breaks."""

from __future__ import annotations

import pytest

from mirror.promotion.compatibility import compare
from mirror.promotion.contract_files import parse_contract
from mirror.promotion.contracts import Contract, Effect, Unreadable, canonical_type
from mirror.promotion.path_globs import matching

BASE = """\
dataset: scores
write_mode: append
primary_key: [device, at]
columns:
  - {name: device, type: string, nullable: false, meaning: who}
  - {name: at, type: timestamp, nullable: false, meaning: when}
  - {name: score, type: double, nullable: true, meaning: how odd}
  - {name: rank, type: int, nullable: false, meaning: place}
"""

CASES = [
    (
        "primary_key: [device, at]",
        "primary_key: [at, device]",
        "scores",
        "key changed from device, at to at, device",
        "compatible",
    ),
    (
        "primary_key: [device, at]",
        "primary_key: [device]",
        "scores",
        "key changed from device, at to device",
        "breaking",
    ),
    ("primary_key: [device, at]\n", "", "scores", "key changed from device, at to none", "breaking"),
    ("name: score,", "name: oddness,", "scores.score", "renamed to oddness", "breaking"),
    ("type: int,", "type: long,", "scores.rank", "type widened from int to long", "breaking"),
    ("type: double,", "type: float,", "scores.score", "type narrowed from double to float", "breaking"),
    ("type: int,", "type: string,", "scores.rank", "type changed from int to string", "breaking"),
    ("type: double, nullable: true", "type: double, nullable: false", "scores.score", "now required", "compatible"),
    ("type: int, nullable: false", "type: int, nullable: true", "scores.rank", "now nullable", "breaking"),
    ("type: int, nullable: false", "type: int", "scores.rank", "null rule changed", "cannot tell"),
    ("  - {name: rank, type: int, nullable: false, meaning: place}\n", "", "scores.rank", "removed", "breaking"),
    ("columns:\n", "columns:\n  - {name: n, type: int, nullable: true}\n", "scores.n", "added nullable", "compatible"),
    ("columns:\n", "columns:\n  - {name: n, type: int, nullable: false}\n", "scores.n", "added required", "breaking"),
    ("columns:\n", "columns:\n  - {name: n, type: int}\n", "scores.n", "added", "cannot tell"),
    ("columns:\n", "columns: none\nrows:\n", "c.yaml", "unreadable", "cannot tell"),
]


@pytest.mark.parametrize(("old", "new", "subject", "kind", "effect"), CASES, ids=[f"{c[2]} {c[3]}" for c in CASES])
def test_one_change(old, new, subject, kind, effect):
    changed = BASE.replace(old, new, 1)
    assert changed != BASE
    comparison = compare([parse_contract(BASE, "c.yaml")], [parse_contract(changed, "c.yaml")])
    found = [(c.subject, c.kind, c.effect.value) for c in comparison.changes if c.kind != "dataset removed"]
    assert found == [(subject, kind, effect)]


@pytest.mark.parametrize(
    ("mode", "effect"), [("snapshot", Effect.COMPATIBLE), ("append", Effect.BREAKING), (None, Effect.CANNOT_TELL)]
)
def test_a_required_column_breaks_only_where_older_rows_stay(mode, effect):
    before = BASE.replace("write_mode: append\n", f"write_mode: {mode}\n" if mode else "")
    after = before.replace("columns:\n", "columns:\n  - {name: n, type: int, nullable: false}\n")
    comparison = compare([parse_contract(before, "c.yaml")], [parse_contract(after, "c.yaml")])
    assert [(c.kind, c.effect) for c in comparison.changes] == [("added required", effect)]


def test_whole_datasets_and_the_worst_effect_of_all():
    base, other = parse_contract(BASE, "c.yaml"), parse_contract(BASE.replace("scores", "alerts"), "d.yaml")
    assert compare([base], [base]).effect is Effect.NONE
    assert compare([base], [base, other]).effect is Effect.COMPATIBLE
    assert compare([Unreadable("d.yaml", "torn")], [other]).effect is Effect.CANNOT_TELL
    removed = compare([base, other], [base])
    assert [str(change) for change in removed.changes] == [
        "alerts: dataset removed (breaking: consumers lose their input)"
    ]
    assert removed.effect is Effect.BREAKING


def test_two_equal_candidates_are_no_renaming():
    before = parse_contract(BASE, "c.yaml")
    swapped = BASE.replace(
        "name: score, type: double, nullable: true, meaning: how odd", "name: a, type: int, nullable: true"
    ).replace("name: rank, type: int, nullable: false, meaning: place", "name: b, type: int, nullable: true")
    kinds = {c.subject: c.kind for c in compare([before], [parse_contract(swapped, "c.yaml")]).changes}
    assert kinds == {
        "scores.a": "added nullable",
        "scores.b": "added nullable",
        "scores.rank": "removed",
        "scores.score": "removed",
    }


def test_spellings_of_one_type_are_one_type():
    assert canonical_type("BIGINT") == canonical_type("long") == "long"
    assert canonical_type("array< struct<a: integer , b:bool> >") == "array<struct<a:int,b:boolean>>"
    assert canonical_type("decimal(10, 2)") == "decimal(10,2)"


def test_a_contract_that_is_none_says_where():
    broken = parse_contract("dataset: x\ncolumns:\n  - {name: a}\n", "contracts/x.yaml")
    assert broken == Unreadable("contracts/x.yaml", "contracts/x.yaml:3: a column needs 'type'.")
    assert isinstance(parse_contract(BASE, "c.yaml"), Contract)


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("a/**/c/*.yaml", "a/c/x.yaml", True),
        ("a/**/c/*.yaml", "a/b/b/c/x.yaml", True),
        ("a/**/c/*.yaml", "a/b/c/d/x.yaml", False),
        ("a/*.yaml", "a/b/x.yaml", False),
        ("a/?.yaml", "a/x.yaml", True),
        ("a/x.yaml", "a/xxyaml", False),
    ],
)
def test_globs_of_paths(glob, path, matches):
    assert matching([path], [glob]) == [path] * matches
