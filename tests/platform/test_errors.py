"""The root of all errors: exit codes, nearest names, and survival on the way from a worker."""

import pickle

import pytest

from mirror.errors import ExitCode, InternalError, MirrorError, UsageError, VerdictError, nearest
from mirror.java import NoJavaError


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (VerdictError, 1), (InternalError, 3), (MirrorError, 3)])
def test_each_family_of_errors_has_its_exit_code(kind: type[MirrorError], code: int) -> None:
    assert int(kind("x").exit_code) == code


def test_exit_codes_are_what_the_documentation_promises() -> None:
    assert [(c.name, int(c)) for c in ExitCode] == [("DONE", 0), ("REFUSED", 1), ("USAGE", 2), ("INTERNAL", 3)]


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("clean_sensor_reading", ["/Fleet/a/clean_sensor_readings"], " Did you mean '/Fleet/a/clean_sensor_readings'?"),
        ("buid", ["build", "checks"], " Did you mean 'build'?"),
        ("/Fleet/a/scores", ["/Fleet/b/scores"], " Did you mean '/Fleet/b/scores'?"),
        ("zzz", ["build", "checks"], ""),
        ("anything", [], ""),
    ],
)
def test_nearest_finds_the_name_that_was_meant_and_never_guesses_wildly(name: str, known: list[str], hint: str) -> None:
    assert nearest(name, known) == hint


def test_an_error_keeps_its_facts_when_pickled() -> None:
    error = NoJavaError((("JAVA_HOME", "not set"),))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(again) == str(error)
    assert again.tried == (("JAVA_HOME", "not set"),)
