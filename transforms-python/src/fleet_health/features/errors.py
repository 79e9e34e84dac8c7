"""What can be wrong with the readings that features are made of."""

from __future__ import annotations

from collections.abc import Sequence

from fleet_health.definition_errors import nearest


class NotANumberInCleanError(ValueError):
    """A clean reading holds NaN. Averaging it would hide a fault of cleansing in every window it touches.

    Attributes:
        device: the device of the first such reading.
        sensor: the column.
    """

    def __init__(self, device: str, sensor: str) -> None:
        super().__init__(device, sensor)
        self.device, self.sensor = device, sensor

    def __str__(self) -> str:
        return (
            f"clean_sensor_readings holds NaN in {self.sensor!r} of device {self.device!r}; a missing value is null. "
            "Build clean_sensor_readings again with the cleansing of this repository, which turns NaN into null."
        )


class UnknownSensorError(ValueError):
    """Narrow rows name a sensor that the profile does not declare.

    Attributes:
        profile: the fleet.
        sensor: the first such name in alphabetical order.
        known: the declared names.
    """

    def __init__(self, profile: str, sensor: str, known: Sequence[str]) -> None:
        super().__init__(profile, sensor, tuple(known))
        self.profile, self.sensor, self.known = profile, sensor, tuple(known)

    def __str__(self) -> str:
        return (
            f"narrow rows name the sensor {self.sensor!r}, which profile {self.profile!r} does not declare. "
            f"{nearest(self.sensor, self.known)}"
        )
