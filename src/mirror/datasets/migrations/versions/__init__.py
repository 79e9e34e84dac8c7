"""One file per catalog version."""
