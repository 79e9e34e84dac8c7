"""JobSpecs: what a transform reads, writes and is made of, as plain data. Planning needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ParamSpec:
        """The inverse of ``vars``."""
        made = cls.__new__(cls)
        # Half of planning was the frozen constructor, field by field.
        vars(made).update(document, aliases=tuple(document["aliases"]), checks=tuple(document["checks"]))
        return made

    def key(self, path: str) -> str:
        """What a dataset input is called among the inputs of its job: a path can be read on several branches."""
        return path if self.branch is None else f"{path}@{self.branch}"

    def __getattr__(self, name: str) -> Any:
        """Settings read like the declaration's own attributes."""
        settings = self.__dict__.get("settings") or {}
        if name in settings:
            return settings[name]
        raise AttributeError(f"parameter {self.__dict__.get('name')!r} declares no {name!r}")


class _Side(NamedTuple):
    """What is read, or what is written."""

    params: list[ParamSpec]
    datasets: list[tuple[ParamSpec, str]]
    resources: list[ParamSpec]


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

    inputs: tuple[ParamSpec, ...] = field(init=False, repr=False, compare=False)
    """What is read or handed in."""
    outputs: tuple[ParamSpec, ...] = field(init=False, repr=False, compare=False)
    """What is written."""
    output_paths: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Everything it makes: datasets and other resources."""
    _sides: Mapping[str, _Side] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Sorted once: a plan over a thousand jobs asks for each of these several times.
        sides = {"input": _Side([], [], []), "output": _Side([], [], [])}
        for param in self.params:
            side = sides[param.direction]
            side.params.append(param)
            if param.kind in DATASET_KINDS:
                side.datasets.extend([(param, alias) for alias in param.aliases])
            elif param.kind not in VALUE_KINDS:
                side.resources.append(param)
        read, made = sides["input"], sides["output"]
        vars(self).update(
            inputs=tuple(read.params),
            outputs=tuple(made.params),
            output_paths=tuple([alias for param in made.params for alias in param.aliases]),
            _sides=sides,
        )

    @property
    def semantic_version(self) -> int:
        """Of ``@incremental``; 1 without."""
        return int((self.incremental or {}).get("semantic_version", 1))

    def dataset_inputs(self) -> Sequence[tuple[ParamSpec, str]]:
        """Parameter and path of every dataset read."""
        return self._sides["input"].datasets

    def dataset_outputs(self) -> Sequence[tuple[ParamSpec, str]]:
        """Parameter and path of every dataset written."""
        return self._sides["output"].datasets

    def resources(self, direction: str) -> Sequence[ParamSpec]:
        """Parameters that stand for something other than datasets and plain values."""
        return self._sides[direction].resources

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
        made = cls.__new__(cls)
        vars(made).update(document, params=tuple([ParamSpec.from_json(param) for param in document["params"]]))
        made.__post_init__()
        return made
