"""Which device suffers which scenario: ``DEVICE=KIND`` as the command line takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirror.errors import nearest
from mirror.synth.errors import SynthRequestError
from mirror.synth.fleet import Fleet

EVERY_DEVICE = "*"


@dataclass(frozen=True)
class Anomaly:
    """One scenario on one device (its index) or, with ``None``, on the whole fleet.

    ``onset_hours`` replaces the scenario's own onset when given; below 1, ``share`` is the chance of each device to be
    among those concerned.
    """

    device: int | None
    kind: str
    onset_hours: float | None = None
    share: float = 1.0


def parse_anomalies(texts: Sequence[str], fleet: Fleet, devices: int) -> tuple[Anomaly, ...]:
    """``3=refrigerant_leak``, ``REF-TEST-00003=SC-02``, ``*=summer_shift``, ``10%=firmware_drops_sensor`` (each device
    with that chance), ``3=cooling_loss@5`` (onset at hour 5).

    Raises:
        SynthRequestError: not of that form, no such device in a fleet of ``devices``, or no such scenario.
    """
    return tuple(_parse(text, fleet, devices) for text in texts)


def _parse(text: str, fleet: Fleet, devices: int) -> Anomaly:
    device, separator, rest = text.partition("=")
    kind, at, hour = rest.partition("@")
    if not separator or not kind:
        raise SynthRequestError(
            "--anomaly", text, "write DEVICE=KIND, for example 3=" + next(iter(fleet.scenarios), "KIND")
        )
    onset: float | None = None
    if at:
        try:
            onset = float(hour)
        except ValueError:
            raise SynthRequestError("--anomaly", text, "what follows @ is the onset in hours, a number") from None
        if not 0 <= onset < float("inf"):
            raise SynthRequestError("--anomaly", text, "the onset is in hours from the start and not negative")
    kind = _kind(kind, text, fleet)
    if device.endswith("%"):
        return Anomaly(None, kind, onset, _share(device, text))
    return Anomaly(_device(device, text, fleet, devices), kind, onset)


def _share(device: str, text: str) -> float:
    try:
        share = float(device[:-1]) / 100.0
    except ValueError:
        share = -1.0
    if not 0.0 < share <= 1.0:
        raise SynthRequestError("--anomaly", text, "a share of the fleet is above 0% and at most 100%")
    return share


def _device(name: str, text: str, fleet: Fleet, devices: int) -> int | None:
    if name == EVERY_DEVICE:
        return None
    if name.isdecimal() and int(name) < devices:
        return int(name)
    ids = {fleet.device_id.format(index=index): index for index in range(devices)}
    if name in ids:
        return ids[name]
    wanted = f"devices are 0 to {devices - 1}, their ids, a share such as 10%, or * for all.{nearest(name, ids)}"
    raise SynthRequestError("--anomaly", text, wanted)


def _kind(name: str, text: str, fleet: Fleet) -> str:
    by_id = {scenario.id: kind for kind, scenario in fleet.scenarios.items()}
    if name in fleet.scenarios:
        return name
    if name in by_id:
        return by_id[name]
    wanted = f"the fleet knows the kinds {', '.join(fleet.scenarios)}.{nearest(name, [*fleet.scenarios, *by_id])}"
    raise SynthRequestError("--anomaly", text, wanted)
