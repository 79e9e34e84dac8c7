"""``Transform`` and ``ContainerTransform``: a compute function with declared inputs and outputs, and nothing done yet.

Both are fixed once made; decorators return changed copies. Only ``__name__`` may be assigned, the documented way to
label generated transforms. Calling a transform calls the compute function as it is, so a unit test needs no platform.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

from transforms._names import caller
from transforms.api._check import Check
from transforms.api._declaration_rules import notes, refuse_contradictions
from transforms.api._params import Param
from transforms.errors import (
    BindingError,
    NotAvailableError,
    TransformTypeError,
    TransformValueError,
    UnknownArgumentError,
    UnknownAttributeError,
)

_DECLARED_ONCE = "A transform decorates a function, and a function is declared once"

Style = str  # "objects" | "spark" | "pandas" | "polars"


class Declared(dict[str, Any]):
    """A dict that cannot change: what a transform declares."""

    def _fixed(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a transform's declaration cannot change after it was made")

    __setitem__ = __delitem__ = __ior__ = _fixed
    clear = pop = popitem = setdefault = update = _fixed

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


@dataclass(frozen=True)
class IncrementalSettings:
    """The arguments of ``@incremental``; the platform decides with them how a run reads and writes."""

    require_incremental: bool = False
    semantic_version: int = 1
    snapshot_inputs: tuple[str, ...] = ()
    allow_retention: bool = False
    strict_append: bool = False
    v2_semantics: bool = False


@dataclass(frozen=True)
class Source:
    """Where the compute function is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def __iter__(self) -> Any:
        return iter((self.file, self.line))


def _source_of(function: Callable[..., Any]) -> Source:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        file, _, line = caller().rpartition(":")
        return Source(file, int(line))
    return Source(code.co_filename, code.co_firstlineno)


class TransformBase:
    """What Spark and single-node transforms share.

    Attributes:
        inputs: parameter name -> spec, of everything that is read or handed in, in declared order.
        outputs: parameter name -> spec of everything that is written.
        style: how the function is called: ``objects`` (it reads and writes itself), ``spark``, ``pandas`` or ``polars``
            (it takes and returns frames).
        recorded: what Foundry would act on and this environment only notes: profiles, resources, containers, ...
        incremental: the settings of ``@incremental`` or ``None``.
        source: file and line of the compute function.
    """

    engine: ClassVar[str]

    def __init__(
        self,
        compute_func: Callable[..., Any],
        inputs: Mapping[str, Param] | None = None,
        outputs: Mapping[str, Param] | None = None,
        *,
        style: Style = "objects",
        recorded: Mapping[str, Any] | None = None,
        incremental: IncrementalSettings | None = None,
    ) -> None:
        if not callable(compute_func) or isinstance(compute_func, type):
            raise TransformTypeError(f"A transform decorates a function, got {compute_func!r}.", caller())
        if isinstance(compute_func, TransformBase):
            raise TransformTypeError(f"{_DECLARED_ONCE}, got {compute_func!r}.", caller())
        for kind, lazy in (("an async", inspect.iscoroutinefunction), ("a generator", inspect.isgeneratorfunction)):
            if lazy(compute_func):
                what = f"A transform decorates a plain function; this is {kind} function, whose body would not run."
                raise TransformTypeError(what, caller())
        self.compute_func = compute_func
        self.inputs = Declared(inputs or {})
        self.outputs = Declared(outputs or {})
        self.style = style
        self.incremental = incremental
        self.source = _source_of(compute_func)
        refuse_contradictions(self.inputs, self.outputs, str(self.source))
        self.recorded = Declared({**(recorded or {}), **notes({**self.inputs, **self.outputs})})
        self.__wrapped__ = compute_func
        self.__name__ = getattr(compute_func, "__name__", type(compute_func).__name__)
        self.__qualname__ = getattr(compute_func, "__qualname__", self.__name__)
        self.__doc__ = compute_func.__doc__
        self.__module__ = getattr(compute_func, "__module__", "") or ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.compute_func(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        dunder = name.startswith("__") and name.endswith("__")
        if not dunder and name in self.__dict__:
            raise AttributeError(f"transform '{self.__name__}' is a declaration: its {name} cannot change.")
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        known = {n for n in (*self.__dict__, *dir(type(self))) if not n.startswith("_")}
        raise UnknownAttributeError(type(self).__name__, name, tuple(sorted(known)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.__name__} of {self.__module__}>"

    @property
    def parameters(self) -> Mapping[str, Param]:
        """Everything declared by keyword: inputs, then outputs."""
        return {**self.inputs, **self.outputs}

    @property
    def output_aliases(self) -> tuple[str, ...]:
        """The alias of every dataset, model or other resource written, in declared order; unbound ones left out."""
        found: list[str] = []
        for param in self.outputs.values():
            found += [alias for alias in getattr(param, "aliases", None) or () if alias]
        return tuple(found)

    @property
    def unbound(self) -> tuple[str, ...]:
        """Names of parameters declared without an alias, or with an empty one as a placeholder; a transform that has
        any is not published.
        """
        named = {name: p.aliases for name, p in self.parameters.items() if hasattr(p, "aliases")}
        return tuple(name for name, aliases in named.items() if aliases is None or not all(aliases))

    @property
    def checks(self) -> tuple[tuple[str, Check], ...]:
        """``(parameter name, check)`` of every check, inputs first."""
        return tuple((name, check) for name, p in self.parameters.items() for check in getattr(p, "checks", ()))

    @property
    def reference(self) -> str:
        """Unique within a pipeline and stable between imports.

        Generated transforms share module and name; what tells them apart is what they write.
        """
        return f"{self.__module__}:{self.__name__}({', '.join(self.output_aliases)})"

    @property
    def version(self) -> str:
        """A hash over the source of the function's module and of every module of the repository that it imports.

        Raises:
            TransformValueError: the source cannot be read.
        """
        from transforms.api._version import logic_version

        return logic_version(self.compute_func, self.source)

    def with_changes(self, **changes: Any) -> Self:
        """A copy with some facts replaced; the label that ``__name__`` carries stays."""
        facts = {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "style": self.style,
            "recorded": self.recorded,
            "incremental": self.incremental,
        } | changes
        copy = type(self)(self.compute_func, **facts)
        copy.__name__ = self.__name__
        return copy

    def with_recorded(self, **facts: Any) -> Self:
        """A copy that notes further facts; ``None`` says nothing."""
        return self.with_changes(recorded={**self.recorded, **{k: v for k, v in facts.items() if v is not None}})

    def arguments(self, offered: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the offered objects that the compute function takes, by name.

        Args:
            offered: declared parameters, and ``ctx``, which alone may be left over.

        Raises:
            BindingError: a declared parameter is not accepted, or one without default is not declared.
        """
        try:
            signature = inspect.signature(self.compute_func)
        except (TypeError, ValueError):
            return {name: value for name, value in offered.items() if name != "ctx"}
        named = {
            p.name: p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
        takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        declared = tuple(name for name in offered if name != "ctx")
        unexpected = () if takes_any else tuple(name for name in declared if name not in named)
        missing = tuple(n for n, p in named.items() if p.default is p.empty and n not in offered)
        if unexpected or missing:
            accepted = (*named, "**kwargs") if takes_any else tuple(named)
            raise BindingError(self.__name__, str(self.source), declared, accepted, missing, unexpected)
        return {name: value for name, value in offered.items() if name in named or name != "ctx"}

    def binding_problem(self) -> BindingError | None:
        """Why the compute function could not be called with what is declared; ``None`` when it can."""
        try:
            # A function that returns a frame never sees its output.
            offered = self.parameters if self.style == "objects" else self.inputs
            self.arguments(dict.fromkeys((*offered, "ctx")))
        except BindingError as problem:
            return problem
        return None

    def incremental_problem(self) -> TransformValueError | None:
        """Why ``@incremental`` and what is declared do not go together; ``None`` when they do."""
        from transforms.api._incremental_rules import incremental_problem

        return incremental_problem(self)

    def refusal(self) -> NotAvailableError | None:
        """Why Foundry alone can run this transform; ``None`` when it can run here."""
        if (engine := self.recorded.get("pushdown")) is not None:
            what = f"transform '{self.__name__}' runs inside {engine}"
            return NotAvailableError(f"Compute pushdown to {engine}", what)
        if (sidecar := self.recorded.get("sidecar")) is not None:
            image = sidecar.get("image")
            what = f"transform '{self.__name__}' works with the container image '{image}', which is not started here"
            return NotAvailableError("A sidecar container", what)
        return None


_ARGUMENTS = ("compute_func", "inputs", "outputs", "profile")
_FACTS = ("style", "recorded", "incremental")


class Transform(TransformBase):
    """A transform whose function receives Spark objects."""

    engine = "spark"

    def __init__(
        self,
        compute_func: Callable[..., Any],
        inputs: Mapping[str, Param] | None = None,
        outputs: Mapping[str, Param] | None = None,
        profile: Any = None,
        **facts: Any,
    ) -> None:
        for name in facts:
            if name not in _FACTS:
                raise UnknownArgumentError("Transform", name, (*_ARGUMENTS, *_FACTS), caller())
        super().__init__(compute_func, inputs, outputs, **facts)
        if profile is not None:
            object.__setattr__(self, "recorded", Declared({**self.recorded, "profile": _as_tuple(profile)}))

    def compute(self, ctx: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Run the function with runtime objects passed by name and give back the output objects by name.

        Raises:
            BindingError: an object that the transform declares was not passed, or one that it does not.
        """
        from transforms.api._execute import run_on_objects

        missing = tuple(name for name in self.parameters if name not in kwargs)
        unexpected = tuple(name for name in kwargs if name not in self.parameters)
        if missing or unexpected:
            raise BindingError(
                self.__name__, str(self.source), tuple(self.parameters), tuple(kwargs), unexpected, missing
            )
        run_on_objects(self, kwargs, ctx)
        return {name: kwargs[name] for name in self.outputs}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


class ContainerTransform(TransformBase):
    """A transform that runs on one node, without Spark.

    Args:
        transform: a Spark transform to take over, or a compute function.
        cpu_cores, memory_mb, memory_gb, gpu_type, container_image, container_tag, container_shell_command: recorded.

    Raises:
        TransformTypeError, LightweightValueError: impossible combinations.
    """

    engine = "lightweight"

    def __init__(
        self,
        transform: Any,
        inputs: Mapping[str, Param] | None = None,
        outputs: Mapping[str, Param] | None = None,
        *,
        style: Style | None = None,
        recorded: Mapping[str, Any] | None = None,
        incremental: IncrementalSettings | None = None,
        incremental_override: Any = None,
        identifier_override: str | None = None,
        **resources: Any,
    ) -> None:
        from transforms.api._resources import checked_resources

        wrapped = transform if isinstance(transform, TransformBase) else None
        if wrapped and inputs is not None:
            raise TransformTypeError(f"{_DECLARED_ONCE}, got {transform!r}.", caller())
        if not isinstance(incremental_override, IncrementalSettings | None):
            what = f"incremental_override is what @incremental made of its arguments, got {incremental_override!r}."
            raise TransformTypeError(what, caller())
        noted = {**(wrapped.recorded if wrapped else {}), **(recorded or {}), **checked_resources(**resources)}
        if not isinstance(identifier_override, str | None):
            raise TransformTypeError(f"identifier_override is a text, got {identifier_override!r}.", caller())
        if identifier_override is not None:
            noted["identifier_override"] = identifier_override
        super().__init__(
            wrapped.compute_func if wrapped else transform,
            inputs if inputs is not None else (wrapped.inputs if wrapped else None),
            outputs if outputs is not None else (wrapped.outputs if wrapped else None),
            style=style or (wrapped.style if wrapped else "objects"),
            recorded=noted,
            incremental=incremental or incremental_override or (wrapped.incremental if wrapped else None),
        )
        if wrapped:
            self.__name__ = wrapped.__name__

    @property
    def reference(self) -> str:
        """As for Spark transforms, unless it was overridden."""
        return self.recorded.get("identifier_override") or super().reference

    @property
    def default_container_entrypoint(self) -> str:
        """The command a container would be started with in Foundry when none is given."""
        return f"python -m transforms.container {self.__module__}:{self.__name__}"


ContainerTransformsConfiguration = ContainerTransform
