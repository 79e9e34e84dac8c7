"""Submitting, judging, releasing and rolling back the versions of governed models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.models import ledger
from mirror.models.card import missing_fields
from mirror.models.criteria.base import Candidate, Finding
from mirror.models.errors import (
    ModelNotFoundError,
    NotGovernedError,
    ReleaseRefusedError,
    SubmissionNotFoundError,
    VersionNotFoundError,
)
from mirror.models.objectives import CheckRule, Objective, Objectives, load_objectives
from mirror.models.records import (
    PRODUCTION,
    STAGING,
    AuditEntry,
    Model,
    ModelVersion,
    Outcome,
    Release,
    Submission,
    Verdict,
)
from mirror.models.registry import ModelRegistry


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
        submission, found = self._submitted(governed, version)
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
            ReleaseRefusedError: archived, not through staging, a blocking check, approvals; the refusal is on record.
            SubmissionNotFoundError, ArtefactTamperedError, ArtefactMissingError.
        """
        governed = self.governed(name)
        staged = self.in_force(governed.model, STAGING)
        if version is None and to == PRODUCTION:
            if staged is None:
                newest = self._submitted(governed, None)[1]
                self._refuse(governed, newest, to, actor, "it has not been through staging", _staging_command(governed))
            else:
                version = staged.version_rid
        submission, found = self._submitted(governed, version)
        current = self.in_force(governed.model, to)
        if current is not None and current.version_rid == found.rid:
            sentence = f"{governed.model.path} {found.semantic} is already in {to} (release {current.number})"
            return Done(False, sentence, found, self.verdicts(submission))
        self._allowed(governed, submission, found, to, actor, approved_by)
        self.registry.verify(governed.model, found)
        number = self._put_in_force(governed, submission, found, to, "release", actor, approved_by, reason)
        sentence = f"{governed.model.path} {found.semantic} released to {to} (release {number})"
        return Done(True, sentence, found, self.verdicts(submission))

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
        governed = self.governed(name)
        history = self.releases(governed.model, environment)
        order = list(dict.fromkeys(r.version_rid for r in history))
        if not history:
            newest = self.registry.versions(governed.model)[-1]
            self._refuse(
                governed, newest, environment, actor, "nothing was ever released there", "Nothing to roll back."
            )
        current = self.registry.by_rid(history[-1].version_rid)[1]
        if version is not None:
            target = self.registry.version(governed.model, version)
        elif order.index(current.rid) == 0:
            why, way_out = f"{current.semantic} is the first version released there", "Name another one with --to."
            self._refuse(governed, current, environment, actor, why, way_out)
        else:
            target = self.registry.by_rid(order[order.index(current.rid) - 1])[1]
        if target.rid == current.rid:
            return Done(False, f"{governed.model.path} {target.semantic} is already in {environment}", target)
        kept = order[-governed.objective.keep_versions :]
        if target.rid not in kept:
            names = ", ".join(self.registry.by_rid(rid)[1].semantic for rid in kept)
            never = "was never released there" if target.rid not in order else "is no longer kept for rollback"
            self._refuse(governed, target, environment, actor, f"it {never}", f"Kept: {names}.")
        self._approved(governed, target, environment, actor, approved_by)
        self.registry.verify(governed.model, target)
        submission = next(s for s in self.submissions(governed.model) if s.version_rid == target.rid)
        number = self._put_in_force(governed, submission, target, environment, "rollback", actor, approved_by, reason)
        sentence = f"{governed.model.path} rolled back in {environment}: {current.semantic} -> {target.semantic}"
        return Done(True, f"{sentence} (release {number})", target)

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

    def _submitted(self, governed: Governed, version: str | None) -> tuple[Submission, ModelVersion]:
        known = self.submissions(governed.model)
        if version is None:
            if not known:
                raise SubmissionNotFoundError(governed.objective.name, governed.model.path, None)
            return known[-1], self.registry.by_rid(known[-1].version_rid)[1]
        found = self.registry.version(governed.model, version)
        submission = self._submission(governed, found)
        if submission is None:
            raise SubmissionNotFoundError(governed.objective.name, governed.model.path, found.semantic)
        return submission, found

    def _judge(self, governed: Governed, version: ModelVersion) -> tuple[Verdict, ...]:
        production = self.in_force(governed.model, PRODUCTION)
        champion = self.registry.by_rid(production.version_rid)[1] if production else None
        candidate = Candidate(self.registry, governed.model, version, champion)
        found: list[Verdict] = []
        for rule in governed.objective.checks:
            finding = _judged(rule, candidate)
            found.append(Verdict(rule.name, finding.outcome, finding.detail, rule.blocks))
        return tuple(found)

    def _allowed(
        self,
        governed: Governed,
        submission: Submission,
        version: ModelVersion,
        to: str,
        actor: str,
        approved_by: Sequence[str],
    ) -> None:
        if submission.archived:
            self._refuse(governed, version, to, actor, "its submission is archived", "Submit a newer version.")
        if to == PRODUCTION and all(r.version_rid != version.rid for r in self.releases(governed.model, STAGING)):
            self._refuse(governed, version, to, actor, "it has not been through staging", _staging_command(governed))
        against = [v for v in self.verdicts(submission) if v.stands_in_the_way_of(to)]
        if against:
            texts = "; ".join(f"check {v.name!r} says {v.outcome}: {v.detail}" for v in against)
            way_out = f"Judge it again with `mirror models evaluate {governed.model.path}`, or train a better one."
            self._refuse(governed, version, to, actor, texts, way_out)
        if to == PRODUCTION:
            metrics = Candidate(self.registry, governed.model, version).metrics()
            missing = missing_fields(version, metrics, governed.objective.card)
            if missing:
                why = f"its model card lacks {', '.join(missing)}"
                self._refuse(governed, version, to, actor, why, "Record them in training and publish again.")
        self._approved(governed, version, to, actor, approved_by)

    def _approved(
        self, governed: Governed, version: ModelVersion, to: str, actor: str, approved_by: Sequence[str]
    ) -> None:
        environment = governed.objective.environments[to]
        strangers = [p for p in approved_by if environment.approvers and p not in environment.approvers]
        if strangers:
            may = ", ".join(environment.approvers)
            self._refuse(governed, version, to, actor, f"{strangers[0]!r} may not approve it", f"These may: {may}.")
        if len(set(approved_by)) < environment.approvals:
            why = f"it has {len(set(approved_by))} approval(s) of {environment.approvals}"
            self._refuse(governed, version, to, actor, why, "Give one `--approve-as NAME` per approver.")

    def _put_in_force(
        self,
        governed: Governed,
        submission: Submission,
        version: ModelVersion,
        to: str,
        kind: str,
        actor: str,
        approved_by: Sequence[str],
        reason: str,
    ) -> int:
        now = self.workspace.clock()
        with self.workspace.catalog.writing() as connection:
            number = len(ledger.releases(connection, governed.model.rid, to)) + 1
            release = Release(
                rid=f"ri.models.main.release.{stable_uuid('release', governed.model.rid, to, number)}",
                objective=governed.objective.name,
                model_rid=governed.model.rid,
                environment=to,
                number=number,
                submission_rid=submission.rid,
                version_rid=version.rid,
                kind=kind,
                approved_by=tuple(dict.fromkeys(approved_by)),
                actor=actor,
                reason=reason,
                released_at=now,
            )
            ledger.add_release(connection, release)
            detail = {"environment": to, "number": number, "approved_by": list(release.approved_by), "reason": reason}
            ledger.record(connection, now, actor, kind, "done", governed.model.rid, version.rid, detail)
        return number

    def _refuse(
        self, governed: Governed, version: ModelVersion, environment: str, actor: str, why: str, way_out: str
    ) -> NoReturn:
        detail = {"environment": environment, "why": why}
        with self.workspace.catalog.writing() as connection:
            now = self.workspace.clock()
            ledger.record(connection, now, actor, "release", "refused", governed.model.rid, version.rid, detail)
        raise ReleaseRefusedError(governed.model.path, version.semantic, environment, why, way_out)


def _staging_command(governed: Governed) -> str:
    return f"Release it there first: `{release_command(governed.model.path, STAGING)}`."


def release_command(path: str, environment: str) -> str:
    """The command that releases a model to an environment, ready to be completed by a person."""
    return f"mirror models release {path} --to {environment} --approve-as NAME --reason TEXT"


def _judged(rule: CheckRule, candidate: Candidate) -> Finding:
    try:
        return rule.criterion.judge(candidate)
    except Exception as error:  # noqa: BLE001 - adapters are foreign code; what cannot be judged blocks with its reason
        return Finding(Outcome.PENDING, f"cannot be judged: {type(error).__name__}: {error}")
