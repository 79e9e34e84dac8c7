"""One HTTP POST with a limit on the whole of it, told about without its URL, which often is the secret itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from mirror.health.delivery.sinks.secrets import Secret
from mirror.health.delivery.sinks.sink import NotDeliveredError

_ANSWER_BYTES = 65_536
_LATER = frozenset({408, 425, 429})


def post(url: Secret, document: Any, headers: Mapping[str, str], seconds: float) -> None:
    """Returns when the receiver answered 2xx. Raises NotDeliveredError.

    The limit holds for connecting, sending and the whole answer together: a receiver that sends a byte now and then
    hangs as well. Redirects are not followed, because a message must not leave for a place that nobody configured.
    """
    address = url.reveal()
    try:
        status = asyncio.run(_status(address, document, headers, seconds))
    except TimeoutError as error:
        raise NotDeliveredError(f"no whole answer within {seconds:g} seconds", True) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise NotDeliveredError(f"the {url.what} is no http or https address", False) from None
    except httpx.HTTPError as error:
        # The text of these errors may hold the address.
        raise NotDeliveredError(f"the connection failed ({type(error).__name__})", True) from None
    if status >= 500 or status in _LATER:
        raise NotDeliveredError(f"it answered {status}", True)
    if status >= 300:
        hint = "it redirects, and redirects are not followed" if status < 400 else "it refuses the message"
        raise NotDeliveredError(f"it answered {status}: {hint}", False)


async def _status(address: str, document: Any, headers: Mapping[str, str], seconds: float) -> int:
    # Reading the certificates of all authorities takes longer than the message; without TLS nobody asks for them.
    verify = ssl.create_default_context() if address.lower().startswith("https:") else False
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds, trust_env=False, verify=verify) as client,
        client.stream("POST", address, json=document, headers=dict(headers)) as answer,
    ):
        got = 0
        async for chunk in answer.aiter_raw():
            got += len(chunk)
            if got > _ANSWER_BYTES:
                break
        return answer.status_code
