"""The base of custom evaluation libraries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["ComputedMetricValue", "Evaluator", "Field"]

T = TypeVar("T")


@dataclass(frozen=True)
class Field(Generic[T]):
    """A constructor parameter that names a column of the evaluated frame."""

    name: str


@dataclass(frozen=True)
class ComputedMetricValue:
    """One figure, chart or picture."""

    metric_name: str
    metric_value: Any


class Evaluator(ABC):
    """Computes figures from a Spark frame of predictions; the class docstring registers it in Foundry."""

    @abstractmethod
    def apply_spark(self, df: DataFrame) -> list[ComputedMetricValue]:
        """The figures of one frame."""
