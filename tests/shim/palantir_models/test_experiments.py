"""Experiments and the built-in evaluators: steps, limits, handlers, figures against scikit-learn by hand."""

from __future__ import annotations

import datetime
import io
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from PIL import Image

import palantir_models as pm
from palantir_models import experiments, media
from palantir_models.errors import ExperimentError, MissingPackageError
from palantir_models.evaluations import (
    ClassificationEvaluatorConfig,
    Evaluation,
    RegressionEvaluatorConfig,
    evaluate,
)
from palantir_models.experiments import ErrorHandlerType, Experiment


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (1, 1)).save(stream, format="PNG")
    return stream.getvalue()


def test_steps_count_on_per_series_and_never_go_back() -> None:
    run = Experiment("run")
    run.log_metric("loss", 3.0)
    run.log_metrics({"loss": 2.0, "acc": 0.1})
    run.log_metrics({"loss": 1.0, "acc": 0.2}, step=10)
    run.log_metric("acc", 0.3)
    series = run.to_json()["series"]
    assert [(p["step"], p["value"]) for p in series["loss"]] == [(0, 3.0), (1, 2.0), (10, 1.0)]
    assert [p["step"] for p in series["acc"]] == [0, 10, 11]
    assert run.to_json()["summaryMetrics"]["loss"] == {"MIN": 1.0, "MAX": 3.0, "LAST": 1.0}
    for step in (10, 4):
        with pytest.raises(ExperimentError, match=f"step {step} does not come after 10"):
            run.log_metric("loss", 0.5, step)
    with pytest.raises(ExperimentError, match="step -1 is no step"):
        run.log_metric("new", 0.5, -1)


def test_parameters_overwrite_and_only_plain_values_count() -> None:
    run = Experiment("run")
    run.log_params({"seed": 1, "day": datetime.date(2026, 1, 5), "name": "x", "flag": True})
    run.log_param("seed", 42)
    assert run.to_json()["parameters"] == {"seed": 42, "day": "2026-01-05", "name": "x", "flag": True}
    with pytest.raises(ExperimentError, match="list is no parameter value"):
        run.log_param("list", [1])  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match="'high' is no number"):
        run.log_metric("loss", "high")  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match="has 101 characters; 100 is the most"):
        run.log_param("x" * 101, 1)


def test_what_is_too_much_fails_warns_once_or_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "MAX_VALUES", 2)
    monkeypatch.setattr(experiments, "MAX_PARAMETERS", 2)

    def fill(handler: ErrorHandlerType) -> Experiment:
        run = Experiment("run", handler)
        for value in range(4):
            run.log_metric("loss", value)
        return run

    with pytest.raises(ExperimentError, match="2 values over all series is the most"):
        fill(ErrorHandlerType.FAIL)
    with pytest.warns(UserWarning, match="Further losses are not reported") as caught:
        assert len(fill(ErrorHandlerType.WARN).to_json()["series"]["loss"]) == 2
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(fill(ErrorHandlerType.SUPPRESS).to_json()["series"]["loss"]) == 2
    strict = Experiment("run", "FAIL")
    strict.log_params({"a": 1, "b": 2})
    strict.log_param("a", 3)
    for lose, text in (
        (lambda: strict.log_param("c", 1), "2 parameters is the most"),
        (lambda: strict.log_table("t", pl.DataFrame({"a": range(100_001)})), "has 100001 rows; 100000 is the most"),
    ):
        with pytest.raises(ExperimentError, match=text):
            lose()
    assert Experiment("run").error_handler_type is ErrorHandlerType.WARN


def test_images_are_png_and_tables_are_frames(tmp_path: Path) -> None:
    run = Experiment("run")
    (tmp_path / "a.png").write_bytes(png())
    for image in (tmp_path / "a.png", str(tmp_path / "a.png"), png(), Image.new("RGB", (1, 1))):
        run.log_image("picture", image, caption="c")
    assert [i["step"] for i in run.to_json()["images"]["picture"]] == [0, 1, 2, 3]
    run.log_table("rows", pd.DataFrame({"a": [1, 2], "b": ["x", None]}), description="d")
    run.log_table("other", pl.DataFrame({"a": [1]}))
    assert run.to_json()["tables"] == {
        "rows": {"columns": ["a", "b"], "rows": [[1, "x"], [2, None]], "description": "d"},
        "other": {"columns": ["a"], "rows": [[1]], "description": None},
    }
    for misuse, text in (
        (lambda: run.log_image("p", b"GIF89a"), "is not a PNG image"),
        (lambda: run.log_image("p", 7), "int is no image"),
        (lambda: run.log_image("p", "gone.png"), "there is no image file 'gone.png'"),
        (lambda: run.log_image("p", png(), caption="x" * 201), "caption has 201 characters; 200 is the most"),
        (lambda: run.log_table("t", [[1]]), "list is no table"),
        (lambda: run.log_plot("p", object()), "object is no Plotly figure. Log other pictures as PNG"),
    ):
        with pytest.raises(ExperimentError, match=text):
            misuse()


def test_mlflow_is_asked_for_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingPackageError, match="Add 'mlflow' under"), Experiment("run").as_mlflow_run():
        pass


def test_evaluations_have_no_steps_and_bounded_media(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Evaluation("run", "set", "ri.version.1")
    found.log_image("p", png(), caption="c")
    found.log_table("t", pd.DataFrame({"a": [1]}))
    with pytest.raises(TypeError):
        found.log_metric("a", 1.0, step=1)  # type: ignore[call-arg]
    with pytest.raises(ExperimentError, match="True is no number"):
        found.log_metric("a", True)
    monkeypatch.setattr(media, "MAX_MEDIA_BYTES", 10)
    with pytest.raises(ExperimentError, match="5 MB is the most"):
        found.log_image("p", png())
    assert found.evaluation_rid == Evaluation("run", "set", "ri.version.1").evaluation_rid
    assert found.evaluation_rid != Evaluation("run", "set", "ri.version.2").evaluation_rid


class Says(pm.ModelAdapter):
    """Repeats a column as its prediction."""

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas()}, {"df_out": pm.Pandas()}

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
        return df_in.rename(columns={"said": "prediction"})


class Twice(Says):
    """Writes its prediction into two outputs."""

    predict = pm.ModelAdapter.predict

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas()}, {"one": pm.Pandas(), "other": pm.Pandas()}

    def run_inference(self, inputs: Any, outputs: Any) -> None:
        for output in outputs:
            output.write(inputs.df_in.rename(columns={"said": "prediction"}))


class Scaled(pm.ModelAdapter):
    """Takes a frame and a factor, its arguments in another order than declared."""

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas(), "factor": pm.Parameter(float, 2.0)}, {"df_out": pm.Pandas()}

    def predict(self, factor: float, df_in: pd.DataFrame) -> pd.DataFrame:
        return df_in.assign(prediction=df_in["said"] * factor)


class OfMap(pm.ModelAdapter):
    """One map is its only input."""

    @classmethod
    def api(cls) -> Any:
        return {"row": pm.Parameter(dict[str, float])}, {"df_out": pm.Pandas()}

    def predict(self, row: dict[str, float]) -> pd.DataFrame:
        return pd.DataFrame({"prediction": [row["x"]]})


def test_inputs_go_by_position_by_name_or_as_one_map() -> None:
    frame = pd.DataFrame({"truth": [2.0], "said": [1.0]})
    arguments: dict[str, Any] = {
        "targets": "truth", "prediction_column": "prediction", "evaluator_config": RegressionEvaluatorConfig(),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model, inputs, error in (
            (Scaled(), frame, 0.0),
            (Scaled(), (frame, 4.0), 2.0),
            (Scaled(), {"factor": 3.0, "df_in": frame}, 1.0),
            (OfMap(), {"x": 1.0}, 1.0),
        ):
            given = {**arguments, "evaluation_df": frame}
            assert evaluate(model=model, inputs=inputs, **given).metrics["max_error"] == error


def test_regression_figures() -> None:
    frame = pd.DataFrame({"truth": [1.0, 2.0, 4.0], "said": [1.0, 3.0, 2.0]})
    target = Evaluation("e", "s", "v")
    config = RegressionEvaluatorConfig(subset="north")
    result = evaluate(
        model=Says(), inputs=frame, targets="truth", prediction_column="prediction", evaluator_config=config,
        evaluation=target,
    )  # fmt: skip
    assert result.metrics == target.metrics
    assert {k: round(v, 6) for k, v in result.metrics.items()} == {
        "north/example_count": 3,
        "north/mean_absolute_error": 1.0,
        "north/mean_squared_error": 1.666667,
        "north/root_mean_squared_error": 1.290994,
        "north/r2": -0.071429,
        "north/max_error": 2.0,
        "north/mean_absolute_percentage_error": 0.333333,
    }


def test_binary_and_multiclass_figures() -> None:
    frame = pd.DataFrame({"truth": [1, 1, 0, 0], "said": [1, 0, 0, 1], "p": [0.9, 0.4, 0.1, 0.6]})
    config = ClassificationEvaluatorConfig(class_probability_column="p")
    arguments: dict[str, Any] = {"targets": "truth", "prediction_column": "prediction", "evaluator_config": config}
    binary = evaluate(model=Says(), inputs=(frame,), **arguments).metrics
    assert binary == {
        "example_count": 4, "accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5, "true_positives": 1,
        "true_negatives": 1, "false_positives": 1, "false_negatives": 1, "roc_auc": 0.75,
    }  # fmt: skip
    three = pd.DataFrame({"truth": ["a", "b", "c", "a"], "said": ["a", "b", "a", "a"]})
    arguments["evaluator_config"] = ClassificationEvaluatorConfig(average="macro")
    multi = evaluate(model=Says(), inputs={"df_in": three}, **arguments).metrics
    assert {k: round(v, 4) for k, v in multi.items()} == {
        "example_count": 4, "accuracy": 0.75, "precision": 0.5556, "recall": 0.6667, "f1": 0.6,
    }  # fmt: skip


def test_probabilities_of_several_classes() -> None:
    frame = pd.DataFrame({
        "truth": list("abca"), "said": list("abaa"),
        "a": [0.8, 0.1, 0.3, 0.7], "b": [0.1, 0.8, 0.2, 0.2], "c": [0.1, 0.1, 0.5, 0.1],
    })  # fmt: skip
    arguments: dict[str, Any] = {"model": Says(), "targets": "truth", "prediction_column": "prediction"}

    def auc(rows: pd.DataFrame, **config: Any) -> float:
        found = evaluate(inputs=rows, evaluator_config=ClassificationEvaluatorConfig(**config), **arguments)
        return found.metrics["roc_auc"]

    assert auc(frame, class_probabilities_columns=["a", "b", "c"]) == 1.0
    assert auc(frame[frame["truth"] != "c"], class_probabilities_columns=["a", "b"]) == 1.0
    assert auc(frame[frame["truth"] != "c"], class_probability_column="b") == 1.0
    with pytest.raises(KeyError, match="roc_auc"):
        auc(frame[:1], class_probabilities_columns=["a", "b", "c"])
    for rows, config, text in (
        (frame[frame["truth"] != "c"], {"class_probabilities_columns": ["a", "b", "c"]}, "3 columns meet 2 classes"),
        (frame, {"class_probability_column": "a"}, "1 columns meet 3 classes"),
        (frame, {"class_probabilities_columns": ["a", "b", "d"]}, "no output column 'd'"),
        (frame, {"average": "samples"}, "the figures cannot be computed: Samplewise"),
    ):
        with pytest.raises(ExperimentError, match=text):
            auc(rows, **config)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"prediction_column": "nothing"}, "0 output frames hold the column 'nothing'; exactly one must"),
        ({"targets": "label"}, "there is no target column 'label'. Columns: truth, said"),
        ({"evaluation_df": pd.DataFrame({"truth": [1]})}, "1 targets meet 2 predictions"),
        ({"evaluation_df": pd.DataFrame({"truth": [1, None]})}, "1 of 2 values of 'truth' are null"),
        ({"inputs": pd.DataFrame({"truth": [], "said": []})}, "the figures cannot be computed: Found array with 0"),
        (
            {"targets": pd.Series([1.0, 2.0])},
            "targets names a column, got Series. Give the frame that holds it as eval",
        ),
        (
            {"evaluator_config": RegressionEvaluatorConfig},
            r"evaluator_config is made by RegressionEvaluatorConfig\(...\)",
        ),
        ({"model": Twice()}, "2 output frames hold the column 'prediction'; exactly one must"),
    ],
)
def test_evaluate_names_what_is_missing(changes: dict[str, Any], text: str) -> None:
    frame = pd.DataFrame({"truth": [1.0, 2.0], "said": [1.0, 3.0]})
    arguments: dict[str, Any] = {
        "model": Says(), "inputs": frame, "targets": "truth", "prediction_column": "prediction",
        "evaluator_config": RegressionEvaluatorConfig(), **changes,
    }  # fmt: skip
    with pytest.raises(ExperimentError, match=text):
        evaluate(**arguments)


def test_a_config_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"'weigthed' is unknown. Did you mean 'weighted'\?"):
        ClassificationEvaluatorConfig(average="weigthed")
    with pytest.raises(ExperimentError, match="are given per class and as one column"):
        ClassificationEvaluatorConfig(class_probabilities_columns=["a", "b"], class_probability_column="p")
