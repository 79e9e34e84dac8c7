"""Statistics of consecutive groups of readings; rows come in the order of their groups.

In numpy and not in Spark SQL, because percentiles and regressions leave generated code there; see docs/performance.md.

Null rules (null is NaN here)
mean, min, max, p95, fraction   null only when the window holds no value of the sensor
std                             null below two values; exactly 0 for equal values (sample deviation, n - 1)
slope                           least squares on minutes since the window's start over rows where the sensor is present;
                                null below two values or when all of them share one instant
p95                             exact, linear interpolation
difference                      null when an operand is null
ratio_of_positive               null when an operand is null or the denominator is not above 0
ratio_of_nonzero                null when an operand is null or the denominator is within 1e-6 of 0; the sign passes
sensor_completeness, quality_flag_count, reading_count   never null
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ZERO = 1e-6
P95 = 0.95


_DEPTH = 16
"""Readings of a chunk: a quarter of an hour in one, with a reading a minute and one to spare."""


@dataclass(frozen=True)
class Groups:
    """Consecutive rows that belong together, laid out as chunks of at most sixteen rows side by side.

    Row ``n`` of every chunk is added to row ``n - 1`` of all of them at once, and then chunks to their group's total.
    So a sum is made in an order that the rows of its group alone decide, whatever lies beside them.

    Attributes:
        rows: how many there are.
        starts: first row of each group.
        chunks: a column per chunk with the numbers of its rows; where it ends earlier, its first one again.
        there: whether a place in a chunk has a row of its own.
        firsts: first chunk of each group.
    """

    rows: int
    starts: Ints
    chunks: Ints
    there: Flags
    firsts: Ints

    @classmethod
    def where_changes(cls, *keys: NDArray[np.generic]) -> Groups:
        """A group begins wherever one of ``keys`` differs from the row before."""
        rows = len(keys[0])
        first = np.ones(rows, dtype=bool)
        if rows:
            first[1:] = keys[0][1:] != keys[0][:-1]
            for key in keys[1:]:
                first[1:] |= key[1:] != key[:-1]
        starts = np.flatnonzero(first)
        counts = np.diff(starts, append=rows)
        needed = -(-counts // _DEPTH)
        firsts = np.cumsum(needed) - needed
        if len(starts) == needed.sum():
            begin, length = starts, counts
        else:
            place = np.arange(needed.sum()) - np.repeat(firsts, needed)
            begin = np.repeat(starts, needed) + place * _DEPTH
            length = np.repeat(starts + counts, needed) - begin
        depth = np.arange(min(_DEPTH, int(length.max(initial=1))))[:, np.newaxis]
        there = depth < length
        return cls(rows, starts, begin + depth * there, there, firsts)

    def of_other_rows(self, numbers: Ints) -> Groups:
        """The same groups of columns in which row ``n`` stands at ``numbers[n]``; only to lay those out."""
        return replace(self, chunks=numbers[self.chunks])

    @cached_property
    def of_row(self) -> Ints:
        """The group of every row."""
        return np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=self.rows))

    @cached_property
    def counts(self) -> Floats:
        """Rows of each group."""
        return np.diff(self.starts, append=self.rows).astype(np.float64)

    @cached_property
    def empty(self) -> Ints:
        """The places that have no row of their own, counted through all chunks."""
        return np.flatnonzero(~self.there)

    @property
    def one_chunk_each(self) -> bool:
        return len(self.firsts) == self.chunks.shape[1]

    def laid_out(self, column: Floats) -> Floats:
        """A value (or a line of values) per row, chunk by chunk; where there is no row, the chunk's first one again."""
        laid_out: Floats = column.take(self.chunks, axis=0, mode="clip")
        return laid_out

    def total(self, column: NDArray[np.generic]) -> Floats:
        """The sum of a value per row; none may be null."""
        return np.add.reduceat(column.astype(np.float64), self.starts)

    def total_laid_out(self, laid_out: NDArray[np.generic]) -> Floats:
        """The sum of values in chunks; what is null or has no row has to be 0."""
        total = laid_out[0].astype(np.float64)
        for row in laid_out[1:]:
            total += row
        return self.of_group(np.add, total)

    def of_group(self, combine: np.ufunc, each: Floats) -> Floats:
        """A value per chunk, combined per group."""
        if self.one_chunk_each:
            return each
        combined: Floats = combine.reduceat(each, self.firsts, axis=0)
        return combined

    def of_chunk(self, each: Floats) -> Floats:
        """A value per group, repeated for each of its chunks."""
        if self.one_chunk_each:
            return each
        return np.repeat(each, np.diff(self.firsts, append=self.chunks.shape[1]), axis=0)


@dataclass(frozen=True)
class Centred:
    """Values around the mean of their group; centring at the smallest value keeps equal values exactly equal.

    Of one sensor, or of several side by side: then every array has one dimension more, the last one.

    Attributes:
        groups: the groups.
        values: laid out in chunks.
        whole: whether no value is null.
        absent: where there is no row, or no value.
        count, low, high, mean: of each group.
        away: distance of every value from its group's mean; 0 where there is none.
    """

    groups: Groups
    values: Floats
    whole: bool
    absent: Flags
    count: Floats
    low: Floats
    high: Floats
    mean: Floats
    away: Floats

    @classmethod
    def of(cls, values: Floats, groups: Groups) -> Centred:
        """Of a value, or a line of values, per row; null is NaN."""
        return cls.of_laid_out(groups.laid_out(values), groups)

    @classmethod
    def of_laid_out(cls, values: Floats, groups: Groups) -> Centred:
        """Of values in chunks; null is NaN."""
        absent = np.isnan(values)
        whole = not absent.any()
        # what is broadcast along sensors is done sensor by sensor, so this is said of each of them
        absent.reshape(groups.chunks.size, -1)[groups.empty] = True
        count = groups.of_group(np.add, np.add.reduce(~absent, dtype=np.uint8).astype(np.float64))
        # a row that stands for none is one of its group; of 0 and -0 either may be found first, adding 0 makes them one
        low = groups.of_group(np.fmin, np.fmin.reduce(values)) + 0.0
        high = groups.of_group(np.fmax, np.fmax.reduce(values)) + 0.0
        away = values - groups.of_chunk(low)
        np.copyto(away, 0.0, where=absent)
        mean = low + groups.total_laid_out(away) / np.maximum(count, 1.0)
        mean = np.minimum(np.maximum(mean, low), high)
        np.subtract(values, groups.of_chunk(mean), out=away)
        np.copyto(away, 0.0, where=absent)
        return cls(groups, values, whole, absent, count, low, high, mean, away)

    def sensor(self, place: int) -> Centred:
        """One of several, without what is not needed of it any more."""
        absent = self.absent[..., place]
        whole = self.whole or np.count_nonzero(absent) == len(self.groups.empty)
        count, low, high, mean = (each[:, place] for each in (self.count, self.low, self.high, self.mean))
        values, away = self.values[..., place], self.away[..., place]
        return Centred(self.groups, values, whole, absent, count, low, high, mean, away)

    @cached_property
    def squares(self) -> Floats:
        """The sum of squared distances from the mean."""
        return self.groups.total_laid_out(self.away * self.away)

    def std(self) -> Floats:
        enough = self.count >= 2
        return np.where(enough, np.sqrt(self.squares / np.where(enough, self.count - 1, 1.0)), np.nan)

    def slope(self, time: Centred) -> Floats:
        """Of one sensor, per minute; ``time`` holds the minutes of all rows."""
        if not self.whole:
            time = Centred.of_laid_out(np.where(self.absent, np.nan, time.values), self.groups)
        spread = time.squares
        together = self.groups.total_laid_out(time.away * self.away)
        # a sum of nothing but zeros may be -0
        return np.where(spread > 0.0, together / np.where(spread > 0.0, spread, 1.0) + 0.0, np.nan)

    def percentile(self, share: float) -> Floats:
        """Of one sensor."""
        place = np.maximum(self.count - 1, 0.0) * share
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(self.count.astype(np.int64) - 1, 0))
        values = np.where(self.absent, np.nan, self.values)
        if self.groups.one_chunk_each:
            ranked, group = np.sort(values, axis=0), np.arange(len(below))
            left, right = ranked[below, group], ranked[above, group]
        else:
            groups = self.groups
            rows = values.T[groups.there.T]
            ranked = rows[np.lexsort((rows, groups.of_row))]
            left, right = ranked[groups.starts + below], ranked[groups.starts + above]
        return np.where(self.count > 0, left + (place - below) * (right - left), np.nan)


def difference(left: Floats, right: Floats) -> Floats:
    return left - right


def ratio_of_positive(left: Floats, right: Floats) -> Floats:
    return _ratio(left, right, right > 0)


def ratio_of_nonzero(left: Floats, right: Floats) -> Floats:
    return _ratio(left, right, np.abs(right) >= _ZERO)


def _ratio(left: Floats, right: Floats, allowed: Flags) -> Floats:
    return np.where(allowed, left / np.where(allowed, right, 1.0), np.nan)
