"""Rounds of delivery on a schedule: escalation steps come due whether anything is built or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mirror.errors import MirrorError
from mirror.health.delivery.deliver import Delivery


@dataclass(frozen=True)
class Round:
    """What came of one round: a delivery, or why there was none."""

    delivery: Delivery | None
    error: MirrorError | None = None


def rounds(
    once: Callable[[], Delivery], every: float, clock: Callable[[], float], wait: Callable[[float], bool]
) -> Iterator[Round]:
    """One round at once and then one ``every`` so many seconds, until ``wait`` says that it is asked to end.

    A round that takes longer than that is followed at once by one, not by all that were missed: each tells everything
    that is due. What a person can mend (a routing file with a mistake, an alert without owner) ends one round and not
    the schedule, or a typing error at noon would silence the night.

    Args:
        once: reads configuration and alerts anew each time.
        every: seconds from the beginning of a round to the next.
        clock: seconds that never run backwards.
        wait: sleeps for the seconds given; true when it was asked to end.
    """
    while True:
        due = clock() + every
        try:
            yield Round(once())
        except MirrorError as error:
            yield Round(None, error)
        if wait(max(due - clock(), 0.0)):
            return
