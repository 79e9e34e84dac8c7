"""Reading and writing the files of one model version. Logical paths use ``/`` and never leave the version's root."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from palantir_models.errors import ModelStateError
from transforms._names import Named


def _inside(root: Path, logical: str) -> Path:
    """``root / logical`` with Foundry's leading slash tolerated and every way out refused."""
    relative = PurePosixPath(str(logical).replace("\\", "/").lstrip("/"))
    if ".." in relative.parts:
        raise ModelStateError(str(logical), "leaves the model's store.", "Use a path below it, without '..'.")
    return root.joinpath(*relative.parts)


class ModelStateWriter(Named):
    """What ``ModelAdapter.save`` writes to; everything below one directory becomes the version's state."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._root.mkdir(parents=True, exist_ok=True)

    def open(self, asset_file_path: str, mode: str = "wb") -> IO[Any]:
        """A stream over one file of the store, folders made on the way."""
        target = _inside(self._root, asset_file_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open(mode, encoding=None if "b" in mode else "utf-8")

    def put_file(self, local_file_path: str | Path, asset_file_path: str | None = None) -> None:
        """Copies one local file; without a target it lies at the root under its own name."""
        source = Path(local_file_path)
        target = _inside(self._root, asset_file_path or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def put_directory(self, local_root_path: str | Path, asset_root_path: str = "/") -> None:
        """Copies a local folder with everything below it."""
        shutil.copytree(Path(local_root_path), _inside(self._root, asset_root_path), dirs_exist_ok=True)

    def mkdir(self, name: str) -> str:
        """Makes a folder of the store and returns its local path, for libraries that save to a path."""
        target = _inside(self._root, name)
        target.mkdir(parents=True, exist_ok=True)
        return str(target)

    def scoped(self, name: str) -> ModelStateWriter:
        """A writer whose root is one folder of this one."""
        return ModelStateWriter(self.mkdir(name))


class ModelStateReader(Named):
    """What ``ModelAdapter.load`` reads from: the files of a version, already verified."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def open(self, asset_file_path: str, mode: str = "rb") -> IO[Any]:
        """A stream over one stored file. Raises ``ModelStateError`` listing what is stored when it is not there."""
        target = _inside(self._root, asset_file_path)
        if not target.is_file():
            raise ModelStateError(str(asset_file_path), "is not stored with this model version.", self._listing())
        return target.open(mode, encoding=None if "b" in mode else "utf-8")

    def extract_to_temp_dir(self, root_dir: str | None = None) -> tempfile.TemporaryDirectory[str]:
        """Everything, copied into a new temporary folder (made below ``root_dir`` if given).

        The result is a ``TemporaryDirectory``: ``with`` gives its path, leaving the block removes it.
        """
        directory: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(dir=root_dir)
        self.extract(directory.name)
        return directory

    def extract(self, destination_path: str | None = None) -> str:
        """Copies everything to ``destination_path`` (default: a new folder of the caller's keeping); returns the
        path.
        """
        destination = destination_path or tempfile.mkdtemp(prefix="model-state-")
        shutil.copytree(self._root, destination, dirs_exist_ok=True)
        return destination

    def dir(self, name: str) -> str:
        """The local path of one stored folder, for libraries that load from a path. Treat it as read-only."""
        target = _inside(self._root, name)
        if not target.is_dir():
            raise ModelStateError(name, "is no folder of this model version.", self._listing())
        return str(target)

    def scoped(self, name: str) -> ModelStateReader:
        """A reader whose root is one folder of this one."""
        return ModelStateReader(self.dir(name))

    def has(self, name: str) -> bool:
        """Whether a file or folder of that name is stored."""
        return _inside(self._root, name).exists()

    def _listing(self) -> str:
        stored = sorted(p.relative_to(self._root).as_posix() for p in self._root.rglob("*") if p.is_file())
        shown = ", ".join(stored[:10]) + (f" and {len(stored) - 10} more" if len(stored) > 10 else "")
        return f"Stored: {shown or 'nothing'}."
