"""Live inference: casts, refusals with their wire names, and answers that are JSON."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import palantir_models as pm
from palantir_models.errors import InferenceInputError
from palantir_models.live import transform_json, write_value
from palantir_models.models.api import DFType, ModelApi, ModelApiColumn, ModelInput, ModelOutput

COLUMNS: list[Any] = [
    ("n", int), ("x", float), ("at", datetime.datetime), ("flag", bool), ("text", str), ("anything", Any),
]  # fmt: skip


class Echo(pm.ModelAdapter):
    """Gives back what arrived, with the Python types of the first row."""

    @classmethod
    def api(cls) -> Any:
        inputs = {
            "df_in": pm.Pandas(COLUMNS),
            "k": pm.Parameter(float, 1.5),
            "m": pm.Parameter(pm.NDArray((2, -1), float)),
        }
        return inputs, {"df_out": pm.Pandas(), "k": pm.Parameter(), "m": pm.Parameter(), "types": pm.Parameter()}

    def run_inference(self, inputs: Any, outputs: Any) -> None:
        outputs.df_out.write(inputs.df_in)
        outputs.k.write(inputs.k)
        outputs.m.write(inputs.m)
        row = inputs.df_in.iloc[0].to_dict() if len(inputs.df_in) else {}
        outputs.types.write({name: type(value).__name__ for name, value in row.items()})


ROW: dict[str, Any] = {
    "extra": "kept", "text": 5, "flag": "false", "at": "2026-01-05T06:00:00+00:00", "x": "2.5", "n": 3.6,
    "anything": {"a": 1},
}  # fmt: skip


def test_columns_are_cast_ordered_and_extra_ones_kept() -> None:
    answer = transform_json(Echo(), {"df_in": [ROW], "m": [[1], [2]]})
    assert list(answer["df_out"][0]) == ["n", "x", "at", "flag", "text", "anything", "extra"]
    assert answer["df_out"][0] == {
        "n": 3, "x": 2.5, "at": "2026-01-05T06:00:00+00:00", "flag": False, "text": "5", "anything": {"a": 1},
        "extra": "kept",
    }  # fmt: skip
    assert (answer["k"], answer["m"]) == (1.5, [[1.0], [2.0]])
    assert answer["types"]["at"] == "Timestamp"
    assert json.loads(json.dumps(answer)) == answer


def test_negative_numbers_truncate_towards_zero_and_nulls_stay() -> None:
    rows = [{**ROW, "n": -3.6, "at": None}, {**ROW, "n": 1, "at": None}]
    answer = transform_json(Echo(), {"df_in": rows, "m": [[1], [2]]})
    assert [(row["n"], row["at"]) for row in answer["df_out"]] == [(-3, None), (1, None)]
    assert transform_json(Echo(), {"df_in": [], "m": [[1], [2]]})["df_out"] == []
    alone = transform_json(Echo(), {"df_in": [{**ROW, "x": None}], "m": [[1], [2]]})
    assert (alone["df_out"][0]["x"], alone["types"]["x"]) == (None, "float")


@pytest.mark.parametrize(
    ("changes", "error_type", "text"),
    [
        ({"df_im": []}, "unknownInputName", "declares no input 'df_im'; it has df_in, k, m. Did you mean 'df_in'?"),
        ({"df_in": None}, "requiredValueMissing", "was called without its input 'df_in'"),
        ({"df_in": {"n": [1]}}, "invalidTabularFormat", "is a table: give a list of row objects"),
        ({"df_in": [{k: v for k, v in ROW.items() if k != "x"}]}, "requiredValueMissing", "column 'x' is missing"),
        ({"df_in": [{**ROW, "n": "many"}]}, "typeMismatch", "column 'n' of input 'df_in': 'many' (str) is no int"),
        ({"df_in": [{**ROW, "at": "yesterday"}]}, "typeMismatch", "'yesterday' (str) is no datetime"),
        ({"df_in": [{**ROW, "flag": "perhaps"}]}, "typeMismatch", "'perhaps' (str) is no bool"),
        ({"df_in": [{**ROW, "n": 1e400}]}, "typeMismatch", "is no int"),
        ({"df_in": [{**ROW, "x": float("inf")}]}, "typeMismatch", "column 'x' of input 'df_in': inf (float)"),
        ({"df_in": [{**ROW, "x": "nan"}]}, "typeMismatch", "'nan' (str) is no float"),
        ({"k": float("nan")}, "typeMismatch", "parameter 'k': nan (float) is no float"),
        ({"k": "2"}, "typeMismatch", "parameter 'k': '2' (str) is no float"),
        ({"m": [[1], [2], [3]]}, "invalidArrayShape", "has shape (3, 1), declared is (2, -1)"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_by_its_wire_name(
    changes: dict[str, Any], error_type: str, text: str
) -> None:
    with pytest.raises(InferenceInputError) as caught:
        transform_json(Echo(), {"df_in": [ROW], "m": [[1], [2]], **changes})
    assert caught.value.error_type == error_type
    assert text in str(caught.value)


def test_elements_and_keys_of_lists_and_dicts_are_cast() -> None:
    class Nested(pm.ModelAdapter):
        @classmethod
        def api(cls) -> Any:
            columns = [("xs", list[int]), ("by", dict[int, float]), ("media", pm.MediaReference)]
            inputs = {"df": pm.Pandas(columns), "steps": pm.Parameter(dict[int, list[float]])}
            return inputs, {"row": pm.Parameter(), "steps": pm.Parameter()}

        def run_inference(self, inputs: Any, outputs: Any) -> None:
            outputs.row.write(inputs.df.iloc[0].to_dict())
            outputs.steps.write([inputs.steps, [type(k).__name__ for k in inputs.df["by"][0]]])

    row = {"xs": ["1", 2.7], "by": {"3": "0.5"}, "media": '{"a": 1}'}
    answer = transform_json(Nested(), {"df": [row], "steps": {"1": [2]}})
    assert answer["row"] == {"xs": [1, 2], "by": {"3": 0.5}, "media": {"a": 1}}
    assert answer["steps"] == [{"1": [2.0]}, ["int"]]
    for changes, text in (({"xs": ["x"]}, "'x' (str) is no int"), ({"by": {"x": 1}}, "'x' (str) is no int")):
        with pytest.raises(InferenceInputError, match=re.escape(text)):
            transform_json(Nested(), {"df": [{**row, **changes}]})
    with pytest.raises(InferenceInputError, match=re.escape("parameter 'steps': '2' (str) is no float")):
        transform_json(Nested(), {"df": [row], "steps": {"1": ["2"]}})


def test_an_optional_column_and_an_untyped_one_may_be_absent() -> None:
    class Optional(pm.ModelAdapter):
        @classmethod
        def api(cls) -> Any:
            columns = [ModelApiColumn("a", float), ModelApiColumn("b", int, required=False), ModelApiColumn("c")]
            return ModelApi([ModelInput.Tabular("df", DFType.PANDAS, columns)], [ModelOutput.Tabular("out")])

        def predict(self, df: pd.DataFrame) -> pd.DataFrame:
            return df

    assert transform_json(Optional(), {"df": [{"a": 1}]}) == {"out": [{"a": 1.0, "b": None, "c": None}]}
    with pytest.raises(InferenceInputError, match="takes an object with one key per input, got list"):
        transform_json(Optional(), [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None), (np.float32(0.5), 0.5), (np.array([[1, 2]]), [[1, 2]]), (pd.NaT, None),
        (datetime.date(2026, 1, 5), "2026-01-05"), ({1: {"a"}}, {"1": ["a"]}),
        (pd.DataFrame({"a": [np.nan]}), [{"a": None}]),
    ],
)  # fmt: skip
def test_answers_are_json(value: Any, expected: Any) -> None:
    assert write_value(value) == expected
