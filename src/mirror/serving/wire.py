"""The three forms of a request and its answer, and inference over one of them.

============== ================================================ ========================================
form           request                                          answer
============== ================================================ ========================================
v1             ``{"requestData": [rows], "requestParams": {}}`` ``{"modelUuid": ..., "responseData": [rows]}``
v2             one key per declared input                       one key per declared output
transformJson  ``{"input": {...}}``                             ``{"output": {...}}``
============== ================================================ ========================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from mirror.serving import answers
from palantir_models.declarations.fields import Api, Kind
from palantir_models.errors import InferenceInputError
from palantir_models.live import transform_json

if TYPE_CHECKING:
    from mirror.serving.follower import Served


@dataclass(frozen=True)
class Form:
    """One way to spell a request: ``read`` finds the inputs in a document, ``write`` makes the answer's document."""

    name: str
    read: Callable[[Any, Api], Mapping[str, Any]]
    write: Callable[[dict[str, Any], Served], dict[str, Any]]


def infer(served: Served, form: Form, body: bytes) -> bytes:
    """The answer to one request. Raises Refusal."""
    document = parse(body)
    inputs = form.read(document, served.api)
    try:
        outputs = transform_json(served.adapter, inputs)
        return json.dumps(form.write(outputs, served), allow_nan=False, separators=(",", ":")).encode()
    except InferenceInputError as error:
        raise answers.invalid_input(error) from None
    except Exception as error:
        raise answers.model_failed(error) from error


def parse(body: bytes) -> Any:
    """A JSON document whose every number is finite. Raises Refusal (400 for NaN and infinity, 422 for no JSON)."""
    try:
        return json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply or not UTF-8"
        raise answers.malformed(f"the body is no JSON document: {why}") from None


def _v1_read(document: Any, api: Api) -> Mapping[str, Any]:
    if not isinstance(document, dict) or set(document) - {"requestData", "requestParams"}:
        raise answers.malformed('the body is {"requestData": [rows], "requestParams": {}}, both keys spelled so')
    params = document.get("requestParams") or {}
    if "requestData" not in document or not isinstance(params, dict):
        raise answers.malformed("requestData holds the rows, requestParams is an object")
    tables = [f.name for f in api.inputs if f.kind is Kind.TABULAR]
    if len(tables) != 1 or [f.kind for f in api.outputs] != [Kind.TABULAR]:
        error = InferenceInputError(
            "this form", "needs a model with one table in and one table out.", "Use /v2.", "unsupportedType"
        )
        raise answers.invalid_input(error)
    if tables[0] in params:
        raise answers.malformed(f"{tables[0]!r} is the table: give it as requestData, not among requestParams")
    return {**params, tables[0]: document["requestData"]}


def _v1_write(outputs: dict[str, Any], served: Served) -> dict[str, Any]:
    return {"modelUuid": served.version.rid.rsplit(".", 1)[-1], "responseData": next(iter(outputs.values()))}


def _v2_read(document: Any, api: Api) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise answers.malformed(f"the body is an object with one key per input: {', '.join(api.input_names())}")
    return document


def _transform_json_read(document: Any, api: Api) -> Mapping[str, Any]:
    if not isinstance(document, dict) or set(document) != {"input"} or not isinstance(document["input"], dict):
        inputs = ", ".join(api.input_names())
        raise answers.malformed(f'the body is {{"input": {{...}}}} with one key per input: {inputs}')
    found: dict[str, Any] = document["input"]
    return found


V1 = Form("v1", _v1_read, _v1_write)
V2 = Form("v2", _v2_read, lambda outputs, _: outputs)
TRANSFORM_JSON = Form("transformJson", _transform_json_read, lambda outputs, _: {"output": outputs})


def _no_number(text: str) -> NoReturn:
    error = InferenceInputError(
        "the request", f"holds {text}, which is no number.", "Send null where a value is missing."
    )
    raise answers.invalid_input(error)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _no_number(text if len(text) <= 32 else f"{text[:32]}...")
    return value
