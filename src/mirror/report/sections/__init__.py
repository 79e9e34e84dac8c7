"""The report's sections, one file each, found by listing.

A section is a module with ``AUDIENCE`` (``operations``, ``science`` or ``management``), ``ORDER`` (place among its
audience's sections), ``TITLE``, ``LEAD`` (one sentence on how to read it) and ``read(fleet) -> parts``. What it needs
and does not find it lets :class:`FleetData` refuse: the page then says which dataset or column is missing, and shows
the rest.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from mirror.report.fleet_data import FleetData, NotThereError
from mirror.report.parts import Panel

AUDIENCES = ("operations", "science", "management")


def panels(fleet: FleetData) -> tuple[Panel, ...]:
    """Every section of a fleet, by audience and order."""
    found = []
    for name, module in _sections():
        panel = Panel(name, module.AUDIENCE, module.TITLE, fleet.prefix, module.LEAD)
        try:
            parts = tuple(module.read(fleet))
        except NotThereError as error:
            found.append(Panel(**{**vars(panel), "missing": str(error)}))
        else:
            found.append(Panel(**{**vars(panel), "parts": parts}))
    return tuple(found)


@cache
def _sections() -> tuple[tuple[str, ModuleType], ...]:
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    loaded = [(name, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return tuple(sorted(loaded, key=lambda one: (AUDIENCES.index(one[1].AUDIENCE), one[1].ORDER, one[0])))
