"""Foundry's ``transforms.verbs``: helpers for frames and columns, and running transforms in unit tests."""
