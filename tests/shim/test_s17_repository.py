"""Fact sheet section 17: what a repository's own files say."""

from __future__ import annotations

import pytest

from transforms.shrinkwrap import parse_shrinkwrap

PLAIN = """\
mappings:
- alias: "/A Space/raw & odd: [x]"
  modes: ["READ"]
  path: "/deprecated"
  rid: "ri.foundry.main.dataset.1"
- alias: "ri.foundry.main.dataset.1"
  modes: ["BUILD", "READ"]
  rid: "ri.foundry.main.dataset.1"
- alias: "/A Space/a very long name\\
    \\ that was wrapped"
  modes: ["BUILD"]
  rid: "ri.foundry.main.dataset.2"
- alias: bare_word
  modes: BUILD
  rid: ri.foundry.main.dataset.2
"""

CONFLICT = """\
mappings:
- alias: "/a"
  modes: ["READ"]
  rid: "ri.1"
<<<<<<< HEAD
- alias: "/b"
  modes: ["BUILD"]
  rid: "ri.2"
=======
- alias: "/b"
  modes: ["READ"]
  rid: "ri.3"
- alias: "/c"
  modes: ["READ"]
  rid: "ri.4"
>>>>>>> master
"""


def test_aliases_rids_and_spellings():
    found = parse_shrinkwrap(PLAIN)
    assert found.problems == ()
    assert found.rid("/A Space/raw & odd: [x]") == "ri.foundry.main.dataset.1"
    assert found.rid("/A Space/a very long name that was wrapped") == "ri.foundry.main.dataset.2"
    assert found.rid("ri.anything") == "ri.anything"
    assert found.rid("/unknown") is None
    assert found.aliases("ri.foundry.main.dataset.2") == ("/A Space/a very long name that was wrapped", "bare_word")
    assert found.aliases("ri.foundry.main.dataset.1") == ("/A Space/raw & odd: [x]",)
    assert found.same("bare_word", "ri.foundry.main.dataset.2")
    assert found.same("/x", "/x")
    assert not found.same("/x", "/y")
    assert [sorted(e.modes) for e in found.entries] == [["READ"], ["BUILD", "READ"], ["BUILD"], ["BUILD"]]


def test_merge_markers_keep_both_sides():
    found = parse_shrinkwrap(CONFLICT)
    assert [(e.alias, e.rid) for e in found.entries] == [("/a", "ri.1"), ("/b", "ri.2"), ("/b", "ri.3"), ("/c", "ri.4")]
    assert found.rid("/b") == "ri.3"
    assert "merge markers" in found.problems[0]
    assert "ri.2 and to ri.3" in found.problems[1]


@pytest.mark.parametrize(
    ("text", "entries", "problem"),
    [
        ("", [], None),
        ("mappings: []", [], None),
        ("mappings:", [], None),
        ("mappings: 3", [], "no list"),
        ("mapping:\n- alias: /a\n  rid: ri.1\n", [], "no 'mappings'"),
        ("mappings:\n- alias: /a\n  rid: ri.1\n- rid: ri.2\n", ["/a"], "no alias"),
        ("mappings:\n- alias: /a\n", ["/a"], "no rid"),
        ("mappings:\n- alias: ri.9\n", ["ri.9"], None),
        ("mappings:\n- alias: 2024\n  rid: ri.1\n- alias: yes\n  rid: ri.2\n  modes:\n", ["2024", "yes"], None),
        ("mappings:\n- alias:\n  rid: ri.1\n", [], "no alias"),
        (
            "mappings:\n- modes: READ\n  alias: /a\n  rid: ri.1\n- rid: ri.2\n  alias: '/b\n- path: x\n  alias: /c\n",
            ["/a", "/c"],
            "entry 2 cannot be read",
        ),
        (
            "mappings:\n- alias: /a\n  rid: ri.1\n- alias: '/b\n  rid: ri.2\n- alias: /c\n  rid: ri.3\n",
            ["/a", "/c"],
            "entry by entry",
        ),
    ],
)
def test_damaged_files_give_what_can_be_read(text, entries, problem):
    found = parse_shrinkwrap(text)
    assert [e.alias for e in found.entries] == entries
    assert any(problem in p for p in found.problems) if problem else not found.problems
