"""``auto_serialize``: an adapter's constructor arguments become the version's state.

What is remembered is the *arguments*, not the attributes: loading deserializes each argument and calls the
constructor again. Each argument has its own folder, so two arguments may use the same serializer.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from palantir_models.errors import DeclarationError, ModelStateError, PublishError, nearest

if TYPE_CHECKING:
    from palantir_models.serializers.base import ModelSerializer
    from palantir_models.state import ModelStateReader, ModelStateWriter

_SPEC = "__auto_serializers__"
_ARGUMENTS = "__auto_arguments__"


def auto_serialize(*args: Any, **serializers: Any) -> Any:
    """Decorates an adapter's ``__init__`` so that publishing stores its arguments.

    Bare, every argument is stored with dill. With ``argument=Serializer()`` every constructor argument must be listed.

    Raises:
        DeclarationError: an argument is missing, unknown, or ``*args``; a value is no serializer.
    """
    if args:
        if len(args) == 1 and inspect.isfunction(args[0]) and not serializers:
            return _decorate(args[0], None)
        raise DeclarationError(
            "auto_serialize", f"was given {args!r}.", "Write @pm.auto_serialize or name=Serializer()."
        )
    return lambda init: _decorate(init, serializers or None)


def _decorate(init: Callable[..., None], given: Mapping[str, Any] | None) -> Callable[..., None]:
    from palantir_models.serializers.base import ModelSerializer
    from palantir_models.serializers.dill import DillSerializer

    where = init.__qualname__
    signature = inspect.signature(init)
    _, *parameters = signature.parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise DeclarationError(where, "*args cannot be stored by name.", "Name the constructor's arguments.")
    names = [p.name for p in parameters]
    if given is None:
        spec: dict[str, Any] = {name: DillSerializer() for name in names}
    else:
        for name, serializer in given.items():
            if name not in names:
                raise DeclarationError(where, f"has no argument {name!r}.{nearest(name, names)}")
            if not isinstance(serializer, ModelSerializer):
                raise DeclarationError(
                    where, f"{name}={serializer!r} is no serializer.", "Use e.g. pm.serializers.DillSerializer()."
                )
        missing = [n for n in names if n not in given]
        if missing:
            raise DeclarationError(
                where, f"no serializer for {', '.join(missing)}.", "List every constructor argument."
            )
        spec = dict(given)

    @functools.wraps(init)
    def remember(self: Any, *args: Any, **kwargs: Any) -> None:
        if type(self).__init__ is remember:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            self.__dict__[_ARGUMENTS] = {n: bound.arguments[n] for n in names}
        init(self, *args, **kwargs)

    setattr(remember, _SPEC, spec)
    return remember


def serializers_of(cls: type) -> dict[str, ModelSerializer[Any]] | None:
    """The serializer of each constructor argument, or ``None`` when the constructor is not auto-serialized."""
    return getattr(cls.__init__, _SPEC, None)  # type: ignore[misc]


def save_arguments(adapter: Any, writer: ModelStateWriter) -> None:
    """Stores each constructor argument in the folder of its name.

    Raises:
        PublishError: the constructor is not auto-serialized, or an argument cannot be stored (the cause is attached).
    """
    name = type(adapter).__name__
    spec = serializers_of(type(adapter))
    if spec is None:
        raise PublishError(
            name, "has no state to store.", "Decorate __init__ with @pm.auto_serialize, or write save and load."
        )
    for argument, serializer in spec.items():
        try:
            serializer.serialize(writer.scoped(argument), adapter.__dict__[_ARGUMENTS][argument])
        except PublishError:
            raise
        except Exception as error:
            kind = type(serializer).__name__
            raise PublishError(f"{name}.{argument}", f"{kind} cannot store it: {error}") from error


def load_arguments(cls: type, reader: ModelStateReader) -> dict[str, Any]:
    """The constructor arguments stored by :func:`save_arguments`; an absent one with a default is left out.

    Raises:
        ModelStateError: the constructor has an argument the version does not hold.
        PublishError: the class is not auto-serialized and has no ``load`` of its own.
    """
    spec = serializers_of(cls)
    if spec is None:
        raise PublishError(
            cls.__name__, "cannot be loaded.", "Decorate __init__ with @pm.auto_serialize, or write load."
        )
    parameters = inspect.signature(cls).parameters
    loaded: dict[str, Any] = {}
    for argument, serializer in spec.items():
        parameter = parameters[argument]
        if not reader.has(argument):
            if parameter.default is not inspect.Parameter.empty:
                continue
            raise ModelStateError(
                f"{cls.__name__}.{argument}", "this version was published before the constructor had that argument.",
                "Publish the model again, or give the argument a default.",
            )  # fmt: skip
        value = serializer.deserialize(reader.scoped(argument))
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            loaded.update(value)
        else:
            loaded[argument] = value
    return loaded


def plain_arguments(adapter: Any) -> dict[str, Any]:
    """What the constructor stores as readable text, by key of a mapping or by argument name."""
    from palantir_models.serializers.text import JsonSerializer, YamlSerializer

    facts: dict[str, Any] = {}
    for argument, serializer in (serializers_of(type(adapter)) or {}).items():
        if isinstance(serializer, JsonSerializer | YamlSerializer) and _ARGUMENTS in adapter.__dict__:
            value = adapter.__dict__[_ARGUMENTS][argument]
            facts.update(value if isinstance(value, Mapping) else {argument: value})
    return facts
