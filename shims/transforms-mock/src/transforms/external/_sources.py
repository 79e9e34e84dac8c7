"""Sources described in a file, made into objects of the public ``external-systems`` package.

The file (YAML or JSON) is named by the environment variable ``TRANSFORMS_SOURCES``, or by the platform::

    ri.magritte..source.0a1b:
      url: https://api.example.org
      headers: {Accept: application/json, Authorization: {env: EXAMPLE_HEADER}}
      secrets:
        additionalSecretToken: {env: EXAMPLE_TOKEN}      # or {file: /run/secrets/token}
      server_certificates: {own: {file: ca.pem}}
      client_certificate: {certificate: {file: client.pem}, private_key: {file: /run/secrets/client.key}}
      credentials: {aws: {access_key_id: {env: AWS_ACCESS_KEY_ID}, secret_access_key: {env: AWS_SECRET_ACCESS_KEY}}}
      configuration: {anything: the code reads}

Secrets are read when a job starts and never logged; literal secrets, ``Authorization`` headers among them, are refused,
so that none ends up in git.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from transforms.errors import SourceError, nearest

if TYPE_CHECKING:
    from external_systems.sources import Source as ResolvedSource

VARIABLE = "TRANSFORMS_SOURCES"


def load_sources(path: str | Path) -> dict[str, Mapping[str, Any]]:
    """Source RID -> description.

    Raises:
        SourceError: the file is missing or no mapping.
    """
    import yaml

    file = Path(path)
    if not file.is_file():
        raise SourceError(str(path), "the sources file does not exist")
    found = yaml.safe_load(file.read_text())
    if not isinstance(found, dict) or not all(isinstance(value, Mapping) for value in found.values()):
        raise SourceError(str(path), "the sources file must map each source RID to its url, headers and secrets")
    return found


def configured_source(rid: str, path: str | Path | None = None) -> ResolvedSource:
    """The source as a file describes it: the given one, else that of ``TRANSFORMS_SOURCES``.

    Raises:
        SourceError: no file, or the source is not in it.
    """
    file = path or os.environ.get(VARIABLE)
    if not file:
        raise SourceError(
            rid,
            "it is not configured; describe it in a file and name that file in config.toml of the workspace"
            f" ([sources] file = ...) or in {VARIABLE}",
        )
    known = load_sources(file)
    if rid not in known:
        raise SourceError(rid, f"{file} does not describe it; it describes {', '.join(sorted(known)) or 'nothing'}")
    return resolved_source(rid, known[rid])


def resolved_source(rid: str, description: Mapping[str, Any]) -> ResolvedSource:
    """A source with its connections and secrets.

    Args:
        rid: for messages.
        description: ``url``, ``headers``, ``query_params`` for one HTTPS connection or ``connections`` (name -> the
            same three) for several; ``secrets`` (name -> ``{env: NAME}`` or ``{file: PATH}``, as may be each header and
            query parameter); ``server_certificates``, ``client_certificate``; ``credentials`` (of ``aws``, ``gcp`` or
            ``oauth``) for ``get_session_credentials``; ``configuration`` (anything).

    Raises:
        SourceError: an unknown or missing key, or a secret that is written out or cannot be found.
    """
    from external_systems.sources import ClientCertificate, HttpsConnectionParameters, Source, SourceParameters

    _only(rid, "key", description, _KNOWN)
    connections = dict(description.get("connections") or {})
    if "url" in description:
        connections["default"] = {k: description[k] for k in _CONNECTION if k in description}
    elif lonely := [k for k in _CONNECTION if k in description]:
        raise SourceError(rid, f"'{lonely[0]}' belongs to a connection; give its 'url' too")
    for one in connections.values():
        _only(rid, "key of a connection", one, _CONNECTION)
        if not isinstance(one.get("url"), str):
            raise SourceError(rid, "a connection needs a 'url'")
    identity = description.get("client_certificate")
    if identity is not None:
        _only(rid, "part of client_certificate", identity, ("certificate", "private_key"))
        certificate, key = (_secret(rid, part, identity.get(part)) for part in ("certificate", "private_key"))
    # Without certificates of its own the package leaves requests to its usual bundle.
    trusted = {n: _secret(rid, n, where) for n, where in (description.get("server_certificates") or {}).items()} or None
    parameters = SourceParameters(
        secrets={name: _secret(rid, name, where) for name, where in (description.get("secrets") or {}).items()},
        proxy_token=None,
        https_connections={
            name: HttpsConnectionParameters(
                url=str(one["url"]),
                headers=_texts(rid, one.get("headers")),
                query_params=_texts(rid, one.get("query_params")),
            )
            for name, one in connections.items()
        },
        server_certificates=cast("dict[str, str]", trusted),
        client_certificate=ClientCertificate(certificate, key) if identity is not None else None,
        resolved_source_credentials=_credentials(rid, description.get("credentials")),
    )
    return Source(parameters, [], [], None, description.get("configuration"))


_CONNECTION = ("url", "headers", "query_params")
_KNOWN = (
    *_CONNECTION,
    "connections",
    "secrets",
    "configuration",
    "server_certificates",
    "client_certificate",
    "credentials",
)
_FOREVER = datetime(9999, 1, 1)  # noqa: DTZ001 - the package compares with local time


def _only(rid: str, what: str, given: Any, known: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise SourceError(rid, f"a {what} is expected where {type(given).__name__} stands")
    if unknown := sorted(set(given) - set(known)):
        close = nearest(unknown[0], known)
        raise SourceError(rid, f"unknown {what} '{unknown[0]}'; known are {', '.join(sorted(known))}.{close}")


def _texts(rid: str, given: Any) -> dict[str, str]:
    """Headers or query parameters: plain texts, or secrets by where they are kept."""
    texts: dict[str, str] = {}
    for name, value in (given or {}).items():
        if isinstance(value, Mapping) or name.lower() == "authorization":
            texts[name] = _secret(rid, name, value)
        else:
            texts[name] = str(value)
    return texts


def _credentials(rid: str, given: Any) -> Any:
    """What ``get_session_credentials`` hands out. They do not expire here: nothing would renew them."""
    from external_systems.sources import AwsCredentials, GcpOauthCredentials, OauthCredentials

    if given is None:
        return None
    kinds = {"aws": AwsCredentials, "gcp": GcpOauthCredentials, "oauth": OauthCredentials}
    _only(rid, "kind of credentials", given, tuple(kinds))
    if len(given) != 1:
        raise SourceError(rid, f"credentials are of one kind: {', '.join(kinds)}")
    (kind, parts), *_ = given.items()
    known = ("access_key_id", "secret_access_key", "session_token") if kind == "aws" else ("access_token",)
    _only(rid, f"part of {kind} credentials", parts, known)
    values = {name: _secret(rid, name, where) for name, where in parts.items()}
    if missing := [name for name in known if name not in values and name != "session_token"]:
        raise SourceError(rid, f"{kind} credentials lack '{missing[0]}'")
    return kinds[kind](**values, expiration=_FOREVER)


def _secret(rid: str, name: str, where: Any) -> str:
    if not isinstance(where, Mapping) or set(where) not in ({"env"}, {"file"}):
        raise SourceError(rid, f"secret '{name}' must say where it is kept: {{env: NAME}} or {{file: PATH}}")
    if "env" in where:
        value = os.environ.get(str(where["env"]))
        if value is None:
            raise SourceError(rid, f"secret '{name}' is expected in the environment variable {where['env']}")
        return value
    file = Path(str(where["file"]))
    if not file.is_file():
        raise SourceError(rid, f"secret '{name}' is expected in the file {file}")
    return file.read_text().rstrip("\n")
