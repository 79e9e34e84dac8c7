"""Whether a build's fallbacks agree with where a dataset's branch came from (fact sheet, section 2.4, step 3).

What Foundry compares exactly is not published. Here: a branch that has a parent must descend from the first fallback
that the dataset has (the branch it would be made from today), and its ancestors must not occur in another order. A root
branch says nothing about where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def ancestors(branch: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The branches above one branch of a dataset, nearest first.

    Args:
        parents: of every branch of the dataset, ``None`` for a root.
    """
    found: list[str] = []
    above = parents.get(branch)
    while above is not None and above not in found:
        found.append(above)
        above = parents.get(above)
    return tuple(found)


def mismatch(branch: str, parents: Mapping[str, str | None], fallbacks: Sequence[str]) -> str | None:
    """Why ``fallbacks`` do not agree with the ancestry of ``branch``, in one clause; ``None`` where they do."""
    above = ancestors(branch, parents)
    existing = [name for name in fallbacks if name in parents and name != branch]
    if not above or not existing:
        return None
    line = " -> ".join((branch, *above))
    if existing[0] not in above:
        return f"it comes from {above[0]!r} ({line}), not from the fallback {existing[0]!r}"
    ordered = [name for name in existing if name in above]
    if ordered != sorted(ordered, key=above.index):
        return f"its ancestry {line} is in another order than the fallbacks {' -> '.join(ordered)}"
    return None
