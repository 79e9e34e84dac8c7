"""How the sensors of a fleet may change: they come and go, but one does not become another under the same name."""

from __future__ import annotations

from pyspark.sql import types as T


class SensorTypeError(ValueError):
    """A profile gives a stored sensor another type.

    Attributes:
        dataset: what holds the sensor.
        column: the sensor.
        stored: its type there.
        declared: its type in the profile.
    """

    def __init__(self, dataset: str, column: str, stored: str, declared: str) -> None:
        super().__init__(dataset, column, stored, declared)
        self.dataset, self.column, self.stored, self.declared = dataset, column, stored, declared

    def __str__(self) -> str:
        return (
            f"{self.dataset}: column {self.column!r} is {self.stored} and would become {self.declared}. "
            "Declare a sensor of another name beside it, move its readers, and remove the old one later."
        )


def check_stored_types(dataset: str, stored: T.StructType, declared: T.StructType) -> None:
    """Compares the columns that both have.

    Raises:
        SensorTypeError: the first one whose type differs.
    """
    types = {field.name: field.dataType.simpleString() for field in stored}
    for field in declared:
        kind = field.dataType.simpleString()
        if types.get(field.name, kind) != kind:
            raise SensorTypeError(dataset, field.name, types[field.name], kind)
