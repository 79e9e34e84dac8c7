"""Models as resources of a build: which version an input stands for, and when a published version becomes visible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from mirror.builds.resources import ResolvedResource, RunningJob
from mirror.builds.specs import ParamSpec
from mirror.datasets import Workspace
from mirror.models import ledger
from mirror.models.errors import VersionNotFoundError
from mirror.models.governance import Governance
from mirror.models.keeping import pin_inputs
from mirror.models.objectives import Objective
from mirror.models.ports import VersionReadPort, VersionWritePort, as_json
from mirror.models.records import PRODUCTION, STAGING, Model, ModelVersion
from mirror.models.releasing import release_command


class ModelBinder:
    """Serves ``model_input``, ``model_output`` and ``language_model_input``; one object lives for one build.

    An input's version is, in this order: the pinned one, the newest on the input's own branch, the release of the
    environment of that branch (the input's own, else the build's) where an objective governs the model, the newest on
    the build's branch (else on the default branch).
    """

    kinds = frozenset({"model_input", "model_output", "language_model_input"})

    def __init__(self, workspace: Workspace, governance: Governance | None = None) -> None:
        self.workspace = workspace
        self.governance = governance or Governance(workspace)
        self.registry = self.governance.registry
        self._reads: dict[str, dict[str, VersionReadPort]] = {}
        self._writes: dict[str, dict[str, VersionWritePort]] = {}

    def resolve(self, param: ParamSpec, branch: str) -> ResolvedResource:
        """The version in force, or why the job must wait with the command that ends the waiting."""
        if param.kind == "language_model_input":
            return ResolvedResource(str(param.alias), label=f"{param.alias} (served by Foundry, or by a stand-in)")
        model = self.registry.declared(str(param.alias))
        if param.kind == "model_output":
            newest = self.registry.newest(model, branch)
            return ResolvedResource(newest.rid if newest else None, label=model.path, detail=newest)
        pin = param.settings.get("model_version")
        if pin is not None:
            try:
                found = self.registry.version(model, pin)
            except VersionNotFoundError as error:
                return ResolvedResource(None, str(error), model.path, follows_producer=False)
            return _resolved(model, found, "pinned", follows_producer=False)
        objective = self.governance.objectives.for_model(model.path)
        wanted = param.branch or branch
        if objective is not None and not (param.branch and self.registry.newest(model, param.branch)):
            return self._released(model, objective, wanted)
        default = self.workspace.config.default_branch
        newest = self.registry.newest(model, wanted, () if param.branch else (default,))
        if newest is None:
            waiting = f"{model.path} has no version on branch {wanted!r} yet; run `mirror build {model.path}`"
            return ResolvedResource(None, waiting, model.path)
        return _resolved(model, newest, f"newest on {newest.branch}", follows_producer=True)

    def bind(
        self, param: Any, resolved: ResolvedResource, job: RunningJob
    ) -> VersionReadPort | VersionWritePort | None:
        """The port that ``palantir_models`` turns into an adapter or a writable model; a language model needs none."""
        if param.kind == "language_model_input":
            return None
        model = self.registry.declared(str(param.alias))
        name = _name_of(param, job, self.registry.canonical(str(param.alias)))
        if param.kind == "model_output":
            written = VersionWritePort(self.registry, model, job.branch, self._provenance(job))
            self._writes.setdefault(job.rid, {})[name] = written
            return written
        version: ModelVersion = resolved.detail
        read = VersionReadPort(self.registry, model, version, job.branch)
        self._reads.setdefault(job.rid, {})[name] = read
        return read

    def commit(self, connection: Connection, job: RunningJob) -> Mapping[str, str]:
        """Writes the versions and evaluations of the job down, in its own SQL transaction.

        Gives the new version of each model output, and the RID of the evaluation of each model input that has one.
        """
        made: dict[str, str] = {}
        for name, port in self._writes.get(job.rid, {}).items():
            for entry in port.staged:
                version = self.registry.record(connection, port.model, entry)
                pin_inputs(connection, port.model, version)
                detail = {"semantic": version.semantic, "branch": job.branch, "transform": job.spec.reference}
                rid = version.rid
                ledger.record(connection, job.now, "build", "publish", "done", port.model_rid, rid, detail)
            if port.published is not None:
                made[name] = port.published
        for name, read in self._reads.get(job.rid, {}).items():
            for make in read.evaluations:
                document = as_json(make())
                self.registry.record_evaluation(connection, document)
                # What such a job makes: without it a build could not tell that the job ever ran.
                made[name] = document["rid"]
        self._forget(job)
        return made

    def abort(self, job: RunningJob) -> None:
        """Removes the artefacts that the job staged."""
        for port in self._writes.get(job.rid, {}).values():
            port.discard()
        self._forget(job)

    def _forget(self, job: RunningJob) -> None:
        self._reads.pop(job.rid, None)
        self._writes.pop(job.rid, None)

    def _released(self, model: Model, objective: Objective, branch: str) -> ResolvedResource:
        environment = objective.environment_of(branch)
        release = self.governance.in_force(model, environment)
        if release is None and environment == STAGING:
            environment = PRODUCTION
            release = self.governance.in_force(model, PRODUCTION)
        if release is None:
            return ResolvedResource(None, self._way_to_release(model, objective, branch), model.path, False)
        version = self.registry.by_rid(release.version_rid)[1]
        return _resolved(model, version, f"{environment} release {release.number}", follows_producer=False)

    def _way_to_release(self, model: Model, objective: Objective, branch: str) -> str:
        wanted = objective.environment_of(branch)
        governed = f"{model.path} is governed by objective {objective.name!r} and has no {wanted} release"
        if not self.registry.versions(model):
            return f"{governed}, not even a version; run `mirror build {model.path}`, then submit and release it"
        steps: list[str] = []
        if not self.governance.submissions(model):
            steps.append(f"mirror models submit {model.path}")
        if self.governance.in_force(model, STAGING) is None:
            steps.append(release_command(model.path, STAGING))
        if wanted == PRODUCTION:
            steps.append(release_command(model.path, PRODUCTION))
        return f"{governed}; run `{' && '.join(steps)}`"

    def _provenance(self, job: RunningJob) -> dict[str, Any]:
        inputs: list[dict[str, str]] = []
        for rid, transaction in sorted(job.inputs.items()):
            dataset = self.workspace.store.find(rid)
            inputs.append({"alias": dataset.path if dataset else rid, "rid": rid, "transaction": transaction})
        return {
            "inputs": sorted(inputs, key=lambda i: i["alias"]),
            "transform": job.spec.reference,
            "source": job.spec.source,
            "logic_version": job.spec.logic_version,
            "branch": job.branch,
            "job": job.rid,
            "build": job.build_rid,
        }


def _name_of(param: Any, job: RunningJob, alias: str) -> str:
    """The parameter of the job's spec that a live declaration stands for."""
    pin = getattr(param, "model_version", None)
    fitting = [p for p in job.spec.params if p.kind == param.kind and p.alias == alias]
    return next((p.name for p in fitting if p.settings.get("model_version") == pin), alias)


def _resolved(model: Model, version: ModelVersion, how: str, *, follows_producer: bool) -> ResolvedResource:
    label = f"{model.path} {version.semantic} ({how})"
    return ResolvedResource(version.rid, None, label, follows_producer, version)
