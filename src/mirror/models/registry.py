"""Models and their versions: found by name, published inside a job's transaction, loaded when their checksum holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.models import tables as t
from mirror.models.artefacts import verify
from mirror.models.errors import AmbiguousModelError, ModelNotFoundError, VersionNotFoundError
from mirror.models.records import Model, ModelVersion

FOLDER = "_models"
"""Below the workspace's storage root."""


def model_rid(path: str) -> str:
    """The RID of a model whose repository maps none to its path."""
    return f"ri.models.main.model.{stable_uuid('model', path)}"


def location_of(version_rid: str) -> str:
    """Where the artefact of a version lies below the storage root."""
    return f"{FOLDER}/{version_rid.rsplit('.', 1)[-1]}.zip"


class ModelRegistry:
    """The models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.catalog = workspace.catalog
        self.catalog.ensure(*t.ALL)

    def models(self) -> tuple[Model, ...]:
        """Every model that has a version, ordered by path."""
        with self.catalog.reading() as connection:
            rows = connection.execute(sa.select(t.models.c.rid, t.models.c.path).order_by(t.models.c.path))
            return tuple(Model(*row) for row in rows)

    def canonical(self, alias: str) -> str:
        """The path an alias stands for in this repository; unknown aliases stand for themselves."""
        return self.workspace.store.rids.get(alias, alias)

    def declared(self, alias: str) -> Model:
        """The model of a transform parameter, whether or not a version exists."""
        found = self.find(alias)
        if found is not None:
            return found
        path = self.canonical(alias)
        mapped = next(
            (r for r, p in self.workspace.store.rids.items() if p == path and r.startswith("ri.models.")), None
        )
        return Model(path if path.startswith("ri.") else mapped or model_rid(path), path)

    def find(self, alias: str) -> Model | None:
        """The model with exactly this path or RID, or ``None``."""
        path = self.canonical(alias)
        with self.catalog.reading() as connection:
            query = sa.select(t.models.c.rid, t.models.c.path)
            row = connection.execute(query.where((t.models.c.path == path) | (t.models.c.rid == path))).first()
        return None if row is None else Model(*row)

    def model(self, name: str) -> Model:
        """The model of a path, a RID, or the unique end of a path; ``models/`` in it may be left out.

        Raises ModelNotFoundError (naming the nearest), AmbiguousModelError.
        """
        if (found := self.find(name)) is not None:
            return found
        known = self.models()
        fitting = [m for m in known if _ends_with(m.path, name)]
        if len(fitting) > 1:
            raise AmbiguousModelError(name, tuple(m.path for m in fitting))
        if not fitting:
            raise ModelNotFoundError(name, tuple(m.path for m in known))
        return fitting[0]

    def versions(self, model: Model, branch: str | None = None) -> tuple[ModelVersion, ...]:
        """Versions of a model (on one branch), oldest first."""
        with self.catalog.reading() as connection:
            return self._versions(connection, model.rid, branch)

    def version(self, model: Model, wanted: str) -> ModelVersion:
        """A version by RID or semantic version. Raises VersionNotFoundError listing those that exist."""
        known = self.versions(model)
        for version in known:
            if wanted in (version.rid, version.semantic):
                return version
        raise VersionNotFoundError(model.path, wanted, tuple(v.semantic for v in known))

    def newest(self, model: Model, branch: str, fallbacks: Sequence[str] = ()) -> ModelVersion | None:
        """The newest version on the first of these branches that has one."""
        for name in (branch, *fallbacks):
            found = self.versions(model, name)
            if found:
                return found[-1]
        return None

    def by_rid(self, rid: str) -> tuple[Model, ModelVersion]:
        """A version and its model. Raises ModelNotFoundError for an unknown RID."""
        with self.catalog.reading() as connection:
            row = connection.execute(sa.select(t.versions).where(t.versions.c.rid == rid)).mappings().first()
            if row is None:
                raise ModelNotFoundError(rid, ())
            version = ModelVersion(**row)
            path = connection.scalar(sa.select(t.models.c.path).where(t.models.c.rid == version.model_rid))
        return Model(version.model_rid, str(path)), version

    def verify(self, model: Model, version: ModelVersion) -> None:
        """Raises ArtefactMissingError or ArtefactTamperedError unless the artefact is what was published."""
        verify(self.workspace.storage, version.location, version.sha256, model.path, version.semantic)

    def evaluations(self, version: ModelVersion) -> tuple[Mapping[str, Any], ...]:
        """Evaluation documents of a version, oldest first."""
        query = sa.select(t.evaluations.c.document).where(t.evaluations.c.version_rid == version.rid)
        with self.catalog.reading() as connection:
            rows = connection.execute(query.order_by(t.evaluations.c.created_at, t.evaluations.c.rid))
            return tuple(row[0] for row in rows)

    def record(self, connection: Connection, model: Model, facts: Mapping[str, Any]) -> ModelVersion:
        """Writes a version down inside the caller's SQL transaction; numbers it as the model's next.

        ``facts`` are the columns of ``model_versions`` except sequence, semantic and time.
        """
        now = self.workspace.clock()
        if connection.scalar(sa.select(t.models.c.rid).where(t.models.c.rid == model.rid)) is None:
            connection.execute(t.models.insert().values(rid=model.rid, path=model.path, created_at=now))
        earlier = self._versions(connection, model.rid, None)
        version = ModelVersion(
            **facts,
            model_rid=model.rid,
            sequence=len(earlier) + 1,
            semantic=next_semantic(earlier[-1].semantic if earlier else None, facts.get("change_type")),
            created_at=now,
        )
        connection.execute(t.versions.insert().values(**vars(version)))
        return version

    def record_evaluation(self, connection: Connection, document: Mapping[str, Any]) -> None:
        """Writes an evaluation down inside the caller's SQL transaction; the same evaluation replaces itself."""
        connection.execute(t.evaluations.delete().where(t.evaluations.c.rid == document["rid"]))
        connection.execute(
            t.evaluations.insert().values(
                rid=document["rid"],
                version_rid=document["modelVersionRid"],
                evaluation_set=document["evaluationSet"],
                name=document["name"],
                document=dict(document),
                created_at=self.workspace.clock(),
            )
        )

    def _versions(self, connection: Connection, model_rid: str, branch: str | None) -> tuple[ModelVersion, ...]:
        query = sa.select(t.versions).where(t.versions.c.model_rid == model_rid)
        if branch is not None:
            query = query.where(t.versions.c.branch == branch)
        rows = connection.execute(query.order_by(t.versions.c.sequence)).mappings()
        return tuple(ModelVersion(**row) for row in rows)


def next_semantic(last: str | None, change_type: str | None) -> str:
    """The version number after ``last``: 1.0.0 first, then as the author rated the change, a patch when unrated."""
    if last is None:
        return "1.0.0"
    major, minor, patch = (int(part) for part in last.split("."))
    if change_type == "MAJOR":
        return f"{major + 1}.0.0"
    if change_type == "MINOR":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _ends_with(path: str, name: str) -> bool:
    wanted = "/" + name.strip("/")
    return path.endswith(wanted) or re.sub(r"/models/(?=[^/]+$)", "/", path).endswith(wanted)
