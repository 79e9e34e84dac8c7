"""Metric sets and custom evaluators, the older way to record figures."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foundry_ml_metrics import MetricSet
from foundry_ml_metrics.charts import bar, line
from foundry_ml_metrics.evaluation import ComputedMetricValue, Evaluator, Field
from palantir_models.errors import ExperimentError

INPUT = SimpleNamespace(rid="ri.data", end_transaction_rid="ri.transaction.7")


class Folder:
    """A transform output over a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def filesystem(self) -> Folder:
        return self

    def open(self, path: str, mode: str) -> Any:
        return (self.root / path).open(mode)


def test_a_set_names_version_and_transaction_and_overwrites_by_key(tmp_path: Path) -> None:
    import matplotlib.figure

    found = MetricSet("ri.models.main.model-version.abc-1", INPUT)
    found.add("accuracy", 0.5)
    found.add("accuracy", np.float64(0.75))
    found.add("accuracy", 1, subset={"site": "north"}, stage="final")
    found.add("roc", line([0, 1], [0, 1]))
    found.add("count", bar(["a", "b"], [1, 2]))
    found.add("plot", matplotlib.figure.Figure(figsize=(1, 1)))
    found.save(Folder(tmp_path))
    stored = json.loads((tmp_path / "metrics.json").read_text())
    assert (stored["modelVersion"], stored["dataset"], stored["transaction"]) == (
        "abc-1",
        "ri.data",
        "ri.transaction.7",
    )
    assert [(m["name"], m["subset"], m.get("number")) for m in stored["metrics"][:2]] == [
        ("accuracy", {}, 0.75), ("accuracy", {"site": "north"}, 1),
    ]  # fmt: skip
    assert stored["metrics"][2]["chart"] == {"kind": "line", "xs": [0, 1], "ys": [0.0, 1.0]}
    assert stored["metrics"][4]["image"]["png"].startswith("iVBOR")


def test_what_is_no_version_input_or_figure_is_refused() -> None:
    for misuse, text in (
        (lambda: MetricSet(7, INPUT), "int names no model version"),
        (lambda: MetricSet("abc", pd.DataFrame()), "DataFrame is no transform input"),
        (lambda: MetricSet("abc", INPUT).add("x", "high"), "metric 'x': str is no figure, chart or picture"),
        (lambda: line([1], [1, 2]), "line chart: 1 xs meet 2 ys"),
    ):
        with pytest.raises(ExperimentError, match=text):
            misuse()


class Share(Evaluator):
    """:display-name: Share of flagged rows"""

    def __init__(self, flag: Field[int]) -> None:
        self.flag = flag

    def apply_spark(self, df: Any) -> list[ComputedMetricValue]:
        return [ComputedMetricValue("share", float(df[self.flag.name].mean()))]


def test_a_custom_evaluator_computes_from_a_frame() -> None:
    (value,) = Share(Field("flagged")).apply_spark(pd.DataFrame({"flagged": [0, 1]}))
    assert (value.metric_name, value.metric_value) == ("share", 0.5)
    with pytest.raises(TypeError, match="abstract"):
        Evaluator()  # type: ignore[abstract]
