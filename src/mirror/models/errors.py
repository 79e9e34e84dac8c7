"""Every error of the models room.

UsageError
|-- ModelNotFoundError          unknown model; names the nearest
|-- AmbiguousModelError         a name that several models share
|-- VersionNotFoundError        no such version of the model, or none on the branch
|-- ArtefactTamperedError       the artefact's bytes are not those that were published; refused before unpickling
|-- ArtefactMissingError        the artefact's file is gone
|-- NotGovernedError            no objective of the repository governs the model
|-- ObjectivesFileError         ci/objectives.yml is wrong; names file, line and fix
`-- SubmissionNotFoundError     the version was never submitted
VerdictError
|-- CardIncompleteError         a version did not record what its model card needs
`-- ReleaseRefusedError         a step that a rule or a check forbids; says which and what to do
"""

from __future__ import annotations

from mirror.errors import UsageError, VerdictError, nearest
from mirror.located import FileMistakeError


class ModelNotFoundError(UsageError):
    """``args``: name asked for, paths of all models."""

    def __str__(self) -> str:
        name, known = self.args
        if not known:
            return f"there is no model {name!r}: nothing has been published yet. Build its training transform first."
        return f"there is no model {name!r}.{nearest(name, known)} `mirror models list` shows them all."


class AmbiguousModelError(UsageError):
    """``args``: name asked for, paths that it fits."""

    def __str__(self) -> str:
        name, paths = self.args
        return f"{name!r} fits several models: {', '.join(paths)}. Give the whole path."


class VersionNotFoundError(UsageError):
    """``args``: model path, what was asked for, semantic versions that exist."""

    def __str__(self) -> str:
        path, wanted, known = self.args
        has = f"it has {', '.join(known)}" if known else f"it has none: build it with `mirror build {path}`"
        return f"model {path} has no version {wanted}; {has}."


class ArtefactTamperedError(UsageError):
    """``args``: model path, semantic version, file, sha256 recorded, sha256 found."""

    def __str__(self) -> str:
        path, version, file, recorded, found = self.args
        return (
            f"the artefact of {path} {version} ({file}) is not what was published: sha256 {found[:12]} where"
            f" {recorded[:12]} is recorded. It was not loaded. Restore the file, or publish the model again."
        )


class ArtefactMissingError(UsageError):
    """``args``: model path, semantic version, file."""

    def __str__(self) -> str:
        path, version, file = self.args
        return f"the artefact of {path} {version} is gone ({file}). Restore the file, or release another version."


class NotGovernedError(UsageError):
    """``args``: model path or name, objectives file, names of objectives."""

    def __str__(self) -> str:
        name, file, known = self.args
        return f"no objective in {file} governs {name!r}.{nearest(name, known)} Known: {', '.join(known) or 'none'}."


class ObjectivesFileError(FileMistakeError):
    """A mistake in ``ci/objectives.yml``. ``args``: file, line, what is wrong and how to put it right."""


class SubmissionNotFoundError(UsageError):
    """``args``: objective, model path, version or ``None``."""

    def __str__(self) -> str:
        objective, path, version = self.args
        what = f"version {version} of {path}" if version else f"no version of {path}"
        verb = "was never submitted" if version else "was submitted yet"
        return f"{what} {verb} to objective {objective!r}. Submit one: `mirror models submit {path}`."


class ReleaseRefusedError(VerdictError):
    """``args``: model path, semantic version, environment, why, what to do, ``release``, ``rollback``,
    ``archive``, ``trial``, ``halt`` or ``resume``.
    """

    def __str__(self) -> str:
        path, version, environment, why, way_out, kind = self.args
        done = {
            "release": "not released to",
            "rollback": "not put back in",
            "archive": "not put into",
            "trial": "not tried in",
            "halt": "not halted in",
            "resume": "not resumed in",
        }[kind]
        return f"{path} {version} is {done} {environment}: {why}. {way_out}"


class CardIncompleteError(VerdictError):
    """``args``: model path, semantic version, names of missing fields."""

    def __str__(self) -> str:
        path, version, missing = self.args
        return (
            f"the model card of {path} {version} is refused: {', '.join(missing)} not recorded. Let the training"
            " transform record them (log_param, log_metric, or the adapter's JSON arguments) and publish again."
        )
