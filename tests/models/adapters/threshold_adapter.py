"""The smallest real adapter, for tests of whatever governs models and does not care what they compute."""

from __future__ import annotations

from typing import Any

import palantir_models as pm


class Threshold(pm.ModelAdapter):
    """Flags values above a limit."""

    @pm.auto_serialize(limit=pm.serializers.JsonSerializer(), facts=pm.serializers.JsonSerializer())
    def __init__(self, limit: float, facts: dict[str, Any]) -> None:
        self.limit, self.facts = limit, facts

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas([("x", float)])}, {"df_out": pm.Pandas()}

    def predict(self, df_in: Any) -> Any:
        return df_in.assign(flag=df_in["x"] > self.limit)
