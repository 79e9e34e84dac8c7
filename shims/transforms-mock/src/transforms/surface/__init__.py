"""What of Foundry's libraries is here and how it behaves: the table behind ``docs/fidelity.md``.

``python -m transforms.surface`` prints the page; ``--check FILE`` says whether a file is up to date.
"""

from __future__ import annotations

from transforms.surface._api import DECLARATIONS
from transforms.surface._behaviours import BEHAVIOURS, Behaviour
from transforms.surface._expectations import EXPECTATIONS
from transforms.surface._incremental import INCREMENTAL
from transforms.surface._models import MODELS
from transforms.surface._others import OTHERS
from transforms.surface._page import render
from transforms.surface._row import Row, Status
from transforms.surface._runtime import RUNTIME

SURFACE: tuple[Row, ...] = (*DECLARATIONS, *INCREMENTAL, *RUNTIME, *EXPECTATIONS, *OTHERS, *MODELS)

__all__ = ["BEHAVIOURS", "SURFACE", "Behaviour", "Row", "Status", "render"]
