"""The datasets room's tables, on the metadata that every room shares."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every room's tables; ``Catalog.ensure`` creates a room's own."""


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime; databases without time zones keep it naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


catalog_version = sa.Table("catalog_version", metadata, sa.Column("version", sa.Integer, nullable=False))

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("next_sequence", sa.Integer, nullable=False, server_default="1"),
)

branches = sa.Table(
    "branches",
    metadata,
    sa.Column("dataset_rid", sa.ForeignKey("datasets.rid"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("parent", sa.String(255)),
    sa.Column("head", sa.String(100)),
    sa.Column("protected", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_branches_head", "head"),
)

schemas = sa.Table(
    "schemas",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)

transactions = sa.Table(
    "transactions",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("dataset_rid", sa.ForeignKey("datasets.rid"), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("parent", sa.String(100)),
    sa.Column("type", sa.String(10), nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("closed_at", UtcTime),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("schema_key", sa.ForeignKey("schemas.key")),
    # A DELETE by a retention policy, which incremental readers may be told to forgive.
    sa.Column("retention", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("dataset_rid", "sequence"),
    # The build lock itself: a second open transaction on a branch cannot be written down.
    sa.Index(
        "uq_transactions_one_open",
        "dataset_rid",
        "branch",
        unique=True,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    ),
    sa.Index("ix_transactions_branch", "dataset_rid", "branch"),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("transaction_rid", sa.ForeignKey("transactions.rid"), primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
)

swept = sa.Table(
    "swept",
    metadata,
    # Its files are gone or may go at any time; the transaction stays in the history.
    sa.Column("transaction_rid", sa.ForeignKey("transactions.rid"), primary_key=True),
    sa.Column("swept_at", UtcTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

pins = sa.Table(
    "pins",
    metadata,
    # What somebody needs besides the views of branches: never swept.
    sa.Column("transaction_rid", sa.ForeignKey("transactions.rid"), primary_key=True),
    sa.Column("holder", sa.String(500), primary_key=True),
)

forced_snapshots = sa.Table(
    "forced_snapshots",
    metadata,
    # The next build of the dataset on the branch starts over; whatever it commits settles that.
    sa.Column("dataset_rid", sa.ForeignKey("datasets.rid"), primary_key=True),
    sa.Column("branch", sa.String(255), primary_key=True),
    sa.Column("asked_at", UtcTime, nullable=False),
)

CORE = (catalog_version, datasets, branches, schemas, transactions, files, swept, pins, forced_snapshots)
