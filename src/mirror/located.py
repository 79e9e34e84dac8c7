"""YAML whose every value knows its file and line, so that a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.constructor import SafeConstructor

from mirror.errors import UsageError, nearest


class FileMistakeError(UsageError):
    """``args``: file, line, what is wrong and how to put it right. Rooms derive the error of their own files."""

    def __str__(self) -> str:
        file, line, problem = self.args
        return f"{file}:{line}: {problem}"


@dataclass(frozen=True)
class Located:
    """One node of a document. ``error`` is what :meth:`wrong` raises."""

    file: str
    node: yaml.Node
    error: type[FileMistakeError] = FileMistakeError

    @property
    def line(self) -> int:
        """Where it is written, from 1."""
        return int(self.node.start_mark.line) + 1

    def wrong(self, problem: str) -> NoReturn:
        """Raises the document's error at this line."""
        raise self.error(self.file, self.line, problem)

    @property
    def value(self) -> Any:
        """The plain Python value."""
        try:
            return SafeConstructor().construct_object(self.node, deep=True)
        except yaml.MarkedYAMLError as error:
            self.wrong(f"this value cannot be read: {error.problem}.")

    def mapping(
        self, what: str, known: Iterable[str] | None = None, required: Iterable[str] = ()
    ) -> dict[str, Located]:
        """Entries by key; unknown, repeated and missing keys are refused at their line."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(f"{what} must be a mapping (`key: value` lines).")
        found: dict[str, Located] = {}
        allowed = None if known is None else sorted(known)
        for key_node, value_node in self.node.value:
            key = Located(self.file, key_node, self.error)
            name = str(key.value)
            if name in found:
                key.wrong(f"{name!r} is given twice in {what}; keep one.")
            if allowed is not None and name not in allowed:
                key.wrong(f"{what} has no {name!r}.{nearest(name, allowed)} Known: {', '.join(allowed)}.")
            found[name] = Located(self.file, value_node, self.error)
        for name in required:
            if name not in found:
                self.wrong(f"{what} needs {name!r}.")
        return found

    def items(self, what: str) -> list[Located]:
        """The entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(f"{what} must be a list (`- item` lines).")
        return [Located(self.file, child, self.error) for child in self.node.value]

    def text(self, what: str) -> str:
        """A text that is not blank."""
        value = self.value
        if not isinstance(value, str) or not value.strip():
            self.wrong(f"{what} must be text, not {value!r}.")
        return value.strip()

    def texts(self, what: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text(f"an entry of {what}") for item in self.items(what))

    def number(self, what: str) -> float:
        """A number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(f"{what} must be a number, not {value!r}.")
        return float(value)

    def positive(self, what: str) -> float:
        """A number above zero."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            self.wrong(f"{what} must be a number above zero, not {value!r}.")
        return float(value)

    def flag(self, what: str) -> bool:
        """Yes or no."""
        value = self.value
        if not isinstance(value, bool):
            self.wrong(f"{what} must be true or false, not {value!r}.")
        return value

    def count(self, what: str) -> int:
        """A whole number from 1 up."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.wrong(f"{what} must be a whole number from 1 up, not {value!r}.")
        return value


def parse(text: str, file: str, error: type[FileMistakeError] = FileMistakeError) -> Located:
    """The root of a YAML document. Raises ``error`` when the text is no YAML, or is empty."""
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise error(file, mark.line + 1 if mark else 1, f"not valid YAML: {problem.problem}.") from problem
    if node is None:
        raise error(file, 1, "the file is empty.")
    return Located(file, node, error)


def parse_file(path: Path, shown_as: str, error: type[FileMistakeError] = FileMistakeError) -> Located | None:
    """The root of a YAML file; ``None`` when there is no such file. Raises ``error`` for what is no YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as problem:
        raise error(shown_as, 1, f"is no UTF-8 text: {problem}.") from problem
    return parse(text, shown_as, error)
