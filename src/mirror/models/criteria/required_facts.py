"""Facts and metrics that a model card needs were recorded with the version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class RequiredFacts(Criterion):
    """``metrics``: names of figures; ``facts``: names in the adapter's ``version_metadata()``."""

    kind = "required_facts"
    metrics: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("metrics", "facts"))
        names = {k: tuple(i.text(f"an entry of {k}") for i in v.items(k)) for k, v in settings.items()}
        if not names:
            item.wrong("required_facts needs 'metrics' or 'facts'.")
        return cls(**names)

    def judge(self, candidate: Candidate) -> Finding:
        known = candidate.metrics()
        missing = [m for m in self.metrics if m not in known]
        missing += [f for f in self.facts if candidate.version.facts.get(f) in (None, "", [], {})]
        if missing:
            return Finding(Outcome.REJECT, f"not recorded: {', '.join(missing)}")
        return Finding(Outcome.PASS, f"{len(self.metrics) + len(self.facts)} recorded")
