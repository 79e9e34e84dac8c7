"""Version 2: swept transactions and pins."""

import sqlalchemy as sa
from alembic import op

from mirror.datasets.tables import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Two new tables; nothing existing changes."""
    op.create_table(
        "swept",
        sa.Column("transaction_rid", sa.String(100), sa.ForeignKey("transactions.rid"), primary_key=True),
        sa.Column("swept_at", UtcTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "pins",
        sa.Column("transaction_rid", sa.String(100), sa.ForeignKey("transactions.rid"), primary_key=True),
        sa.Column("holder", sa.String(500), primary_key=True),
    )
