"""Fact sheet section 13: sources on the real ``external-systems`` package, against a real HTTP server."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from external_systems.sources import Source as PublishedSource

from transforms.api import (
    ContainerTransform,
    Input,
    JobEnvironment,
    Output,
    Transform,
    configure,
    execute,
    incremental,
    lightweight,
    transform,
    transform_pandas,
)
from transforms.errors import SourceError, TransformTypeError, TransformValueError, UnknownArgumentError
from transforms.external.systems import (
    Credential,
    EgressPolicy,
    ExportControl,
    ResolvedSource,
    Source,
    configured,
    external_systems,
    use_external_systems,
)

RID = "ri.magritte..source.0a1b"


class _Port:
    path = "/out"


@pytest.fixture
def server():
    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"path": self.path, "accept": self.headers.get("X-Who")}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return

    httpd = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Writes the sources file and points the environment at it."""

    def write(description: dict[str, Any]) -> None:
        file = tmp_path / "sources.yml"
        file.write_text(json.dumps({RID: description}))
        monkeypatch.setenv("TRANSFORMS_SOURCES", str(file))

    return write


def _compute(transform: Any, **bindings: Any) -> None:
    execute(transform, JobEnvironment(), {"out": _Port(), **bindings})


def test_a_source_arrives_with_connection_and_secrets(server, sources, tmp_path, monkeypatch, caplog):
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("SHIM_TOKEN", "from-env")
    sources(
        {
            "url": server,
            "headers": {"X-Who": "mirror"},
            "secrets": {"a": {"env": "SHIM_TOKEN"}, "b": {"file": str(tmp_path / "token")}},
        }
    )
    seen: dict[str, Any] = {}

    @external_systems(api=Source(RID))
    @transform.using(out=Output("/out"))
    def compute(out, api):
        connection = api.get_https_connection()
        seen["url"], seen["type"] = connection.url, type(api)
        client = connection.get_client()
        seen["answer"] = client.get(f"{connection.url}/v1").json()
        client.close()
        seen["secrets"] = (api.get_secret("a"), api.get_secret("b"))

    with caplog.at_level(logging.DEBUG):
        _compute(compute)
    assert seen["url"] == server
    assert seen["type"] is PublishedSource is ResolvedSource
    assert seen["answer"] == {"path": "/v1", "accept": "mirror"}
    assert seen["secrets"] == ("from-env", "from-file")
    assert "from-env" not in caplog.text


def test_every_part_of_a_source_can_be_described(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("SHIM_TOKEN", "s")
    (tmp_path / "pem").write_text("-----")
    pem = {"file": str(tmp_path / "pem")}
    made = external_systems(api=Source(RID))(transform(out=Output("/out"))(lambda api, out: seen.append(api)))
    secret, seen = {"env": "SHIM_TOKEN"}, []
    endpoint = {"url": "https://a", "headers": {"Authorization": secret, "n": 1}, "query_params": {"key": secret}}
    for description in (
        {
            "client_certificate": {"certificate": pem, "private_key": pem},
            "server_certificates": {"own": pem},
            **endpoint,
        },
        {
            "credentials": {"aws": {"access_key_id": secret, "secret_access_key": secret}},
            "configuration": {"region": 1},
        },
        {"credentials": {"oauth": {"access_token": secret}}, "connections": {"a": endpoint, "b": {"url": "https://b"}}},
        {"credentials": {"gcp": {"access_token": secret}}},
    ):
        sources(description)
        _compute(made)
    whole, aws, oauth, gcp = seen
    connection = whole.get_https_connection()
    assert (connection.url, connection.headers, connection.query_params) == (
        "https://a",
        {"Authorization": "s", "n": "1"},
        {"key": "s"},
    )
    assert Path(whole.client_certificate.private_key_file_path).is_file()
    assert "-----" in Path(whole.server_certificates_bundle_path).read_text()
    given = aws.get_session_credentials().get()
    assert (given.access_key_id, given.secret_access_key, given.session_token) == ("s", "s", None)
    assert (aws.source_configuration, gcp.client_certificate, gcp.server_certificates_bundle_path) == (
        {"region": 1},
        None,
        None,
    )
    assert [s.get_session_credentials().get().access_token for s in (oauth, gcp)] == ["s", "s"]
    for act, says in (
        (oauth.get_https_connection, "Only single connection sources are supported"),
        (gcp.get_https_connection, "No HTTPS connections"),
        (whole.get_session_credentials, "credentials are not present"),
        (lambda: gcp.source_configuration, "configuration is not available"),
        (lambda: gcp.get_secret("x"), "x not found"),
    ):
        with pytest.raises(ValueError, match=says):
            act()
    assert "s" not in {*repr(made.recorded).split("'")}


def _base():
    return transform(x=Input("/in"), out=Output("/out"))(lambda x, api, out: 0)


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        (lambda t, e: e(t), Transform),
        (lambda t, e: e(incremental()(t)), Transform),
        (lambda t, e: incremental()(configure(profile="P")(e(t))), Transform),
        (lambda t, e: lightweight(e(t)), ContainerTransform),
        (lambda t, e: incremental()(lightweight()(e(t))), ContainerTransform),
        (lambda t, e: e(lightweight(t)), ContainerTransform),
    ],
)
def test_external_systems_stacks_in_any_order(stack, kind):
    made = stack(_base(), external_systems(api=Source(RID)))
    assert isinstance(made, kind)
    assert list(made.inputs) == ["x", "api"]
    assert (made.inputs["api"].kind, made.inputs["api"].rid) == ("source", RID)
    assert made.recorded["external_systems"] == ("api",)
    assert made.binding_problem() is None


def test_frame_functions_take_sources_too():
    made = external_systems(api=Source(RID))(transform_pandas(Output("/o"), x=Input("/i"))(lambda x, api: x))
    assert made.arguments({"x": 1, "api": 2, "ctx": 3}) == {"x": 1, "api": 2}
    both = external_systems(b=Source(RID))(external_systems(a=Source(RID))(transform(out=Output("/o"))(lambda **_: 0)))
    assert (both.recorded["external_systems"], list(both.inputs)) == (("a", "b"), ["a", "b"])


def test_the_older_generation_injects_every_name(sources, monkeypatch):
    monkeypatch.setenv("SHIM_TOKEN", "s")
    sources({"secrets": {"password": {"env": "SHIM_TOKEN"}}})
    seen = {}

    @use_external_systems(egress=EgressPolicy("ri.policy"), creds=Credential(RID), export=ExportControl(markings=["m"]))
    @transform(out=Output("/out"))
    def compute(out, egress, creds, export):
        seen.update(egress=egress.rid, password=creds.get("password"), markings=export.markings)
        with pytest.raises(SourceError, match="no secret 'user'; it holds password"):
            creds.get("user")

    _compute(compute)
    assert seen == {"egress": "ri.policy", "password": "s", "markings": ("m",)}
    assert compute.unbound == ()
    # A platform hears of a credential that nobody described before the function runs.
    assert configured(Credential(RID), None).get("password") == "s"
    with pytest.raises(SourceError, match="does not describe it; it describes"):
        configured(Credential("ri.other"), None)
    assert use_external_systems()(_base()).recorded["use_external_systems"] == ()


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({"secrets": {"a": "literal"}}, "must say where it is kept"),
        ({"secrets": {"a": {"env": "SHIM_NO_SUCH"}}}, "environment variable SHIM_NO_SUCH"),
        ({"secrets": {"a": {"file": "/no/such"}}}, "in the file /no/such"),
        ({"uri": "x"}, "unknown key 'uri'"),
        ({"headerz": {}}, "Did you mean 'headers'"),
        ({"headers": {"a": "b"}}, "'headers' belongs to a connection; give its 'url' too"),
        ({"connections": {"a": {}}}, "a connection needs a 'url'"),
        ({"connections": {"a": {"url": "x", "header": {}}}}, "unknown key of a connection 'header'"),
        ({"connections": {"a": "x"}}, "a key of a connection is expected where str stands"),
        ({"url": "x", "headers": {"Authorization": "literal"}}, "secret 'Authorization' must say where it is kept"),
        ({"client_certificate": {"certificate": {"file": "/no/such"}}}, "in the file /no/such"),
        ({"credentials": {"azure": {}}}, "unknown kind of credentials 'azure'; known are aws, gcp, oauth"),
        ({"credentials": {}}, "credentials are of one kind"),
        ({"credentials": {"gcp": {}}}, "gcp credentials lack 'access_token'"),
        ({"credentials": {"aws": {"token": {}}}}, "unknown part of aws credentials 'token'"),
        ("text", "must map each source RID"),
    ],
)
def test_a_badly_described_source_is_refused(sources, description, says):
    sources(description)
    with pytest.raises(SourceError) as caught:
        _compute(external_systems(api=Source(RID))(transform(out=Output("/out"))(lambda api, out: 0)))
    assert says in str(caught.value)
    assert "literal" not in str(caught.value)


def test_an_unknown_source_says_where_to_describe_it(sources, monkeypatch, tmp_path):
    made = external_systems(api=Source("ri.other"))(transform(out=Output("/out"))(lambda api, out: 0))
    monkeypatch.delenv("TRANSFORMS_SOURCES", raising=False)
    with pytest.raises(SourceError, match="TRANSFORMS_SOURCES"):
        _compute(made)
    monkeypatch.setenv("TRANSFORMS_SOURCES", str(tmp_path / "missing.yml"))
    with pytest.raises(SourceError, match="does not exist"):
        _compute(made)
    sources({"url": "http://x"})
    with pytest.raises(SourceError, match=f"it describes {RID}"):
        _compute(made)
    seen = []
    bound = external_systems(api=Source("ri.other"))(transform(out=Output("/out"))(lambda api, out: seen.append(api)))
    _compute(bound, api="what the platform bound")
    assert seen == ["what the platform bound"]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Source(3), TransformTypeError, "takes a RID"),
        (lambda: Source(source_rid=RID), UnknownArgumentError, "Source has no argument 'source_rid'"),
        (lambda: external_systems(Source(RID)), TransformTypeError, "under the name of an argument, e.g. api=Source("),
        (lambda: external_systems(api="ri.x"), TransformTypeError, "must be one of Source"),
        (lambda: external_systems(api=Source(RID))(lambda api: 0), TransformTypeError, "on top of a transform"),
        (lambda: external_systems(x=Source(RID))(_base()), TransformValueError, "'x', which is already taken"),
        (
            lambda: external_systems(api=Source(RID))(use_external_systems()(_base())),
            TransformValueError,
            "cannot be combined",
        ),
    ],
)
def test_wrong_use_fails_at_import(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)
    assert "test_s13_external.py:" in str(caught.value)
