"""Adapters in a module of their own, as Foundry demands of everything that is published."""

from __future__ import annotations

from typing import Any

import pandas as pd

import palantir_models as pm
from palantir_models.serializers import DillSerializer, JsonSerializer


class Bare(pm.ModelAdapter):
    """Every constructor argument with dill."""

    @pm.auto_serialize
    def __init__(self, model: Any, scale: float = 2.0) -> None:
        self.fitted, self.scale = model, scale

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas([("x", float)]), "shift": pm.Parameter(float, 0.0)}, {"df_out": pm.Pandas()}

    def predict(self, df_in: pd.DataFrame, shift: float) -> pd.DataFrame:
        return df_in.assign(y=df_in["x"] * self.scale + shift)


class Listed(pm.ModelAdapter):
    """One serializer per argument, one of them twice."""

    @pm.auto_serialize(first=DillSerializer(), second=DillSerializer(), facts=JsonSerializer())
    def __init__(self, first: Any, second: Any, facts: dict[str, Any]) -> None:
        self.first, self.second, self.facts = first, second, facts

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas()}, {"df_out": pm.Pandas()}

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
        return df_in


class ByHand(pm.ModelAdapter):
    """Writes ``save`` and ``load`` itself, in the older shape without optional contexts."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def api(cls) -> Any:
        return {}, {"text": pm.Parameter(str)}

    def save(self, state_writer: pm.ModelStateWriter) -> None:
        with state_writer.open("notes/text.txt", "w") as stream:
            stream.write(self.text)

    @classmethod
    def load(cls, state_reader: pm.ModelStateReader) -> ByHand:  # type: ignore[override]
        with state_reader.open("notes/text.txt", "r") as stream:
            return cls(stream.read())

    def predict(self) -> str:
        return self.text
