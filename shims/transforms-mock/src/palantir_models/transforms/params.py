"""Models as parameters of a transform: declarations only, made at import without touching anything."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from palantir_models.adapter import ModelAdapter
from palantir_models.errors import DeclarationError, nearest
from palantir_models.publishing import WritableModel
from palantir_models.version import load_version
from transforms._names import caller
from transforms.api import LightweightInputParam, LightweightOutputParam

if TYPE_CHECKING:
    from transforms.api._job import Job

_OF_INPUT = ("alias", "model_version", "branch", "use_sidecar", "sidecar_resources")
_SIDECAR_RESOURCES = ("cpus", "memory_gb", "gpus")
_VERSION_RID = re.compile(r"^ri\.models\.[^.]*\.model-version\.[0-9a-f-]+$")
_SEMANTIC = re.compile(r"^\d+\.\d+\.\d+$")


class ModelInput(LightweightInputParam):
    """A model version to score with; the compute function receives its adapter, loaded.

    Args:
        alias: path or RID of the model (older spelling: ``model_rid_or_path``).
        model_version: version RID or semantic version; wins over ``branch`` and over any release.
        branch: the newest version on that branch, instead of the build's.
        use_sidecar: recorded; locally the adapter runs in the transform's own process.
        sidecar_resources: ``cpus``, ``memory_gb``, ``gpus``; recorded, only together with ``use_sidecar``.

    Raises:
        DeclarationError: a version that is neither RID nor semantic, resources without a sidecar, an unknown argument.
    """

    kind = "model_input"
    keeps_results = True
    model_version: str | None
    use_sidecar: bool
    sidecar_resources: Mapping[str, float] | None

    def __init__(
        self,
        alias: str | None = None,
        model_version: str | None = None,
        use_sidecar: bool = False,
        sidecar_resources: Mapping[str, float] | None = None,
        branch: str | None = None,
        **older: Any,
    ) -> None:
        alias = _alias("ModelInput", alias, older, _OF_INPUT)
        subject = f"ModelInput({alias!r})"
        if model_version is not None and not (
            isinstance(model_version, str) and (_VERSION_RID.match(model_version) or _SEMANTIC.match(model_version))
        ):
            raise _wrong(subject, f"model_version {model_version!r} is neither a version RID nor like '1.2.0'.")
        if sidecar_resources is not None and not use_sidecar:
            raise _wrong(subject, "sidecar_resources need use_sidecar=True.")
        for name, amount in (sidecar_resources or {}).items():
            if name not in _SIDECAR_RESOURCES:
                raise _wrong(subject, f"a sidecar has no resource {name!r}.{nearest(name, _SIDECAR_RESOURCES)}")
            if isinstance(amount, bool) or not isinstance(amount, int if name == "gpus" else int | float):
                raise _wrong(subject, f"{name} of a sidecar is a number, got {amount!r}.")
        super().__init__(alias, branch=branch)
        self.model_version = model_version
        self.use_sidecar = use_sidecar
        self.sidecar_resources = dict(sidecar_resources) if sidecar_resources else None
        self._evaluation_set: str | None = None

    def in_evaluation_set(self, name: str) -> ModelInput:
        """A copy whose evaluations belong to the set ``name``."""
        changed = copy.copy(self)
        changed._evaluation_set = name
        return changed

    def _bind(self, bound: Any, job: Job | None = None) -> Any:
        if isinstance(bound, ModelAdapter):
            return bound
        return load_version(bound, self._evaluation_set)


class ModelOutput(LightweightOutputParam):
    """A model to publish versions of; the compute function receives an object with ``publish`` and
    ``create_experiment``.

    Args:
        alias: path or RID; the model is made by the first build that publishes.
    """

    kind = "model_output"

    def __init__(self, alias: str | None = None, **older: Any) -> None:
        super().__init__(_alias("ModelOutput", alias, older, ("alias",)))

    def _bind(self, bound: Any, job: Job | None = None) -> Any:
        return bound if isinstance(bound, WritableModel) else WritableModel(bound)


def _wrong(subject: str, reason: str) -> DeclarationError:
    return DeclarationError(f"{caller()}: {subject}", reason)


def _alias(owner: str, alias: str | None, older: Mapping[str, Any], known: tuple[str, ...]) -> str | None:
    older = dict(older)
    for spelling in ("model_rid_or_path", "path_or_rid", "model_rid"):
        if spelling in older:
            alias = older.pop(spelling) if alias is None else alias
    if older:
        name = sorted(older)[0]
        takes = f"{nearest(name, known)} It takes: {', '.join(known)}."
        raise _wrong(f"{owner}({alias!r})", f"has no argument {name!r}.{takes}")
    if alias is not None and not isinstance(alias, str):
        raise _wrong(owner, f"takes a path or RID as text, got {alias!r}.")
    return alias
