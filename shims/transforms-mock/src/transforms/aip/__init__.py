"""Foundry's deprecated ``transforms.aip``: it imports, and anything called in it is refused."""
