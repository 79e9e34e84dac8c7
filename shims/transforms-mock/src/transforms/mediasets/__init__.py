"""Foundry's ``transforms.mediasets``: collections of files with references, read and written item by item.

Here a media set is a dataset of raw files. Reading, writing and listing work; transformations that Foundry's media
service would compute are refused.
"""

from transforms._names import module_getattr
from transforms.mediasets._params import MediaSetInput, MediaSetOutput
from transforms.mediasets.inputs import LightweightMediaSetInputParam, MediaSetInputParam
from transforms.mediasets.outputs import LightweightMediaSetOutputParam, MediaSetOutputParam

__all__ = [
    "LightweightMediaSetInputParam",
    "LightweightMediaSetOutputParam",
    "MediaSetInput",
    "MediaSetInputParam",
    "MediaSetOutput",
    "MediaSetOutputParam",
]

__getattr__ = module_getattr("transforms.mediasets", __all__)
