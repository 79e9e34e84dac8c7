"""Alerts leave here: who is told now, what is held back and why, and messages that wait until their sink takes them.

``decide`` compares what is open with what was told. Its verdict and the messages that follow from it are written in
one SQL transaction; only then is anything sent. A process that dies between writing and sending loses nothing, and one
that dies between sending and noting it sends that message again, under the same id.
"""

from mirror.health.delivery.acknowledging import acknowledge
from mirror.health.delivery.deliver import Delivery, deliver, preview
from mirror.health.delivery.outbox import Waiting, waiting
from mirror.health.delivery.rounds import Round, rounds
from mirror.health.delivery.silences import Matcher, Silence, end_silence, keep_silence, silences
from mirror.health.delivery.states import AlertState, alert_states

__all__ = [
    "AlertState",
    "Delivery",
    "Matcher",
    "Round",
    "Silence",
    "Waiting",
    "acknowledge",
    "alert_states",
    "deliver",
    "end_silence",
    "keep_silence",
    "preview",
    "rounds",
    "silences",
    "waiting",
]
