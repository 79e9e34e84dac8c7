"""Upgrades of the catalog's core tables, one Alembic revision per catalog version, numbered without gaps.

A new catalog is made from ``mirror.datasets.tables`` as they are now; only older ones come through here.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Connection


def upgrade(connection: Connection, found: int) -> None:
    """Brings a catalog of version ``found`` to the newest, inside the caller's SQL transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.stamp(config, f"{found:04}")
    command.upgrade(config, "head")
