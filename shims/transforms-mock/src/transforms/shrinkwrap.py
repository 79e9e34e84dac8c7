"""``transforms-shrinkwrap.yml``: which RID each alias of a repository stands for, read as leniently as such files
require.

Committed files hold wrapped strings, unresolved merge markers and aliases that share a RID. Parsing is pure; the
platform decides what to do with the map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7}).*$", re.MULTILINE)
_ENTRY = re.compile(r"^\s*-\s+(?=(?:alias|modes|path|rid)\s*:)", re.MULTILINE)


@dataclass(frozen=True)
class Mapped:
    """One entry.

    Attributes:
        alias: as written in code: a path, a bare word or a RID.
        rid: the dataset it stands for; ``None`` when the file does not say.
        modes: ``BUILD`` (written by this repository), ``READ`` (read), or both.
    """

    alias: str
    rid: str | None
    modes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shrinkwrap:
    """The whole file.

    Attributes:
        entries: in file order, without exact repetitions.
        problems: what was wrong in the file, for people.
    """

    entries: tuple[Mapped, ...] = ()
    problems: tuple[str, ...] = ()
    _rids: Mapping[str, str] = field(default_factory=dict, repr=False)

    def rid(self, alias: str) -> str | None:
        """The RID of an alias; a RID stands for itself."""
        return alias if alias.startswith("ri.") else self._rids.get(alias)

    def aliases(self, rid: str) -> tuple[str, ...]:
        """Every spelling of a dataset, in file order, the RID itself left out."""
        return tuple(entry.alias for entry in self.entries if entry.rid == rid and entry.alias != rid)

    def same(self, one: str, other: str) -> bool:
        """Whether two spellings mean the same dataset."""
        left, right = self.rid(one), self.rid(other)
        return one == other or (left is not None and left == right)


def parse_shrinkwrap(text: str) -> Shrinkwrap:
    """The map in a shrinkwrap file; whatever cannot be read becomes a problem instead of an error.

    Both sides of an unresolved merge are kept; where they disagree about an alias, the later one holds.
    """
    problems: list[str] = []
    if _MARKER.search(text):
        problems.append("the file holds unresolved merge markers; both sides were read")
        text = _MARKER.sub("", text)
    found: dict[tuple[str, str | None], Mapped] = {}
    rids: dict[str, str] = {}
    for raw in _raw_entries(text, problems):
        entry = _mapped(raw, problems)
        if entry is None:
            continue
        known = rids.get(entry.alias)
        if entry.rid is not None:
            if known is not None and known != entry.rid:
                problems.append(f"alias '{entry.alias}' is mapped to {known} and to {entry.rid}; the latter holds")
            rids[entry.alias] = entry.rid
        earlier = found.get((entry.alias, entry.rid))
        modes = entry.modes | (earlier.modes if earlier else frozenset())
        found[entry.alias, entry.rid] = Mapped(entry.alias, entry.rid, modes)
    return Shrinkwrap(tuple(found.values()), tuple(problems), rids)


def _read(text: str) -> Any:
    """YAML whose plain values all stay texts: an alias may read like a number, a date or a yes."""
    import yaml

    def texts(node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {texts(key): texts(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [texts(item) for item in node.value]
        return None if node is None or node.tag.endswith(":null") else node.value

    return texts(yaml.compose(text, Loader=yaml.SafeLoader))


def _raw_entries(text: str, problems: list[str]) -> Iterator[Any]:
    import yaml

    try:
        document = _read(text)
    except yaml.YAMLError:
        problems.append("the file is no valid YAML; it was read entry by entry")
        yield from _one_by_one(text, problems)
        return
    mappings = document.get("mappings") if isinstance(document, dict) else document
    if mappings is None:
        if document and not (isinstance(document, dict) and "mappings" in document):
            problems.append("the file has no 'mappings'")
        return
    if not isinstance(mappings, list):
        problems.append("'mappings' is no list")
        return
    yield from mappings


def _one_by_one(text: str, problems: list[str]) -> Iterator[Any]:
    import yaml

    for number, chunk in enumerate(_ENTRY.split(text)[1:], start=1):
        indented = "\n".join(line if i == 0 else line.strip() for i, line in enumerate(chunk.splitlines()))
        try:
            yield _read(indented)
        except yaml.YAMLError:
            problems.append(f"entry {number} cannot be read")


def _mapped(raw: Any, problems: list[str]) -> Mapped | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("alias"), str):
        problems.append(f"an entry has no alias: {raw!r}")
        return None
    alias, rid = raw["alias"], raw.get("rid")
    if not isinstance(rid, str):
        rid = alias if alias.startswith("ri.") else None
        if rid is None:
            problems.append(f"alias '{alias}' has no rid")
    modes = raw.get("modes") or ()
    return Mapped(alias, rid, frozenset(str(mode).upper() for mode in ([modes] if isinstance(modes, str) else modes)))
