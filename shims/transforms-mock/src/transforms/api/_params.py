"""Declaration-time specs of datasets: what a transform reads and writes, before anything exists.

A spec is fixed once made, so that a pipeline means the same every time it is imported. Attributes that are no part of
the declaration stay assignable, and on a spec without alias, which is never built, every attribute does: Foundry's
documented unit tests put mocks on a bare ``Input()``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from transforms._names import caller, in_order, known_arguments
from transforms.api._check import Check, as_checks
from transforms.api._markings import Markings, OrgMarkings, UnmarkingPolicy
from transforms.errors import TransformTypeError, TransformValueError, UnknownAttributeError

if TYPE_CHECKING:
    from transforms.api._job import Job

FAILURE_STRATEGIES = ("continue", "fail")
_MADE_BY_JOB = "the job makes the runtime objects of these parameters; a Param of your own defines"


@dataclass(frozen=True)
class ParamContext:
    """What a custom parameter may know about its job when it makes its runtime object."""

    foundry_connector: Any
    input_specs: Mapping[str, Any] = field(default_factory=dict)
    output_specs: Mapping[str, Any] = field(default_factory=dict)
    branch: str | None = None
    param_overrides: Mapping[str, Any] = field(default_factory=dict)
    job_rid: str | None = None


class Param:
    """Base of everything a decorator takes by keyword.

    Subclass it for a resource of your own: give it a ``kind``, a ``direction`` and ``instance``, and it is bound like
    ours.

    Attributes:
        kind: the name under which the platform finds who resolves and binds it.
        direction: ``input`` or ``output``.
        takes_port: whether it is bound with a ``ReadPort`` or ``WritePort`` per alias, as datasets are.
        is_set: whether it is bound with a list of them.
        description: free text.
    """

    kind: ClassVar[str] = "custom"
    direction: ClassVar[str] = "input"
    takes_port: ClassVar[bool] = False
    is_set: ClassVar[bool] = False
    _fixed: ClassVar[frozenset[str]] = frozenset({"description"})

    description: str | None

    def __init__(self, description: str | None = None) -> None:
        _optional(type(self).__name__, "description", description, str)
        self.description = description

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._fixed = cls._fixed | frozenset(n for n in inspect.get_annotations(cls) if not n.startswith("_"))

    def __setattr__(self, name: str, value: Any) -> None:
        unbound = self.__dict__.get("aliases", ()) is None
        if unbound and name == "alias":
            name, value = "aliases", (value,)
        if name in self._fixed and name in self.__dict__ and not unbound:
            raise AttributeError(f"{self!r} is a declaration: its {name} cannot change after it was made.")
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        known = self._fixed | {n for n in dir(type(self)) if not n.startswith("_")}
        raise UnknownAttributeError(type(self).__name__, name, tuple(sorted(known)))

    def __repr__(self) -> str:
        nothing: tuple[Any, ...] = (None, (), False, {}, "foundry")
        facts = {n: self.__dict__[n] for n in sorted(self._fixed) if self.__dict__.get(n) not in nothing}
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in facts.items())})"

    @property
    def json_value(self) -> Any:
        """What a job specification would carry for this parameter."""
        return {
            n: list(v) if isinstance(v, tuple | frozenset) else v
            for n, v in self.__dict__.items()
            if n in self._fixed and n != "checks" and isinstance(v, str | int | float | bool | list | tuple | dict)
        }

    @property
    def schema(self) -> Any:
        """The JSON schema of :attr:`json_value`; unspecified here."""
        return {}

    @staticmethod
    def instance(context: ParamContext, json_value: Any) -> Any:
        """The runtime object of a Spark transform. Custom parameters override this."""
        raise NotImplementedError(f"{_MADE_BY_JOB} instance(context, json_value).")

    @staticmethod
    def lightweight_instance(context: ParamContext, json_value: Any) -> Any:
        """The runtime object of a single-node transform."""
        raise NotImplementedError(f"{_MADE_BY_JOB} lightweight_instance(context, json_value).")

    def input_results(self, instance: Any, **kwargs: Any) -> Mapping[str, Any]:
        """What the job reports about what it read; nothing unless overridden."""
        return {}

    def output_results(self, instance: Any, **kwargs: Any) -> Mapping[str, Any]:
        """What the job reports about what it wrote; nothing unless overridden."""
        return {}

    def _bind(self, bound: Any, job: Job) -> Any:
        """Turn what the platform bound into what the compute function receives; ready values pass through."""
        return bound


def text_alias(owner: str, alias: Any) -> str | None:
    """One path or RID.

    Raises:
        TransformTypeError: it is no text.
    """
    if alias is not None and not isinstance(alias, str):
        raise TransformTypeError(f"{owner} takes a path or RID as text, got {alias!r}.", caller())
    return alias


def _alias_list(owner: str, aliases: Any) -> tuple[str, ...] | None:
    if aliases is None:
        return None
    if isinstance(aliases, str) or not isinstance(aliases, Iterable):
        raise TransformTypeError(f"{owner} takes a list of paths or RIDs, got {aliases!r}.", caller())
    given = in_order(aliases)
    if not given:
        raise TransformValueError(f"{owner} cannot be empty.", caller())
    for alias in given:
        if not isinstance(alias, str):
            raise TransformTypeError(f"{owner} takes a list of paths or RIDs, got {alias!r} in it.", caller())
    return given


def _optional(owner: str, argument: str, value: Any, kind: type | tuple[type, ...]) -> None:
    if value is not None and not isinstance(value, kind):
        raise TransformTypeError(f"{argument} of {owner} cannot be {value!r}.", caller())


def switch(owner: str, argument: str, value: Any) -> bool:
    """An argument that is on or off; ``"no"`` is neither.

    Raises:
        TransformTypeError: the value is no truth value.
    """
    if value is not None and value is not True and value is not False and value not in (0, 1):
        raise TransformTypeError(f"{argument} of {owner} is True or False, got {value!r}.", caller())
    return bool(value)


def _kind_name(owner: str, given: Any) -> str:
    if not isinstance(given, str):
        raise TransformTypeError(f"type of {owner} is a text, got {given!r}.", caller())
    return given


def _properties(owner: str, given: Any) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise TransformTypeError(f"properties of {owner} is a dict, got {given!r}.", caller())
    return dict(given or {})


class FoundryInputParam(Param):
    """Base of everything that is read."""

    kind = "custom_input"
    aliases: tuple[str, ...] | None
    branch: str | None
    type: str
    properties: Mapping[str, Any]
    failure_strategy: str | None
    stop_propagating: Markings | UnmarkingPolicy | None
    stop_requiring: OrgMarkings | UnmarkingPolicy | None

    @known_arguments("{}")
    def __init__(
        self,
        aliases: str | Iterable[str] | None = None,
        branch: str | None = None,
        type: str = "foundry",
        description: str | None = None,
        properties: Mapping[str, Any] | None = None,
        failure_strategy: str | None = None,
        stop_propagating: Markings | UnmarkingPolicy | None = None,
        stop_requiring: OrgMarkings | UnmarkingPolicy | None = None,
    ) -> None:
        super().__init__(description)
        owner = self.__class__.__name__
        _optional(owner, "branch", branch, str)
        _optional(owner, "stop_propagating", stop_propagating, (Markings, UnmarkingPolicy))
        _optional(owner, "stop_requiring", stop_requiring, (OrgMarkings, UnmarkingPolicy))
        if failure_strategy is not None and failure_strategy not in FAILURE_STRATEGIES:
            raise TransformValueError(f"failure_strategy is 'continue' or 'fail', got {failure_strategy!r}.", caller())
        self.aliases = (aliases,) if isinstance(aliases, str) else _alias_list(owner, aliases)
        self.branch = branch
        self.type = _kind_name(owner, type)
        self.properties = _properties(owner, properties)
        self.failure_strategy = failure_strategy
        self.stop_propagating = stop_propagating
        self.stop_requiring = stop_requiring

    @property
    def alias(self) -> str | None:
        """The one alias of a parameter that stands for one resource."""
        return self.aliases[0] if self.aliases else None


class FoundryOutputParam(Param):
    """Base of everything that is written."""

    kind = "custom_output"
    direction = "output"
    aliases: tuple[str, ...] | None
    type: str
    properties: Mapping[str, Any]

    @known_arguments("{}")
    def __init__(
        self,
        aliases: str | Iterable[str] | None = None,
        type: str = "foundry",
        description: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(description)
        owner = self.__class__.__name__
        self.aliases = (aliases,) if isinstance(aliases, str) else _alias_list(owner, aliases)
        self.type = _kind_name(owner, type)
        self.properties = _properties(owner, properties)

    @property
    def alias(self) -> str | None:
        """The one alias of a parameter that stands for one resource."""
        return self.aliases[0] if self.aliases else None


class LightweightInputParam(FoundryInputParam):
    """Base of everything a single-node transform reads."""


class LightweightOutputParam(FoundryOutputParam):
    """Base of everything a single-node transform writes."""


class Input(LightweightInputParam):
    """A dataset to read.

    Args:
        alias: path or RID. ``None`` leaves the parameter unbound: its transform is never built.
        branch: read this branch whatever the build's branch is.
        description: free text.
        stop_propagating: markings not inherited from this input.
        stop_requiring: organisations not inherited from this input.
        checks: pre-conditions, one ``Check`` or several.
        failure_strategy: ``continue`` or ``fail`` when the input itself failed to update.
        transaction_limit: process at most so many new transactions per incremental run.

    Raises:
        TransformTypeError, TransformValueError, UnknownArgumentError: with file and line of the declaration.
    """

    kind = "dataset_input"
    takes_port = True
    checks: tuple[Check, ...]
    transaction_limit: int | None

    @known_arguments("Input")
    def __init__(
        self,
        alias: str | None = None,
        branch: str | None = None,
        description: str | None = None,
        stop_propagating: Markings | UnmarkingPolicy | None = None,
        stop_requiring: OrgMarkings | UnmarkingPolicy | None = None,
        checks: Check | Iterable[Check] | None = None,
        failure_strategy: str | None = None,
        transaction_limit: int | None = None,
    ) -> None:
        super().__init__(
            text_alias("Input", alias),
            branch=branch,
            description=description,
            failure_strategy=failure_strategy,
            stop_propagating=stop_propagating,
            stop_requiring=stop_requiring,
        )
        if transaction_limit is not None and (
            isinstance(transaction_limit, bool) or not isinstance(transaction_limit, int) or transaction_limit < 1
        ):
            raise TransformValueError(f"transaction_limit is a positive number, got {transaction_limit!r}.", caller())
        self.checks = as_checks(checks)
        self.transaction_limit = transaction_limit

    def _bind(self, bound: Any, job: Job) -> Any:
        return job.dataset_input(bound)


class Output(LightweightOutputParam):
    """A dataset to write.

    Args:
        alias: path or RID.
        sever_permissions: recorded; permissions exist in Foundry only.
        description: free text.
        checks: post-conditions, evaluated before the transaction commits.

    Raises:
        TransformTypeError, UnknownArgumentError: with file and line of the declaration.
    """

    kind = "dataset_output"
    takes_port = True
    checks: tuple[Check, ...]
    sever_permissions: bool

    @known_arguments("Output")
    def __init__(
        self,
        alias: str | None = None,
        sever_permissions: bool = False,
        description: str | None = None,
        checks: Check | Iterable[Check] | None = None,
    ) -> None:
        super().__init__(text_alias("Output", alias), description=description)
        self.sever_permissions = switch("Output", "sever_permissions", sever_permissions)
        self.checks = as_checks(checks)

    def _bind(self, bound: Any, job: Job) -> Any:
        return job.dataset_output(bound)


class InputSet(FoundryInputParam):
    """Several datasets under one parameter; the compute function receives a list in the declared order."""

    kind = "dataset_input_set"
    takes_port = is_set = True

    @known_arguments("InputSet")
    def __init__(self, aliases: Iterable[str] | None = None, description: str | None = None) -> None:
        super().__init__(_alias_list("InputSet", aliases), description=description)

    def _bind(self, bound: Any, job: Job) -> Any:
        return [job.dataset_input(port) for port in bound]


class OutputSet(FoundryOutputParam):
    """Several datasets written under one parameter; the compute function receives a list in the declared order."""

    kind = "dataset_output_set"
    takes_port = is_set = True
    sever_permissions: bool

    @known_arguments("OutputSet")
    def __init__(
        self, aliases: Iterable[str] | None = None, sever_permissions: bool = False, description: str | None = None
    ) -> None:
        super().__init__(_alias_list("OutputSet", aliases), description=description)
        self.sever_permissions = switch("OutputSet", "sever_permissions", sever_permissions)

    def _bind(self, bound: Any, job: Job) -> Any:
        return [job.dataset_output(port) for port in bound]
