"""Every model in force records the statistics that drift is measured against, and their bytes are still the same."""

from __future__ import annotations

import hashlib

from mirror.datasets import Workspace
from mirror.datasets.storage import open_stream
from mirror.errors import MirrorError
from mirror.models import PRODUCTION, Governance, ModelRegistry, ModelVersion
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some


def examine(case: ReviewCase) -> Answer:
    link = "mirror models list"
    with case.workspace() as workspace:
        if workspace is None:
            proof = f"there is no workspace at {case.workspace_path}, so no model version is known"
            return Answer(Verdict.CANNOT_TELL, proof, link, "Build once (`make run`), then review again.")
        registry = ModelRegistry(workspace)
        governance = Governance(workspace)
        seen: list[str] = []
        without: list[str] = []
        lost: list[str] = []
        for model in registry.models():
            versions = registry.versions(model)
            released = governance.in_force(model, PRODUCTION)
            version = next((v for v in versions if released and v.rid == released.version_rid), versions[-1])
            baselines = _baselines(version)
            seen += [f"{model.path} {version.semantic}: {alias} at {transaction}" for alias, transaction in baselines]
            if not baselines:
                without.append(f"{model.path} {version.semantic} names no statistics among its inputs")
            lost += [gap for alias, transaction in baselines if (gap := _changed(workspace, alias, transaction))]
    if lost:
        fix = "Train anew: what drift is measured against can no longer be shown."
        return Answer(Verdict.NOT_MET, some(lost), link, fix)
    if without:
        fix = "Give the training transform its training statistics as an input, so that the version records them."
        return Answer(Verdict.NOT_MET, some(without), link, fix)
    if not seen:
        return Answer(Verdict.CANNOT_TELL, "no model was published yet", link, "Build once (`make run`).")
    return Answer(Verdict.MET, some(seen), link)


def _changed(workspace: Workspace, alias: str, transaction: str) -> str:
    """Why the statistics of a version cannot be shown as they were; empty when every file has its checksum."""
    dataset = workspace.store.find(alias)
    if dataset is None:
        return f"{alias} is gone"
    try:
        view = workspace.store.view_until(dataset, "", transaction)
    except MirrorError as error:
        return str(error).rstrip(".")
    if not view.files:
        return f"{alias} at {transaction} holds no file"
    for entry, file in zip(view.entries, view.files, strict=True):
        try:
            with open_stream(entry, "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
        except OSError as error:
            return f"{alias} at {transaction}: {file.path} cannot be read: {error.strerror}"
        if digest != file.sha256:
            return f"{alias} at {transaction}: {file.path} is not what was written"
    return ""


def _baselines(version: ModelVersion) -> list[tuple[str, str]]:
    inputs = version.provenance.get("inputs") or []
    return [
        (str(item["alias"]), str(item["transaction"]))
        for item in inputs
        if "statistics" in str(item["alias"]).rpartition("/")[2] and item.get("transaction")
    ]
