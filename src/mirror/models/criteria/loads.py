"""The artefact is what was published, and its adapter loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.errors import MirrorError
from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from palantir_models.errors import PalantirModelsError

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class Loads(Criterion):
    """No settings."""

    kind = "loads"

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ())
        return cls()

    def judge(self, candidate: Candidate) -> Finding:
        try:
            adapter = candidate.adapter(candidate.version)
        except (MirrorError, PalantirModelsError) as error:
            return Finding(Outcome.REJECT, str(error))
        return Finding(Outcome.PASS, f"{type(adapter).__name__} loads, sha256 {candidate.version.sha256[:12]} holds")
