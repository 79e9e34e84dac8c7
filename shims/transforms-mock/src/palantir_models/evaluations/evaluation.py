"""An evaluation: figures about one model version, measured inside a transform and visible when its job commits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from palantir_models.errors import ExperimentError
from palantir_models.media import bounded, checked_caption, checked_name, image_document, plot_document, table_document
from transforms._names import Named


class Evaluation(Named):
    """Made with ``model_input.create_evaluation()``; belongs to exactly one model version.

    Subsets are a naming convention: ``warehouse/accuracy`` is the accuracy of the group ``warehouse``.
    """

    def __init__(self, name: str, evaluation_set: str, model_version_rid: str) -> None:
        self.name = checked_name(name, "evaluation")
        self.evaluation_set = evaluation_set
        self.model_version_rid = model_version_rid
        self._metrics: dict[str, float | int] = {}
        self._images: dict[str, Any] = {}
        self._plots: dict[str, Any] = {}
        self._tables: dict[str, Any] = {}

    @property
    def evaluation_rid(self) -> str:
        """Derived from version, set and name, so a repeated build names the same evaluation."""
        key = f"{self.model_version_rid}/{self.evaluation_set}/{self.name}"
        return f"ri.models.main.evaluation.{uuid5(NAMESPACE_URL, key)}"

    def log_metric(self, key: str, value: float) -> None:
        """Sets one figure; the same key overwrites."""
        checked_name(key, "metric")
        if hasattr(value, "item") and hasattr(value, "dtype"):
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ExperimentError(f"metric {key!r}", f"{value!r} is no number.")
        self._metrics[key] = value

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Sets several figures."""
        for key, value in metrics.items():
            self.log_metric(key, value)

    def log_image(self, name: str, image: Any, caption: str | None = None) -> None:
        """Sets a picture: PNG path, PNG bytes or Pillow image, at most 5 MB."""
        document = bounded(image_document(image, f"image {name!r}"), f"image {name!r}")
        self._images[checked_name(name, "image")] = {**document, "caption": checked_caption(caption, f"image {name!r}")}

    def log_plot(self, name: str, plot_data: Any, description: str | None = None) -> None:
        """Sets a Plotly figure, at most 5 MB."""
        document = bounded(plot_document(plot_data, f"plot {name!r}"), f"plot {name!r}")
        self._plots[checked_name(name, "plot")] = {**document, "description": description}

    def log_table(self, name: str, table: Any, description: str | None = None) -> None:
        """Sets a pandas or Polars table, at most 100,000 rows and 5 MB."""
        document = bounded(table_document(table, f"table {name!r}"), f"table {name!r}")
        self._tables[checked_name(name, "table")] = {**document, "description": description}

    @property
    def metrics(self) -> Mapping[str, float | int]:
        """The figures logged so far."""
        return dict(self._metrics)

    def to_json(self) -> dict[str, Any]:
        """The whole evaluation as JSON types."""
        return {
            "rid": self.evaluation_rid,
            "name": self.name,
            "evaluationSet": self.evaluation_set,
            "modelVersionRid": self.model_version_rid,
            "metrics": dict(self._metrics),
            "images": dict(self._images),
            "plots": dict(self._plots),
            "tables": dict(self._tables),
        }
