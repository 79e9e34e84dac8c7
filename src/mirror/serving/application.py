"""The endpoints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from mirror.clock import Clock
from mirror.serving import answers
from mirror.serving.answers import Refusal
from mirror.serving.deployment import Deployment
from mirror.serving.documentation import openapi, page
from mirror.serving.door import Call, reply
from mirror.serving.follower import Follower, Served
from mirror.serving.history import Entry, History
from mirror.serving.metrics import Metrics
from mirror.serving.reception import Buffers, hung_up, receive_body
from mirror.serving.settings import Limits
from mirror.serving.wire import TRANSFORM_JSON, V1, V2, Form, infer
from mirror.serving.workline import (
    ClientGoneError,
    LineExhaustedError,
    LineFullError,
    OutOfTimeError,
    WorkLine,
)

OBJECTIVE_PATH = "/foundry-ml-live/api/inference/transform/{rid}"
PUBLIC_PATH = "/v2/models/liveDeployments/{rid}/transformJson"


@dataclass
class Parts:
    """What one server is made of."""

    deployment: Deployment
    limits: Limits
    follower: Follower
    line: WorkLine
    metrics: Metrics
    clock: Clock
    open_to_all: bool
    history: History | None = None
    buffers: Buffers = field(init=False)

    def __post_init__(self) -> None:
        self.buffers = Buffers(self.limits.buffered_bytes)


def application(parts: Parts) -> FastAPI:
    """The application; :class:`~mirror.serving.door.Door` belongs before it."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.router.redirect_slashes = False

    @app.exception_handler(Refusal)
    async def _refused(request: Request, refusal: Any) -> Response:
        call = _call(request)
        call.error = str(refusal)
        status, headers, body = reply(refusal, call)
        return Response(body, status, {**headers, "content-type": "application/json"})

    @app.exception_handler(HTTPException)
    async def _no_route(request: Request, error: Any) -> Response:
        return await _refused(request, answers.no_such_page(error.status_code, error.headers))

    @app.exception_handler(Exception)
    async def _fault(request: Request, _: Any) -> Response:
        # the door, which the exception reaches next, writes it down
        return await _refused(request, answers.internal())

    @app.post(OBJECTIVE_PATH)
    async def _v1(request: Request, rid: str) -> Response:
        return await _serve(parts, request, rid, V1)

    @app.post(OBJECTIVE_PATH + "/v2")
    async def _v2(request: Request, rid: str) -> Response:
        return await _serve(parts, request, rid, V2)

    @app.post("/api" + PUBLIC_PATH)
    @app.post(PUBLIC_PATH)
    async def _transform_json(request: Request, rid: str) -> Response:
        return await _serve(parts, request, rid, TRANSFORM_JSON)

    _add_pages(app, parts)
    return app


def _add_pages(app: FastAPI, parts: Parts) -> None:
    @app.get("/health/live")
    async def _live(request: Request) -> Response:
        _call(request).endpoint = "live"
        return JSONResponse({"live": not parts.line.exhausted}, 503 if parts.line.exhausted else 200)

    @app.get("/health/ready")
    async def _ready(request: Request) -> Response:
        call = _call(request)
        call.endpoint = "ready"
        ready = is_ready(parts)
        told = readiness(parts) if parts.open_to_all or call.user is not None else {"ready": ready}
        return JSONResponse(told, 200 if ready else 503)

    @app.get("/metrics")
    async def _metrics(request: Request) -> Response:
        _call(request).endpoint = "metrics"
        return PlainTextResponse(exposition(parts), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/openapi.json")
    async def _openapi(request: Request) -> Response:
        _call(request).endpoint = "openapi"
        return JSONResponse(openapi(parts.deployment, _served(parts)))

    @app.get("/docs")
    async def _docs(request: Request) -> Response:
        _call(request).endpoint = "docs"
        return HTMLResponse(page(parts.deployment, _served(parts), parts.limits))


def is_ready(parts: Parts) -> bool:
    """Whether a request would be computed."""
    return parts.follower.served is not None and not parts.line.exhausted


def readiness(parts: Parts) -> dict[str, Any]:
    """What is served, and why it is not what was released last."""
    served, trouble = parts.follower.served, parts.follower.trouble
    return {
        "ready": is_ready(parts),
        "deployment": parts.deployment.rid,
        "model": parts.deployment.model.path,
        "environment": parts.deployment.environment,
        "serving": None
        if served is None
        else {
            "version": served.version.semantic,
            "version_rid": served.version.rid,
            "sha256": served.version.sha256,
            "release": served.release.number,
        },
        "trouble": None if trouble is None else {"version": trouble.version, "reason": trouble.reason},
        "workers_stuck": parts.line.stuck,
    }


def exposition(parts: Parts) -> str:
    """The metrics as text."""
    served = parts.follower.served
    gauges = {
        "requests_running": parts.line.running,
        "requests_waiting": parts.line.waiting,
        "workers_stuck": parts.line.stuck,
        "body_bytes_held": parts.buffers.held,
        "ready": int(is_ready(parts)),
        "behind": int(served is not None and parts.follower.trouble is not None),
    }
    info = None
    if served is not None:
        version = served.version
        info = {"model": served.model.path, "version": version.semantic, "sha256": version.sha256}
    return parts.metrics.text(gauges, info)


async def _serve(parts: Parts, request: Request, rid: str, form: Form) -> Response:
    call, limits, began = _call(request), parts.limits, time.perf_counter()
    call.endpoint = form.name
    if rid != parts.deployment.rid:
        raise answers.unknown_deployment(rid, parts.deployment.rid)
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise answers.media_type(kind)
    _served(parts)
    with parts.buffers.portion() as take:
        try:
            # before the body is read, so that a full line costs nobody an upload
            parts.line.check()
            announced = request.headers.get("content-length")
            body = await receive_body(request.receive, announced, limits, take)
            return await _compute(parts, request, form, body, limits.request_seconds - (time.perf_counter() - began))
        except LineFullError:
            raise answers.too_many(1.0) from None
        except LineExhaustedError:
            raise answers.not_ready("every worker hangs in the model; restart the server") from None
        except ClientGoneError:
            call.error = "the client hung up"
            return Response(status_code=499)


async def _compute(parts: Parts, request: Request, form: Form, body: bytes, seconds: float) -> Response:
    call, served = _call(request), _served(parts)
    call.facts |= {"version": served.version.semantic, "bytes": len(body)}
    gone = asyncio.ensure_future(hung_up(request.receive))
    answer, error = None, None
    try:
        answer = await parts.line.run(_work(served, form, body), seconds, gone)
    except OutOfTimeError:
        refusal = answers.timed_out(parts.limits.request_seconds)
        error = str(refusal)
        raise refusal from None
    except Refusal as refusal:
        error = str(refusal)
        if refusal.__cause__ is not None:
            _log_failure(call, refusal)
        raise
    finally:
        gone.cancel()
        if parts.history is not None and (answer is not None or error is not None):
            at, rid = parts.clock(), served.version.rid
            parts.history.record(Entry(at, call.user, call.id, rid, body, answer, error))
    return Response(answer, media_type="application/json", headers={"X-Model-Version": served.version.rid})


def _work(served: Served, form: Form, body: bytes) -> Callable[[], bytes]:
    return lambda: infer(served, form, body)


def _log_failure(call: Call, refusal: Refusal) -> None:
    from mirror.serving.door import log

    log.warning("model_failed", extra={"facts": {"id": call.id}}, exc_info=refusal.__cause__)


def _served(parts: Parts) -> Served:
    served, trouble = parts.follower.served, parts.follower.trouble
    if served is None:
        raise answers.not_ready("the model is being loaded" if trouble is None else trouble.reason)
    return served


def _call(request: Request) -> Call:
    found: Call = request.scope["call"]
    return found
