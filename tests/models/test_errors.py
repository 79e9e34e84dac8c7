"""Every error of the room survives a process border and names the model and the way out."""

from __future__ import annotations

import inspect
import pickle

from mirror.errors import ExitCode, MirrorError
from mirror.models import errors

PATH = "/Fleet/a/models/forest"
SAMPLES: dict[type[MirrorError], tuple[tuple[object, ...], tuple[str, ...]]] = {
    errors.ModelNotFoundError: (("forrest", (PATH,)), ("'forrest'", f"Did you mean '{PATH}'", "mirror models list")),
    errors.AmbiguousModelError: (("forest", (PATH, "/b")), ("'forest'", PATH, "Give the whole path")),
    errors.VersionNotFoundError: ((PATH, "9.0.0", ()), (PATH, "9.0.0", f"mirror build {PATH}")),
    errors.ArtefactTamperedError: (
        (PATH, "1.0.0", "/f.zip", "a" * 64, "b" * 64),
        (
            f"{PATH} 1.0.0",
            "/f.zip",
            "sha256 bbbbbbbbbbbb where aaaaaaaaaaaa",
            "was not loaded",
            "publish the model again",
        ),
    ),
    errors.ArtefactMissingError: ((PATH, "1.0.0", "/f.zip"), (f"{PATH} 1.0.0", "/f.zip", "Restore the file")),
    errors.NotGovernedError: (("forrest", "ci/o.yml", ("forest",)), ("ci/o.yml", "Did you mean 'forest'")),
    errors.ObjectivesFileError: (("ci/o.yml", 7, "needs 'owner'."), ("ci/o.yml:7: needs 'owner'.",)),
    errors.SubmissionNotFoundError: (
        ("forest", PATH, "1.0.0"),
        (f"version 1.0.0 of {PATH} was never submitted to objective 'forest'", f"mirror models submit {PATH}"),
    ),
    errors.ReleaseRefusedError: (
        (PATH, "1.0.0", "production", "no", "Do this.", "rollback"),
        (f"{PATH} 1.0.0 is not put back in production: no. Do this.",),
    ),
    errors.CardIncompleteError: ((PATH, "1.0.0", ("fact seed",)), (PATH, "fact seed not recorded", "publish again")),
}


def test_every_error_pickles_and_says_what_to_do() -> None:
    own = {c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__}
    assert set(SAMPLES) == own
    for kind, (facts, texts) in SAMPLES.items():
        error = pickle.loads(pickle.dumps(kind(*facts)))  # noqa: S301
        assert error.args == facts
        for text in texts:
            assert text in str(error), (kind, text)
        assert error.exit_code in (ExitCode.USAGE, ExitCode.REFUSED)
