"""Requests in the three forms: answers, casts, and every refusal by its documented name."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from .conftest import Live, connect

JSON = {"Content-Type": "application/json"}


def test_the_three_forms_carry_the_same_rows(live: Live) -> None:
    rows = [{"x": "2.5", "n": 3.6, "at": "2026-01-05T06:00:00+00:00", "on": 1, "text": 5, "day": "2026-01-05", "k": 7}]
    bodies: dict[str, Any] = {
        "v1": {"requestData": rows, "requestParams": {"mode": "plain"}},
        "v2": {"df_in": rows},
        "transformJson": {"input": {"df_in": rows}},
    }
    found = {form: live.client.post(live.url(form), json=body) for form, body in bodies.items()}
    assert {form: answer.status_code for form, answer in found.items()} == dict.fromkeys(bodies, 200)
    v2 = found["v2"].json()
    assert found["transformJson"].json() == {"output": v2}
    served = live.server.parts.follower.served
    assert served is not None
    assert found["v1"].json() == {"modelUuid": served.version.rid.rsplit(".", 1)[-1], "responseData": v2["df_out"]}
    assert {answer.headers["x-model-version"] for answer in found.values()} == {served.version.rid}
    row = v2["df_out"][0]
    assert row.pop("kinds") == {
        "x": "float", "n": "int", "at": "Timestamp", "on": "bool", "text": "str", "day": "date", "k": "int",
    }  # fmt: skip
    assert row == {
        "x": 2.5, "n": 3, "at": "2026-01-05T06:00:00+00:00", "on": True, "text": "5", "day": "2026-01-05", "k": 7,
        "level": 1.0,
    }  # fmt: skip
    assert live.client.post("/api" + live.url("transformJson"), json=bodies["transformJson"]).status_code == 200


def test_a_missing_value_is_null_in_both_directions(live: Live) -> None:
    answer = live.ask({"x": None}).json()["df_out"][0]
    assert answer["x"] is None
    assert answer["kinds"]["x"] == "float"
    assert live.client.post(live.url(), json={"df_in": []}).json() == {"df_out": []}


REFUSED = [
    pytest.param("v2", {"df_in": [{"n": 1}]}, "requiredValueMissing", "column 'x' is missing", id="no column"),
    pytest.param("v2", {"df_in": [{"x": "warm"}]}, "typeMismatch", "'warm' (str) is no float", id="no number"),
    pytest.param("v2", {"df_in": [{"x": "NaN"}]}, "typeMismatch", "'NaN' (str) is no float", id="NaN as text"),
    pytest.param("v2", {"df_in": [{"x": "-inf"}]}, "typeMismatch", "is no float", id="infinity as text"),
    pytest.param("v2", '{"df_in": [{"x": NaN}]}', "typeMismatch", "holds NaN, which is no number", id="NaN"),
    pytest.param("v2", '{"df_in": [{"x": 1, "y": [-Infinity]}]}', "typeMismatch", "holds -Infinity", id="infinity"),
    pytest.param("v2", '{"df_in": [{"x": 1e999}]}', "typeMismatch", "holds 1e999", id="beyond a double"),
    pytest.param("v2", {"df_in": [{"x": 1, "at": "soon"}]}, "typeMismatch", "'soon' (str) is no datetime", id="time"),
    pytest.param("v2", {"df_in": [{"x": 1, "n": [1]}]}, "typeMismatch", "is no int", id="a list"),
    pytest.param("v2", {"df_in": {"x": [1]}}, "invalidTabularFormat", "give a list of row objects", id="columns"),
    pytest.param("v2", {"df_im": []}, "unknownInputName", "Did you mean 'df_in'?", id="unknown input"),
    pytest.param("v2", {"mode": "plain"}, "requiredValueMissing", "without its input 'df_in'", id="no table"),
    pytest.param("v2", {"df_in": [{"x": 1}], "mode": 5}, "typeMismatch", "5 (int) is no str", id="parameter"),
    pytest.param("v1", {"requestData": [{"n": 1}]}, "requiredValueMissing", "column 'x' is missing", id="v1"),
    pytest.param("v1", {"requestData": [], "requestParams": {"z": 1}}, "unknownInputName", "input 'z'", id="v1 params"),
    pytest.param("transformJson", {"input": {"z": 1}}, "unknownInputName", "input 'z'", id="transformJson"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "body", "error_type", "text"), REFUSED)
def test_a_request_that_does_not_fit_is_400_with_the_reason(
    live: Live, form: str, body: Any, error_type: str, text: str
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = live.client.post(live.url(form), content=content, headers=JSON)
    document = answer.json()
    assert (answer.status_code, document["errorCode"]) == (400, "INVALID_ARGUMENT")
    assert document["errorName"] == "InferenceInvalidInput"
    assert document["errorInstanceId"] == answer.headers["x-request-id"]
    assert document["parameters"]["errorType"] == error_type
    assert text in document["parameters"]["errorMessage"]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("v2", b'{"df_in": [{"x": 1}'),
        ("v2", b"[1, 2]"),
        ("v2", b"\xff\xfe\xfd"),
        ("v2", b"[" * 100_000),
        ("v2", b'{"df_in": [{"x": ' + b"9" * 5000 + b"}]}"),
        ("v1", b'{"df_in": []}'),
        ("v1", b'{"requestParams": {}}'),
        ("v1", b'{"requestData": [], "requestParams": {"df_in": []}}'),
        ("transformJson", b'{"df_in": []}'),
        ("transformJson", b'{"input": []}'),
    ],
)
def test_what_is_no_request_is_422(live: Live, form: str, content: bytes) -> None:
    answer = live.client.post(live.url(form), content=content, headers=JSON)
    assert (answer.status_code, answer.json()["errorName"]) == (422, "MalformedRequest")
    assert answer.json()["parameters"]["reason"]


def test_what_the_model_raises_is_its_callers_answer_and_its_traceback_the_logs(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    answer = live.ask(mode="raise")
    document = answer.json()
    assert (answer.status_code, document["errorName"]) == (400, "InferenceFailure")
    assert document["parameters"] == {"errorMessage": "ValueError: the window is older than the model"}
    assert "Traceback" not in answer.text
    told = next(record for record in caplog.records if record.message == "model_failed")
    assert told.facts["id"] == document["errorInstanceId"]  # type: ignore[attr-defined]
    assert told.exc_info is not None


def test_other_refusals_have_the_same_shape(live: Live) -> None:
    other = live.url().replace(live.rid, live.rid[:-1] + "x")
    asked: dict[str, httpx.Response] = {
        "LiveDeploymentNotFound": live.client.post(other, json={}),
        "NotFound": live.client.post("/foundry-ml-live/api", json={}),
        "MethodNotAllowed": live.client.get(live.url()),
        "UnsupportedMediaType": live.client.post(live.url(), content=b"{}", headers={"Content-Type": "text/plain"}),
        "HostNotAllowed": live.client.get("/docs", headers={"Host": "attacker.example"}),
    }
    assert {name: (a.status_code, a.json()["errorName"]) for name, a in asked.items()} == {
        "LiveDeploymentNotFound": (404, "LiveDeploymentNotFound"), "NotFound": (404, "NotFound"),
        "MethodNotAllowed": (405, "MethodNotAllowed"), "UnsupportedMediaType": (415, "UnsupportedMediaType"),
        "HostNotAllowed": (403, "HostNotAllowed"),
    }  # fmt: skip
    keys = {"errorCode", "errorName", "errorInstanceId", "parameters"}
    assert all(set(answer.json()) == keys for answer in asked.values())
    assert asked["LiveDeploymentNotFound"].json()["parameters"]["liveDeploymentRid"] == live.rid[:-1] + "x"


def test_the_interface_is_told_from_the_models_declaration(live: Live) -> None:
    document = live.client.get("/openapi.json").json()
    assert set(document["paths"]) == {live.url(form) for form in ("v1", "v2", "transformJson")}
    post = document["paths"][live.url("v2")]["post"]
    row = post["requestBody"]["content"]["application/json"]["schema"]["properties"]["df_in"]["items"]
    assert row["required"] == ["x"]
    assert row["properties"]["at"] == {"type": ["string", "null"], "format": "date-time"}
    assert {"200", "400", "413", "422", "429", "503", "504"} <= set(post["responses"])
    page = live.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<td>at</td><td>timestamp</td>" in page.text
    assert "<script" not in page.text


def test_requests_are_counted_logged_and_kept(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="mirror.serving")
    good, bad = live.ask({"x": 1.5}), live.ask({"x": "cold"})
    kept = live.server.parts.history
    assert kept is not None
    ids = {good.headers["x-request-id"]: good, bad.headers["x-request-id"]: bad}

    def rows() -> dict[str, dict[str, Any]]:
        found = [json.loads(line) for line in kept.file.read_text().splitlines()]
        return {row["request_uuid"]: row for row in found if row["request_uuid"] in ids}

    live.until(lambda: len(rows()) == 2)
    first, second = (rows()[rid] for rid in ids)
    assert list(first) == [
        "timestamp", "user_id", "request_uuid", "live_rid", "objective_rid", "model_rid", "model_version_rid", "input",
        "output", "error",
    ]  # fmt: skip
    assert (json.loads(first["input"])["df_in"], first["output"], first["error"]) == ([{"x": 1.5}], good.text, None)
    assert (second["output"], "'cold' (str) is no float" in second["error"]) == (None, True)
    assert (first["live_rid"], first["model_version_rid"]) == (live.rid, good.headers["x-model-version"])
    assert kept.file.stat().st_mode & 0o777 == 0o600

    def logged() -> dict[str, dict[str, Any]]:
        return {r.facts["id"]: r.facts for r in list(caplog.records) if r.message == "request"}  # type: ignore[attr-defined]

    live.until(lambda: ids.keys() <= logged().keys())  # another thread writes the lines
    told = logged()
    assert [(told[rid]["endpoint"], told[rid]["status"], told[rid]["version"]) for rid in ids] == [
        ("v2", 200, "1.0.0"), ("v2", 400, "1.0.0"),
    ]  # fmt: skip
    text = live.client.get("/metrics").text
    assert 'mirror_live_requests_total{endpoint="v2",status="200"}' in text
    assert 'mirror_live_request_seconds_bucket{endpoint="v2",le="+Inf"}' in text
    assert "mirror_live_ready 1\n" in text
    assert "mirror_live_body_bytes_held 0\n" in text


@pytest.mark.nightly
def test_every_answer_belongs_to_its_request(live: Live) -> None:
    found: dict[int, float] = {}

    def ask(number: int) -> None:
        with connect(live.server) as client:
            for turn in range(3):
                found[10 * number + turn] = live.ask({"x": 10 * number + turn}, client=client).json()["df_out"][0]["x"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 36
    assert all(key == value for key, value in found.items())
