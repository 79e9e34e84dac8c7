"""What happens when code asks for a name that Foundry does not have: an error that says so and offers the nearest
real one.
"""

from __future__ import annotations

import dis
import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from transforms.errors import TransformTypeError, UnknownArgumentError, UnknownAttributeError, UnknownNameError

P = ParamSpec("P")
R = TypeVar("R")

_OURS = ("transforms", "palantir_models", "foundry")
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


def caller() -> str:
    """``file:line`` of the nearest frame outside these packages: where the author wrote the declaration."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _asked_by_import() -> bool:
    frame = sys._getframe(2)
    # A module's own __getattr__ may stand between the question and the answer.
    while frame.f_code.co_name == "__getattr__" and frame.f_back is not None:
        frame = frame.f_back
    if frame.f_globals.get("__name__") == "importlib._bootstrap":
        return True
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM


def _is_module(package: str, name: str) -> bool:
    return hasattr(sys.modules[package], "__path__") and importlib.util.find_spec(f"{package}.{name}") is not None


def module_getattr(module: str, known: Iterable[str], notes: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """A module-level ``__getattr__``: ``import`` statements get an ``ImportError``, everything else an
    ``AttributeError``.

    ``known`` are the public names of the module; ``notes`` says for names of other sources why they do not exist.
    """
    names = tuple(known)

    def __getattr__(name: str) -> Any:  # noqa: N807 -- PEP 562 wants this name
        if name.startswith("_"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        note = (notes or {}).get(name, "")
        if _asked_by_import():
            if _is_module(module, name):
                # The import statement goes on and imports it.
                raise AttributeError(f"module '{module}' has no attribute '{name}'")
            raise UnknownNameError(module, name, names, note)
        raise UnknownAttributeError(module, name, names, note)

    return __getattr__


class Named:
    """Mixin for objects of ours: an attribute that does not exist in Foundry names the nearest one that does."""

    def __getattr__(self, name: str) -> Any:
        cls = type(self)
        if name.startswith("_"):
            raise AttributeError(f"'{cls.__name__}' object has no attribute '{name}'")
        if hasattr(cls, name):
            # It exists, and what it looked at does not: that is the error to show.
            return object.__getattribute__(self, name)
        known = tuple(n for n in {*dir(cls), *self.__dict__} if not n.startswith("_"))
        raise UnknownAttributeError(self.__dict__.get("_label", cls.__name__), name, known)


def known_arguments(owner: str, hint: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: arguments that do not fit the function raise an error of ours with file and line.

    Args:
        owner: what the author calls the function; ``{}`` in it stands for the object it is called on: its ``_said``, or
            its class.
        hint: what else to say of an argument that exists elsewhere.

    Raises:
        UnknownArgumentError: there is no such argument, or there are too many.
        TransformTypeError: one is missing, or given twice.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        parameters = list(inspect.signature(function).parameters.values())
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        names = tuple(p.name for p in named if p.name not in ("self", "cls"))
        known = frozenset(names)
        takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        takes_names = any(p.kind is p.VAR_KEYWORD for p in parameters)
        positional = tuple(p.name for p in named if p.kind is p.POSITIONAL_OR_KEYWORD)
        needed = tuple(
            (at, p.name) for at, p in enumerate(named) if p.default is p.empty and p.name not in ("self", "cls")
        )
        room = len(positional)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given = len(args)
            for name in kwargs:
                if name not in known and not takes_names:
                    raise UnknownArgumentError(_owner(owner, args), name, names, caller(), hint)
                if name in positional[:given]:
                    raise TransformTypeError(f"{_owner(owner, args)} got its argument '{name}' twice.", caller())
            if given > room and not takes_any:
                raise UnknownArgumentError(_owner(owner, args), repr(args[room]), names, caller(), hint)
            for at, name in needed:
                if at >= given and name not in kwargs:
                    what = f"{_owner(owner, args)} needs its argument '{name}'. It takes: {', '.join(names)}."
                    raise TransformTypeError(what, caller())
            return function(*args, **kwargs)

        return checked

    return decorate


def in_order(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values as a tuple; those of a set sorted, as its own order differs from process to process."""
    return tuple(sorted(values, key=str)) if isinstance(values, set | frozenset) else tuple(values)


def _owner(owner: str, args: tuple[Any, ...]) -> str:
    return owner.format(getattr(args[0], "_said", None) or type(args[0]).__name__) if "{}" in owner else owner
