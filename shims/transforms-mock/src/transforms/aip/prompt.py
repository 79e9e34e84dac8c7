"""Foundry's deprecated ``transforms.aip.prompt``: it imports; its names are not publicly documented."""

from transforms._names import module_getattr

__all__: list[str] = []

__getattr__ = module_getattr("transforms.aip.prompt", __all__)
