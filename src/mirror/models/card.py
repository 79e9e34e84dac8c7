"""The model card of a version: generated from what its run recorded, never typed, refused when something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mirror.models.card_age import age_of_data
from mirror.models.criteria.base import Candidate
from mirror.models.errors import CardIncompleteError
from mirror.models.records import Model, ModelVersion, Release, Verdict

if TYPE_CHECKING:
    from mirror.models.governance import Governance
    from mirror.models.objectives import CardRules

_LONG = 12
VALIDATION_ROWS = "validation_rows"
"""The figure that tells whether anything validated a version."""


@dataclass(frozen=True)
class Card:
    """Everything a reader may ask about one version.

    Attributes:
        metrics: every figure known, by name.
        age_days: whole days from the end of its training data to the newest data, where the objective says where to
            look; else since it was published.
        aged_by: which of the two clocks that is, in words.
        stale: a sentence when the card is older than the objective allows, else ``None``.
        reasons: check name -> why it must hold.
    """

    model: Model
    version: ModelVersion
    objective: str
    owner: str
    metrics: Mapping[str, float]
    verdicts: tuple[Verdict, ...]
    reasons: Mapping[str, str]
    releases: tuple[Release, ...]
    age_days: int
    aged_by: str
    stale: str | None

    @property
    def run(self) -> Mapping[str, Any]:
        """What the training logged beside its figures: periods, rows, devices, transaction, code, packages."""
        told = (self.version.experiment or {}).get("parameters", {})
        return {name: value for name, value in told.items() if name not in self.metrics}

    def to_json(self) -> dict[str, Any]:
        """The card as JSON types."""
        version = self.version
        return {
            "model": self.model.path,
            "version": version.semantic,
            "rid": version.rid,
            "sha256": version.sha256,
            "published": version.created_at.isoformat(),
            "age_days": self.age_days,
            "aged_by": self.aged_by,
            "stale": self.stale,
            "objective": self.objective,
            "owner": self.owner,
            "adapter": version.adapter,
            "interface": dict(version.api),
            "training": dict(version.provenance),
            "run": dict(self.run),
            "facts": dict(version.facts),
            "metrics": dict(self.metrics),
            "checks": [
                {"name": v.name, "outcome": v.outcome.value, "detail": v.detail, "reason": self.reasons.get(v.name, "")}
                for v in self.verdicts
            ],
            "releases": [
                {
                    "environment": r.environment,
                    "number": r.number,
                    "kind": r.kind,
                    "approved_by": list(r.approved_by),
                    "reason": r.reason,
                    "at": r.released_at.isoformat(),
                }
                for r in self.releases
            ],
        }

    def to_markdown(self) -> str:
        """The card for people."""
        version, trained = self.version, self.version.provenance
        title = version.facts.get("display_name") or self.model.name
        lines = [f"# {title} {version.semantic}", ""]
        if version.facts.get("description"):
            lines += [str(version.facts["description"]), ""]
        if self.stale:
            lines += [f"**{self.stale}**", ""]
        lines += _table(
            {
                "model": self.model.path,
                "objective": f"{self.objective} (owner: {self.owner})",
                "published": f"{version.created_at:%Y-%m-%d %H:%M} UTC",
                "age": f"{self.age_days} days, {self.aged_by}",
                "artefact": f"sha256 {version.sha256}, {version.size} bytes, loaded by `{version.adapter}`",
            }
        )
        inputs = ", ".join(f"{i['alias']} at {i['transaction']}" for i in trained.get("inputs", ()))
        lines += ["", "## Training", ""]
        lines += _table(
            {
                "inputs": inputs,
                "transform": trained.get("transform"),
                "logic version": trained.get("logic_version"),
                "seeds": _short(trained.get("seeds")),
                "packages": ", ".join(f"{k} {v}" for k, v in trained.get("packages", {}).items()),
                "python": trained.get("python"),
            }
        )
        if self.run:
            lines += ["", "## Run", "", *_table({name: _short(value) for name, value in sorted(self.run.items())})]
        lines += ["", "## Facts", "", *_table({k: _short(v) for k, v in sorted(version.facts.items())})]
        figures = {k: f"{v:.6g}" for k, v in sorted(self.metrics.items()) if k not in version.facts}
        lines += ["", "## Metrics", "", *_table(figures)]
        lines += ["", "## Checks", ""]
        for v in self.verdicts:
            lines.append(f"- **{v.outcome.value}** {v.name}: {v.detail} ({self.reasons.get(v.name, '')})")
        lines += ["", "## Releases", ""]
        for r in self.releases:
            who = f"approved by {', '.join(r.approved_by)}" if r.approved_by else f"by {r.actor}, approved by nobody"
            lines.append(f"- {r.environment} {r.number} ({r.kind}), {r.released_at:%Y-%m-%d}, {who}: {r.reason}")
        return "\n".join(lines) + "\n"


def missing_fields(version: ModelVersion, metrics: Mapping[str, float], rules: CardRules) -> tuple[str, ...]:
    """What is required and was not recorded, in the order it is asked for."""
    nothing: tuple[Any, ...] = (None, "", [], {})
    facts = [f"fact {n}" for n in rules.facts if version.facts.get(n) in nothing]
    asked = (*rules.metrics, *(rules.validated if metrics.get(VALIDATION_ROWS, 0) > 0 else ()))
    known = [f"provenance {n}" for n in rules.provenance if version.provenance.get(n) in nothing]
    return (*facts, *(f"metric {n}" for n in asked if n not in metrics), *known)


def build_card(governance: Governance, name: str, wanted: str | None = None, *, now: datetime) -> Card:
    """The card of a version: ``wanted``, else the one in production, else the newest.

    Raises:
        CardIncompleteError: a required field was not recorded; nothing is made up.
        ModelNotFoundError, NotGovernedError, VersionNotFoundError.
    """
    governed = governance.governed(name)
    registry, model, objective = governance.registry, governed.model, governed.objective
    production = governance.in_force(model, "production")
    if wanted is not None:
        version = registry.version(model, wanted)
    elif production is not None:
        version = registry.by_rid(production.version_rid)[1]
    else:
        version = registry.versions(model)[-1]
    candidate = Candidate(registry, model, version)
    metrics = candidate.metrics()
    missing = missing_fields(version, metrics, objective.card)
    if missing:
        raise CardIncompleteError(model.path, version.semantic, missing)
    rules = objective.card
    by_data = age_of_data(candidate, rules.data_time) if rules.data_time is not None else None
    age = (now - version.created_at if by_data is None else by_data).days
    limit = rules.stale_after_days
    submission = next((s for s in governance.submissions(model) if s.version_rid == version.rid), None)
    return Card(
        model=model,
        version=version,
        objective=objective.name,
        owner=objective.owner,
        metrics=metrics,
        verdicts=governance.verdicts(submission) if submission else (),
        reasons={c.name: c.reason for c in objective.checks},
        releases=tuple(r for r in governance.releases(model) if r.version_rid == version.rid),
        age_days=age,
        aged_by="since it was published" if by_data is None else "from its training data to the newest data",
        stale=f"Stale: {age} days old, {limit} are allowed. Retrain and release." if age > limit else None,
    )


def _table(rows: Mapping[str, Any]) -> list[str]:
    shown = [f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items() if value]
    return ["| | |", "| --- | --- |", *shown]


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > _LONG:
        return f"{', '.join(map(str, value[:_LONG]))}, ... ({len(value)} values)"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {v}" for k, v in value.items())
    return str(value)
