"""What the deployment tells about itself: OpenAPI from the model's ``api()``, and a page that needs no other site."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from mirror.serving.deployment import Deployment
from mirror.serving.follower import Served
from mirror.serving.settings import Limits

_JSON_TYPES: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "long": {"type": "integer"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_SAMPLES: dict[str, Any] = {
    "boolean": True, "integer": 1, "long": 1, "float": 0.5, "double": 0.5, "string": "text", "date": "2026-01-05",
    "timestamp": "2026-01-05T06:00:00+00:00", "array": [], "map": {},
}  # fmt: skip
ERRORS = {
    400: "the request does not fit the model, or the model raised", 401: "no token, or an unknown one",
    404: "another deployment", 408: "the body did not arrive in time", 413: "the body is too long",
    415: "the body does not call itself JSON", 422: "no JSON, or of the wrong shape",
    429: "too many requests: wait as long as Retry-After says", 500: "a fault of the server",
    503: "no version is loaded", 504: "no answer in time",
}  # fmt: skip


def openapi(deployment: Deployment, served: Served) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a deployment as it serves now."""
    wire = served.api.wire()
    inputs, outputs = (_object(wire[side]) for side in ("inputs", "outputs"))
    base = f"/foundry-ml-live/api/inference/transform/{deployment.rid}"
    paths = {
        f"{base}/v2": _post("One key per input, one per output.", inputs, outputs),
        f"/v2/models/liveDeployments/{deployment.rid}/transformJson": _post(
            "The same within input and output.", _within("input", inputs), _within("output", outputs)
        ),
    }
    tables = [entry for entry in wire["inputs"] if entry["type"] == "tabular"]
    if len(tables) == 1 and [entry["type"] for entry in wire["outputs"]] == ["tabular"]:
        others = _object([entry for entry in wire["inputs"] if entry["type"] != "tabular"])
        request = {"requestData": _schema(tables[0]), "requestParams": others}
        answer = {"modelUuid": {"type": "string"}, "responseData": _schema(wire["outputs"][0])}
        paths[base] = _post(
            "One table in, one table out.",
            {"type": "object", "properties": request, "required": ["requestData"]},
            {"type": "object", "properties": answer},
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": deployment.model.path, "version": served.version.semantic},
        "paths": paths,
        "components": {
            "schemas": {"Refusal": _refusal()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def page(deployment: Deployment, served: Served, limits: Limits) -> str:
    """The same for people: one HTML page without scripts."""
    wire = served.api.wire()
    sample = {entry["name"]: _sample(entry) for entry in wire["inputs"]}
    return str(
        _template().render(
            deployment=deployment, served=served, limits=limits, errors=ERRORS,
            sides=(("Inputs", wire["inputs"]), ("Outputs", wire["outputs"])),
            sample=json.dumps(sample, indent=2), type_text=_type_text,
            base=f"/foundry-ml-live/api/inference/transform/{deployment.rid}",
        )
    )  # fmt: skip


@lru_cache(maxsize=1)
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mirror.serving"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("docs.html.j2")


def _post(summary: str, request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    responses = {str(status): {"description": text, "content": refused} for status, text in ERRORS.items()}
    responses["200"] = {"description": "the answer", "content": {"application/json": {"schema": answer}}}
    body = {"required": True, "content": {"application/json": {"schema": request}}}
    return {"post": {"summary": summary, "requestBody": body, "responses": responses}}


def _within(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}


def _object(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {entry["name"]: _schema(entry) for entry in entries},
        "required": [entry["name"] for entry in entries if entry["required"]],
        "additionalProperties": False,
    }


def _schema(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["type"] != "tabular":
        return _type(entry.get("dataType", {"type": "any"}))
    columns = entry["columns"]
    # an untyped column may be left out of a row, as every column may hold null
    needed = [c["name"] for c in columns if c["required"] and c["dataType"]["type"] != "any"]
    properties = {c["name"]: _nullable(_type(c["dataType"])) for c in columns}
    row = {"type": "object", "properties": properties, "required": needed, "additionalProperties": True}
    return {"type": "array", "items": row}


def _type(document: dict[str, Any]) -> dict[str, Any]:
    name = document["type"]
    if name == "array":
        return {"type": "array", "items": _type(document["itemType"])}
    if name == "map":
        return {"type": "object", "additionalProperties": _type(document["valueType"])}
    return dict(_JSON_TYPES.get(name, {}))


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _refusal() -> dict[str, Any]:
    names = ("errorCode", "errorName", "errorInstanceId")
    return {
        "type": "object",
        "properties": {**{name: {"type": "string"} for name in names}, "parameters": {"type": "object"}},
        "required": [*names, "parameters"],
    }


def _sample(entry: dict[str, Any]) -> Any:
    if entry["type"] == "tabular":
        return [{c["name"]: _SAMPLES.get(c["dataType"]["type"]) for c in entry["columns"]}]
    return _SAMPLES.get(entry.get("dataType", {"type": "any"})["type"])


def _type_text(document: dict[str, Any]) -> str:
    if document["type"] == "array":
        return f"array of {_type_text(document['itemType'])}"
    if document["type"] == "map":
        return f"map of {_type_text(document['keyType'])} to {_type_text(document['valueType'])}"
    return str(document["type"])
