"""Version 1: datasets, branches, schemas, transactions, files. Made by the release itself, so nothing is done here."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first version has no older one."""
