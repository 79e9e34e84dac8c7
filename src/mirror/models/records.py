"""What the models room keeps, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

STAGING = "staging"
PRODUCTION = "production"
ENVIRONMENTS = (STAGING, PRODUCTION)
RELEASE, ROLLBACK, HALT, RESUME = "release", "rollback", "halt", "resume"
"""What an entry of an environment's history decided. The last two name the version that is in force already."""


@dataclass(frozen=True)
class Model:
    """A named sequence of versions."""

    rid: str
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class ModelVersion:
    """One published version.

    Attributes:
        sequence: position among all versions of the model, from 1.
        semantic: ``major.minor.patch``, unique per model.
        adapter: ``module:ClassName`` that loads it.
        location: of the artefact, relative to the workspace's data root.
        sha256: of the artefact's bytes.
        api: declared inputs and outputs.
        experiment: the attached experiment, or ``None``.
        facts: what the adapter told about itself (feature names, threshold, seed, ...).
        provenance: inputs (alias, transaction), transform, logic version, job, packages, seeds.
    """

    rid: str
    model_rid: str
    sequence: int
    semantic: str
    branch: str
    adapter: str
    location: str
    sha256: str
    size: int
    api: Mapping[str, Any]
    change_type: str | None
    experiment: Mapping[str, Any] | None
    facts: Mapping[str, Any]
    provenance: Mapping[str, Any]
    created_at: datetime

    def __str__(self) -> str:
        return f"{self.semantic} ({self.sha256[:12]})"


class Outcome(StrEnum):
    """How a check of a submission ended."""

    PASS = "PASS"  # noqa: S105 - the outcome of a check, no secret
    REJECT = "REJECT"
    PENDING = "PENDING"
    """It could not be judged yet: what it looks at was never measured."""


@dataclass(frozen=True)
class Verdict:
    """One check of one submission, judged once. ``blocks`` lists the environments it keeps a rejected version out
    of.
    """

    name: str
    outcome: Outcome
    detail: str
    blocks: tuple[str, ...] = ()
    evaluated_at: datetime | None = None


@dataclass(frozen=True)
class Submission:
    """A frozen copy of one version inside an objective."""

    rid: str
    objective: str
    model_rid: str
    version_rid: str
    sha256: str
    owner: str
    archived: bool
    created_at: datetime


@dataclass(frozen=True)
class Release:
    """One entry of an environment's history; the one with the highest ``number`` is in force.

    Attributes:
        kind: :data:`RELEASE`, :data:`ROLLBACK`, :data:`HALT` (nothing is scored with its version) or :data:`RESUME`.
    """

    rid: str
    objective: str
    model_rid: str
    environment: str
    number: int
    submission_rid: str
    version_rid: str
    kind: str
    approved_by: tuple[str, ...]
    actor: str
    reason: str
    released_at: datetime


SHADOW = "shadow"
CANARY_LIVE = "canary_live"
TRIALS = (SHADOW, CANARY_LIVE)
"""How a version in staging is tried on production data: without effect, or for the alerts of a share of devices."""


@dataclass(frozen=True)
class Trial:
    """A decision to try a version beside the one in production; the one with the highest ``number`` holds.

    Attributes:
        role: one of :data:`TRIALS`; one that ends the offline canary is about a ``challenger``.
        share: of devices; 0 ends the trial.
    """

    rid: str
    model_rid: str
    version_rid: str
    number: int
    role: str
    share: float
    approved_by: tuple[str, ...]
    actor: str
    reason: str
    decided_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who did what, when, and how it ended; refusals are entries too."""

    sequence: int
    at: datetime
    actor: str
    action: str
    outcome: str
    model_rid: str
    version_rid: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)
