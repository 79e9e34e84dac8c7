"""Feature rows as they were known: joined with labels, versioned, backfilled, published as baselines and properties."""
