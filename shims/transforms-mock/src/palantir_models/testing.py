"""A model in a folder, for unit tests of training and scoring transforms: no workspace, no catalog.

    model = LocalModel(tmp_path)
    runner = TransformRunner(pipeline, bindings={"model": model})    # as ModelOutput, then as ModelInput

What was published last is what an input loads.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from palantir_models.adapter import ModelAdapter
from palantir_models.errors import ModelStateError
from palantir_models.ports import AdapterReference, PublishedState
from palantir_models.version import load_version


class LocalModel:
    """Both ports of one model over a folder.

    Attributes:
        published: every published state, oldest first; ``state`` of each points into the folder.
    """

    def __init__(self, folder: str | Path, path: str = "/models/local", branch: str = "master") -> None:
        self._folder = Path(folder)
        self._path = path
        self._branch = branch
        self.published: list[PublishedState] = []
        self._evaluations: list[Callable[[], Mapping[str, Any]]] = []

    @property
    def model_rid(self) -> str:
        """The RID of the model, from its path."""
        return f"ri.models.main.model.{uuid5(NAMESPACE_URL, self._path)}"

    @property
    def model_path(self) -> str:
        """The path of the model."""
        return self._path

    @property
    def branch(self) -> str:
        """The branch of reads and writes."""
        return self._branch

    @property
    def model_version_rid(self) -> str:
        """The RID of the newest version."""
        return f"ri.models.main.model-version.{uuid5(NAMESPACE_URL, f'{self._path}/{len(self.published)}')}"

    @property
    def adapter(self) -> AdapterReference:
        """The class of the newest version. Raises ``ModelStateError`` before the first."""
        return self._newest().adapter

    @property
    def evaluations(self) -> tuple[dict[str, Any], ...]:
        """Evaluations attached by transforms, as JSON."""
        return tuple(dict(document()) for document in self._evaluations)

    def publish(self, version: PublishedState) -> str:
        """Copies the state into the folder; visible at once."""
        target = self._folder / str(len(self.published) + 1)
        shutil.copytree(version.state, target)
        kept = {**vars(version), "state": target}
        self.published.append(PublishedState(**kept))
        return self.model_version_rid

    def state_directory(self) -> Path:
        """The files of the newest version. Raises ``ModelStateError`` before the first."""
        return self._newest().state

    def attach_evaluation(self, document: Callable[[], Mapping[str, Any]]) -> None:
        """Keeps an evaluation."""
        self._evaluations.append(document)

    def load(self) -> ModelAdapter:
        """The adapter of the newest version. Raises ``ModelStateError`` before the first."""
        return load_version(self)

    def _newest(self) -> PublishedState:
        if not self.published:
            raise ModelStateError(self._path, "has no version yet.", "Run the training transform of this test first.")
        return self.published[-1]
