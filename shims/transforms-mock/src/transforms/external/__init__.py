"""Foundry's ``transforms.external``: reaching systems outside."""
