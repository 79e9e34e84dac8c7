"""Sends an e-mail over SMTP, with TLS unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import parseaddr
from typing import ClassVar

from mirror.health.delivery.messages import Message
from mirror.health.delivery.sinks.limits import seconds_of
from mirror.health.delivery.sinks.secrets import Secret
from mirror.health.delivery.sinks.sink import NotDeliveredError, Surroundings

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_TLS = ("starttls", "tls", "none")


class EmailSink:
    """``host``, ``port``, ``sender``, ``to``; ``tls`` (``starttls``, ``tls`` or ``none``); ``user`` and ``password``.

    ``none`` is for servers on this machine only. The message's id makes the ``Message-ID``, which is the same when it
    is sent again. The time limit holds for each answer of the server.
    """

    type: ClassVar[str] = "email"
    keys: ClassVar[frozenset[str]] = frozenset(
        {"host", "port", "sender", "to", "tls", "user", "password", "timeout_seconds"}
    )

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None:
        self._host = _text(settings, "host")
        self._sender = _address("sender", settings.get("sender"))
        to = settings.get("to")
        if not isinstance(to, list) or not to:
            raise ValueError('to must list addresses: to = ["ops@example.org"]')
        self._to = [_address("to", one) for one in to]
        self._tls = settings.get("tls", "starttls")
        if self._tls not in _TLS:
            raise ValueError(f"tls must be one of {', '.join(_TLS)}")
        if self._tls == "none" and self._host not in _LOCAL:
            raise ValueError(f'tls = "none" would send alerts in the clear to {self._host}; use starttls or tls')
        port = settings.get("port", {"starttls": 587, "tls": 465, "none": 25}[str(self._tls)])
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError("port must be a number between 1 and 65535")
        self._port = port
        if ("user" in settings) != ("password" in settings):
            raise ValueError("user and password go together")
        self._user = _text(settings, "user") if "user" in settings else None
        self._password = (
            Secret.parse("password", settings["password"], surroundings) if self._user is not None else None
        )
        self._seconds = seconds_of(settings)

    def send(self, message: Message) -> None:
        """Every address must be taken; what the server says about the message is told, not how it was logged in to."""
        password = None if self._password is None else self._password.reveal()
        try:
            with self._server() as server:
                if self._user is not None and password is not None:
                    server.login(self._user, password)
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPAuthenticationError as error:
            raise NotDeliveredError(f"{self._host} refused the login ({error.smtp_code})", False) from None
        except smtplib.SMTPRecipientsRefused:
            raise NotDeliveredError(f"{self._host} takes none of the addresses", False) from None
        except smtplib.SMTPResponseException as error:
            raise NotDeliveredError(f"{self._host} answered {error.smtp_code}", error.smtp_code < 500) from None
        except TimeoutError:
            raise NotDeliveredError(f"{self._host} gave no answer within {self._seconds:g} seconds", True) from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotDeliveredError(f"{self._host} cannot be talked to ({type(error).__name__})", True) from None
        if refused:
            raise NotDeliveredError(f"{self._host} does not take {', '.join(sorted(refused))}", False)

    def _server(self) -> smtplib.SMTP:
        if self._tls == "tls":
            secure = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._seconds, context=secure)
        server = smtplib.SMTP(self._host, self._port, timeout=self._seconds)
        if self._tls == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Subject"] = message.subject
        mail["Message-ID"] = f"<{message.id}@{self._sender.rpartition('@')[2]}>"
        mail["X-Priority"] = "1" if message.severity in ("CRITICAL", "HIGH") else "3"
        mail.set_content("\n".join((", ".join(message.recipients), *message.lines)) + "\n")
        return mail


def _text(settings: Mapping[str, object], key: str) -> str:
    value = settings.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a text")
    return value


def _address(key: str, value: object) -> str:
    if isinstance(value, str) and value == parseaddr(value)[1] and "@" in value and value.isprintable():
        return value
    raise ValueError(f"{key} must be a mail address such as ops@example.org, not {value!r}")
