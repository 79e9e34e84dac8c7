"""How the last whole run of the default test suite ended, kept in the git directory for ``mirror review``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mirror.promotion.git import Repository

_FILE = "suite.json"


@dataclass(frozen=True)
class SuiteRun:
    """One run.

    Attributes:
        content: git's id of all files that were tested, committed or not.
        at: when it ended, ISO 8601 in UTC.
        outcome: ``PASS`` or ``FAIL``.
        tests: how many passed.
        seconds: on the clock, from the start of pytest to its end.
        busy: how many cores other processes used when it began (the load average of the minute before).
        cores: that the machine has.
    """

    content: str
    at: str
    outcome: str
    tests: int
    seconds: float
    busy: float
    cores: int


def content_of(repository: Repository) -> str:
    """Git's id of the work tree as it lies there: what is ignored does not count, what is not committed does."""
    with TemporaryDirectory(prefix="mirror-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        repository.run("read-tree", "HEAD", env=index)
        repository.run("add", "--all", env=index)
        return repository.run("write-tree", env=index).strip()


def record(repository: Repository, run: SuiteRun) -> Path:
    """Replaces what was kept; the file it is kept in."""
    file = repository.common_directory / "mirror" / _FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
    return file


def recorded(repository: Repository) -> SuiteRun | None:
    """The last run, or ``None`` where none was recorded."""
    file = repository.common_directory / "mirror" / _FILE
    return SuiteRun(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
