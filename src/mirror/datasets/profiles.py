"""Adds a fleet profile to the transforms repository: a file copied into its ``profiles`` folder."""

from __future__ import annotations

import os
from pathlib import Path

from mirror.datasets.errors import ProfileError
from mirror.datasets.storage import translated
from mirror.datasets.workspace import Workspace


def add_profile(workspace: Workspace, file: Path) -> Path:
    """Copies ``file`` into ``<source root>/<package>/profiles/`` and tells where it lies now.

    The same content already there is left alone. Raises ProfileError (no such file, no YAML mapping, another profile of
    that name), GuestNotFoundError.
    """
    import yaml

    if not file.is_file():
        raise ProfileError(str(file), None, "there is no such file")
    content = file.read_bytes()
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ProfileError(str(file), mark.line + 1 if mark else None, getattr(error, "problem", str(error))) from error
    if not isinstance(document, dict):
        raise ProfileError(str(file), 1, "a profile is a YAML mapping")
    root = workspace.config.source_root
    folders = sorted(folder for folder in root.glob("*/profiles") if folder.is_dir())
    if len(folders) != 1:
        found = f"{len(folders)} profiles folders" if folders else "no profiles folder"
        raise ProfileError(str(file), None, f"there is {found} at {root}/*/profiles to copy it to")
    name = document.get("profile", file.stem)
    target = folders[0] / f"{name}.yaml"
    if target.parent != folders[0] or not isinstance(name, str):
        raise ProfileError(str(file), None, f"`profile: {name}` is no plain name")
    if target.exists():
        if target.read_bytes() == content:
            return target
        raise ProfileError(str(file), None, f"another profile {name!r} is at {target} already; rename one of them")
    with translated(target):
        temporary = target.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(target)
    return target
