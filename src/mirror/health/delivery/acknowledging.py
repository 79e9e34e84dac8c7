"""Somebody says that they saw an alert: it escalates no further until it becomes more severe."""

from __future__ import annotations

from dataclasses import replace

from mirror.datasets import Workspace
from mirror.health.delivery.states import AlertState, read_states, write_states
from mirror.health.delivery.tables import ROOM
from mirror.health.errors import UnknownAlertError


def acknowledge(workspace: Workspace, branch: str, name: str, by: str, note: str = "") -> AlertState:
    """Notes who works on an open alert; ``name`` is its id or the start of it.

    Acknowledging again replaces the name. Raises UnknownAlertError when no open alert of which somebody was told, or
    more than one, has the id.
    """
    workspace.catalog.ensure(*ROOM)
    with workspace.catalog.writing() as connection:
        known = [state for state in read_states(connection, branch).values() if state.is_open and state.told]
        fitting = [state for state in known if state.id.startswith(name)]
        if len(fitting) != 1:
            raise UnknownAlertError("told alert", name, tuple(state.id for state in known))
        state = replace(fitting[0], acknowledged_by=by, acknowledged_at=workspace.clock(), note=note)
        write_states(connection, [state])
    return state
