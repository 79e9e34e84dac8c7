"""Tables of alert delivery, on the catalog's own metadata."""

from __future__ import annotations

import sqlalchemy as sa

from mirror.datasets.tables import UtcTime, metadata

alert_states = sa.Table(
    "alert_states",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    # The rest of AlertState, and the alert as it was last seen: nothing asks the database about them.
    sa.Column("document", sa.Text, nullable=False),
)

alert_silences = sa.Table(
    "alert_silences",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("matcher", sa.Text, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("ended_at", UtcTime),
)

alert_outbox = sa.Table(
    "alert_outbox",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("sink", sa.String(255), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    # Until then another process may be sending it.
    sa.Column("claimed_until", UtcTime),
    sa.Column("delivered_at", UtcTime),
)

ROOM = (alert_states, alert_silences, alert_outbox)
