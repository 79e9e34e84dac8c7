"""Bringing model files that lie in a dataset to where a library can load them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from palantir_models.errors import ModelStateError


def copy_model_to_driver(filesystem: Any) -> str:
    """Copies every file of an unstructured dataset into a new local folder and returns its path.

    Args:
        filesystem: ``input.filesystem()`` of a transform input (a handle itself is accepted too).

    Raises:
        ModelStateError: the dataset holds no file, or a name that leaves the folder.
    """
    if not callable(getattr(filesystem, "ls", None)) and callable(getattr(filesystem, "filesystem", None)):
        filesystem = filesystem.filesystem()
    target = Path(tempfile.mkdtemp(prefix="model-files-"))
    copied = 0
    for status in filesystem.ls():
        relative = PurePosixPath(status.path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ModelStateError(status.path, "leaves the folder it is copied to.")
        local = target.joinpath(*relative.parts)
        local.parent.mkdir(parents=True, exist_ok=True)
        with filesystem.open(status.path, "rb") as source, local.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        copied += 1
    if not copied:
        raise ModelStateError(
            "copy_model_to_driver", "the dataset holds no file.", "Upload the model's files to it first."
        )
    return str(target)
