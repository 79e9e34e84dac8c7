"""The gates, one file each, found by listing this package.

A gate is a module with

``SETTINGS``
    what its entry in the policy must hold besides ``reason``: name -> kind (``command``, ``number``, ``texts``);
``judge(case, settings) -> GateResult``
    its verdict on one promotion. It may raise: that is an ``ERROR``, which blocks, and its neighbours still run.

The module's docstring says in its first line what the gate demands. The policy names the gates of each step; a gate
that no step names is never run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from mirror.clock import Clock
from mirror.promotion.verdict import GateResult, Outcome

if TYPE_CHECKING:
    from mirror.promotion.plan import PromotionPlan

SettingValue = tuple[str, ...] | float


@dataclass(frozen=True)
class GateSettings:
    """What the policy says about one gate of one step, already checked against the gate's ``SETTINGS``."""

    gate: str
    reason: str
    values: Mapping[str, SettingValue]

    def texts(self, name: str) -> tuple[str, ...]:
        return cast("tuple[str, ...]", self.values[name])

    def number(self, name: str) -> float:
        return cast("float", self.values[name])


@dataclass(frozen=True)
class GateCase:
    """What a gate may look at: the plan, and a temporary work tree holding exactly what the target would become."""

    plan: PromotionPlan
    tree: Path
    scratch: Path
    python_path: tuple[str, ...]
    approvals: tuple[str, ...]
    accepted: Mapping[str, str]
    clock: Clock


class Gate(Protocol):
    """The shape of a gate module."""

    SETTINGS: Mapping[str, str]

    def judge(self, case: GateCase, settings: GateSettings) -> GateResult: ...


def known_gates() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def gate(name: str) -> Gate:
    return cast("Gate", importlib.import_module(f"{__name__}.{name}"))


def run_gates(
    case: GateCase, gates: Sequence[GateSettings], say: Callable[[GateResult], None]
) -> tuple[GateResult, ...]:
    """Every gate of the step in the policy's order, each heard even when an earlier one said no."""
    results = []
    for settings in gates:
        started = case.clock()
        try:
            result = gate(settings.gate).judge(case, settings)
        except Exception as error:  # noqa: BLE001 - a gate that crashes must block as ERROR without silencing the others
            result = GateResult(
                settings.gate,
                Outcome.ERROR,
                f"the gate could not be computed: {type(error).__name__}: {error}",
                fix="Mend what it names, or report a fault of the gate; an unknown verdict promotes nothing.",
            )
        result = replace(result, seconds=(case.clock() - started).total_seconds())
        say(result)
        results.append(result)
    return tuple(results)
