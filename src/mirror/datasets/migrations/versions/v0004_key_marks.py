"""Version 4: key hashes are kept in another form."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """What was kept goes; the checks keep it anew when they next read those files."""
    op.execute("DROP TABLE IF EXISTS check_key_hashes")
