"""``api()``: two styles, one wire document; what cannot work is refused when it is declared."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import palantir_models as pm
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import DeclarationError, InferenceInputError
from palantir_models.models.api import DFType, ModelApi, ModelApiColumn, ModelInput, ModelOutput

COLUMNS: list[Any] = [("a", float), ("when", datetime.datetime), ("tags", list[str]), ("meta", dict[str, int])]


class Current(pm.ModelAdapter):
    @classmethod
    def api(cls) -> Any:
        inputs = {"df_in": pm.Pandas(COLUMNS), "factor": pm.Parameter(float, 2.0), "anything": pm.Parameter()}
        return inputs, {"df_out": pm.Pandas(["score"]), "count": pm.Parameter(int)}


class Older(pm.ModelAdapter):
    @classmethod
    def api(cls) -> Any:
        columns = [ModelApiColumn(name, kind) for name, kind in COLUMNS]
        return ModelApi(
            [
                ModelInput.Tabular("df_in", df_type=DFType.PANDAS, columns=columns),
                ModelInput.Parameter("factor", float, default=2.0),
                ModelInput.Parameter("anything"),
            ],
            [ModelOutput.Tabular("df_out", columns=["score"]), ModelOutput.Parameter("count", int)],
        )


class WithoutClassmethod(pm.ModelAdapter):
    def api(self) -> Any:  # type: ignore[override]
        return Current.api()


def test_both_styles_and_the_undecorated_spelling_give_the_same_wire_document() -> None:
    wire = declared_api(Current).wire()
    assert wire == declared_api(Older).wire() == declared_api(WithoutClassmethod).wire()
    assert declared_api(WithoutClassmethod()).wire() == wire
    assert [c["dataType"] for c in wire["inputs"][0]["columns"]] == [
        {"type": "double"},
        {"type": "timestamp"},
        {"type": "array", "itemType": {"type": "string"}},
        {"type": "map", "keyType": {"type": "string"}, "valueType": {"type": "integer"}},
    ]
    assert wire["inputs"][0]["format"] == "PANDAS"
    assert wire["outputs"][1] == {
        "type": "parameter",
        "name": "count",
        "required": False,
        "dataType": {"type": "integer"},
    }


def test_tables_of_the_older_style_are_spark_unless_told_otherwise() -> None:
    api = ModelApi([ModelInput.Tabular("df_in")], [ModelOutput.FileSystem("files")]).resolve("x")
    assert api.wire()["inputs"][0]["format"] == "SPARK"
    assert str(api.inputs[0]) == "df_in: tabular (spark)"
    assert [f.kind.value for f in api.outputs] == ["filesystem"]


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (lambda: pm.Pandas([("a", float), "a"]), "column 'a': is declared twice."),
        (lambda: pm.Pandas([("a", np.ndarray)]), "is no column type of a model API. Use str, int"),
        (lambda: pm.Pandas([("a", float, True)]), "is neither a name nor a (name, type) pair."),
        (lambda: pm.Parameter(int, "x"), "default 'x' is no int."),
        (lambda: pm.NDArray((2,), "complex64"), "dtype 'complex64' is not supported. Use one of str_"),
        (lambda: pm.NDArray(("a",), float), "Use -1 for a free dimension."),
        (lambda: ModelApi([pm.Pandas()], []), "Use ModelInput.Tabular(...)"),
        (lambda: pm.Parameter(pm.NDArray((2,), int), [1]), "parameter: default [1] is no NDArray"),
        (lambda: ModelInput.Parameter("n", int, default="x"), "parameter 'n': default 'x' is no int."),
        (lambda: ModelOutput.Parameter("n", bytes), "parameter 'n': <class 'bytes'> is no column type"),
        (lambda: ModelInput.Tabular("t", df_type="polars"), "input 't': has no df_type 'polars'. Use DFType.SPARK"),
    ],
)
def test_what_cannot_work_is_refused_when_declared(declare: Any, expected: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ({"df": pm.Pandas()}, "Return (inputs, outputs), two dicts of name to type."),
        (({"df": pm.Object}, {}), "input 'df' names the class Object without arguments."),
        (({"df": 1}, {}), "input 'df' is 1. Use pm.Pandas, pm.Spark"),
        (({}, {"media": pm.MediaReference()}), "output 'media' is MediaReference({}). Use pm.Pandas"),
        (({"not a name": pm.Pandas()}, {}), "input 'not a name' is no Python name."),
    ],
)
def test_an_api_that_returns_something_else_is_refused_with_its_adapter(returned: Any, expected: str) -> None:
    adapter = type("Odd", (pm.ModelAdapter,), {"api": classmethod(lambda cls: returned)})
    with pytest.raises(DeclarationError) as caught:
        declared_api(adapter)
    assert str(caught.value).startswith("Odd.api(): ")
    assert expected in str(caught.value)


def test_an_adapter_without_api_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Bare declares no api\(\)"):
        declared_api(type("Bare", (pm.ModelAdapter,), {}))


def test_arrays_are_converted_and_their_shape_is_checked_except_free_dimensions() -> None:
    kind = pm.NDArray((-1, 2), float)
    converted = kind.convert([[1, 2], [3, 4], [5, 6]], "m")
    assert (converted.dtype, converted.shape) == (np.float64, (3, 2))
    for value, error_type, text in (
        ([[1, 2, 3]], "invalidArrayShape", "has shape (1, 3), declared is (-1, 2)"),
        ([[1], [1, 2]], "inconsistentArrayDimensions", "its nested lists have different lengths"),
        ([["a", "b"]], "typeMismatch", "where float64 is declared"),
        ([[True, False]], "typeMismatch", "holds bool where float64 is declared"),
        ([[1, None]], "typeMismatch", "holds values of mixed types"),
    ):
        with pytest.raises(InferenceInputError) as caught:
            kind.convert(value, "m")
        assert caught.value.error_type == error_type
        assert text in str(caught.value)
    assert pm.NDArray((2,), np.str_).convert(["a", "bc"], "m").tolist() == ["a", "bc"]
    assert pm.NDArray((1,), "int8").convert([1], "m").dtype == np.int8
    assert pm.NDArray((-1,), str).convert(pd.Series(["a", "bc"]), "m").tolist() == ["a", "bc"]
    assert pm.NDArray((0, -1), int).convert(np.empty((0, 3)), "m").shape == (0, 3)
    assert pm.NDArray((1,), "float16").convert([3], "m").tolist() == [3.0]
    for dtype, value, text in (
        ("int8", [300], "holds 300, which is too large for int8"),
        ("int64", [1.5], "holds float64 where int64 is declared"),
        ("bool_", [1], "holds int64 where bool_ is declared"),
        ("str_", [1.5], "holds float64 where str_ is declared"),
    ):
        with pytest.raises(InferenceInputError, match=text):
            pm.NDArray((1,), dtype).convert(value, "m")


def test_unknown_names_of_the_package_name_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"palantir_models has no 'ModelAdaptor'. Did you mean 'ModelAdapter'\?"):
        pm.ModelAdaptor  # noqa: B018
    assert pm.transforms.evaluation.__name__ == "evaluation"
