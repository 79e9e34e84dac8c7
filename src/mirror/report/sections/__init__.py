"""The report's sections, one file each, found by listing.

A section is a module with ``AUDIENCE`` (``operations``, ``science`` or ``management``), ``ORDER`` (place among its
audience's sections), ``TITLE``, ``LEAD`` (one sentence on how to read it) and ``read(fleet) -> parts``. What it needs
and does not find it lets :class:`FleetData` refuse: the page then says which dataset or column is missing, and shows
the rest.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from types import ModuleType

import pyarrow as pa

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
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
            found.append(replace(panel, missing=str(error)))
        except (pa.ArrowException, TypeError, ValueError) as error:
            # A dataset of the pipeline's name in another repository may hold something else altogether.
            said = " ".join(str(error).split())[:200]
            found.append(replace(panel, missing=f"Its columns hold something else than expected: {said}"))
        else:
            found.append(replace(panel, parts=parts))
    return tuple(found)


@cache
def _sections() -> tuple[tuple[str, ModuleType], ...]:
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    loaded = [(name, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return tuple(sorted(loaded, key=lambda one: (AUDIENCES.index(one[1].AUDIENCE), one[1].ORDER, one[0])))
