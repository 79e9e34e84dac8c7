"""Rules of the contracts that no check on one dataset can say, measured and kept as numbers with their limits."""
