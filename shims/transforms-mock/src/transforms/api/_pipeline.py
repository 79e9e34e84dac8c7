"""``Pipeline``: the transforms of a repository, found by importing everything below its packages."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import logging
import pkgutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import GeneratorType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from transforms._names import Named, caller, known_arguments
from transforms.api._transform import TransformBase
from transforms.discovery import noting
from transforms.errors import PipelineError, TransformTypeError

log = logging.getLogger(__name__)

_CONTAINERS: tuple[type[Iterable[Any]], ...] = (list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()))
# Others, such as ``itertools.count``, mean something else to the module that holds them.
_ONCE = (GeneratorType, map, filter, itertools.chain, itertools.islice, itertools.starmap)
# A generator gives its transforms once, while packages may be discovered many times.
_drained: WeakKeyDictionary[Any, tuple[TransformBase, ...]] = WeakKeyDictionary()
_drained_iterators: dict[int, tuple[Any, tuple[TransformBase, ...]]] = {}


class Pipeline(Named):
    """An ordered set of transforms in which every output has one maker."""

    @known_arguments("Pipeline")
    def __init__(self) -> None:
        self._transforms: list[TransformBase] = []
        self._by_output: dict[str, TransformBase] = {}
        self._by_reference: dict[str, TransformBase] = {}
        self._known: set[int] = set()

    @property
    def transforms(self) -> list[TransformBase]:
        """Registered transforms in the order of registration."""
        return list(self._transforms)

    @known_arguments("Pipeline.add_transforms")
    def add_transforms(self, *transforms: TransformBase) -> None:
        """Register; the same object twice counts once.

        Raises:
            TransformTypeError: something is no transform.
            PipelineError: two transforms write the same output, or are the same function with the same outputs.
        """
        for transform in transforms:
            if not isinstance(transform, TransformBase):
                what = f"add_transforms takes transforms, got {transform!r}. Unpack a list with *."
                raise TransformTypeError(what, caller())
            if id(transform) in self._known:
                continue
            self._register(transform)

    def _register(self, transform: TransformBase) -> None:
        for alias in transform.output_aliases:
            if (other := self._by_output.get(alias)) is not None:
                raise PipelineError(f"Two transforms write '{alias}'", _where(other), _where(transform))
        reference = transform.reference
        if (other := self._by_reference.get(reference)) is not None:
            raise PipelineError(f"Two transforms are '{reference}'", _where(other), _where(transform))
        self._known.add(id(transform))
        self._transforms.append(transform)
        self._by_reference[reference] = transform
        self._by_output.update(dict.fromkeys(transform.output_aliases, transform))

    @known_arguments("Pipeline.discover_transforms")
    def discover_transforms(self, *modules: ModuleType) -> None:
        """Import every module below the given packages and register the transforms they hold.

        A module attribute counts if it is a transform or a list, tuple, set, generator or other iterable of transforms;
        a dict is iterated over its keys, so what it holds is warned about. Modules whose names are no Python
        identifiers are imported too. A plain module is searched itself.

        Raises:
            TransformTypeError: an argument is no module.
            PipelineError: as :meth:`add_transforms`.
            Exception: whatever importing a module raises.
        """
        for module in modules:
            if not isinstance(module, ModuleType):
                raise TransformTypeError(f"discover_transforms takes packages or modules, got {module!r}.", caller())
            for found in _modules_below(module):
                with noting(found.__name__):
                    self.add_transforms(*_transforms_of(found))
                    self._warn_about_dicts(found)

    def _warn_about_dicts(self, module: ModuleType) -> None:
        for name, value in vars(module).items():
            if isinstance(value, dict) and not name.startswith("__"):
                held = [v for v in value.values() if isinstance(v, TransformBase) and id(v) not in self._known]
                if held:
                    what = (
                        "%s.%s is a dict with transforms; discovery does not look at its values. Use list(%s.values())."
                    )
                    log.warning(what, module.__name__, name, name)


def _where(transform: TransformBase) -> str:
    return f"'{transform.__name__}' ({transform.source})"


def _modules_below(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    paths = list(getattr(module, "__path__", ()))
    if not paths:
        return
    for info in sorted(pkgutil.iter_modules(paths), key=lambda info: info.name):
        if info.name == "__main__":
            continue
        name = f"{module.__name__}.{info.name}"
        child: ModuleType | None = None
        with noting(name):
            child = importlib.import_module(name)
        if child is not None:
            yield from _modules_below(child)
    _warn_about_plain_folders(module, paths)


def _warn_about_plain_folders(module: ModuleType, paths: list[str]) -> None:
    for path in paths:
        folder = Path(path)
        if not folder.is_dir():
            continue
        for child in sorted(folder.iterdir()):
            plain = child.is_dir() and not (child / "__init__.py").exists() and child.name.isidentifier()
            if plain and f"{module.__name__}.{child.name}" not in sys.modules and any(child.glob("*.py")):
                log.warning("%s holds Python files but no __init__.py; discovery does not enter it.", child)


def _transforms_of(module: ModuleType) -> Iterator[TransformBase]:
    for value in list(vars(module).values()):
        if isinstance(value, TransformBase):
            yield value
        elif isinstance(value, _CONTAINERS):
            yield from (item for item in value if isinstance(item, TransformBase))
        elif isinstance(value, _ONCE):
            yield from _drain(value)


def _drain(iterator: Any) -> tuple[TransformBase, ...]:
    """All transforms of an iterator, remembered with it; one that starts with something else is left alone."""
    if isinstance(iterator, GeneratorType):
        if iterator not in _drained:
            _drained[iterator] = tuple(_leading_transforms(iterator))
        return _drained[iterator]
    if id(iterator) not in _drained_iterators:
        _drained_iterators[id(iterator)] = (iterator, tuple(_leading_transforms(iterator)))
    return _drained_iterators[id(iterator)][1]


def _leading_transforms(iterator: Iterator[Any]) -> Iterator[TransformBase]:
    for item in iterator:
        if not isinstance(item, TransformBase):
            return
        yield item
