"""From windows to scores, and how honest the scores are."""
