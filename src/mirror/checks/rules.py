"""What Foundry's documentation leaves open, decided once. Each constant is read by the code it governs."""

from __future__ import annotations

UNDECIDED_PASSES = True
"""A comparison, pattern, size or array expectation on a null is undecided, and an undecided row passes, negated or not.
Documented for value comparisons and patterns; taken over for column, timestamp and array expectations."""

VALUELESS_PASSES = False
"""A property that has no value (the sum, minimum or deviation of nothing) fails with a message."""

EMPTY_DATASET_PASSES = True
"""Row, group and key expectations hold on no rows; ``row_count``, ``null_count`` and ``distinct_count`` are 0 there."""

OFFENDING_ROWS = 20
"""How many rows, groups or values a failing check shows."""

OFFENDING_COLUMNS = 12
"""How many columns an offending row shows when the dataset declares no key."""

APPROXIMATE_DEVIATION = 0.05
"""Relative standard deviation of ``approx_distinct_count``."""

MASK = "***"
"""What stands for a value of a column marked sensitive."""
