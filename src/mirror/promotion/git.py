"""Git as a program: no shell, no library, UTF-8 in and out, and never a change to anybody's work tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mirror.promotion.errors import GitFailedError, MergeConflictError, NotARepositoryError, RemoteRefusedError

ABSENT = "0" * 40
_HARMLESS = frozenset(
    {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}
    | {f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
)
# Who a merge is tried by: it is not committed, and git asks for a name all the same.
_NOBODY = {f"GIT_{who}_{what}": "m" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_ALWAYS = ("-c", "core.quotepath=off", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null")


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without the ``GIT_*`` variables a hook sets, which would redirect every command."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _HARMLESS}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"} | dict(extra or {})


@dataclass(frozen=True)
class Commit:
    """One commit as people speak of it."""

    sha: str
    author: str
    email: str
    subject: str
    parents: str

    @property
    def is_merge(self) -> bool:
        return " " in self.parents


@dataclass(frozen=True)
class Identity:
    """Who acts, as git knows them."""

    name: str
    email: str


class Repository:
    """One git repository, bare or with work trees."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._objects: dict[tuple[str, ...], str] = {}
        try:
            inside = self.run("rev-parse", "--path-format=absolute", "--git-common-dir").strip()
        except (GitFailedError, NotADirectoryError, FileNotFoundError) as error:
            raise NotARepositoryError(str(path)) from error
        self.common_directory = Path(inside)

    # Reading

    def run(
        self, *arguments: str, cwd: Path | None = None, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """The stdout of one git command.

        Raises:
            GitFailedError: git ended with anything but 0.
        """
        done = self._call(arguments, cwd, stdin, env)
        if done.returncode:
            raise GitFailedError(arguments, done.returncode, done.stderr or done.stdout)
        return done.stdout

    def _call(
        self,
        arguments: Sequence[str],
        cwd: Path | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *_ALWAYS, *arguments],
            cwd=cwd or self.path,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            env=clean_environment(env),
            check=False,
        )

    def _object(self, *arguments: str) -> str:
        """As :meth:`run`, remembered: only for commands that name objects by their id, which never change."""
        if arguments not in self._objects:
            self._objects[arguments] = self.run(*arguments)
        return self._objects[arguments]

    def references(self, prefix: str) -> dict[str, str]:
        """Full reference name -> object id, for all references below ``prefix``."""
        lines = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}

    def branches(self) -> dict[str, str]:
        """Local branch name -> commit."""
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.references("refs/heads").items()}

    def tags(self) -> dict[str, str]:
        """Tag name -> object id."""
        return {name.removeprefix("refs/tags/"): sha for name, sha in self.references("refs/tags").items()}

    def reference(self, name: str) -> str | None:
        """The object id of a full reference name, or ``None``."""
        return self.references(name).get(name)

    def tree(self, commit: str) -> str:
        return self._object("rev-parse", f"{commit}^{{tree}}").strip()

    def merge_base(self, a: str, b: str) -> str | None:
        done = self._call(["merge-base", a, b])
        return done.stdout.strip() or None

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self._call(["merge-base", "--is-ancestor", older, newer]).returncode == 0

    def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """Commits of ``head`` that ``base`` lacks, newest first."""
        text = self.run("log", "-z", "--format=%H%x1f%an%x1f%ae%x1f%s%x1f%P", f"{base}..{head}")
        return tuple(Commit(*record.split("\x1f")) for record in text.split("\0") if record)

    def changed_files(self, before: str, after: str) -> tuple[tuple[str, str], ...]:
        """``(status letter, path)`` between two commits or trees, sorted by path."""
        fields = self.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", before, after).split("\0")
        return tuple(sorted(zip(fields[0::2], fields[1::2], strict=False), key=lambda pair: pair[1]))

    def files(self, commit: str) -> dict[str, tuple[str, str]]:
        """Path -> ``(mode, object id)`` of every file of a commit; submodules have mode ``160000``."""
        found: dict[str, tuple[str, str]] = {}
        for record in self._object("ls-tree", "-r", "-z", commit).split("\0"):
            if record:
                facts, _, path = record.partition("\t")
                mode, _kind, sha = facts.split(" ")
                found[path] = (mode, sha)
        return found

    def read(self, commit: str, path: str) -> str:
        """The text of a file of a commit, which is named by its id."""
        return self._object("cat-file", "blob", f"{commit}:{path}")

    def blob(self, sha: str) -> str:
        """The text of an object."""
        return self._object("cat-file", "blob", sha)

    def work_trees(self) -> dict[Path, str | None]:
        """Work tree -> checked-out branch, ``None`` when detached; a bare repository has none."""
        found: dict[Path, str | None] = {}
        path: Path | None = None
        for line in self.run("worktree", "list", "--porcelain").splitlines():
            key, _, value = line.partition(" ")
            if key == "worktree":
                path = Path(value)
                found[path] = None
            elif key == "branch" and path is not None:
                found[path] = value.removeprefix("refs/heads/")
            elif key in ("bare", "prunable") and path is not None:
                del found[path]
                path = None
        return found

    def is_detached(self) -> bool:
        """Whether the work tree this object was opened in is on no branch."""
        bare = self.run("rev-parse", "--is-bare-repository").strip() == "true"
        return not bare and self._call(["symbolic-ref", "--quiet", "HEAD"]).returncode != 0

    def uncommitted(self, work_tree: Path) -> tuple[str, ...]:
        """Paths that differ from the last commit, untracked ones included, ignored ones not."""
        text = self.run("status", "--porcelain", "-z", "--no-renames", cwd=work_tree)
        return tuple(sorted(record[3:] for record in text.split("\0") if record))

    def identity(self) -> Identity:
        """Who would commit here; GitFailedError when git does not know."""
        text = self.run("var", "GIT_COMMITTER_IDENT")
        name, _, rest = text.partition(" <")
        return Identity(name, rest.partition(">")[0])

    # Writing objects and references

    @contextmanager
    def scratch_tree(self, commit: str, purpose: str) -> Iterator[Path]:
        """A detached work tree of ``commit`` in a temporary folder named after ``purpose``, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix=f"mirror-{purpose}-") as folder:
            tree = Path(folder) / "tree"
            self.run("worktree", "add", "--quiet", "--detach", str(tree), commit)
            try:
                yield tree
            finally:
                self.run("worktree", "remove", "--force", str(tree))

    def remove_scratch_trees(self, purpose: str) -> None:
        """Takes away what killed processes left; only whoever holds the lock for ``purpose`` may ask for that."""
        self.run("worktree", "prune")
        for path in self.work_trees():
            if path.parent.name.startswith(f"mirror-{purpose}-"):
                self.run("worktree", "remove", "--force", str(path))
                path.parent.rmdir()

    def merge_into(self, scratch: Path, source: str, target: str, commit: str) -> str:
        """Merges ``commit`` into the scratch tree without committing; the id of the resulting tree.

        Raises:
            MergeConflictError: naming the paths in conflict.
        """
        arguments = ["merge", "--no-ff", "--no-commit", "--quiet", commit]
        done = self._call(arguments, scratch, env=_NOBODY)
        if done.returncode:
            raise self._conflict(scratch, arguments, done, source, target)
        return self.run("write-tree", cwd=scratch).strip()

    def revert_into(self, scratch: Path, merge: str, what: str, target: str) -> str:
        """Takes a merge commit back in the scratch tree without committing; the id of the resulting tree.

        Raises:
            MergeConflictError: later work changed the same places.
        """
        arguments = ["revert", "--no-commit", "--mainline", "1", merge]
        done = self._call(arguments, scratch, env=_NOBODY)
        if done.returncode:
            raise self._conflict(scratch, arguments, done, what, target)
        return self.run("write-tree", cwd=scratch).strip()

    def _conflict(
        self, scratch: Path, arguments: Sequence[str], done: subprocess.CompletedProcess[str], source: str, target: str
    ) -> GitFailedError | MergeConflictError:
        conflicts = self.run("diff", "-z", "--name-only", "--diff-filter=U", cwd=scratch).split("\0")
        paths = tuple(sorted({path for path in conflicts if path}))
        if not paths:
            return GitFailedError(tuple(arguments), done.returncode, done.stderr or done.stdout)
        return MergeConflictError(source, target, paths)

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, who: Identity, at: datetime) -> str:
        """A commit object; the same arguments give the same id."""
        stamp = at.isoformat()
        env = {"GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email, "GIT_AUTHOR_DATE": stamp}
        env |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in env.items()}
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self.run("commit-tree", tree, *flags, "-F", "-", stdin=message, env=env).strip()

    def tag_object(self, name: str, commit: str, message: str, who: Identity, at: datetime) -> str:
        """An annotated tag as an object, not yet referenced."""
        stamp = f"{int(at.timestamp())} +0000"
        text = f"object {commit}\ntype commit\ntag {name}\ntagger {who.name} <{who.email}> {stamp}\n\n{message}\n"
        return self.run("mktag", stdin=text).strip()

    def file_tree(self, files: Mapping[str, str]) -> str:
        """A tree object of flat text files."""
        lines = []
        for name in sorted(files):
            sha = self.run("hash-object", "-w", "--stdin", stdin=files[name]).strip()
            lines.append(f"100644 blob {sha}\t{name}\n")
        return self.run("mktree", stdin="".join(lines)).strip()

    def move(self, changes: Mapping[str, tuple[str, str | None]]) -> None:
        """References -> ``(new, expected old or None)`` in one transaction: all of them move or none."""
        lines = ["start"]
        lines += [f"update {name} {new} {old or ABSENT}" for name, (new, old) in sorted(changes.items())]
        lines += ["prepare", "commit", ""]
        self.run("update-ref", "--stdin", stdin="\n".join(lines))

    # Remotes

    def fetch(self, remote: str) -> None:
        """Brings branches, tags and the audit log of ``remote``; never rewrites local history."""
        specs = (f"+refs/heads/*:refs/remotes/{remote}/*", "refs/tags/*:refs/tags/*", "refs/mirror/*:refs/mirror/*")
        self.run("fetch", "--quiet", "--prune", remote, specs[0])
        self.run("fetch", "--quiet", "--no-tags", remote, *specs[1:])

    def push(self, remote: str, references: Mapping[str, str]) -> None:
        """Moves references on ``remote``, all or none, fast-forward only.

        Raises:
            RemoteRefusedError: with what the remote said.
        """
        specs = [f"{sha}:{name}" for name, sha in sorted(references.items())]
        done = self._call(["push", "--quiet", "--atomic", "--no-verify", remote, *specs])
        if done.returncode:
            said = " ".join(line.strip() for line in done.stderr.splitlines() if not line.startswith("hint:"))
            raise RemoteRefusedError(remote, said)
