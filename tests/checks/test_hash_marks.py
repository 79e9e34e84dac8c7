"""Two sets of hashes told apart by their marks, and where marks must not be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mirror.checks.hash_marks import Marks, meet, split


def drawn(seed: int, size: int) -> Any:
    return np.unique(np.random.default_rng(seed).integers(0, 2**64, size, dtype=np.uint64))


def met(fresh: Any, known: Sequence[Any]) -> tuple[bool, list[int]]:
    """The answer, and of which sets the second halves were asked for."""
    halves = [split(np.sort(one)) for one in known]
    asked: list[int] = []

    def rests(place: int) -> bytes:
        asked.append(place)
        return halves[place][1]

    return meet(fresh, [marks for marks, _ in halves], rests), asked


@pytest.mark.parametrize("size", [0, 1, 2, 127, 128, 129, 5000])
def test_two_halves_are_the_whole(size: int) -> None:
    hashes = drawn(size, size)
    marks, rests = split(hashes)
    assert marks.whole(rests).tolist() == hashes.tolist()
    assert (marks.told() << np.uint64(64 - marks.bits) <= hashes).all()


def test_edges_are_the_whole() -> None:
    edges = np.array([0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1], dtype=np.uint64)
    # at one end or the other every other bucket is empty
    for near in (np.arange(1000, dtype=np.uint64), np.uint64(2**64 - 1) - np.arange(1000, dtype=np.uint64)):
        hashes = np.unique(np.concatenate([edges, near]))
        marks, rests = split(hashes)
        assert marks.whole(rests).tolist() == hashes.tolist()


def test_half_of_the_bytes_are_read() -> None:
    marks, rests = split(drawn(1, 100_000))
    assert len(rests) == 400_000
    assert len(marks.halves) < 405_000


def test_marks_of_another_length_are_refused() -> None:
    marks, _ = split(drawn(1, 200))
    with pytest.raises(ValueError, match="marks of 201 hashes take"):
        Marks(201, marks.halves)


def test_hashes_meet_exactly_where_sets_do() -> None:
    for size in (1, 2, 300, 5000):
        fresh = drawn(size, size)
        known = [np.setdiff1d(drawn(7, n), fresh) for n in (0, 1, 20_000)]
        # the same mark is not the same hash: the second halves decide
        near = np.setdiff1d(fresh ^ np.uint64(1), fresh)
        assert met(fresh, [*known, near]) == (False, [3])
        assert met(fresh[:0], known) == (False, [])
        for shared in (fresh[:1], fresh[-1:]):
            assert met(fresh, [known[2], np.append(near, shared)]) == (True, [1])
    edges = np.array([0, 1, 2**63, 2**64 - 1], dtype=np.uint64)
    for edge in edges:
        assert met(edges, [np.array([edge], dtype=np.uint64)])[0]
        assert not met(np.setdiff1d(edges, [edge]), [np.array([edge], dtype=np.uint64)])[0]


def test_random_sets_are_told_apart_without_the_second_halves() -> None:
    fresh = drawn(1, 20_000)
    known = [np.setdiff1d(drawn(seed, 20_000), fresh) for seed in range(2, 22)]
    assert met(fresh, known) == (False, [])
