"""Sources described in a file, made into objects of the public ``external-systems`` package.

The file (YAML or JSON) is named by the environment variable ``TRANSFORMS_SOURCES``, or by the platform::

    ri.magritte..source.0a1b:
      url: https://api.example.org
      headers: {Accept: application/json}
      secrets:
        additionalSecretToken: {env: EXAMPLE_TOKEN}      # or {file: /run/secrets/token}

Secrets are read when a job starts and never logged; literal secrets are refused, so that none ends up in git.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from transforms.errors import SourceError

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
            same three) for several; ``secrets`` (name -> ``{env: NAME}`` or ``{file: PATH}``); ``configuration``
            (anything).

    Raises:
        SourceError: an unknown key, or a secret that is written out or cannot be found.
    """
    from external_systems.sources import HttpsConnectionParameters, Source, SourceParameters

    known = {"url", "headers", "query_params", "connections", "secrets", "configuration"}
    if unknown := sorted(set(description) - known):
        raise SourceError(rid, f"unknown key '{unknown[0]}'; known are {', '.join(sorted(known))}")
    connections = dict(description.get("connections") or {})
    if "url" in description:
        connections["default"] = {k: description[k] for k in ("url", "headers", "query_params") if k in description}
    parameters = SourceParameters(
        secrets={name: _secret(rid, name, where) for name, where in (description.get("secrets") or {}).items()},
        proxy_token=None,
        https_connections={
            name: HttpsConnectionParameters(
                url=str(one["url"]),
                headers=dict(one.get("headers") or {}),
                query_params=dict(one.get("query_params") or {}),
            )
            for name, one in connections.items()
        },
        # No certificates of its own: the package then leaves requests to its usual bundle.
        server_certificates=cast("dict[str, str]", None),
        client_certificate=None,
        resolved_source_credentials=None,
    )
    return Source(parameters, [], [], None, description.get("configuration"))


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
