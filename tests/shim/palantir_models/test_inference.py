"""``transform``: binding by name and position, enforcement as uneven as documented, outputs by attribute and
subscript.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pyspark.sql import SparkSession

import palantir_models as pm
from palantir_models.declarations.datatypes import fits
from palantir_models.errors import DeclarationError, InferenceInputError, InferenceOutputError, NeedsFoundryError
from palantir_models.evaluations import RegressionEvaluatorConfig, evaluate
from palantir_models.models.api import ModelApi, ModelInput, ModelOutput


def adapter(inputs: Any, outputs: Any = None, **methods: Any) -> Any:
    """An adapter class of the given declaration and methods, instantiated."""
    declared = (inputs, outputs if outputs is not None else {"out": pm.Pandas()})
    body = {"api": classmethod(lambda cls: declared), **methods}
    return type("Sample", (pm.ModelAdapter,), body)()


def scale(self: Any, factor: float, df_in: pd.DataFrame) -> pd.DataFrame:
    return df_in.assign(y=df_in["x"] * factor if "x" in df_in else -1.0)


INPUTS = {"df_in": pm.Pandas([("x", float), ("absent", int)]), "factor": pm.Parameter(float, 2.0)}
FRAME = pd.DataFrame({"x": [1.0, 2.0], "label": [0, 1]})


def test_arguments_bind_by_position_or_name_and_defaults_fill_in() -> None:
    model = adapter(INPUTS, predict=scale)
    assert model.transform(FRAME).out["y"].tolist() == [2.0, 4.0]
    assert model.transform(FRAME, 3).out["y"].tolist() == [3.0, 6.0]
    assert model.transform(factor=np.float32(0.5), df_in=FRAME).out["y"].tolist() == [0.5, 1.0]


def test_defaults_arrive_as_given_values_would_and_anew_for_each_call() -> None:
    inputs = {"array": pm.Parameter(pm.NDArray((2,), float), [1, 2]), "names": pm.Parameter(list[str], ["a"])}

    def grow(self: Any, array: Any, names: list[str]) -> Any:
        names.append("b")
        array += 1
        return (array.dtype.name, array.tolist(), names)

    model = adapter(inputs, {"out": pm.Parameter()}, predict=grow)
    assert model.transform().out == model.transform().out == ("float64", [2.0, 3.0], ["a", "b"])
    assert model.transform([3, 4]).out[1] == [4.0, 5.0]


def test_missing_columns_wrong_column_types_and_extra_columns_reach_the_adapter() -> None:
    model = adapter(INPUTS, predict=scale)
    assert model.transform(FRAME).out["label"].tolist() == [0, 1]
    assert model.transform(FRAME.drop(columns="x")).out["y"].tolist() == [-1.0, -1.0]
    wrong_type = adapter({"df_in": pm.Pandas([("x", float)])}, predict=lambda self, df_in: df_in)
    assert wrong_type.transform(pd.DataFrame({"x": ["text"]})).out["x"].tolist() == ["text"]


@pytest.mark.parametrize(
    ("args", "kwargs", "error_type", "text"),
    [
        ((), {}, "requiredValueMissing", "was called without its input 'df_in'"),
        ((FRAME, 1.0, 2), {}, "unknownInputName", "takes 2 inputs (df_in, factor), 3 were given"),
        (
            (FRAME,),
            {"facter": 1.0},
            "unknownInputName",
            "declares no input 'facter'; it has df_in, factor. Did you mean",
        ),
        ((FRAME,), {"df_in": FRAME}, "unknownInputName", "was given input 'df_in' twice"),
        ((FRAME,), {"factor": "3"}, "typeMismatch", "parameter 'factor': '3' (str) is no float."),
        ((FRAME,), {"factor": True}, "typeMismatch", "True (bool) is no float"),
        (([1, 2],), {}, "invalidTabularFormat", "is tabular and was given list. Hand in a transform input"),
        (
            (pl.DataFrame({"x": [1]}),),
            {},
            "invalidTabularFormat",
            "was given a Polars frame. Hand in frame.to_pandas()",
        ),
    ],
)
def test_a_call_that_does_not_fit_is_refused_before_the_adapter_runs(
    args: Any, kwargs: Any, error_type: str, text: str
) -> None:
    def never(self: Any, df_in: Any, factor: Any) -> Any:
        raise AssertionError("the adapter ran")

    with pytest.raises(InferenceInputError) as caught:
        adapter(INPUTS, predict=never).transform(*args, **kwargs)
    assert caught.value.error_type == error_type
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1, float, True), (np.int64(1), int, True), (1.0, int, False), (True, int, False), (np.bool_(True), bool, True),
        (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.date, False),
        (datetime.date(2026, 1, 1), datetime.date, True),
        ([1, 2], list[int], True), ([1, "a"], list[int], False), ({"a": 1}, dict[str, int], True),
        ({"a": "b"}, dict[str, int], False), ([1], list, True), (object(), Any, True), (None, int | None, True),
        ("a", int | str, True),
    ],
)  # fmt: skip
def test_parameter_types(value: Any, kind: Any, expected: bool) -> None:
    assert fits(value, kind) is expected


def test_results_by_attribute_subscript_and_column() -> None:
    results = adapter(INPUTS, predict=scale).transform(FRAME)
    assert results["out"] is results.out
    assert results["y"].tolist() == [2.0, 4.0]
    assert (list(results), len(results), "out" in results) == (["out"], 1, True)
    with pytest.raises(AttributeError, match=r"Sample has no output 'oud'; it has out. Did you mean 'out'\?"):
        results.oud  # noqa: B018
    with pytest.raises(KeyError, match="Sample has no output 'nothing'"):
        results["nothing"]


def test_run_inference_gets_named_tuples_and_writes_several_outputs() -> None:
    def run(self: Any, inputs: Any, outputs: Any) -> None:
        outputs.out.write(inputs.df_in.assign(y=1))
        outputs.total.write(len(inputs.df_in) * int(inputs.factor))

    model = adapter(INPUTS, {"out": pm.Pandas(), "total": pm.Parameter(int)}, run_inference=run)
    results = model.transform(FRAME, factor=3)
    assert (results.total, results["out"]["y"].tolist()) == (6, [1, 1])


def test_an_output_that_was_not_written_is_an_error_unless_it_is_a_parameter_with_a_default() -> None:
    class Partial(pm.ModelAdapter):
        @classmethod
        def api(cls) -> Any:
            outputs = [ModelOutput.Tabular("table"), ModelOutput.Parameter("n", int, default=7)]
            return ModelApi([ModelInput.Parameter("write", bool, required=True)], outputs)

        def run_inference(self, inputs: Any, outputs: Any) -> None:
            if inputs.write:
                outputs.table.write(FRAME)

    assert Partial().transform(True).n == 7
    with pytest.raises(InferenceOutputError, match="wrote nothing to output 'table'"):
        Partial().transform(False)
    with pytest.raises(InferenceInputError, match="without its input 'write'"):
        Partial().transform()


def test_outputs_that_are_not_as_declared_are_refused() -> None:
    with pytest.raises(InferenceOutputError, match="gave list for output 'out'"):
        adapter(INPUTS, predict=lambda self, df_in, factor: [1]).transform(FRAME)
    with pytest.raises(InferenceOutputError, match=r"write run_inference\(self, inputs, outputs\)"):
        adapter(INPUTS, {"a": pm.Pandas(), "b": pm.Pandas()}, predict=scale).transform(FRAME)
    with pytest.raises(InferenceOutputError, match="Use transform_write"):
        adapter({}, {"files": pm.FileSystem()}, predict=lambda self: None).transform()


def test_predict_must_name_what_the_api_declares() -> None:
    with pytest.raises(DeclarationError, match=r"takes frame; api\(\) declares df_in, factor"):
        adapter(INPUTS, predict=lambda self, frame: frame).transform(FRAME)
    with pytest.raises(NotImplementedError, match="neither predict nor run_inference"):
        adapter(INPUTS).transform(FRAME)
    assert adapter(INPUTS, predict=lambda self, **given: given["df_in"]).transform(FRAME).out is FRAME


def test_media_references_are_converted_from_text_and_dicts_in_parameters_and_columns() -> None:
    inputs = {"item": pm.MediaReference(), "df_in": pm.Pandas([("media", pm.MediaReference)])}
    text = '{"reference": {"mediaSetViewItem": {"mediaItemRid": "ri.mio.main.media-item.1"}}}'
    seen: list[Any] = []

    def predict(self: Any, item: Any, df_in: Any) -> Any:
        seen.extend([item, *df_in["media"]])
        return df_in

    model = adapter(inputs, predict=predict)
    frame = pd.DataFrame({"media": [text, json.loads(text), None, float("nan")]})
    model.transform(text, frame)
    assert [m and m.media_item_rid for m in seen] == ["ri.mio.main.media-item.1"] * 3 + [None] * 2
    assert frame["media"].tolist()[0] == text
    absent = adapter({"df_in": inputs["df_in"]}, predict=lambda self, df_in: df_in).transform(pd.DataFrame({"x": [1]}))
    assert list(absent.out.columns) == ["x"]
    with pytest.raises(InferenceInputError, match="'nonsense' is no media reference"):
        model.transform("nonsense", frame)


def test_ontology_inputs_take_objects_and_say_that_keys_need_foundry() -> None:
    person = type("Person", (), {})()
    model = adapter({"who": pm.Object(type(person))}, {"out": pm.Parameter()}, predict=lambda self, who: who)
    assert model.transform(person).out is person
    with pytest.raises(NeedsFoundryError, match="Pass the object itself"):
        model.transform("key-1")


class Handle:
    """A dataset handle: frames and files."""

    def __init__(self, frame: Any, spark: SparkSession | None = None) -> None:
        self.frame, self.spark, self.written = frame, spark, None

    def dataframe(self) -> Any:
        return self.spark.createDataFrame(self.frame) if self.spark else self.frame

    def filesystem(self) -> str:
        return "the file system"

    def write_pandas(self, frame: Any) -> None:
        self.written = frame


def test_frames_cross_the_boundary_as_declared(spark: SparkSession) -> None:
    shown = spark.createDataFrame(FRAME)
    to_pandas = adapter({"df_in": pm.Pandas()}, predict=lambda self, df_in: df_in)
    assert to_pandas.transform(Handle(FRAME, spark)).out["x"].tolist() == [1.0, 2.0]
    with pytest.raises(InferenceInputError, match=r"was given a Spark frame. Hand in the transform input itself"):
        to_pandas.transform(shown)
    to_spark = adapter({"df_in": pm.Spark()}, {"out": pm.Spark()}, predict=lambda self, df_in: df_in)
    assert to_spark.transform(shown).out is shown
    assert to_spark.transform(FRAME).out.schema == shown.schema
    config = RegressionEvaluatorConfig()
    figures = evaluate(model=to_pandas, inputs=shown, targets="label", prediction_column="x", evaluator_config=config)
    assert figures.metrics["max_error"] == 1.0


def test_transform_write_writes_every_output_into_its_handle() -> None:
    def run(self: Any, inputs: Any, outputs: Any) -> None:
        assert inputs.files == "the file system"
        outputs.table.write(inputs.df_in.assign(y=1))

    inputs = {"df_in": pm.Pandas(), "files": pm.FileSystem()}
    model = adapter(inputs, {"table": pm.Pandas()}, run_inference=run)
    source, target = Handle(FRAME), Handle(None)
    model.transform_write(source, source, target)
    assert target.written["y"].tolist() == [1, 1]
    by_name = Handle(None)
    model.transform_write(df_in=source, files=source, table=by_name)
    assert by_name.written["label"].tolist() == [0, 1]
    with pytest.raises(InferenceInputError, match="no handle for output 'table'"):
        model.transform_write(source, source)
    with pytest.raises(InferenceInputError, match="needs the handle of a dataset"):
        model.transform_write(source, FRAME, target)
    with pytest.raises(InferenceOutputError, match=r"output 'table' \(DataFrame\) cannot be written to str"):
        model.transform_write(source, source, "nowhere")


def test_an_adapter_that_came_from_no_version_says_so() -> None:
    with pytest.raises(pm.PalantirModelsError, match="was not loaded from a published version"):
        adapter(INPUTS).model_version_rid  # noqa: B018
