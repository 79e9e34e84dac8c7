"""The gates, one file each, found by listing this package.

A gate is a module with

``SETTINGS``
    what its entry in the policy must hold besides ``reason``: name -> kind (``command``, ``number``, ``texts``,
    ``lists``: a mapping from a name or glob to a list of texts);
``OPTIONAL`` (may be left out)
    the same for what its entry may hold;
``judge(case, settings) -> GateResult``
    its verdict on one promotion. It may raise: that is an ``ERROR``, which blocks, and its neighbours still run.

The module's docstring says in its first line what the gate demands. The policy names the gates of each step; a gate
that no step names is never run. Every gate may also have ``limit_seconds``, after which it blocks, and ``override``:
the roles whose members may let its no pass, each time with a reason.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from mirror.clock import Clock
from mirror.promotion.verdict import GateResult, Outcome, Override

if TYPE_CHECKING:
    from mirror.promotion.plan import PromotionPlan

SettingValue = tuple[str, ...] | float | Mapping[str, tuple[str, ...]]
LIMIT_SECONDS = 300.0
# A command is ended at its own limit and then still has to be read and reported.
_GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class GateSettings:
    """What the policy says about one gate of one step, already checked against the gate's ``SETTINGS``."""

    gate: str
    reason: str
    values: Mapping[str, SettingValue]
    override: tuple[str, ...] = ()
    limit_seconds: float = LIMIT_SECONDS

    def texts(self, name: str) -> tuple[str, ...]:
        return cast("tuple[str, ...]", self.values.get(name, ()))

    def number(self, name: str, default: float | None = None) -> float:
        return cast("float", self.values[name] if default is None else self.values.get(name, default))

    def lists(self, name: str) -> Mapping[str, tuple[str, ...]]:
        return cast("Mapping[str, tuple[str, ...]]", self.values.get(name, {}))


@dataclass(frozen=True)
class GateCase:
    """What a gate may look at: the plan, and a temporary work tree holding exactly what the target would become.

    Attributes:
        scratch: a temporary folder that all gates of the step share.
        workspace: where data lies; may not exist. A gate only reads it.
        approvals: who approved, and what was approved earlier and has expired since, as sentences.
        overrides: gate -> who lets it pass, and why.
        heard: what the gates before this one said.
    """

    plan: PromotionPlan
    tree: Path
    scratch: Path
    python_path: tuple[str, ...]
    approvals: tuple[str, ...]
    accepted: Mapping[str, str]
    clock: Clock
    workspace: Path = Path(".mirror")
    expired: tuple[str, ...] = ()
    overrides: Mapping[str, Override] = field(default_factory=dict)
    heard: tuple[GateResult, ...] = ()


class Gate(Protocol):
    """The shape of a gate module."""

    SETTINGS: Mapping[str, str]

    def judge(self, case: GateCase, settings: GateSettings) -> GateResult: ...


def known_gates() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def gate(name: str) -> Gate:
    return cast("Gate", importlib.import_module(f"{__name__}.{name}"))


def optional_settings(name: str) -> Mapping[str, str]:
    """What a gate's entry may hold besides what it must."""
    return cast("Mapping[str, str]", getattr(gate(name), "OPTIONAL", {}))


def run_gates(
    case: GateCase, gates: Sequence[GateSettings], say: Callable[[GateResult], None]
) -> tuple[GateResult, ...]:
    """Every gate of the step in the policy's order, each heard even when an earlier one said no."""
    results: list[GateResult] = []
    for settings in gates:
        started = case.clock()
        result = _within_limit(replace(case, heard=tuple(results)), settings)
        result = replace(result, seconds=(case.clock() - started).total_seconds())
        if result.says_no and settings.gate in case.overrides:
            result = replace(result, override=case.overrides[settings.gate])
        say(result)
        results.append(result)
    return tuple(results)


def _within_limit(case: GateCase, settings: GateSettings) -> GateResult:
    """The gate's answer; one that crashes or does not come back is an ``ERROR``.

    Python cannot end a thread. One that hangs is left behind, and does not keep the process from ending.
    """
    answers: list[GateResult] = []

    def judged() -> None:
        try:
            answers.append(gate(settings.gate).judge(case, settings))
        except Exception as error:  # noqa: BLE001 - a gate that crashes must block as ERROR without silencing the others
            answers.append(
                GateResult(
                    settings.gate,
                    Outcome.ERROR,
                    f"the gate could not be computed: {type(error).__name__}: {error}",
                    fix="Mend what it names, or report a fault of the gate; an unknown verdict promotes nothing.",
                )
            )

    limit = settings.limit_seconds + (_GRACE_SECONDS if "command" in settings.values else 0.0)
    worker = threading.Thread(target=judged, name=f"gate {settings.gate}", daemon=True)
    worker.start()
    worker.join(limit)
    if worker.is_alive() or not answers:
        return GateResult(
            settings.gate,
            Outcome.ERROR,
            f"the gate gave no answer within {limit:g} s.",
            fix="Find out what it waits for, or raise limit_seconds in the policy with a reason.",
        )
    return answers[0]
