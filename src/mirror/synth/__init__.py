"""The synthetic fleet: seeded, vectorised telemetry of machines that behave, and of machines that fail on request.

A fleet is described by a YAML file (``fleets/*.yaml`` ships examples); nothing in this room names a sensor. One
device's series depends on the seed and on the device alone, so a fleet of ten and a fleet of ten thousand agree on the
first ten whatever the chunk size, and a chunk is all that is ever held in memory.
"""

from mirror.synth.anomalies import Anomaly, parse_anomalies
from mirror.synth.errors import FleetFileError, OutputNotEmptyError, SynthError, SynthRequestError
from mirror.synth.fleet import Fleet, load_fleet
from mirror.synth.writer import SynthRequest, SynthResult, write_fleet

__all__ = [
    "Anomaly",
    "Fleet",
    "FleetFileError",
    "OutputNotEmptyError",
    "SynthError",
    "SynthRequest",
    "SynthRequestError",
    "SynthResult",
    "load_fleet",
    "parse_anomalies",
    "write_fleet",
]
