"""Who may call: bearer tokens from a file, held and compared as digests, so that none can leak from memory or a log."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from pathlib import Path
from typing import Self

from mirror.serving.errors import TokenFileError

SHORTEST = 16
"""Characters of a token: fewer could be guessed by somebody who may try all day."""


class Tokens:
    """The tokens of one server, each with the name that inference history and log know its owner by."""

    def __init__(self, owners: dict[bytes, str]) -> None:
        self._owners = owners

    @classmethod
    def read(cls, file: Path) -> Self:
        """One ``NAME TOKEN`` or ``TOKEN`` a line; empty lines and those that start with ``#`` do not count.

        Raises TokenFileError, naming the line and never the token.
        """
        owners: dict[bytes, str] = {}
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise TokenFileError(str(file), 1, f"cannot be read: {why}.") from None
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) > 2:
                raise TokenFileError(str(file), number, "a line is `NAME TOKEN`; neither holds spaces.")
            if len(words[-1]) < SHORTEST:
                raise TokenFileError(
                    str(file), number,
                    f"the token is shorter than {SHORTEST} characters; make one with `openssl rand -hex 32`.",
                )  # fmt: skip
            owners[_digest(words[-1].encode())] = words[0] if len(words) == 2 else f"line-{number}"
        if not owners:
            raise TokenFileError(str(file), 1, "holds no token; write one `NAME TOKEN` a line.")
        return cls(owners)

    def owner(self, header: bytes | None, *, bare: bool = False) -> str | None:
        """Who sent an ``Authorization`` header, or ``None``. Takes as long for a near miss as for any other.

        Args:
            bare: take a token without the word ``Bearer``, as some old samples send it.
        """
        if header is None:
            return None
        scheme, _, token = header.strip().partition(b" ")
        if not token and bare:
            token = scheme
        elif scheme.lower() != b"bearer":
            return None
        given, found = _digest(token.strip()), None
        for digest, name in self._owners.items():
            if hmac.compare_digest(digest, given):
                found = name
        return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on ``host``; names other than ``localhost`` are not trusted."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
