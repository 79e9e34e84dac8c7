"""The version does not call itself as another one in production: scores name their version, so a name means one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class OwnVersion(Criterion):
    """``fact``: what the artefact calls itself (default ``model_version``)."""

    kind = "own_version"
    fact: str = "model_version"

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("fact",))
        return cls(settings["fact"].text("fact")) if "fact" in settings else cls()

    def judge(self, candidate: Candidate) -> Finding:
        mine, champion = candidate.version, candidate.champion
        if self.fact not in mine.facts:
            return Finding(Outcome.REJECT, f"the artefact does not say its {self.fact}")
        name = mine.facts[self.fact]
        if champion is None or champion.facts.get(self.fact) != name or champion.sha256 == mine.sha256:
            return Finding(Outcome.PASS, f"calls itself {name}")
        way_out = "raise it in the profile (a patch for new data) and train again"
        return Finding(Outcome.REJECT, f"calls itself {name} as {champion.semantic} in production does: {way_out}")
