"""YAML with memory: plain Python values plus the line on which each of them was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from fleet_health.definition_errors import DefinitionError

Path = tuple[str | int, ...]

# libyaml where PyYAML was built with it: a tenth of the time
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines:
    """Line numbers by path; asks the nearest parent when a path itself was never written (a missing key)."""

    def __init__(self) -> None:
        self._lines: dict[Path, int] = {}

    def note(self, path: Path, line: int) -> None:
        self._lines[path] = line

    def of(self, path: Sequence[str | int]) -> int | None:
        for end in range(len(path), -1, -1):
            line = self._lines.get(tuple(path[:end]))
            if line is not None:
                return line
        return None


def load_with_lines(text: str, file: str, error_type: type[DefinitionError]) -> tuple[Any, Lines]:
    """Parses ``text``.

    Raises:
        error_type: not YAML, more than one document, an empty file, a merge key, or a key written twice.
    """
    lines = Lines()
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise error_type(file, None, "the file is empty", "Start from one of the profiles in this folder.")
        return _value(loader, node, (), lines, file, error_type), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        fix = "Check indentation, quotes and brackets around that line."
        raise error_type(file, line, f"not valid YAML ({error.problem or error.context})", fix) from error
    except yaml.YAMLError as error:
        raise error_type(file, None, f"not valid YAML ({error})", "Save the file as UTF-8 text.") from error
    finally:
        loader.dispose()


def _value(
    loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: Lines, file: str, error_type: type[DefinitionError]
) -> Any:
    lines.note(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(loader, child, (*path, index), lines, file, error_type) for index, child in enumerate(node.value)
        ]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node, deep=True)
    result: dict[str, Any] = {}
    for key_node, child in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag == "tag:yaml.org,2002:merge":
            raise error_type(file, line, "merge keys (`<<`) are not read", "Write the keys out.")
        key = str(loader.construct_object(key_node, deep=True))
        if key in result:
            first = lines.of((*path, key))
            raise error_type(file, line, f"key {key!r} is written twice (first on line {first})", "Remove one.")
        result[key] = _value(loader, child, (*path, key), lines, file, error_type)
        lines.note((*path, key), line)
    return result
