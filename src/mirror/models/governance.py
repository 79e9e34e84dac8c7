"""Submitting, judging, releasing and rolling back the versions of governed models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.models import halting, ledger, releasing, trying
from mirror.models.criteria.base import Candidate, Finding
from mirror.models.decisions import on_trial
from mirror.models.errors import (
    ModelNotFoundError,
    NotGovernedError,
    ReleaseRefusedError,
    SubmissionNotFoundError,
    VersionNotFoundError,
)
from mirror.models.objectives import CheckRule, Objective, Objectives, load_objectives
from mirror.models.records import (
    HALT,
    PRODUCTION,
    RELEASE,
    RESUME,
    ROLLBACK,
    AuditEntry,
    Model,
    ModelVersion,
    Outcome,
    Release,
    Submission,
    Trial,
    Verdict,
)
from mirror.models.registry import ModelRegistry
from mirror.models.releasing import Request


@dataclass(frozen=True)
class Governed:
    """A model with the objective that governs it."""

    objective: Objective
    model: Model


@dataclass(frozen=True)
class Done:
    """What a step did. ``changed`` is false when it was done before; ``sentence`` says so."""

    changed: bool
    sentence: str
    version: ModelVersion
    verdicts: tuple[Verdict, ...] = ()


class Governance:
    """The governance of one workspace's models. Every step is one SQL transaction with its audit entry."""

    def __init__(self, workspace: Workspace, objectives: Objectives | None = None) -> None:
        self.workspace = workspace
        self.registry = ModelRegistry(workspace)
        self.objectives = objectives if objectives is not None else load_objectives(workspace.config.repository)

    def governed(self, name: str) -> Governed:
        """The model of a path, RID, unique end of a path, or of an objective that governs exactly one.

        Raises ModelNotFoundError, AmbiguousModelError, NotGovernedError.
        """
        try:
            model = self.registry.model(name)
        except ModelNotFoundError:
            of_objective = [m for m in self.registry.models() if self._fits(name, m)]
            if len(of_objective) != 1:
                raise
            model = of_objective[0]
        objective = self.objectives.for_model(model.path)
        if objective is None:
            raise NotGovernedError(model.path, self.objectives.file, tuple(o.name for o in self.objectives.all))
        return Governed(objective, model)

    def submissions(self, model: Model) -> tuple[Submission, ...]:
        """Submissions of a model, in the order of its versions."""
        with self.workspace.catalog.reading() as connection:
            return ledger.submissions(connection, model.rid)

    def verdicts(self, submission: Submission) -> tuple[Verdict, ...]:
        """The newest verdicts of a submission."""
        with self.workspace.catalog.reading() as connection:
            return ledger.verdicts(connection, submission.rid)

    def releases(self, model: Model, environment: str | None = None) -> tuple[Release, ...]:
        """Releases of a model, oldest first."""
        with self.workspace.catalog.reading() as connection:
            return ledger.releases(connection, model.rid, environment)

    def in_force(self, model: Model, environment: str) -> Release | None:
        """The release whose version an environment uses now."""
        history = self.releases(model, environment)
        return history[-1] if history else None

    def trail(self, model: Model) -> tuple[AuditEntry, ...]:
        """The audit trail of a model, oldest first."""
        with self.workspace.catalog.reading() as connection:
            return ledger.trail(connection, model.rid)

    def submit(self, name: str, *, owner: str, branch: str, version: str | None = None) -> Done:
        """Freezes a version (default: the newest on ``branch``) as a submission and judges it.

        Submitting it again changes nothing. Raises as :meth:`governed`, VersionNotFoundError, ArtefactTamperedError.
        """
        governed = self.governed(name)
        found = self._version(governed.model, branch, version)
        known = self._submission(governed, found)
        if known is not None:
            sentence = f"{governed.model.path} {found.semantic} is already submitted to {governed.objective.name}"
            return Done(False, sentence, found, self.verdicts(known))
        self.registry.verify(governed.model, found)
        now = self.workspace.clock()
        submission = Submission(
            rid=f"ri.models.main.submission.{stable_uuid('submission', governed.objective.name, found.rid)}",
            objective=governed.objective.name,
            model_rid=governed.model.rid,
            version_rid=found.rid,
            sha256=found.sha256,
            owner=owner,
            archived=False,
            created_at=now,
        )
        verdicts = self._judge(governed, found)
        with self.workspace.catalog.writing() as connection:
            ledger.add_submission(connection, submission)
            ledger.add_verdicts(connection, submission.rid, verdicts, now)
            detail = {"objective": governed.objective.name, "sha256": found.sha256}
            ledger.record(connection, now, owner, "submit", "done", governed.model.rid, found.rid, detail)
        sentence = f"{governed.model.path} {found.semantic} submitted to {governed.objective.name}"
        return Done(True, sentence, found, self.verdicts(submission))

    def evaluate(self, name: str, *, actor: str, version: str | None = None) -> Done:
        """Judges a submission (default: the newest) again and keeps the verdicts. Raises SubmissionNotFoundError."""
        governed = self.governed(name)
        submission, found = self.submitted(governed, version)
        verdicts = self._judge(governed, found)
        now = self.workspace.clock()
        with self.workspace.catalog.writing() as connection:
            ledger.add_verdicts(connection, submission.rid, verdicts, now)
            detail = {v.name: v.outcome.value for v in verdicts}
            ledger.record(connection, now, actor, "evaluate", "done", governed.model.rid, found.rid, detail)
        passed = sum(v.outcome.value == "PASS" for v in verdicts)
        sentence = f"{governed.model.path} {found.semantic}: {passed} of {len(verdicts)} checks pass"
        return Done(True, sentence, found, self.verdicts(submission))

    def release(
        self,
        name: str,
        *,
        to: str,
        actor: str,
        approved_by: Sequence[str],
        reason: str,
        version: str | None = None,
    ) -> Done:
        """Puts a submitted version in force in an environment.

        Without ``version``: the newest submission to staging, the version in staging to production. A version that is
        in force already stays so.

        Raises:
            ReleaseRefusedError: archived, not through staging, a blocking check, the card, approvals; it is on record.
            SubmissionNotFoundError, ArtefactTamperedError, ArtefactMissingError.
        """
        request = Request(self.governed(name), to, actor, tuple(approved_by), reason, RELEASE)
        return releasing.release(self, request, version)

    def rollback(
        self,
        name: str,
        *,
        environment: str,
        actor: str,
        approved_by: Sequence[str],
        reason: str,
        version: str | None = None,
    ) -> Done:
        """Puts an earlier release's version in force again; by default the one released before the present one.

        Only the ``keep_versions`` newest versions that were ever in force there are kept for this. No check is asked:
        the version was good enough once, and the present one is not.

        Raises:
            ReleaseRefusedError: nothing to go back to, never released there, no longer kept, or approvals.
            VersionNotFoundError, ArtefactTamperedError, ArtefactMissingError.
        """
        request = Request(self.governed(name), environment, actor, tuple(approved_by), reason, ROLLBACK)
        return releasing.rollback(self, request, version)

    def trials(self, model: Model) -> tuple[Trial, ...]:
        """Trials of a model, oldest first."""
        with self.workspace.catalog.reading() as connection:
            return ledger.trials(connection, model.rid)

    def try_out(
        self, name: str, *, role: str, share: float, actor: str, approved_by: Sequence[str], reason: str
    ) -> Done:
        """Lets the version in staging score production data beside the version in production.

        Args:
            role: ``shadow`` (no effect) or ``canary_live`` (drives the alerts of ``share`` of the devices).
            share: of devices, by the hash of their ids; 0 ends the trial.

        Raises:
            ReleaseRefusedError: nothing to try or to compare with, no share, or approvals; it is on record.
        """
        request = Request(self.governed(name), PRODUCTION, actor, tuple(approved_by), reason, "trial")
        return trying.try_out(self, request, role, share)

    def halt(self, name: str, *, actor: str, reason: str, approved_by: Sequence[str] = ()) -> Done:
        """Stops the version in production: nothing is scored with it until it is resumed or another takes its place.

        Needs no approval. Raises ReleaseRefusedError when nothing is in production.
        """
        return halting.halt(self, Request(self.governed(name), PRODUCTION, actor, tuple(approved_by), reason, HALT))

    def resume(self, name: str, *, actor: str, approved_by: Sequence[str], reason: str) -> Done:
        """Lets a halted version score again, from where it stopped.

        Raises:
            ReleaseRefusedError: nothing is in production, or approvals.
            ArtefactTamperedError, ArtefactMissingError.
        """
        return halting.resume(self, Request(self.governed(name), PRODUCTION, actor, tuple(approved_by), reason, RESUME))

    def halt_trial(self, name: str, *, actor: str, reason: str, approved_by: Sequence[str] = ()) -> Done:
        """Stops the candidate on trial; the champion serves all devices again.

        Needs no approval. Raises ReleaseRefusedError when none is on trial.
        """
        request = Request(self.governed(name), PRODUCTION, actor, tuple(approved_by), reason, HALT)
        return halting.halt_trial(self, request)

    def halt_broken_trials(self, made: Collection[str]) -> tuple[Done, ...]:
        """Stops every candidate on trial that does not pass a check that ``halts``; no other check is asked.

        Args:
            made: datasets that were just built, or could not be; fleets without one of them are left alone.
        """
        return halting.halt_broken_trials(self, made)

    def archive(self, name: str, *, version: str, actor: str, reason: str) -> Done:
        """Takes a submission out of the running for good; its record stays. A second time changes nothing.

        Raises:
            ReleaseRefusedError: it was released once; what was in force is never archived.
            SubmissionNotFoundError, VersionNotFoundError.
        """
        governed = self.governed(name)
        submission, found = self.submitted(governed, version)
        if submission.archived:
            return Done(False, f"{governed.model.path} {found.semantic} is already archived", found)
        now = self.workspace.clock()
        released = any(r.version_rid == found.rid for r in self.releases(governed.model))
        with self.workspace.catalog.writing() as connection:
            outcome = "refused" if released else "done"
            ledger.record(connection, now, actor, "archive", outcome, governed.model.rid, found.rid, {"reason": reason})
            if not released:
                ledger.archive(connection, submission.rid)
        if released:
            why, way_out = (
                "it was released once and stays on record",
                "Release or roll back to another version instead.",
            )
            raise ReleaseRefusedError(governed.model.path, found.semantic, "the archive", why, way_out, "archive")
        return Done(True, f"{governed.model.path} {found.semantic} archived", found)

    def submitted(self, governed: Governed, version: str | None) -> tuple[Submission, ModelVersion]:
        """A submission and its version; by default the newest that is not archived.

        Raises SubmissionNotFoundError, VersionNotFoundError.
        """
        known = self.submissions(governed.model)
        if version is None:
            open_ones = [s for s in known if not s.archived]
            if not open_ones:
                raise SubmissionNotFoundError(governed.objective.name, governed.model.path, None)
            return open_ones[-1], self.registry.by_rid(open_ones[-1].version_rid)[1]
        found = self.registry.version(governed.model, version)
        submission = self._submission(governed, found)
        if submission is None:
            raise SubmissionNotFoundError(governed.objective.name, governed.model.path, found.semantic)
        return submission, found

    def _fits(self, name: str, model: Model) -> bool:
        objective = self.objectives.for_model(model.path)
        return objective is not None and objective.name == name

    def _version(self, model: Model, branch: str, version: str | None) -> ModelVersion:
        if version is not None:
            return self.registry.version(model, version)
        found = self.registry.newest(model, branch)
        if found is None:
            branches = sorted({v.branch for v in self.registry.versions(model)})
            raise VersionNotFoundError(model.path, f"on branch {branch!r}", tuple(f"some on {b!r}" for b in branches))
        return found

    def _submission(self, governed: Governed, version: ModelVersion) -> Submission | None:
        return next((s for s in self.submissions(governed.model) if s.version_rid == version.rid), None)

    def _judge(self, governed: Governed, version: ModelVersion) -> tuple[Verdict, ...]:
        production = self.in_force(governed.model, PRODUCTION)
        champion = self.registry.by_rid(production.version_rid)[1] if production else None
        tried = on_trial(self, governed.model)
        own = tried if tried is not None and tried.version_rid == version.rid else None
        candidate = Candidate(self.registry, governed.model, version, champion, own)
        found: list[Verdict] = []
        for rule in governed.objective.checks:
            finding = judged(rule, candidate)
            found.append(Verdict(rule.name, finding.outcome, finding.detail, rule.blocks))
        return tuple(found)


def judged(rule: CheckRule, candidate: Candidate) -> Finding:
    """How a check judges; what cannot be judged is pending, with the reason."""
    try:
        return rule.criterion.judge(candidate)
    except Exception as error:  # noqa: BLE001 - adapters are foreign code; what cannot be judged blocks with its reason
        return Finding(Outcome.PENDING, f"cannot be judged: {type(error).__name__}: {error}")
