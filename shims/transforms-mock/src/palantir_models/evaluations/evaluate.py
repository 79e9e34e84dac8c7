"""``evaluate``: the built-in evaluators for regression and classification."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, get_origin

from palantir_models.adapter import ModelAdapter, overrides
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import ExperimentError
from palantir_models.evaluations.evaluation import Evaluation
from palantir_models.results import InferenceResults, is_frame, is_spark_frame
from transforms._names import known_arguments


class EvaluatorConfig(Protocol):
    """What ``evaluate`` needs of a config."""

    subset: str | None

    def metrics(self, actual: Any, predicted: Any, frame: Any) -> dict[str, float]:
        """Figures by name, without the subset's prefix."""


@dataclass(frozen=True)
class EvaluationResult:
    """Figures by name (with ``subset/`` before them when a subset was named)."""

    metrics: Mapping[str, float] = field(default_factory=dict)


@known_arguments("evaluate")
def evaluate(
    model: ModelAdapter,
    inputs: Any,
    targets: str,
    evaluator_config: EvaluatorConfig,
    prediction_column: str | None = None,
    evaluation_df: Any = None,
    evaluation: Evaluation | None = None,
) -> EvaluationResult:
    """Runs the model and compares its predictions with the targets, row by row.

    Inside a transform decorated as an evaluation the figures are logged to ``evaluation`` or to the version's own.

    Args:
        inputs: one frame is one argument, a tuple is positional, a dict goes by name. Spark frames are collected.
        targets: the column with the truth, in ``evaluation_df`` if given, else in the inputs.
        prediction_column: the column with the prediction; named like the target if left out.
        evaluator_config: a ``RegressionEvaluatorConfig`` or ``ClassificationEvaluatorConfig``.

    Raises:
        ExperimentError: no or several outputs hold the prediction, the target is missing, lengths differ, there are
        nulls, or an argument is something else.
    """
    for argument, given in (("targets", targets), ("prediction_column", prediction_column or targets)):
        if not isinstance(given, str):
            what = f"{argument} names a column, got {type(given).__name__}."
            raise ExperimentError("evaluate", what, "Give the frame that holds it as evaluation_df=.")
    if isinstance(evaluator_config, type) or not hasattr(evaluator_config, "metrics"):
        what = f"evaluator_config is made by RegressionEvaluatorConfig(...) or another, got {evaluator_config!r}."
        raise ExperimentError("evaluate", what)
    args, kwargs = _arguments(model, inputs)
    wanted = prediction_column or targets
    predicted_frame = _prediction_frame(_run(model, args, kwargs), wanted)
    truth = _to_pandas(evaluation_df) if evaluation_df is not None else _frame_with(targets, (*args, *kwargs.values()))
    if targets not in truth.columns:
        raise ExperimentError(
            "evaluate", f"there is no target column {targets!r}.", f"Columns: {', '.join(map(str, truth))}."
        )
    if len(truth) != len(predicted_frame):
        raise ExperimentError(
            "evaluate", f"{len(truth)} targets meet {len(predicted_frame)} predictions.", "Keep the rows."
        )
    for column, values in ((targets, truth[targets]), (wanted, predicted_frame[wanted])):
        if nulls := int(values.isna().sum()):
            raise ExperimentError(
                "evaluate", f"{nulls} of {len(values)} values of {column!r} are null.", "Evaluate the other rows."
            )
    actual, predicted = truth[targets].to_numpy(), predicted_frame[wanted].to_numpy()
    try:
        found = evaluator_config.metrics(actual, predicted, predicted_frame)
    except ExperimentError:
        raise
    except ValueError as error:
        raise ExperimentError("evaluate", f"the figures cannot be computed: {error}") from error
    prefix = f"{evaluator_config.subset}/" if evaluator_config.subset else ""
    result = EvaluationResult({f"{prefix}{name}": value for name, value in found.items()})
    target = evaluation or _own_evaluation(model)
    if target is not None:
        target.log_metrics(result.metrics)
    return result


def _arguments(model: ModelAdapter, inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    takes_map = [f for f in declared_api(model).inputs if (get_origin(f.type) or f.type) is dict]
    if isinstance(inputs, dict) and not (len(takes_map) == 1 == len(declared_api(model).inputs)):
        return (), {name: _to_pandas(value) for name, value in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_to_pandas(value) for value in inputs), {}
    return (_to_pandas(inputs),), {}


def _run(model: ModelAdapter, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not overrides(model, "predict"):
        return model.transform(*args, **kwargs)
    api, takes = declared_api(model), inspect.signature(model.predict).parameters
    if len(args) <= len(api.inputs) and all(name in takes for name in api.input_names()):
        # by declared name, as the order of an author's arguments is free; parameters left out have their defaults
        given = {**dict(zip(api.input_names(), args, strict=False)), **kwargs}
        defaults = {
            f.name: f.default for f in api.inputs if not f.required and takes[f.name].default is takes[f.name].empty
        }
        return model.predict(**{**defaults, **given})
    return model.predict(*args, **kwargs)


def _prediction_frame(outcome: Any, column: str) -> Any:
    values = [outcome[name] for name in outcome] if isinstance(outcome, InferenceResults) else [outcome]
    frames = [_to_pandas(v) for v in values if is_frame(v)]
    holding = [f for f in frames if column in f.columns]
    if len(holding) != 1:
        raise ExperimentError(
            "evaluate", f"{len(holding)} output frames hold the column {column!r}; exactly one must.",
            "Name it with prediction_column=.",
        )  # fmt: skip
    return holding[0]


def _frame_with(column: str, values: tuple[Any, ...]) -> Any:
    frames = [v for v in values if is_frame(v)]
    if not frames:
        raise ExperimentError("evaluate", "no input is a frame that could hold the targets.", "Give evaluation_df=.")
    return next((f for f in frames if column in f.columns), frames[0])


def _to_pandas(value: Any) -> Any:
    return value.toPandas() if is_spark_frame(value) else value


def _own_evaluation(model: ModelAdapter) -> Evaluation | None:
    version = model._version
    return model.create_evaluation() if version is not None and version.evaluation_set is not None else None
