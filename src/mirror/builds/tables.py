"""The builds room's tables, on the metadata that every room shares."""

from __future__ import annotations

import sqlalchemy as sa

from mirror.datasets.tables import UtcTime, metadata

job_specs = sa.Table(
    "job_specs",
    metadata,
    sa.Column("branch", sa.String(255), primary_key=True),
    sa.Column("reference", sa.String(1000), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)

publications = sa.Table(
    "publications",
    metadata,
    sa.Column("branch", sa.String(255), primary_key=True),
    # Of the repository's files: the same fingerprint means the same specs, without importing anything.
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("published_at", UtcTime, nullable=False),
)

builds = sa.Table(
    "builds",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("fallbacks", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("build_rid", sa.ForeignKey("builds.rid"), nullable=False),
    sa.Column("reference", sa.String(1000), nullable=False),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    # What a later run compares with: logic, semantic version, input ranges, what became of each output.
    sa.Column("provenance", sa.Text),
    sa.Column("publishes", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_jobs_reference", "reference", "branch"),
)

provenance = sa.Table(
    "provenance",
    metadata,
    sa.Column("transaction_rid", sa.ForeignKey("transactions.rid"), primary_key=True),
    sa.Column("job_rid", sa.ForeignKey("jobs.rid"), nullable=False),
)

check_results = sa.Table(
    "check_results",
    metadata,
    sa.Column("job_rid", sa.ForeignKey("jobs.rid"), primary_key=True),
    sa.Column("parameter", sa.String(255), primary_key=True),
    sa.Column("name", sa.String(500), primary_key=True),
    sa.Column("dataset_rid", sa.ForeignKey("datasets.rid"), nullable=False),
    sa.Column("branch", sa.String(255), nullable=False),
    # Of the output that was committed, or of the input's newest transaction; null where the output was aborted.
    sa.Column("transaction_rid", sa.String(100)),
    sa.Column("side", sa.String(10), nullable=False),
    sa.Column("on_error", sa.String(10), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("evaluated_at", UtcTime, nullable=False),
    sa.Index("ix_check_results_dataset", "dataset_rid", "branch"),
)

ROOM = (job_specs, publications, builds, jobs, provenance, check_results)

backfill_chunks = sa.Table(
    "backfill_chunks",
    metadata,
    sa.Column("dataset", sa.String(1000), primary_key=True),
    sa.Column("branch", sa.String(255), primary_key=True),
    sa.Column("first", sa.String(10), primary_key=True),
    sa.Column("last", sa.String(10), nullable=False),
    sa.Column("range_first", sa.String(10), nullable=False),
    sa.Column("range_last", sa.String(10), nullable=False),
    # The transaction up to which the source was read: all chunks of one backfill read the same rows.
    sa.Column("input", sa.String(100), nullable=False),
    sa.Column("formula_version", sa.String(40), nullable=False),
    sa.Column("transaction", sa.String(100), nullable=False),
)
