"""Experiments: parameters, series, pictures and tables of one training run, published with the version they led to."""

from __future__ import annotations

import datetime
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from palantir_models.errors import ExperimentError
from palantir_models.media import checked_caption, checked_name, image_document, plot_document, table_document
from transforms._names import Named

MAX_VALUES = 100_000
MAX_PARAMETERS = 500


class ErrorHandlerType(StrEnum):
    """What happens when something is too large or cannot be stored; mistakes of use are errors always."""

    FAIL = "FAIL"
    WARN = "WARN"
    SUPPRESS = "SUPPRESS"


@dataclass
class _Series:
    values: list[tuple[int, Any]] = field(default_factory=list)
    captions: dict[int, str] = field(default_factory=dict)

    def next_step(self, step: int | None, name: str) -> int:
        last = self.values[-1][0] if self.values else -1
        if step is None:
            return last + 1
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            raise ExperimentError(
                f"series {name!r}", f"step {step!r} is no step.", "Steps are whole numbers from 0 up."
            )
        if step <= last:
            raise ExperimentError(
                f"series {name!r}",
                f"step {step} does not come after {last}.",
                "Steps of a series must strictly increase.",
            )
        return step


class Experiment(Named):
    """One training run's log. Made with ``model_output.create_experiment(name)``, shown once ``publish`` attaches
    it.
    """

    def __init__(self, name: str, error_handler_type: ErrorHandlerType | str | None = None) -> None:
        self.name = checked_name(name, "experiment")
        self.error_handler_type = ErrorHandlerType(error_handler_type or ErrorHandlerType.WARN)
        self._parameters: dict[str, Any] = {}
        self._metrics: dict[str, _Series] = {}
        self._images: dict[str, _Series] = {}
        self._plots: dict[str, _Series] = {}
        self._tables: dict[str, dict[str, Any]] = {}
        self._warned = False

    def log_param(self, key: str, value: bool | datetime.date | datetime.datetime | float | int | str) -> None:
        """Sets one parameter; the last value written stands."""
        checked_name(key, "parameter")
        if not isinstance(value, bool | int | float | str | datetime.date):
            raise ExperimentError(
                f"parameter {key!r}", f"{type(value).__name__} is no parameter value.",
                "Use bool, int, float, str, date or datetime.",
            )  # fmt: skip
        if key not in self._parameters and len(self._parameters) >= MAX_PARAMETERS:
            self._too_much(f"parameter {key!r}", f"{MAX_PARAMETERS} parameters is the most.")
            return
        self._parameters[key] = value

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Sets several parameters."""
        for key, value in params.items():
            self.log_param(key, value)

    def log_metric(self, metric_name: str, metric_value: float, step: int | None = None) -> None:
        """Appends to a series; without ``step`` at the step after its last."""
        checked_name(metric_name, "series")
        value = _number(metric_value, f"series {metric_name!r}")
        series = self._metrics.get(metric_name, _Series())
        at = series.next_step(step, metric_name)
        if self._count() >= MAX_VALUES:
            self._too_much(f"series {metric_name!r}", f"{MAX_VALUES} values over all series is the most.")
            return
        series.values.append((at, value))
        self._metrics[metric_name] = series

    def log_metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Appends to several series: all at ``step`` if given, otherwise each at its own next step."""
        for name, value in values.items():
            self.log_metric(name, value, step)

    def log_image(self, series_name: str, image: Any, caption: str | None = None, step: int | None = None) -> None:
        """Appends a PNG (path, bytes or Pillow image) to a series of images."""
        self._append(self._images, series_name, lambda: image_document(image, f"image {series_name!r}"), caption, step)

    def log_plot(self, series_name: str, plot_data: Any, caption: str | None = None, step: int | None = None) -> None:
        """Appends a Plotly figure to a series of plots."""
        self._append(self._plots, series_name, lambda: plot_document(plot_data, f"plot {series_name!r}"), caption, step)

    def log_table(self, table_name: str, table: Any, description: str | None = None) -> None:
        """Sets a table (pandas or Polars, at most 100,000 rows)."""
        checked_name(table_name, "table")
        if hasattr(table, "columns") and len(table) > 100_000:
            self._too_much(f"table {table_name!r}", f"has {len(table)} rows; 100000 is the most.")
            return
        self._tables[table_name] = {**table_document(table, f"table {table_name!r}"), "description": description}

    @contextmanager
    def as_mlflow_run(self) -> Iterator[Any]:
        """Makes this experiment the active MLflow run: what MLflow logs inside arrives here.

        Raises:
            MissingPackageError: MLflow is not installed.
            NeedsFoundryError: inside another run; runs do not nest.
        """
        from palantir_models.mlflow_bridge import active_run

        with active_run(self) as run:
            yield run

    def to_json(self) -> dict[str, Any]:
        """The whole log as JSON types: parameters, series with min, max and last, images, plots, tables."""
        return {
            "name": self.name,
            "parameters": {k: _plain(v) for k, v in self._parameters.items()},
            "series": {n: [{"step": s, "value": v} for s, v in m.values] for n, m in self._metrics.items()},
            "summaryMetrics": {n: _summary([v for _, v in m.values]) for n, m in self._metrics.items()},
            "images": {n: _media(m) for n, m in self._images.items()},
            "plots": {n: _media(m) for n, m in self._plots.items()},
            "tables": dict(self._tables),
        }

    def _append(
        self, shelf: dict[str, _Series], name: str, make: Callable[[], Any], caption: str | None, step: int | None
    ) -> None:
        checked_name(name, "series")
        series = shelf.get(name, _Series())
        at = series.next_step(step, name)
        series.values.append((at, make()))
        if checked_caption(caption, f"series {name!r}") is not None:
            series.captions[at] = str(caption)
        shelf[name] = series

    def _count(self) -> int:
        return sum(len(s.values) for s in self._metrics.values())

    def _too_much(self, subject: str, reason: str) -> None:
        if self.error_handler_type is ErrorHandlerType.FAIL:
            raise ExperimentError(subject, reason)
        if self.error_handler_type is ErrorHandlerType.WARN and not self._warned:
            self._warned = True
            warnings.warn(
                f"experiment {self.name!r}: {subject}: {reason} Further losses are not reported.", stacklevel=3
            )


def _number(value: Any, what: str) -> float | int:
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExperimentError(what, f"{value!r} is no number.")
    return value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _summary(values: list[float]) -> dict[str, float]:
    known = [v for v in values if not math.isnan(v)] or values
    return {"MIN": min(known), "MAX": max(known), "LAST": values[-1]}


def _media(series: _Series) -> list[dict[str, Any]]:
    return [{"step": s, "caption": series.captions.get(s), **document} for s, document in series.values]


__all__ = ["ErrorHandlerType", "Experiment"]
