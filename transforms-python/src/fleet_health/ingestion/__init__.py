"""From raw files to clean, quarantined and dead rows; nothing is dropped silently."""
