"""Which guest modules a repository needs: the packages it is made for, and whatever these import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mirror.porting.source import Module


def needed(modules: Mapping[str, Module], packages: Iterable[str], leave_out: Iterable[str] = ()) -> list[str]:
    """Names of all modules of ``packages`` and of every guest module they import, directly or not, sorted.

    ``leave_out`` are modules that will be written anew and whose imports therefore do not count.
    """
    skipped = frozenset(leave_out)
    wanted = set(packages)
    pending = [name for name in modules if name.partition(".")[0] in wanted and name not in skipped]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        # Importing a module runs every package above it.
        parts = name.split(".")
        pending += [parent for n in range(1, len(parts)) if (parent := ".".join(parts[:n])) in modules]
        for _, imported in modules[name].imported():
            target = _module_of(modules, imported)
            if target is not None and target not in skipped:
                pending.append(target)
    return sorted(found)


def _module_of(modules: Mapping[str, Module], dotted: str) -> str | None:
    """The longest leading part that is a guest module: ``a.b.Name`` is found in module ``a.b``."""
    while dotted:
        if dotted in modules:
            return dotted
        dotted = dotted.rpartition(".")[0]
    return None
