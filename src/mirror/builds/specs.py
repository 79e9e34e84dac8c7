"""JobSpecs: what a transform reads, writes and is made of, as plain data. Planning needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# Media sets and tables are stored as datasets (``Param.takes_port``).
DATASET_KINDS = frozenset(
    {"dataset_input", "dataset_output", "dataset_input_set", "dataset_output_set"}
    | {"media_set_input", "media_set_output", "table_input", "table_output"}
)
# What the declaration itself can make a value of: typed parameters their default, sources their description in a file.
SECRET_KINDS = frozenset({"source", "credential"})
VALUE_KINDS = frozenset({"parameter", "egress_policy", "export_control"}) | SECRET_KINDS


@dataclass(frozen=True)
class ParamSpec:
    """One declared parameter.

    Attributes:
        kind: as the declaration names it (``dataset_input``, ``model_input``, ...).
        aliases: canonical dataset paths, or the alias of another resource.
        branch: fixed by the declaration, or ``None`` for the build's.
        settings: everything else the declaration fixed that is plain (``model_version``, ``transaction_limit``, ...).
        checks: printed form of the checks on it.
    """

    name: str
    kind: str
    direction: str
    aliases: tuple[str, ...]
    branch: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[str, ...] = ()

    @property
    def alias(self) -> str | None:
        """The one alias of a parameter that stands for one resource."""
        return self.aliases[0] if self.aliases else None

    @property
    def is_dataset(self) -> bool:
        """Whether it stands for datasets."""
        return self.kind in DATASET_KINDS

    def __getattr__(self, name: str) -> Any:
        """Settings read like the declaration's own attributes."""
        settings = self.__dict__.get("settings") or {}
        if name in settings:
            return settings[name]
        raise AttributeError(f"parameter {self.__dict__.get('name')!r} declares no {name!r}")


@dataclass(frozen=True)
class JobSpec:
    """How to construct one job.

    Attributes:
        reference: unique in the pipeline and stable between imports.
        name: what people call the transform.
        source: ``file:line`` of the compute function, relative to the source root.
        engine: ``spark`` or ``lightweight``.
        logic_version: hash of everything its result depends on besides its inputs.
        incremental: the settings of ``@incremental`` or ``None``.
        recorded: what Foundry would act on and this platform only notes.
    """

    reference: str
    name: str
    source: str
    engine: str
    logic_version: str
    params: tuple[ParamSpec, ...]
    incremental: Mapping[str, Any] | None = None
    recorded: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> tuple[ParamSpec, ...]:
        """What is read or handed in."""
        return tuple(p for p in self.params if p.direction == "input")

    @cached_property
    def outputs(self) -> tuple[ParamSpec, ...]:
        """What is written."""
        return tuple(p for p in self.params if p.direction == "output")

    @property
    def semantic_version(self) -> int:
        """Of ``@incremental``; 1 without."""
        return int((self.incremental or {}).get("semantic_version", 1))

    def dataset_inputs(self) -> tuple[tuple[ParamSpec, str], ...]:
        """Parameter and path of every dataset read."""
        return self._dataset_inputs

    def dataset_outputs(self) -> tuple[tuple[ParamSpec, str], ...]:
        """Parameter and path of every dataset written."""
        return self._dataset_outputs

    def resources(self, direction: str) -> tuple[ParamSpec, ...]:
        """Parameters that stand for something other than datasets and plain values."""
        return tuple(param for param in self._resources if param.direction == direction)

    # Kept: a plan over a thousand jobs asks for these several times each.
    @cached_property
    def _dataset_inputs(self) -> tuple[tuple[ParamSpec, str], ...]:
        return tuple((p, alias) for p in self.inputs if p.is_dataset for alias in p.aliases)

    @cached_property
    def _dataset_outputs(self) -> tuple[tuple[ParamSpec, str], ...]:
        return tuple((p, alias) for p in self.outputs if p.is_dataset for alias in p.aliases)

    @cached_property
    def _resources(self) -> tuple[ParamSpec, ...]:
        return tuple(p for p in self.params if not p.is_dataset and p.kind not in VALUE_KINDS)

    @cached_property
    def output_paths(self) -> tuple[str, ...]:
        """Everything it makes: datasets and other resources."""
        return tuple(alias for param in self.outputs for alias in param.aliases)

    def to_json(self) -> dict[str, Any]:
        """A JSON document; the inverse of :meth:`from_json`."""
        return {
            "reference": self.reference,
            "name": self.name,
            "source": self.source,
            "engine": self.engine,
            "logic_version": self.logic_version,
            "params": [dict(vars(p)) for p in self.params],
            "incremental": self.incremental,
            "recorded": dict(self.recorded),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> JobSpec:
        """The inverse of :meth:`to_json`."""
        params = tuple(
            ParamSpec(**{**p, "aliases": tuple(p["aliases"]), "checks": tuple(p["checks"])}) for p in document["params"]
        )
        return cls(**{**document, "params": params})
