"""The shape of a criterion, and what it may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mirror.models.records import Model, ModelVersion, Outcome

if TYPE_CHECKING:
    from mirror.located import Located
    from mirror.models.decisions import Decision
    from mirror.models.registry import ModelRegistry
    from palantir_models import ModelAdapter


@dataclass(frozen=True)
class Candidate:
    """A submitted version and what it is compared with.

    Attributes:
        champion: the version in production, or ``None``.
        trial: how it is tried now, and since when; ``None`` when it is not.
        scored: scored rows, kept so that several criteria of one judgement share them.
    """

    registry: ModelRegistry
    model: Model
    version: ModelVersion
    champion: ModelVersion | None = None
    trial: Decision | None = None
    scored: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def adapter(self, version: ModelVersion) -> ModelAdapter:
        """The adapter of a version. Raises ArtefactTamperedError, ArtefactMissingError, PalantirModelsError."""
        from mirror.models.ports import VersionReadPort
        from palantir_models.version import load_version

        return load_version(VersionReadPort(self.registry, self.model, version, version.branch))

    def metrics(self, version: ModelVersion | None = None) -> dict[str, float]:
        """Every figure known about a version (default: the candidate).

        The adapter's own numbers and ``metrics``, the experiment's last values and numeric parameters, and
        evaluations as ``set/name`` and ``name``; later sources win.
        """
        version = version or self.version
        found: dict[str, float] = {k: v for k, v in version.facts.items() if _is_number(v)}
        found.update({k: v for k, v in version.facts.get("metrics", {}).items() if _is_number(v)})
        experiment = version.experiment or {}
        found.update({k: v for k, v in experiment.get("parameters", {}).items() if _is_number(v)})
        last = {k: v["LAST"] for k, v in experiment.get("summaryMetrics", {}).items()}
        found.update({k: v for k, v in last.items() if _is_number(v)})
        for document in self.registry.evaluations(version):
            for name, value in document.get("metrics", {}).items():
                if not _is_number(value):
                    continue
                found[name] = found[f"{document['evaluationSet']}/{name}"] = value
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Finding:
    """How a criterion judged: the outcome and one sentence a person can act on."""

    outcome: Outcome
    detail: str
    measured: Mapping[str, Any] = field(default_factory=dict)


class Criterion:
    """One kind of check. Subclasses are frozen dataclasses, each in a file of its own."""

    kind: ClassVar[str]

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        """From the YAML of one check; unknown or missing settings are refused at their line."""
        raise NotImplementedError

    def judge(self, candidate: Candidate) -> Finding:
        """PASS, REJECT, or PENDING when what it looks at was never measured."""
        raise NotImplementedError


def only(
    item: Located, settings: Mapping[str, Located], known: tuple[str, ...], required: tuple[str, ...] = ()
) -> None:
    """Refuses settings a kind does not know and misses none it needs."""
    from mirror.errors import nearest

    for name, value in settings.items():
        if name not in known:
            value.wrong(
                f"this kind of check has no {name!r}.{nearest(name, known)} Known: {', '.join(known) or 'none'}."
            )
    for name in required:
        if name not in settings:
            item.wrong(f"this kind of check needs {name!r}.")
