"""What a request is refused with: one document per mistake, under the names of the public API.

Every refusal is ``{"errorCode", "errorName", "errorInstanceId", "parameters"}``; the id is in the server's log, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from palantir_models.errors import InferenceInputError


class Refusal(Exception):  # noqa: N818 - an answer to a caller, not a failure of ours
    """One refusal. ``args``: status, code, name, parameters, headers."""

    def __init__(
        self,
        status: int,
        code: str,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, name, parameters, headers)
        self.status, self.code, self.name = status, code, name
        self.parameters, self.headers = dict(parameters or {}), dict(headers or {})

    def document(self, instance: str) -> dict[str, Any]:
        """The body; ``instance`` is the request's id."""
        return {
            "errorCode": self.code,
            "errorName": self.name,
            "errorInstanceId": instance,
            "parameters": self.parameters,
        }

    def __str__(self) -> str:
        said = self.parameters.get("errorMessage") or self.parameters.get("reason") or ""
        return f"{self.name}: {said}" if said else self.name


def invalid_input(error: InferenceInputError) -> Refusal:
    """The request does not fit what the model declares."""
    parameters = {"errorType": error.error_type, "errorMessage": str(error)}
    return Refusal(400, "INVALID_ARGUMENT", "InferenceInvalidInput", parameters)


def model_failed(error: BaseException) -> Refusal:
    """The adapter raised. Its text goes to the caller, its traceback to the log."""
    parameters = {"errorMessage": f"{type(error).__name__}: {error}"}
    return Refusal(400, "INVALID_ARGUMENT", "InferenceFailure", parameters)


def timed_out(seconds: float) -> Refusal:
    """No answer in time. Foundry calls it an internal error (500); 504 tells proxies and clients what happened."""
    return Refusal(504, "TIMEOUT", "InferenceTimeout", {"timeoutSeconds": seconds})


def malformed(reason: str) -> Refusal:
    """No JSON, or JSON of the wrong shape."""
    return Refusal(422, "INVALID_ARGUMENT", "MalformedRequest", {"reason": reason})


def media_type(given: str) -> Refusal:
    """A body that does not call itself JSON."""
    reason = f"the body is {given or 'of no type'}; send Content-Type: application/json"
    return Refusal(415, "INVALID_ARGUMENT", "UnsupportedMediaType", {"reason": reason})


def too_large(limit: int) -> Refusal:
    """A body above the limit; it was not read to its end."""
    return Refusal(413, "REQUEST_ENTITY_TOO_LARGE", "RequestEntityTooLarge", {"limitBytes": limit})


def too_slow(seconds: float) -> Refusal:
    """The body did not arrive in time; the connection is closed."""
    return Refusal(408, "TIMEOUT", "RequestTimeout", {"timeoutSeconds": seconds}, {"Connection": "close"})


def too_many(retry_after: float) -> Refusal:
    """The line is full, or the bodies on their way fill the memory set aside for them."""
    seconds = str(max(1, math.ceil(retry_after)))
    return Refusal(
        429, "RATE_LIMITED", "TooManyRequests", {"retryAfterSeconds": int(seconds)}, {"Retry-After": seconds}
    )


def unknown_deployment(rid: str, served: str) -> Refusal:
    """Another deployment was asked for."""
    parameters = {"liveDeploymentRid": rid, "reason": f"this server has {served}"}
    return Refusal(404, "NOT_FOUND", "LiveDeploymentNotFound", parameters)


def not_ready(reason: str) -> Refusal:
    """No version is loaded, or no worker is left."""
    return Refusal(503, "UNAVAILABLE", "LiveDeploymentNotReady", {"reason": reason}, {"Retry-After": "5"})


def not_allowed(host: str) -> Refusal:
    """Without tokens only this machine is served, and a page of another site must not pass for it."""
    parameters = {"reason": f"without tokens only loopback names are answered, not {host!r}"}
    return Refusal(403, "PERMISSION_DENIED", "HostNotAllowed", parameters)


def unauthorized() -> Refusal:
    """No token, or one nobody has."""
    parameters = {"reason": "send Authorization: Bearer TOKEN"}
    return Refusal(401, "UNAUTHORIZED", "Unauthorized", parameters, {"WWW-Authenticate": "Bearer"})


def no_such_page(status: int, headers: Mapping[str, str] | None) -> Refusal:
    """A path or method that does not exist; ``headers`` name the methods that do."""
    if status == 405:
        reason = {"reason": "no such method here; see /docs"}
        return Refusal(405, "INVALID_ARGUMENT", "MethodNotAllowed", reason, headers)
    return Refusal(status, "NOT_FOUND", "NotFound", {"reason": "no such path; see /docs"}, headers)


def internal() -> Refusal:
    """A fault of ours; the log has the traceback under the same id."""
    return Refusal(500, "INTERNAL", "Internal", {"reason": "a fault of the server; its log says which"})
