"""Every error of the datasets room.

UsageError
|-- WorkspaceNotFoundError      no workspace there; names `mirror init`
|-- WorkspaceConfigError        config.toml cannot be read
|-- WorkspaceLockedError        another build runs on this branch; names pid and since when
|-- CatalogVersionError         a catalog of another version is never guessed at
|-- CatalogUnreadableError      a file that is no catalog, or a damaged one
|-- CatalogBusyError            another process holds the catalog
|-- GuestNotFoundError          the repository holds no transforms source root or entry point
|   `-- SeveralSourceRootsError more than one folder declares a pipeline; names --source
|-- DatasetNotFoundError        unknown name; names the nearest
|-- AmbiguousDatasetError       a leaf name that several datasets share
|-- DatasetNameError            a name no dataset may have
|-- DatasetExistsError
|-- BranchNotFoundError / BranchExistsError / BranchProtectedError
|-- TransactionOpenError        the branch's one open transaction is held by somebody else
|-- TransactionNotFoundError / TransactionStateError / TransactionSweptError
|-- AppendOverwritesError       an APPEND names a path that the view already holds
|-- DeleteMissingError          a DELETE names a path that the view does not hold
|-- NoViewError / NoSchemaError / SchemaMismatchError / UnreadableDataError
|-- PathEscapesRootError        `..`, an absolute path or a link that leaves the root
|-- StorageUnwritableError      full disk or read-only root
|-- StorageUnreachableError     the store behind a URL refuses or does not answer
|-- StorageClientMissingError   no client for a URL's scheme is installed; names the package
|-- StorageSettingsError        a key of [storage] that cannot be meant
|-- SparkCannotReachError       Spark has no file system for the root's scheme
|-- ProfileError                a fleet profile that cannot be read as YAML
|-- DiffKeyError                rows that cannot be compared by the given key
|-- UnreadableFileError         a file handed to `mirror ingest` is not what its name says
`-- WrongHeaderError            a delimited file without the columns its profile declares
"""

from __future__ import annotations

from mirror.errors import UsageError, nearest


class WorkspaceNotFoundError(UsageError):
    """``args``: path."""

    def __str__(self) -> str:
        return f"{self.args[0]} is no workspace (it has no config.toml); create one with `mirror init`."


class WorkspaceConfigError(UsageError):
    """``args``: file, what is wrong."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}; correct the file, or remove it and run `mirror init` again."


class WorkspaceLockedError(UsageError):
    """``args``: branch, pid, since (ISO time)."""

    def __str__(self) -> str:
        branch, pid, since = self.args
        return (
            f"the workspace is locked: another build of branch {branch!r} runs as process {pid} since {since}."
            " Wait for it to end, or build another branch with --branch."
        )


class CatalogVersionError(UsageError):
    """``args``: catalog URL (without password), version found, version this release reads."""

    def __str__(self) -> str:
        url, found, wanted = self.args
        way_out = (
            "upgrade it with `mirror init` (a copy is kept)"
            if isinstance(found, int) and found < wanted
            else "use the foundry-mirror release that wrote it, or start a new workspace with `mirror init`"
        )
        return f"catalog {url} has schema version {found}, this release reads version {wanted}: {way_out}."


class CatalogUnreadableError(UsageError):
    """``args``: catalog URL, what the database said."""

    def __str__(self) -> str:
        return (
            f"catalog {self.args[0]} cannot be read ({self.args[1]}); restore it from a copy, or start a new workspace."
        )


class CatalogBusyError(UsageError):
    """``args``: catalog URL, what the database said."""

    def __str__(self) -> str:
        return f"catalog {self.args[0]} cannot be used now ({self.args[1]}); nothing was changed, try again."


class GuestNotFoundError(UsageError):
    """``args``: repository folder, what is missing."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]}: {self.args[1]}. A transforms repository has `transforms-python/src/setup.py` with an"
            " entry point `transforms.pipelines: root = <package>.pipeline:<name>`; name the repository with"
            " `mirror init --repo DIR`."
        )


class SeveralSourceRootsError(GuestNotFoundError):
    """``args``: repository folder, source roots that declare a pipeline (tuple)."""

    def __str__(self) -> str:
        repository, roots = self.args
        return (
            f"{repository}: {len(roots)} folders declare a pipeline ({', '.join(roots)});"
            f" choose one: `mirror init --repo {repository} --source {roots[0]}`."
        )


class DatasetNotFoundError(UsageError):
    """``args``: name, known paths (tuple)."""

    def __str__(self) -> str:
        name, known = self.args
        hint = nearest(name, known) or (f" Known: {', '.join(known[:8])}." if known else " There is no dataset yet.")
        return (
            f"no dataset {name!r} in this workspace.{hint} `mirror datasets` lists them;"
            " `mirror ingest /its/full/path FILE` makes one."
        )


class AmbiguousDatasetError(UsageError):
    """``args``: name, matching paths (tuple)."""

    def __str__(self) -> str:
        return f"dataset name {self.args[0]!r} fits several datasets: {', '.join(self.args[1])}. Give more of its path."


class DatasetNameError(UsageError):
    """``args``: name, reason."""

    def __str__(self) -> str:
        return f"{self.args[0]!r} cannot name a dataset: {self.args[1]}. Use a path such as '/Fleet/raw/readings'."


class DatasetExistsError(UsageError):
    """``args``: path."""

    def __str__(self) -> str:
        return f"dataset {self.args[0]!r} exists already; open it instead of creating it."


class BranchNotFoundError(UsageError):
    """``args``: dataset path, branch, known branches (tuple)."""

    def __str__(self) -> str:
        dataset, branch, known = self.args
        return (
            f"dataset {dataset!r} has no branch {branch!r}.{nearest(branch, known)}"
            f" Its branches: {', '.join(known) or 'none yet'}."
        )


class BranchExistsError(UsageError):
    """``args``: dataset path, branch."""

    def __str__(self) -> str:
        return (
            f"dataset {self.args[0]!r} already has a branch {self.args[1]!r}; take another name or delete that branch."
        )


class BranchProtectedError(UsageError):
    """``args``: dataset path, branch, what was about to happen to it (``"deleting it"``)."""

    def __str__(self) -> str:
        dataset, branch, act = self.args
        return (
            f"branch {branch!r} of dataset {dataset!r} is protected: unprotect it before {act}"
            f" (`mirror branches protect {dataset} {branch} --off`)."
        )


class TransactionOpenError(UsageError):
    """``args``: dataset path, branch, open transaction's RID, its owner, opened at."""

    def __str__(self) -> str:
        dataset, branch, rid, owner, since = self.args
        return (
            f"branch {branch!r} of dataset {dataset!r} has an open transaction {rid} (held by {owner} since {since});"
            " a branch takes one at a time. Wait for it to close, or write to another branch."
        )


class TransactionNotFoundError(UsageError):
    """``args``: dataset path, branch, what was asked for."""

    def __str__(self) -> str:
        dataset, branch, asked = self.args
        return (
            f"{asked!r} names no transaction or time in the history of dataset {dataset!r} on branch {branch!r};"
            f" see `mirror history {dataset} --branch {branch}`."
        )


class TransactionStateError(UsageError):
    """``args``: transaction RID, its status, what was tried."""

    def __str__(self) -> str:
        return f"transaction {self.args[0]} is {self.args[1]}: it cannot be {self.args[2]}; open a new one."


class TransactionSweptError(UsageError):
    """``args``: dataset path, transaction RID, why it was swept."""

    def __str__(self) -> str:
        return (
            f"the view of dataset {self.args[0]!r} at {self.args[1]} needs files that retention has swept"
            f" ({self.args[2]}); later transactions still read, `mirror history {self.args[0]}` lists them."
        )


class AppendOverwritesError(UsageError):
    """``args``: dataset path, branch, overwritten paths (tuple)."""

    def __str__(self) -> str:
        dataset, branch, paths = self.args
        return (
            f"APPEND to dataset {dataset!r} on {branch!r} would overwrite {', '.join(map(repr, paths[:5]))}"
            f"{' ...' if len(paths) > 5 else ''}, which the view holds already. Rename the files, or use UPDATE."
        )


class DeleteMissingError(UsageError):
    """``args``: dataset path, branch, missing path, known paths (tuple)."""

    def __str__(self) -> str:
        dataset, branch, path, known = self.args
        return f"DELETE on dataset {dataset!r} ({branch!r}): the view holds no file {path!r}.{nearest(path, known)}"


class NoViewError(UsageError):
    """``args``: dataset path, branch."""

    def __str__(self) -> str:
        return (
            f"dataset {self.args[0]!r} holds nothing on branch {self.args[1]!r}: no committed transaction."
            " Ingest or build it first."
        )


class NoSchemaError(UsageError):
    """``args``: dataset path, branch."""

    def __str__(self) -> str:
        return (
            f"dataset {self.args[0]!r} has no schema on branch {self.args[1]!r}: it holds raw files, to be read through"
            " filesystem(). `mirror ingest --infer-schema` stores delimited text with a schema."
        )


class SchemaMismatchError(UsageError):
    """``args``: dataset path, branch, list of differences (tuple of sentences)."""

    def __str__(self) -> str:
        dataset, branch, differences = self.args
        return (
            f"what is written to dataset {dataset!r} on {branch!r} does not fit its schema: {'; '.join(differences)}."
            " Write the same columns and types, or replace the dataset (mode 'replace')."
        )


class UnreadableDataError(UsageError):
    """``args``: dataset path, logical path, reason."""

    def __str__(self) -> str:
        return (
            f"file {self.args[1]!r} of dataset {self.args[0]!r} cannot be read: {self.args[2]}."
            " `mirror verify` finds damaged files and says what to rebuild."
        )


class PathEscapesRootError(UsageError):
    """``args``: path, root."""

    def __str__(self) -> str:
        return f"path {self.args[0]!r} leaves {self.args[1]!r}; logical paths are relative, without '..' and links."


class StorageUnwritableError(UsageError):
    """``args``: path, reason from the system."""

    def __str__(self) -> str:
        return (
            f"cannot write {self.args[0]}: {self.args[1]}. Nothing was committed, the catalog is as it was;"
            " free space or make the folder writable and run the command again."
        )


class StorageUnreachableError(UsageError):
    """``args``: root, what its client said."""

    def __str__(self) -> str:
        return (
            f"the storage root {self.args[0]} refuses or does not answer: {self.args[1]}. Nothing was committed;"
            " check its address, [storage.options] in config.toml and the credentials in the environment."
        )


class StorageClientMissingError(UsageError):
    """``args``: root, package or ``None``, what fsspec said."""

    def __str__(self) -> str:
        root, package, said = self.args
        fix = f"run `pip install {package}`" if package else "install what it names"
        return f"no client for the storage root {root} is installed ({said}); {fix}."


class StorageSettingsError(UsageError):
    """``args``: key, what is wrong with it."""

    def __str__(self) -> str:
        return f"[storage] {self.args[0]} {self.args[1]}."


class SparkCannotReachError(UsageError):
    """``args``: Spark's name of the place, what Spark said."""

    def __str__(self) -> str:
        return (
            f"Spark cannot reach {self.args[0]}: {self.args[1]}. Give it the file system of that scheme"
            " (docs/cluster.md), or say with [storage] spark_root how Spark calls the root."
        )


class ProfileError(UsageError):
    """``args``: file, line or ``None``, what is wrong."""

    def __str__(self) -> str:
        file, line, problem = self.args
        where = f"{file}, line {line}" if line else str(file)
        return f"{where}: {problem}. Correct the profile; nothing was ingested."


class DiffKeyError(UsageError):
    """``args``: dataset path, what is wrong, known columns (tuple)."""

    def __str__(self) -> str:
        dataset, problem, known = self.args
        columns = f" Its columns: {', '.join(known)}." if known else ""
        return f"rows of {dataset!r} cannot be compared: {problem}.{columns} Name a unique key with --key, or none."


class UnreadableFileError(UsageError):
    """``args``: file, reason."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}. Nothing was ingested; correct or leave out the file."


class WrongHeaderError(UsageError):
    """``args``: file, dataset path, problems (tuple of sentences), the profile that declares the header."""

    def __str__(self) -> str:
        file, dataset, problems, profile = self.args
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        return (
            f"{file}, line 1: {'; '.join(problems[:5])}{more}. The header of {dataset!r} is declared in {profile};"
            " nothing was ingested."
        )
