"""Who may call, and how a server refuses to start where anybody could."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mirror.cli import run
from mirror.serving import Address, LiveServer, Tokens
from mirror.serving.errors import AddressError, TokenFileError, TokenNeededError
from mirror.serving.tokens import is_loopback

from .conftest import PROBE, Site, serving

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of these tests alone
ANYWHERE = "0.0.0.0"  # noqa: S104 - refused


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    file = tmp_path / "tokens"
    file.write_text(f"# who may call\n\nada {TOKEN}\n{'f' * 40}\n")
    return Tokens.read(file)


def test_only_a_known_token_is_let_in(site: Site, tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    for logger in ("mirror.serving", "uvicorn.error", "asyncio"):
        caplog.set_level("DEBUG", logger=logger)
    with serving(site, tokens=tokens) as live:
        live.until(lambda: live.server.parts.follower.served is not None)
        body = {"df_in": [{"x": 1}]}
        sent = [None, "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}0", "Bearer ada"]
        for header in sent:
            headers = {} if header is None else {"Authorization": header}
            answer = live.client.post(live.url(), json=body, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.json()["errorName"] == "Unauthorized"
        for page in ("/metrics", "/docs", "/openapi.json", "/nowhere"):
            assert live.client.get(page).status_code == 401
        for header in (f"Bearer {TOKEN}", f"bearer  {TOKEN}", TOKEN, "Bearer " + "f" * 40):
            assert live.client.post(live.url(), json=body, headers={"Authorization": header}).status_code == 200
        # probes carry no token, and learn no more than they must
        assert live.client.get("/health/ready").json() == {"ready": True}
        known = {"Authorization": f"Bearer {TOKEN}"}
        assert live.client.get("/health/ready", headers=known).json()["model"] == PROBE
    users = [r.facts["user"] for r in caplog.records if r.message == "request" and r.facts["status"] == 200]  # type: ignore[attr-defined]
    assert set(users) == {"ada", "line-4", None}
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert TOKEN not in said
    assert "f" * 40 not in said


@pytest.mark.parametrize("host", [ANYWHERE, "::", "", "192.0.2.7", "fleet.example"])
def test_without_tokens_nothing_listens_beyond_loopback(site: Site, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(TokenNeededError, match="give --token-file FILE"):
        LiveServer(site.governance, site.deployment(), Address(host, 0))


def test_loopback_is_known_by_its_names() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1", "[::1]"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# nobody\n", ":1: holds no token"),
        ("ada short\n", ":1: the token is shorter than 16 characters"),
        (f"\nada {TOKEN} extra\n", ":2: a line is `NAME TOKEN`"),
        (None, ":1: cannot be read: No such file"),
    ],
)
def test_a_mistake_in_the_token_file_is_told_without_the_token(tmp_path: Path, text: str | None, expected: str) -> None:
    file = tmp_path / "tokens"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TokenFileError) as caught:
        Tokens.read(file)
    assert str(caught.value).startswith(f"{file}{expected}")
    assert TOKEN not in str(caught.value)


def test_a_taken_port_is_told(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            LiveServer(site.governance, site.deployment(), Address(port=port))


def test_the_command_names_what_it_needs(site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def mirror(*arguments: str) -> tuple[int, str]:
        code = run(["--workspace", str(site.workspace.path), "serve", *arguments])
        return code, capsys.readouterr().err

    (tmp_path / "file").write_text("")
    other = "/Fleet/unit/models/probe_other"
    site.publish(1.0, other)
    for arguments, text in (
        ((PROBE, "--host", ANYWHERE), "0.0.0.0 can be reached from other machines"),
        (("probee",), "there is no model 'probee'. Did you mean '/Fleet/unit/models/probe'?"),
        ((), "several models could be served: "),
        (
            (PROBE, "--port", "0", "--history", str(tmp_path / "file" / "below")),
            "the inference history cannot be written to",
        ),
        ((PROBE, "--env", "test"), "'test' is not one of 'staging', 'production'"),
    ):
        code, said = mirror(*arguments)
        assert code == 2
        assert text in said
