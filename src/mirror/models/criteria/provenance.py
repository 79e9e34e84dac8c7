"""The version can be traced and made again: inputs with their transactions, the code's version, packages and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located

_NEEDED = ("inputs", "transform", "logic_version", "packages")


@dataclass(frozen=True)
class Provenance(Criterion):
    """``seed``: whether a recorded seed is demanded too (default true)."""

    kind = "provenance"
    seed: bool = True

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("seed",))
        return cls(bool(settings["seed"].value) if "seed" in settings else True)

    def judge(self, candidate: Candidate) -> Finding:
        recorded = candidate.version.provenance
        missing = [name for name in _NEEDED if not recorded.get(name)]
        if self.seed and not recorded.get("seeds"):
            missing.append("seed (log_param('seed', ...) on the experiment, or seed in version_metadata())")
        if missing:
            return Finding(Outcome.REJECT, f"not recorded: {', '.join(missing)}")
        inputs = ", ".join(f"{i['alias']}@{str(i['transaction'])[-8:]}" for i in recorded["inputs"])
        return Finding(Outcome.PASS, f"trained from {inputs} by {recorded['transform']}")
