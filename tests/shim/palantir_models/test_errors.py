"""Every error of the library survives the way back from a worker with its text."""

from __future__ import annotations

import inspect
import pickle

import pytest

from palantir_models import errors


@pytest.mark.parametrize(
    "kind",
    [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors._SaidError)],
    ids=lambda kind: kind.__name__,
)
def test_an_error_pickles_with_its_facts(kind: type[errors._SaidError]) -> None:
    error = kind("input 'a'", "is wrong.", "Do this.")
    if isinstance(error, errors.InferenceInputError):
        error = errors.InferenceInputError("input 'a'", "is wrong.", "Do this.", error_type="unknownInputName")
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(copied) is kind
    assert str(copied) == "input 'a': is wrong. Do this."
    assert (copied.subject, copied.reason, copied.remedy) == ("input 'a'", "is wrong.", "Do this.")
    if isinstance(copied, errors.InferenceInputError):
        assert copied.error_type == "unknownInputName"
    assert isinstance(copied, errors.PalantirModelsError)
