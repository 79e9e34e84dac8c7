"""The models room's tables, on the metadata that every room shares."""

from __future__ import annotations

import sqlalchemy as sa

from mirror.datasets.tables import UtcTime, metadata

models = sa.Table(
    "models",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", UtcTime, nullable=False),
)

versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("model_rid", sa.ForeignKey("models.rid"), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("semantic", sa.String(40), nullable=False),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("adapter", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("api", sa.JSON, nullable=False),
    sa.Column("change_type", sa.String(10)),
    sa.Column("experiment", sa.JSON),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("provenance", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.UniqueConstraint("model_rid", "sequence"),
    sa.Index("ix_model_versions_branch", "model_rid", "branch"),
)

evaluations = sa.Table(
    "model_evaluations",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("version_rid", sa.ForeignKey("model_versions.rid"), nullable=False),
    sa.Column("evaluation_set", sa.String(100), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_model_evaluations_version", "version_rid"),
)

submissions = sa.Table(
    "model_submissions",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("objective", sa.String(255), nullable=False),
    sa.Column("model_rid", sa.ForeignKey("models.rid"), nullable=False),
    sa.Column("version_rid", sa.ForeignKey("model_versions.rid"), nullable=False),
    # The frozen copy: what was submitted stays what it was, whatever happens to the version's row.
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.UniqueConstraint("objective", "version_rid"),
)

verdicts = sa.Table(
    "model_check_verdicts",
    metadata,
    sa.Column("submission_rid", sa.ForeignKey("model_submissions.rid"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("blocks", sa.JSON, nullable=False),
    sa.Column("evaluated_at", UtcTime, nullable=False),
)

releases = sa.Table(
    "model_releases",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("objective", sa.String(255), nullable=False),
    sa.Column("model_rid", sa.ForeignKey("models.rid"), nullable=False),
    sa.Column("environment", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("submission_rid", sa.ForeignKey("model_submissions.rid"), nullable=False),
    sa.Column("version_rid", sa.ForeignKey("model_versions.rid"), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("approved_by", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_at", UtcTime, nullable=False),
    sa.UniqueConstraint("model_rid", "environment", "number"),
)

trials = sa.Table(
    "model_trials",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("model_rid", sa.ForeignKey("models.rid"), nullable=False),
    sa.Column("version_rid", sa.ForeignKey("model_versions.rid"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("approved_by", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_at", UtcTime, nullable=False),
    sa.UniqueConstraint("model_rid", "number"),
)

audit = sa.Table(
    "model_audit",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("model_rid", sa.String(100), nullable=False),
    sa.Column("version_rid", sa.String(100)),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_model_audit_model", "model_rid"),
)

ALL = (models, versions, evaluations, submissions, verdicts, releases, trials, audit)
