"""Expectations that were dropped, loosened or tightened, as two trees declare them."""

from __future__ import annotations

import pytest

from mirror.promotion.compatibility import compare
from mirror.promotion.contracts import Column, Contract, Promise


def limit(operator: str, number: float, on_error: str = "FAIL") -> Promise:
    side = "below" if operator.startswith("lt") else "above"
    return Promise(f"v {side}", f"E.col('v').{operator}({number})", on_error, "v", operator, number)


def listed(*values: str) -> Promise:
    return Promise("v in", f"in {values}", column="v", values=frozenset(values))


def other(text: str) -> Promise:
    return Promise("any of", text)


CASES = [
    (limit("lte", 5), limit("lte", 9), "expectation loosened", "breaking"),
    (limit("lte", 5), limit("lte", 4), "expectation tightened", "compatible"),
    (limit("gte", 0), limit("gte", -1), "expectation loosened", "breaking"),
    (limit("gte", 0), limit("gt", 0), "expectation tightened", "compatible"),
    (limit("gt", 0), limit("gte", 0), "expectation loosened", "breaking"),
    (limit("gte", 0), limit("gte", 0, "WARN"), "expectation loosened to a warning", "breaking"),
    (limit("gte", 0), None, "expectation removed", "breaking"),
    (None, limit("gte", 0), "expectation added", "compatible"),
    (limit("gte", 0, "WARN"), None, None, None),
    (listed("a", "b"), listed("a", "b", "c"), "expectation loosened", "breaking"),
    (listed("a", "b"), listed("a"), "expectation tightened", "compatible"),
    (listed("a", "b"), listed("a", "c"), "expectation changed", "cannot tell"),
    (other("E.any(x)"), other("E.any(y)"), "expectation changed", "cannot tell"),
]


@pytest.mark.parametrize(("old", "new", "kind", "effect"), CASES)
def test_one_promise(old, new, kind, effect):
    before, after = (
        Contract("/d", "m.py", (Column("v", "double", True),), promises=(p,) if p else ()) for p in (old, new)
    )
    found = compare([before], [after]).changes
    assert [(c.kind.partition(":")[0], c.effect.value) for c in found] == ([(kind, effect)] if kind else [])
    assert all(c.subject == ("/d.v" if "v" in str(old or new) and "any" not in c.kind else "/d") for c in found)
