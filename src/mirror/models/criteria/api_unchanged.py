"""The candidate declares the same inputs and outputs as the champion, so nothing that calls it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class ApiUnchanged(Criterion):
    """No settings. Without a champion nothing can break."""

    kind = "api_unchanged"

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ())
        return cls()

    def judge(self, candidate: Candidate) -> Finding:
        if candidate.champion is None:
            return Finding(Outcome.PASS, "there is no version in production whose callers could break")
        changed = [
            f"{side[:-1]} {name!r} {how}"
            for side in ("inputs", "outputs")
            for name, how in _differences(candidate.champion.api[side], candidate.version.api[side])
        ]
        if changed:
            return Finding(Outcome.REJECT, f"the declared interface changed: {', '.join(changed)}")
        return Finding(Outcome.PASS, f"same interface as {candidate.champion.semantic} in production")


def _differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[tuple[str, str]]:
    old, new = {f["name"]: f for f in before}, {f["name"]: f for f in after}
    gone = [(n, "is gone") for n in old if n not in new]
    added = [(n, "is new") for n in new if n not in old]
    return gone + added + [(n, "differs") for n in old if n in new and old[n] != new[n]]
