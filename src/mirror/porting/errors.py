"""Why a tree cannot be written, or not be read.

UsageError (exit 2)
|-- GuestFileError          a file of the transforms repository cannot be read as what it must be
|-- ForeignFolderError      the output folder holds files that this command did not write
|-- EditedFilesError        files written by this command were changed since
|-- RecipeError             conda_recipe/meta.yaml is missing or cannot be read
`-- DiscoveryFailedError    the pipeline cannot be imported
"""

from __future__ import annotations

from mirror.errors import UsageError


class GuestFileError(UsageError):
    """``args``: file, line, what is wrong."""

    def __str__(self) -> str:
        file, line, problem = self.args
        return f"{file}:{line}: {problem}"


class ForeignFolderError(UsageError):
    """``args``: folder, some of the files in it."""

    def __str__(self) -> str:
        folder, files = self.args
        return (
            f"{folder} holds files that `mirror port` did not write: {', '.join(files)}. "
            "Name a folder that is empty or does not exist, then copy from it."
        )


class EditedFilesError(UsageError):
    """``args``: folder, edited files."""

    def __str__(self) -> str:
        folder, files = self.args
        return (
            f"in {folder} these files were changed after `mirror port` wrote them: {', '.join(files)}. "
            "Carry the changes into this repository, or remove the folder, then port again."
        )


class RecipeError(UsageError):
    """``args``: file, problem."""

    def __str__(self) -> str:
        file, problem = self.args
        return f"{file}: {problem} It names the packages Foundry installs, under requirements: run."


class DiscoveryFailedError(UsageError):
    """``args``: entry point, the last thing Python said."""

    def __str__(self) -> str:
        entry, said = self.args
        return f"the pipeline {entry} cannot be imported: {said}. Mend that first: Foundry imports it the same way."
