"""Every sink against a real receiver: what arrives, what failure is told, and that no secret is in it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.health.alert_rows import equipment, quality
from tests.health.receivers import HookServer, MailServer, serving

from mirror.health.delivery.decide import Event
from mirror.health.delivery.messages import Message, message
from mirror.health.delivery.sinks import STDOUT, NotDeliveredError, Sinks, Surroundings, read_sinks
from mirror.health.errors import SinkSettingsError
from mirror.health.routing_file import shipped_routing

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHANNEL = ["#data-platform-alerts"]
MACHINES = ["#refrigeration-ops"]
NAME = "<!channel> & <b>unit</b> ü"


@pytest.fixture
def one() -> Message:
    return message([Event("raised", equipment(NAME, title=NAME))], "ops", "master", shipped_routing(), AT)


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer() as server, serving(server):
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server, serving(server):
        yield server


def _sinks(tmp_path: Path, printed: list[str] | None = None, env: dict[str, str] | None = None, **sinks: dict) -> Sinks:
    around = Surroundings(env or {}, tmp_path, (printed if printed is not None else []).append)
    return read_sinks({"sinks": sinks}, shipped_routing(), around)


def _hook(tmp_path: Path, server: HookServer, kind: str = "webhook", **more: object):
    settings = {"type": kind, "url": {"env": "HOOK"}, "serves": MACHINES, "timeout_seconds": 30, **more}
    return _sinks(tmp_path, env={"HOOK": server.url, "TOKEN": "t0k3n"}, ops=settings).named("ops")


def test_a_webhook_gets_the_document_its_id_and_the_token(tmp_path: Path, hook: HookServer, one: Message) -> None:
    _hook(tmp_path, hook, token={"env": "TOKEN"}).send(one)
    ((path, headers, document),) = hook.got
    assert path == "/hook/s3cr3t"
    assert headers["Authorization"] == "Bearer t0k3n"
    assert headers["Idempotency-Key"] == one.id
    assert Message.from_json(document) == one
    assert document["alerts"][0]["device"] == NAME


def test_slack_gets_text_in_which_no_name_can_call_the_channel(tmp_path: Path, hook: HookServer, one: Message) -> None:
    _hook(tmp_path, hook, "slack").send(one)
    ((_, _, document),) = hook.got
    assert "&lt;!channel&gt; &amp; &lt;b&gt;unit&lt;/b&gt; ü" in document["text"]
    assert not [block for block in document["blocks"] if "<" in block["text"]["text"]]
    many = [Event("raised", equipment(f"unit-{n}", why="x" * 400, id=str(n))) for n in range(40)]
    _hook(tmp_path, hook, "slack").send(message(many, "ops", "master", shipped_routing(), AT))
    assert all(len(block["text"]["text"]) <= 3000 for block in hook.got[-1][2]["blocks"])


def _drips(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(60):
        handler.wfile.write(b"X: y\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "said", "again"),
    [
        (500, "it answered 500", True),
        (429, "it answered 429", True),
        (404, "it answered 404: it refuses the message", False),
        (302, "it answered 302: it redirects, and redirects are not followed", False),
        pytest.param(lambda _: time.sleep(0.6), "no whole answer within 0.3 seconds", True, marks=pytest.mark.nightly),
        pytest.param(_drips, "no whole answer within 0.3 seconds", True, marks=pytest.mark.nightly),
        (lambda handler: handler.wfile.write(b"nonsense\r\n"), "the connection failed (RemoteProtocolError)", True),
    ],
    ids=["500", "429", "404", "302", "hangs", "drips", "nonsense"],
)
def test_a_hook_that_fails_is_told_without_its_address(
    tmp_path: Path, hook: HookServer, one: Message, answer, said: str, again: bool
) -> None:
    hook.answers = [answer]
    # Only what must run out of time gets little of it: the machine of a test may be busy with others.
    limit = {"timeout_seconds": 0.3} if "whole answer" in said else {}
    with pytest.raises(NotDeliveredError) as failed:
        _hook(tmp_path, hook, **limit).send(one)
    assert (str(failed.value), failed.value.again) == (said, again)
    assert len(hook.got) == 1 or limit


def test_a_secret_that_is_not_there_names_where_it_should_be(tmp_path: Path, one: Message) -> None:
    settings = {"type": "slack", "serves": MACHINES}
    with pytest.raises(NotDeliveredError, match="the environment variable OPS_HOOK, which should hold the url"):
        _sinks(tmp_path, ops={**settings, "url": {"env": "OPS_HOOK"}}).named("ops").send(one)
    (tmp_path / "hook.txt").write_text("  \n")
    with pytest.raises(NotDeliveredError, match=r"the file .*hook\.txt, which should hold the url"):
        _sinks(tmp_path, ops={**settings, "url": {"file": "hook.txt"}}).named("ops").send(one)
    (tmp_path / "hook.txt").write_text("ftp://s3cr3t\n")
    with pytest.raises(NotDeliveredError) as refused:
        _sinks(tmp_path, ops={**settings, "url": {"file": "hook.txt"}}).named("ops").send(one)
    assert str(refused.value) == "the url is no http or https address"


def _mail(tmp_path: Path, server: MailServer, **more: object):
    settings = {"type": "email", "host": "127.0.0.1", "port": server.server_address[1], "tls": "none"}
    settings |= {"sender": "mirror@example.org", "to": ["ops@example.org"], "serves": MACHINES, "timeout_seconds": 30}
    return _sinks(tmp_path, env={"PASSWORD": "pa55"}, ops={**settings, **more}).named("ops")


def test_a_mail_arrives_whole(tmp_path: Path, mail: MailServer, one: Message) -> None:
    _mail(tmp_path, mail, user="ops", password={"env": "PASSWORD"}).send(one)
    (got,) = mail.got
    assert got["Subject"] == f"[equipment] HIGH: {NAME}"
    assert (got["From"], got["To"], got["X-Priority"]) == ("mirror@example.org", "ops@example.org", "1")
    assert got["Message-ID"] == f"<{one.id}@example.org>"
    assert "do: site inspection: Inspect the unit today" in got.get_content()
    assert base64.b64decode(mail.logins[0].split()[-1]) == b"\0ops\0pa55"


@pytest.mark.parametrize(
    ("refuses", "said", "again"),
    [
        ({"RCPT": "550 no such user"}, "127.0.0.1 takes none of the addresses", False),
        ({"MAIL": "451 busy, pa55"}, "127.0.0.1 answered 451", True),
        ({"AUTH": "535 not pa55"}, "127.0.0.1 refused the login (535)", False),
    ],
)
def test_a_mail_server_that_refuses_is_told_without_the_password(
    tmp_path: Path, mail: MailServer, one: Message, refuses: dict[str, str], said: str, again: bool
) -> None:
    mail.refuses = refuses
    with pytest.raises(NotDeliveredError) as failed:
        _mail(tmp_path, mail, user="ops", password={"env": "PASSWORD"}).send(one)
    assert (str(failed.value), failed.value.again) == (said, again)


def test_a_file_gets_a_line_each_also_after_one_that_a_crash_cut_short(tmp_path: Path, one: Message) -> None:
    sink = _sinks(tmp_path, ops={"type": "file", "path": "out/alerts.jsonl", "serves": MACHINES}).named("ops")
    sink.send(one)
    file = tmp_path / "out" / "alerts.jsonl"
    file.write_bytes(file.read_bytes() + b'{"torn')
    sink.send(one)
    lines = file.read_text().splitlines()
    assert [Message.from_json(json.loads(lines[n])) for n in (0, 2)] == [one, one]
    assert lines[1] == '{"torn'
    (tmp_path / "taken").write_text("")
    blocked = _sinks(tmp_path, ops={"type": "file", "path": "taken/x", "serves": MACHINES}).named("ops")
    with pytest.raises(NotDeliveredError, match="taken/x cannot be written: "):
        blocked.send(one)


def test_what_no_sink_serves_is_printed(tmp_path: Path, one: Message) -> None:
    printed: list[str] = []
    sinks = _sinks(tmp_path, printed, ops={"type": "file", "path": "x", "serves": CHANNEL, "severities": ["CRITICAL"]})
    assert sinks.receivers(CHANNEL, "CRITICAL") == ("ops",)
    assert sinks.receivers(CHANNEL, "HIGH") == (STDOUT,)
    assert sinks.receivers(MACHINES, "CRITICAL") == (STDOUT,)
    sinks.named("removed since").send(one)
    assert printed[0].splitlines()[:2] == ["#refrigeration-ops", one.subject]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"type": "slak", "serves": CHANNEL}, "Did you mean 'slack'?"),
        ({"type": "slack", "serves": CHANNEL, "url": "https://hooks.example/s3cr3t"}, "url is a secret: write {env"),
        ({"type": "slack", "serves": CHANNEL}, "url is a secret"),
        ({"type": "file", "path": "x", "serves": ["#nowhere"]}, "no channel, person or desk '#nowhere'"),
        ({"type": "file", "path": "x", "serves": [*CHANNEL, *MACHINES]}, "equipment alerts never mix"),
        ({"type": "file", "path": "x", "serves": [*MACHINES, "Lead Engineer desk"]}, "equipment alerts never mix"),
        ({"type": "file", "path": "x", "serves": CHANNEL, "severities": ["URGENT"]}, "'URGENT' is no severity"),
        ({"type": "file", "path": "x"}, "serves must list names"),
        ({"type": "file", "pth": "x", "serves": CHANNEL}, "Did you mean 'path'?"),
        ({"type": "webhook", "url": {"env": "X"}, "serves": CHANNEL, "timeout_seconds": 900}, "between 0 and 60"),
        ({"type": "email", "host": "mx.example.org", "sender": "a@b.c", "to": ["d@e.f"], "serves": CHANNEL,
          "tls": "none"}, "in the clear to mx.example.org"),
        ({"type": "email", "host": "mx", "sender": "a@b.c\nBcc: x@y.z", "to": ["d@e.f"], "serves": CHANNEL},
         "sender must be a mail address"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_without_repeating_a_secret(
    tmp_path: Path, settings: dict, said: str
) -> None:
    with pytest.raises(SinkSettingsError) as refused:
        _sinks(tmp_path, ops=settings)
    assert said in str(refused.value)
    assert "[alerts.sinks.ops]" in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


def test_quality_alerts_reach_no_sink_of_machines(tmp_path: Path) -> None:
    sinks = _sinks(tmp_path, machines={"type": "file", "path": "x", "serves": MACHINES})
    alert = quality(channel="#data-platform-alerts")
    assert sinks.receivers((alert.channel, "On-call Data Engineer"), alert.severity) == (STDOUT,)
