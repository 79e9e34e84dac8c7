"""The platform's side of ``palantir_models.ports``: versions of the catalog as one job sees and publishes them."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import platform
import re
import shutil
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mirror.datasets.ids import stable_uuid
from mirror.models.artefacts import pack, unpack
from mirror.models.records import Model, ModelVersion
from mirror.models.registry import FOLDER, ModelRegistry, location_of
from palantir_models.ports import AdapterReference, PublishedState

SCORING_PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "pyarrow", "pyspark", "dill", "cloudpickle")
"""Packages whose version can change a score; recorded with every version."""

_SEED = re.compile(r"(^|_)(seed|random_state)$")


class VersionReadPort:
    """A resolved version inside a job."""

    def __init__(self, registry: ModelRegistry, model: Model, version: ModelVersion, branch: str) -> None:
        self._registry = registry
        self._model = model
        self._version = version
        self._branch = branch
        self._folder: Path | None = None
        self.evaluations: list[Callable[[], Mapping[str, Any]]] = []

    @property
    def model_rid(self) -> str:
        """The model's RID."""
        return self._model.rid

    @property
    def model_path(self) -> str:
        """The model's path."""
        return self._model.path

    @property
    def model_version_rid(self) -> str:
        """The version's RID."""
        return self._version.rid

    @property
    def branch(self) -> str:
        """The branch of the job that reads."""
        return self._branch

    @property
    def adapter(self) -> AdapterReference:
        """The class that loads the version."""
        return AdapterReference.parse(self._version.adapter)

    def state_directory(self) -> Path:
        """The files of the version, unpacked only after their checksum held; removed with this port."""
        if self._folder is None:
            version, storage = self._version, self._registry.workspace.storage
            self._folder = unpack(storage, version.location, version.sha256, self._model.path, version.semantic)
            weakref.finalize(self, shutil.rmtree, self._folder, True)
        return self._folder

    def attach_evaluation(self, document: Callable[[], Mapping[str, Any]]) -> None:
        """Kept until the job commits."""
        self.evaluations.append(document)


class VersionWritePort:
    """A model that a job may publish versions of; nothing is in the catalog before the job commits.

    Args:
        provenance: what the version is made from (inputs, transform, logic, job); packages and seeds are added here.
    """

    def __init__(
        self, registry: ModelRegistry, model: Model, branch: str, provenance: Mapping[str, Any] | None = None
    ) -> None:
        self._registry = registry
        self._model = model
        self._branch = branch
        self._provenance = dict(provenance or {})
        self.staged: list[dict[str, Any]] = []
        self.published: str | None = None

    @property
    def model(self) -> Model:
        """The model itself."""
        return self._model

    @property
    def model_rid(self) -> str:
        """The model's RID."""
        return self._model.rid

    @property
    def model_path(self) -> str:
        """The model's path."""
        return self._model.path

    @property
    def branch(self) -> str:
        """The branch versions are published on."""
        return self._branch

    def publish(self, version: PublishedState) -> str:
        """Packs the state and stages the version; a state equal to the newest of the branch is that version again."""
        newest = self._registry.newest(self._model, self._branch)
        before = self.staged[-1]["rid"] if self.staged else newest.rid if newest else None
        storage = self._registry.workspace.storage
        scratch = storage.temporary(FOLDER)
        sha256, size = pack(version.state, scratch)
        same = newest is not None and not self.staged and newest.sha256 == sha256
        if newest is not None and same and newest.adapter == str(version.adapter) and newest.api == dict(version.api):
            scratch.unlink()
            self.published = newest.rid
            return newest.rid
        key = stable_uuid(self._model.rid, self._branch, before, sha256, version.adapter)
        rid = f"ri.models.main.model-version.{key}"
        location = location_of(rid)
        storage.place(scratch, location)
        self.staged.append(
            {
                "rid": rid,
                "branch": self._branch,
                "adapter": str(version.adapter),
                "location": location,
                "sha256": sha256,
                "size": size,
                "api": dict(version.api),
                "change_type": version.change_type,
                "experiment": as_json(version.experiment) if version.experiment is not None else None,
                "facts": as_json(version.metadata),
                "provenance": {**self._provenance, **environment(), "seeds": seeds(version)},
            }
        )
        self.published = rid
        return rid

    def discard(self) -> None:
        """Removes what was staged; versions already in the catalog keep their files."""
        for entry in self.staged:
            self._registry.workspace.storage.remove(entry["location"])
        self.staged.clear()


def environment() -> dict[str, Any]:
    """Python and the packages whose version can change a score."""
    return {"python": platform.python_version(), "packages": dict(_installed())}


@functools.cache
def _installed() -> Mapping[str, str]:
    """Read once: what is imported stays, and to look for a version means to parse a package's whole description."""
    return {name: importlib.metadata.version(name) for name in SCORING_PACKAGES}


def seeds(version: PublishedState) -> dict[str, Any]:
    """Every value named like a seed in the experiment's parameters and in what the adapter tells about itself."""
    named: dict[str, Any] = {}
    for source in ((version.experiment or {}).get("parameters", {}), version.metadata):
        named.update({k: v for k, v in source.items() if _SEED.search(k)})
    return named


def as_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as every database stores it: NumPy scalars and dates as plain values, NaN and infinity as null."""

    def plain(value: Any) -> Any:
        return value.item() if hasattr(value, "item") and not getattr(value, "shape", 1) else str(value)

    text = json.dumps(document, default=plain)
    found: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return found
