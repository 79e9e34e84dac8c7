"""Foundry's ``foundry.transforms``: datasets outside a transform (code workspaces, and beneath single-node
transforms).
"""

from foundry.transforms._columns import Column
from foundry.transforms._dataset import Dataset, FileCollection
from foundry.transforms._provider import DatasetHost, connect, datasets_from, load_aliases
from transforms._names import module_getattr

__all__ = ["Column", "Dataset", "DatasetHost", "FileCollection", "connect", "datasets_from", "load_aliases"]

__getattr__ = module_getattr("foundry.transforms", __all__)
