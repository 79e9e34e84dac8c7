"""Every error of the room survives a process border and says the way out."""

from __future__ import annotations

import inspect
import pickle

from mirror.errors import ExitCode, MirrorError
from mirror.serving import errors
from mirror.serving.answers import Refusal, timed_out

PATH = "/Fleet/a/models/forest"
SAMPLES: dict[type[MirrorError], tuple[tuple[object, ...], tuple[str, ...]]] = {
    errors.AddressError: (("h", 80, "Permission denied"), ("h port 80: Permission denied", "--port (0: a free one)")),
    errors.DeploymentChoiceError: (((PATH, "/b"), "ci/o.yml"), (f"{PATH}, /b", f"`mirror serve {PATH}`")),
    errors.HistoryFolderError: (("/h", "Not a directory"), ("/h: Not a directory", "--history")),
    errors.NotServableError: ((PATH, "1.0.0", "df", "a Spark table"), (f"{PATH} 1.0.0", "'df'", "in a transform")),
    errors.TokenFileError: (("t", 3, "holds no token."), ("t:3: holds no token.",)),
    errors.TokenNeededError: (("host",), ("host can be reached", "--token-file FILE", "127.0.0.1")),
}


def test_every_error_pickles_and_says_what_to_do() -> None:
    own = {c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__}
    assert set(SAMPLES) == own
    for kind, (facts, texts) in SAMPLES.items():
        error = pickle.loads(pickle.dumps(kind(*facts)))  # noqa: S301
        assert error.args == facts
        for text in texts:
            assert text in str(error), (kind, text)
        assert error.exit_code is ExitCode.USAGE
    nothing = errors.DeploymentChoiceError((), "ci/o.yml")
    assert str(nothing) == (
        "no published model is governed by an objective of ci/o.yml: build its training transform first."
    )


def test_a_refusal_is_a_value() -> None:
    refusal = pickle.loads(pickle.dumps(timed_out(3.0)))  # noqa: S301
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.document("7")["errorInstanceId"]) == (504, "7")
