"""From scores to alerts with severity, deduplication and a deadline."""
