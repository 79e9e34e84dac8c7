"""A workspace with a released version, and real servers on loopback ports of this process, whose model tests hold."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import palantir_models as pm
from mirror.datasets import Workspace
from mirror.models import Governance
from mirror.models.notebook import WorkspaceHost
from mirror.serving import Address, Deployment, Limits, LiveServer, Tokens
from palantir_models.models.api import ModelApiColumn
from palantir_models.publishing import WritableModel

PROBE = "/Fleet/unit/models/probe"
OBJECTIVES = """\
objectives:
  probe:
    model: /Fleet/unit/models/probe*
    owner: ML Platform
    keep_versions: 9
"""
GATE = threading.Event()
"""What a request of mode ``wait`` waits for inside the model."""


class Probe(pm.ModelAdapter):
    """Says which version it is, and does what it is told."""

    @pm.auto_serialize(level=pm.serializers.JsonSerializer())
    def __init__(self, level: float) -> None:
        self.level = level

    @classmethod
    def api(cls) -> Any:
        optional = [("n", int), ("at", datetime.datetime), ("on", bool), ("text", str), ("day", datetime.date)]
        columns = [("x", float), *(ModelApiColumn(name, kind, required=False) for name, kind in optional)]
        return {"df_in": pm.Pandas(columns), "mode": pm.Parameter(str, "plain")}, {"df_out": pm.Pandas()}

    def predict(self, df_in: Any, mode: str) -> Any:
        if mode == "wait":
            GATE.wait(20)
        if mode == "long":
            return df_in.assign(text="t" * 20_000_000)
        if mode == "raise":
            raise ValueError("the window is older than the model")
        kinds = [{name: type(value).__name__ for name, value in row.items()} for row in df_in.to_dict("records")]
        return df_in.assign(level=self.level, kinds=kinds)


class Unloadable(Probe):
    """Loads where it is published, and nowhere after ``broken`` was set."""

    broken = False

    @classmethod
    def load(cls, state_reader: Any, *contexts: Any) -> Any:
        if cls.broken:
            raise RuntimeError("the library of this artefact is gone")
        return super().load(state_reader)


@dataclass
class Site:
    """A workspace and what a person does with its model."""

    workspace: Workspace
    governance: Governance = field(init=False)
    stopping: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.governance = Governance(self.workspace)

    def publish(self, level: float, path: str = PROBE, adapter: type[Probe] = Probe) -> str:
        """The new version's RID."""
        host = WorkspaceHost(self.workspace)
        port = host.write(path)
        rid = WritableModel(port).publish(adapter(level), change_type="MINOR")
        host.commit(port)
        return rid

    def release(self, rid: str, path: str = PROBE) -> None:
        """All the way to production."""
        self.governance.submit(path, owner="tester", branch="master", version=rid)
        for to in ("staging", "production"):
            self.governance.release(path, to=to, actor="tester", approved_by=["Ada"], reason="test", version=rid)

    def rollback(self, path: str = PROBE) -> None:
        """To the version before."""
        how = {"environment": "production", "actor": "tester", "approved_by": ["Ada"], "reason": "test"}
        self.governance.rollback(path, **how)

    def deployment(self, path: str = PROBE) -> Deployment:
        """Production's."""
        return Deployment.choose(self.governance, path, "production")


@dataclass
class Live:
    """A running server and a client of it."""

    server: LiveServer
    client: httpx.Client

    @property
    def rid(self) -> str:
        return self.server.parts.deployment.rid

    def url(self, form: str = "v2") -> str:
        """The path of one of the three forms."""
        base = f"/foundry-ml-live/api/inference/transform/{self.rid}"
        public = f"/v2/models/liveDeployments/{self.rid}/transformJson"
        return {"v1": base, "v2": f"{base}/v2", "transformJson": public}[form]

    def ask(self, *rows: Any, mode: str = "plain", client: httpx.Client | None = None) -> httpx.Response:
        """One v2 request."""
        return (client or self.client).post(self.url(), json={"df_in": list(rows) or [{"x": 1}], "mode": mode})

    def until(self, holds: Callable[[], bool], seconds: float = 10.0) -> None:
        """Waits for something that another thread brings about."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never came about"
            time.sleep(0.005)


def connect(server: LiveServer) -> httpx.Client:
    """A client with a connection of its own; without TLS, whose certificates take 0.1 s to read."""
    return httpx.Client(base_url=server.url, timeout=20, verify=False)  # noqa: S501 - plain HTTP on loopback


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, unsynced: Callable[[], contextlib.AbstractContextManager[None]]
) -> Iterator[Site]:
    """A workspace with one released version, level 1."""

    folder = tmp_path_factory.mktemp("live")
    (folder / "repository" / "ci").mkdir(parents=True)
    (folder / "repository" / "ci" / "objectives.yml").write_text(OBJECTIVES)
    with unsynced(), Workspace.create(folder / "ws", repository=folder / "repository") as workspace:
        made = Site(workspace)
        made.release(made.publish(1.0))
        yield made
        for thread in made.stopping:
            thread.join(20)
        assert not any(thread.is_alive() for thread in made.stopping)


Serve = Callable[..., contextlib.AbstractContextManager[Live]]


def serving(
    site: Site, path: str = PROBE, *, tokens: Tokens | None = None, history: Path | None = None, **limits: Any
) -> contextlib.AbstractContextManager[Live]:
    """A server in a thread of its own, stopped at the end."""

    @contextlib.contextmanager
    def run() -> Iterator[Live]:
        settings = Limits(**{"poll_seconds": 0.01, "retry_seconds": 0.02, **limits})
        server = LiveServer(site.governance, site.deployment(path), Address(port=0, tokens=tokens), settings, history)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            with connect(server) as client:
                live = Live(server, client)
                live.until(lambda: server.started)
                yield live
        finally:
            server.stop()
            # it looks ten times a second, and nobody need wait for that
            site.stopping.append(thread)

    return run()


@pytest.fixture(scope="module")
def live(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with default limits that keeps a history."""
    with serving(site, history=tmp_path_factory.mktemp("history")) as found:
        found.until(lambda: found.server.parts.follower.served is not None)
        yield found


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Closed; opened at the end, so that no thread is left in the model."""
    GATE.clear()
    yield GATE
    GATE.set()
