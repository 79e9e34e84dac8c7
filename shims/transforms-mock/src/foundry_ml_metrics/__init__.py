"""Metric sets, the older way to record figures about a model version (planned for deprecation in Foundry).

A set names one model version and the transaction of its input; ``save`` writes it as JSON into the output dataset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from foundry_ml_metrics.charts import Chart
from palantir_models.errors import ExperimentError
from palantir_models.media import image_document

__all__ = ["MetricSet"]

FILE = "metrics.json"


class MetricSet:
    """Figures of one model version on one input.

    Args:
        model: the UUID part of ``model_input.model_version_rid``, the rid itself, or the adapter received for a
        ModelInput.
        input_data: a transform input; its transaction is recorded.
    """

    def __init__(self, model: Any, input_data: Any) -> None:
        rid = getattr(model, "model_version_rid", model)
        if not isinstance(rid, str):
            raise ExperimentError(
                "MetricSet", f"{type(model).__name__} names no model version.", "Give its RID or UUID."
            )
        if not hasattr(input_data, "end_transaction_rid") and not hasattr(input_data, "rid"):
            raise ExperimentError(
                "MetricSet", f"{type(input_data).__name__} is no transform input.", "Its transaction counts."
            )
        self.model_version = rid.rsplit(".", 1)[-1]
        self.dataset = getattr(input_data, "rid", None)
        self.transaction = getattr(input_data, "end_transaction_rid", None)
        self._metrics: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, name: str, value: Any, subset: Mapping[str, str] | None = None, stage: str | None = None) -> None:
        """Sets one figure, chart or picture; ``subset`` (column -> value) empty means overall. The same key
        overwrites.
        """
        key = (name, json.dumps(dict(subset or {}), sort_keys=True))
        entry = {"name": name, "subset": dict(subset or {}), "stage": stage}
        self._metrics[key] = {**entry, **_value(name, value)}

    def to_json(self) -> dict[str, Any]:
        """The whole set as JSON types."""
        return {
            "modelVersion": self.model_version,
            "dataset": self.dataset,
            "transaction": self.transaction,
            "metrics": list(self._metrics.values()),
        }

    def save(self, output: Any) -> None:
        """Writes the set into a transform output."""
        with output.filesystem().open(FILE, "w") as stream:
            json.dump(self.to_json(), stream, indent=1, sort_keys=True)


def _value(name: str, value: Any) -> dict[str, Any]:
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"number": value}
    if isinstance(value, Chart):
        return {"chart": value.to_json()}
    figure = value.get_figure() if callable(getattr(value, "get_figure", None)) else value
    if callable(getattr(figure, "savefig", None)):
        import io

        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        return {"image": image_document(stream.getvalue(), f"metric {name!r}")}
    raise ExperimentError(f"metric {name!r}", f"{type(value).__name__} is no figure, chart or picture.")
