"""Every error of the room names what it is about and the way out, and crosses process borders with its text."""

from __future__ import annotations

import pickle

import pytest

from mirror.datasets import errors as e
from mirror.errors import MirrorError, UsageError

CASES: list[tuple[MirrorError, tuple[str, ...]]] = [
    (e.WorkspaceNotFoundError("/w"), ("/w", "mirror init")),
    (e.WorkspaceConfigError("/w/config.toml", "bad"), ("/w/config.toml: bad", "mirror init")),
    (e.WorkspaceLockedError("master", 7, "2026"), ("'master'", "process 7 since 2026", "--branch")),
    (e.CatalogVersionError("sqlite:///c", 0, 1), ("version 0", "reads version 1", "upgrade")),
    (e.CatalogVersionError("sqlite:///c", 9, 1), ("version 9", "release that wrote it")),
    (e.CatalogUnreadableError("sqlite:///c", "malformed"), ("sqlite:///c", "malformed", "restore")),
    (e.CatalogBusyError("sqlite:///c", "locked"), ("sqlite:///c", "locked", "try again")),
    (e.GuestNotFoundError("/r", "no root"), ("/r: no root", "--repo")),
    (e.SeveralSourceRootsError("/r", ("a/src", "b/src")), ("/r: 2 folders", "a/src, b/src", "--source a/src")),
    (e.DatasetNotFoundError("/a/clen", ("/a/clean",)), ("'/a/clen'", "Did you mean '/a/clean'", "mirror ingest")),
    (e.DatasetNotFoundError("x", ()), ("'x'", "no dataset yet")),
    (e.AmbiguousDatasetError("x", ("/a/x", "/b/x")), ("'x'", "/a/x, /b/x", "more of its path")),
    (e.DatasetNameError("..", "it contains '..'"), ("'..'", "contains", "/Fleet/raw/readings")),
    (e.DatasetExistsError("/a"), ("'/a'", "open it")),
    (e.BranchNotFoundError("/a", "mster", ("master",)), ("'/a'", "'mster'", "Did you mean 'master'")),
    (e.BranchExistsError("/a", "b"), ("'/a'", "'b'", "another name")),
    (e.BranchProtectedError("/a", "b", "deleting it"), ("'/a'", "'b'", "deleting it", "protect /a b --off")),
    (e.TransactionOpenError("/a", "b", "ri.t", "process 7", "2026"), ("'/a'", "'b'", "ri.t", "process 7", "Wait")),
    (e.TransactionNotFoundError("/a", "b", "when"), ("'/a'", "'b'", "'when'", "mirror history /a")),
    (e.TransactionStateError("ri.t", "ABORTED", "committed"), ("ri.t", "ABORTED", "open a new one")),
    (e.TransactionSweptError("/a", "ri.t", "keeps 3 views"), ("'/a'", "ri.t", "keeps 3 views", "mirror history /a")),
    (e.AppendOverwritesError("/a", "b", ("f1", "f2")), ("'/a'", "'b'", "'f1', 'f2'", "UPDATE")),
    (e.DeleteMissingError("/a", "b", "day2", ("day1",)), ("'/a'", "'b'", "'day2'", "Did you mean 'day1'")),
    (e.NoViewError("/a", "b"), ("'/a'", "'b'", "Ingest or build")),
    (e.NoSchemaError("/a", "b"), ("'/a'", "'b'", "--infer-schema")),
    (e.SchemaMismatchError("/a", "b", ("column 'v' is missing",)), ("'/a'", "'b'", "'v' is missing", "replace")),
    (e.UnreadableDataError("/a", "f", "torn"), ("'/a'", "'f'", "torn", "mirror verify")),
    (e.PathEscapesRootError("../x", "/root"), ("'../x'", "'/root'", "relative")),
    (e.StorageUnwritableError("/root", "No space left"), ("/root", "No space left", "as it was")),
    (e.StorageUnreachableError("s3://b", "EndpointConnectionError: no"), ("s3://b", "no", "[storage.options]")),
    (e.StorageClientMissingError("s3://b", "s3fs", "Install"), ("s3://b", "Install", "pip install s3fs")),
    (e.StorageClientMissingError("sftp://h", None, "needs paramiko"), ("sftp://h", "needs paramiko); install what")),
    (e.StorageSettingsError("options.key", "looks like a secret"), ("[storage] options.key looks like",)),
    (e.SparkCannotReachError("s3a://b", "No FileSystem"), ("s3a://b", "No FileSystem", "spark_root", "cluster.md")),
    (e.ProfileError("p.yaml", 3, "bad indent"), ("p.yaml, line 3: bad indent", "Correct")),
    (e.ProfileError("p.yaml", None, "no name"), ("p.yaml: no name", "nothing was ingested")),
    (e.DiffKeyError("/a", "no column 'k'", ("v",)), ("'/a'", "no column 'k'", "columns: v", "--key")),
    (e.UnreadableFileError("f.parquet", "torn"), ("f.parquet: torn", "Nothing was ingested")),
    (e.WrongHeaderError("f.csv", "/a", ("no x",), "p.yaml"), ("f.csv, line 1: no x", "'/a'", "p.yaml")),
]


@pytest.mark.parametrize(
    ("error", "fragments"), CASES, ids=lambda v: type(v).__name__ if isinstance(v, Exception) else ""
)
def test_text_and_pickle(error: MirrorError, fragments: tuple[str, ...]) -> None:
    text = str(error)
    for fragment in fragments:
        assert fragment in text
    assert str(pickle.loads(pickle.dumps(error))) == text  # noqa: S301 - our own bytes
    assert error.exit_code == 2


def test_no_error_is_left_out() -> None:
    ours = {k for k in vars(e).values() if isinstance(k, type) and issubclass(k, MirrorError) and k is not UsageError}
    assert ours == {type(error) for error, _ in CASES}
