"""Fact sheet section 19: every error names its facts and the way out, is what Foundry documents, and pickles."""

from __future__ import annotations

import pickle

import pytest

from transforms import errors as e

SAMPLES = [
    (e.UnknownArgumentError("Input", "chekcs", ("alias", "checks"), "f.py:3"), TypeError, ["f.py:3", "'checks'"]),
    (e.TransformTypeError("Check takes an expectation.", "f.py:3"), TypeError, ["f.py:3", "expectation"]),
    (e.TransformKeyError("x", ("xs",), "f.py:3"), KeyError, ["f.py:3", "'x'", "Its inputs: xs"]),
    (e.TransformValueError("needs a name.", "f.py:3"), ValueError, ["f.py:3", "needs a name"]),
    (e.UnknownNameError("transforms.api", "Inptu", ("Input",)), ImportError, ["transforms.api", "'Input'"]),
    (e.UnknownAttributeError("TransformInput", "datafram", ("dataframe",)), AttributeError, ["'dataframe'"]),
    (e.NotAvailableError("Pushdown", "it runs there"), NotImplementedError, ["Pushdown", "there", "docs/fidelity.md"]),
    (e.EntryPointError("no entry point."), Exception, ["transforms.pipelines", "setup.py"]),
    (e.PipelineError("Two write '/o'", "'a' (f:1)", "'b' (f:2)"), ValueError, ["/o", "f:1", "f:2", "Rename"]),
    (
        e.BindingError("t", "f.py:3", ("a",), ("b",), ("b",), ("a",)),
        TypeError,
        ["f.py:3", "'t'", "[a]", "[b]", "not accepted by the function: a", "not declared: b"],
    ),
    (e.ReturnTypeError("t", "f.py:3", "X", "NoneType"), TypeError, ["f.py:3", "'t'", "return statement"]),
    (e.WriteModeError("/o", "apend", ("append",)), ValueError, ["/o", "'append'"]),
    (e.ModeAfterWriteError("/o", "modify"), ValueError, ["/o", "before the first write"]),
    (e.WrittenTwiceError("/o"), ValueError, ["/o", "union_many"]),
    (e.ReadOnlyError("/i", "f", "w"), PermissionError, ["/i", "'f'", "Write to an output"]),
    (e.ReadModeError("/i", "new", ("added",)), ValueError, ["/i", "'new'", "added"]),
    (e.PreviousWithoutSchemaError("/o"), ValueError, ["/o", "schema=..."]),
    (e.SchemaMismatchError("/o", "g", "s", "column 'a' is x"), ValueError, ["/o", "column 'a'", "nullable"]),
    (e.WriteArgumentError("/o", "no column."), ValueError, ["/o", "no column"]),
    (
        e.FrameTypeError("/o", "write_dataframe", "Spark DataFrame", "list"),
        TypeError,
        ["/o", "Spark DataFrame", "list"],
    ),
    (e.NoSchemaError("/i"), ValueError, ["/i", "filesystem().open"]),
    (e.PathError("/i", "../x"), ValueError, ["/i", "../x", "'..'"]),
    (e.DatasetNotFoundError("/a", ("/ab",)), KeyError, ["'/a'", "'/ab'", "store_dataframe"]),
    (e.RequireIncrementalError("t", "input '/i' was rewritten"), Exception, ["'t'", "'/i' was rewritten"]),
    (e.SourceError("ri.s", "it is not configured"), ValueError, ["ri.s", "not configured"]),
    (e.MediaItemError("/m", "a.pfd", ("a.pdf",)), KeyError, ["/m", "'a.pdf'"]),
    (e.UnionError("no frames"), ValueError, ["union_many: no frames"]),
    (e.DriverOnlyError("/i", "dataframe()"), RuntimeError, ["/i", "dataframe()", "worker"]),
    (e.LightweightNotImplementedError("m"), NotImplementedError, ["m"]),
    (e.LightweightTypeError("m"), TypeError, ["m"]),
    (e.LightweightValueError("m"), ValueError, ["m"]),
]
ABSTRACT = {"TransformsError", "DeclarationError", "RuntimeUseError", "LightweightException"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s[0]).__name__)
def test_an_error_reads_well_is_a_builtin_one_too_and_pickles(sample):
    error, builtin, says = sample
    assert isinstance(error, builtin)
    assert isinstance(error, e.TransformsError)
    for part in says:
        assert part in str(error)
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes
    assert (type(twin), str(twin), twin.args) == (type(error), str(error), error.args)


def test_no_error_is_without_a_sample():
    kinds = {n for n, v in vars(e).items() if isinstance(v, type) and issubclass(v, e.TransformsError)}
    assert kinds - ABSTRACT == {type(sample[0]).__name__ for sample in SAMPLES}


def test_the_page_of_errors_draws_them_all():
    drawn = e.__doc__ or ""
    for error, *_ in SAMPLES:
        name = type(error).__name__
        assert name in drawn or name.startswith("Lightweight"), name
