"""What the models in service made, put together: the first model's dataset and those that lie beside it.

A dataset has one producer, so each model writes its own, and who reads several names them. A model that is declared and
not in service is in none of these lists: it may wait for its release as long as it likes and holds up nobody.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.profiles.families import FurtherModel
from fleet_health.profiles.model import Profile
from transforms.api import Input


def inputs_beside(profile: Profile, name: str, minutes: int | None = None) -> dict[str, Input]:
    """One input per model in service beside the first.

    Args:
        profile: the fleet.
        name: of a dataset that each model has one of.
        minutes: only models that score windows of this length.
    """
    models = [one for one in profile.models_in_service if minutes in (None, one.window_duration_minutes)]
    return {_parameter(one, name): Input(paths.of_model(profile, one, name)) for one in models}


def by_family(profile: Profile, name: str, rows: DataFrame, inputs: Mapping[str, Any]) -> dict[str, DataFrame]:
    """``rows`` of the first model and, from the inputs of a transform, those of each model beside it."""
    beside = {one.family: inputs.get(_parameter(one, name)) for one in profile.models_in_service}
    return {
        profile.model.family: rows,
        **{family: one.dataframe() for family, one in beside.items() if one is not None},
    }


def together(profile: Profile, name: str, rows: DataFrame, inputs: Mapping[str, Any]) -> DataFrame:
    """The frames of :func:`by_family` in one."""
    return functools.reduce(DataFrame.unionByName, by_family(profile, name, rows, inputs).values())


def _parameter(model: FurtherModel, name: str) -> str:
    return f"{name}_of_{model.family}"
