"""Why a live deployment does not start, or does not take up a version.

UsageError
|-- AddressError          the host and port cannot be listened on
|-- DeploymentChoiceError several models could be served and none was named
|-- HistoryFolderError    the inference history cannot be written there
|-- NotServableError      a version whose interface cannot travel as JSON; an earlier one goes on serving
|-- TokenFileError        a mistake in the file of tokens; the token itself is never repeated
`-- TokenNeededError      other machines could call, and nobody would be asked who they are

What a request gets for an answer is in :mod:`mirror.serving.answers`.
"""

from __future__ import annotations

from mirror.errors import UsageError
from mirror.located import FileMistakeError


class AddressError(UsageError):
    """``args``: host, port, what the system said."""

    def __str__(self) -> str:
        host, port, said = self.args
        return f"cannot listen on {host} port {port}: {said}. Choose another with --host and --port (0: a free one)."


class DeploymentChoiceError(UsageError):
    """``args``: paths of the governed models, file of the objectives."""

    def __str__(self) -> str:
        paths, file = self.args
        if not paths:
            return f"no published model is governed by an objective of {file}: build its training transform first."
        return f"several models could be served: {', '.join(paths)}. Name one: `mirror serve {paths[0]}`."


class HistoryFolderError(UsageError):
    """``args``: folder, what the system said."""

    def __str__(self) -> str:
        folder, said = self.args
        return f"the inference history cannot be written to {folder}: {said}. Name another folder with --history."


class NotServableError(UsageError):
    """``args``: model path, semantic version, input or output, what it is declared as."""

    def __str__(self) -> str:
        path, version, name, declared = self.args
        return (
            f"{path} {version} cannot be served live: {name!r} is declared as {declared}. A live request carries"
            " pandas tables and parameters; score this model in a transform instead."
        )


class TokenFileError(FileMistakeError):
    """``args``: file, line, what is wrong and how to put it right."""


class TokenNeededError(UsageError):
    """``args``: host."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]} can be reached from other machines, so callers must show a token: give --token-file FILE"
            " with one `NAME TOKEN` a line, or stay on 127.0.0.1."
        )
