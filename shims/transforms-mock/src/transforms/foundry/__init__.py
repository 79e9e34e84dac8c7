"""Foundry's ``transforms.foundry``: the connector that runs a transform by hand."""
