"""Acute events, reading by reading: what cannot wait until a window closes."""
