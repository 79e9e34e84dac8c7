"""What can go wrong with a device. One effect is one file; its name in a fleet file is the file's name."""

from __future__ import annotations

import importlib
import pkgutil
from abc import abstractmethod
from functools import cache

import numpy as np
from pydantic import BaseModel, ConfigDict

from mirror.synth.readings import Onset, Readings


class Effect(BaseModel):
    """One change to a device's readings from an onset on. Fields are the parameters a fleet file may give."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensors: tuple[str, ...] = ()

    @abstractmethod
    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        """Changes ``readings`` in place, within ``onset.part`` only."""


@cache
def effects() -> dict[str, type[Effect]]:
    """Every effect by name, found by listing this package."""
    found: dict[str, type[Effect]] = {}
    for module in pkgutil.iter_modules(__path__):
        imported = importlib.import_module(f"{__name__}.{module.name}")
        own = [
            value
            for value in vars(imported).values()
            if isinstance(value, type) and issubclass(value, Effect) and value.__module__ == imported.__name__
        ]
        if len(own) != 1:
            raise TypeError(f"{imported.__name__} must define exactly one Effect, it defines {len(own)}")
        found[module.name] = own[0]
    return found
