"""Lets the repository's own loader judge a profile before it becomes part of the repository."""

from __future__ import annotations

from pathlib import Path

from mirror.builds.discovery import import_from
from mirror.builds.errors import ProfileRefusedError


def check_profile(source_root: Path, file: Path) -> None:
    """Calls ``<package>.profiles.loader.load_profile(file)`` where the repository has exactly one such module.

    Raises ProfileRefusedError with the loader's own text (any ``ValueError``), PipelineImportError where the loader
    itself cannot be imported, PackageNameError.
    """
    loaders = [path for path in source_root.glob("*/profiles/loader.py") if path.is_file()]
    if len(loaders) != 1:
        return
    package = loaders[0].parent.parent.name
    load = getattr(import_from(source_root, f"{package}.profiles.loader"), "load_profile", None)
    if load is None:
        return
    try:
        load(file)
    except ValueError as error:
        raise ProfileRefusedError(str(error)) from error
