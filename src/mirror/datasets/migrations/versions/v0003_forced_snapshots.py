"""Version 3: snapshots that were asked for."""

import sqlalchemy as sa
from alembic import op

from mirror.datasets.tables import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One new table; nothing existing changes."""
    op.create_table(
        "forced_snapshots",
        sa.Column("dataset_rid", sa.String(100), sa.ForeignKey("datasets.rid"), primary_key=True),
        sa.Column("branch", sa.String(255), primary_key=True),
        sa.Column("asked_at", UtcTime, nullable=False),
    )
