"""The version that is served: it follows the environment's release, and changes between two requests.

A thread looks at the catalog. A new release, or a rollback, is loaded beside the version that serves, and one
assignment puts it in its place: requests that began with the old one end with it. A version that cannot be loaded
changes nothing; it is said in readiness, log and metrics, and tried again later. A model that was halted answers
nobody until it is resumed or another version takes its place.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from mirror.errors import MirrorError
from mirror.models import Governance, Model, ModelVersion, Release
from mirror.models.ports import VersionReadPort
from mirror.models.records import HALT
from mirror.models.releasing import release_command
from mirror.serving.deployment import Deployment
from mirror.serving.errors import NotServableError
from mirror.serving.metrics import Metrics
from mirror.serving.settings import Limits
from palantir_models import ModelAdapter
from palantir_models.declarations.fields import Api, DFType, Kind
from palantir_models.declarations.resolve import declared_api
from palantir_models.version import load_version

log = logging.getLogger("mirror.serving")


@dataclass(frozen=True)
class Served:
    """A loaded version and the release that put it in force."""

    release: Release
    model: Model
    version: ModelVersion
    adapter: ModelAdapter = field(repr=False)
    api: Api = field(repr=False)


@dataclass(frozen=True)
class Trouble:
    """Why the version in force is not the one that is served.

    Attributes:
        version: semantic version, or ``None`` where nothing is released or the catalog cannot be read.
    """

    version: str | None
    reason: str


class Follower:
    """Keeps ``served`` equal to what is released. Reading ``served`` once per request is all the care it needs."""

    def __init__(self, governance: Governance, deployment: Deployment, limits: Limits, metrics: Metrics) -> None:
        self._governance, self._deployment = governance, deployment
        self._limits, self._metrics = limits, metrics
        self.served: Served | None = None
        self.trouble: Trouble | None = None
        self._failed: tuple[str, float, float] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live-follower", daemon=True)

    def start(self) -> None:
        """Begins to look, at once and then every ``poll_seconds``."""
        self._thread.start()

    def stop(self) -> None:
        """Ends looking; what is served stays."""
        self._stop.set()
        self._thread.join(timeout=10)

    def look(self) -> None:
        """One look at the catalog. Never raises."""
        try:
            release = self._governance.in_force(self._deployment.model, self._deployment.environment)
        except Exception as error:  # noqa: BLE001 - a catalog that is away must not end what serves
            self._metrics.count("catalog_failures_total")
            self._tell(Trouble(None, f"the releases cannot be read: {_text(error)}"))
            return
        if release is None:
            command = release_command(self._deployment.model.path, self._deployment.environment)
            self._tell(Trouble(None, f"nothing is released to {self._deployment.environment} yet; run `{command}`"))
        elif release.kind == HALT:
            self._tell(Trouble(None, f"halted by {release.actor}: {release.reason}"))
            self.served, self._failed = None, None
        elif self.served is not None and self.served.version.rid == release.version_rid:
            # released once more, or put back after one that could not be loaded
            self.served = replace(self.served, release=release)
            self._failed, self.trouble = None, None
        elif self._due(release.version_rid):
            self._take_up(release)

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._limits.poll_seconds)

    def _take_up(self, release: Release) -> None:
        semantic = release.version_rid
        try:
            model, version = self._governance.registry.by_rid(release.version_rid)
            semantic = version.semantic
            served = _load(self._governance, release, model, version)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - artefacts and adapters are foreign; the old one serves on
            self._metrics.count("load_failures_total")
            pause = min(self._limits.retry_seconds, 2 * self._failed[1] if self._failed else self._limits.poll_seconds)
            self._failed = (release.version_rid, pause, time.monotonic() + pause)
            self._tell(Trouble(semantic, _text(error)), error)
            return
        before = self.served
        self.served = served
        self._failed, self.trouble = None, None
        self._metrics.count("swaps_total")
        facts: dict[str, Any] = {"version": version.semantic, "version_rid": version.rid, "sha256": version.sha256}
        facts |= {"release": release.number, "before": before.version.semantic if before else None}
        log.info("serving", extra={"facts": facts})

    def _due(self, version_rid: str) -> bool:
        if self._failed is not None and self._failed[0] != version_rid:
            self._failed = None
        return self._failed is None or time.monotonic() >= self._failed[2]

    def _tell(self, trouble: Trouble, error: BaseException | None = None) -> None:
        """Said once, not with every look."""
        if trouble == self.trouble:
            return
        self.trouble = trouble
        ours = error is None or isinstance(error, MirrorError)
        log.warning(
            "not_taken_up",
            extra={"facts": {"version": trouble.version, "reason": trouble.reason}},
            exc_info=None if ours else error,
        )


def _load(governance: Governance, release: Release, model: Model, version: ModelVersion) -> Served:
    """The version, its checksum verified before anything of it is interpreted.

    Raises ArtefactTamperedError, ArtefactMissingError, NotServableError, or whatever the adapter's ``load`` raises.
    """
    # tables are made of it, and the first request would else wait a second for it
    importlib.import_module("pandas")
    adapter = load_version(VersionReadPort(governance.registry, model, version, version.branch))
    api = declared_api(adapter)
    for entry in api.inputs:
        if entry.kind not in (Kind.TABULAR, Kind.PARAMETER) or entry.frame is DFType.SPARK:
            raise NotServableError(model.path, version.semantic, entry.name, _declared(entry))
    for entry in api.outputs:
        if entry.kind is Kind.FILESYSTEM:
            raise NotServableError(model.path, version.semantic, entry.name, _declared(entry))
    return Served(release, model, version, adapter, api)


def _declared(entry: Any) -> str:
    return "a Spark table" if entry.frame is DFType.SPARK else str(entry.kind.value)


def _text(error: BaseException) -> str:
    return str(error) if isinstance(error, MirrorError) else f"{type(error).__name__}: {error}"
