"""YAML that remembers the line of everything, so that a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from mirror.errors import nearest
from mirror.promotion.errors import PolicyError


@dataclass(frozen=True)
class Located:
    """A value with the file and line it was written on. ``value`` is a plain Python value all the way down."""

    file: str
    node: yaml.Node

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def wrong(self, problem: str) -> NoReturn:
        raise PolicyError(self.file, self.line, problem)

    @property
    def value(self) -> object:
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(self.node, deep=True)
        finally:
            loader.dispose()

    def mapping(
        self, known: Iterable[str] | None = None, required: Iterable[str] = (), what: str = ""
    ) -> dict[str, Located]:
        """The entries by key; unknown, repeated and missing keys are refused at their line."""
        what = what or "this"
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(f"{what} must be a mapping (`key: value` lines).")
        found: dict[str, Located] = {}
        allowed = None if known is None else sorted(known)
        for key_node, value_node in self.node.value:
            key = Located(self.file, key_node)
            name = str(key.value)
            if name in found:
                key.wrong(f"{name!r} is given twice in {what}; keep one.")
            if allowed is not None and name not in allowed:
                key.wrong(f"{what} has no {name!r}.{nearest(name, allowed)} Known: {', '.join(allowed)}.")
            found[name] = Located(self.file, value_node)
        for name in required:
            if name not in found:
                self.wrong(f"{what} needs {name!r}.")
        return found

    def items(self, what: str) -> Iterator[Located]:
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(f"{what} must be a list (`- item` lines).")
        return (Located(self.file, child) for child in self.node.value)

    def text(self, what: str) -> str:
        value = self.value
        if not isinstance(value, str) or not value.strip():
            self.wrong(f"{what} must be text, not {value!r}.")
        return value

    def texts(self, what: str) -> tuple[str, ...]:
        return tuple(item.text(f"an entry of {what}") for item in self.items(what))

    def number(self, what: str) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            self.wrong(f"{what} must be a number above zero, not {value!r}.")
        return float(value)


def parse(text: str, file: str) -> Located:
    """The root of a YAML document.

    Raises:
        PolicyError: the text is no YAML, or is empty.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PolicyError(file, mark.line + 1 if mark else 1, f"not valid YAML: {error.problem}.") from error
    if node is None:
        raise PolicyError(file, 1, "the file is empty.")
    return Located(file, node)
