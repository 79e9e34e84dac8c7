"""Datasets for unit tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from transforms._names import Named, module_getattr
from transforms.errors import DatasetNotFoundError
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing._parts import Part, scratch_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass
class StoredDataset:
    """Parts in the order they were stored; ``generation`` counts how often the whole was replaced."""

    parts: list[Part] = field(default_factory=list)
    generation: int = 0


@dataclass(frozen=True)
class RunState:
    """What a run leaves behind for the next one's decision: per input its generation and how many parts were seen."""

    semantic_version: int
    seen: Mapping[str, tuple[int, int]]


class InMemoryDatastore(Named):
    """Datasets by alias, held for the duration of a test."""

    def __init__(self) -> None:
        self._datasets: dict[str, StoredDataset] = {}
        self._runs: dict[str, RunState] = {}

    def store_dataframe(self, alias: str, df: DataFrame, append: bool = False) -> None:
        """Store a Spark frame.

        Args:
            alias: as transforms write it.
            append: add to what is there (a new transaction) instead of replacing it.
        """
        self._store(alias, Part(frame=df), append)

    def store_files(self, alias: str, files: Mapping[str, bytes | str], append: bool = False) -> None:
        """Store raw files, logical path -> content; the dataset has no schema."""
        folder = scratch_folder()
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self._store(alias, Part(folder=folder), append)

    def get_dataframe(self, alias: str, spark_session: SparkSession) -> DataFrame:
        """The rows of a dataset.

        Raises:
            DatasetNotFoundError, NoSchemaError: nothing stored, or only raw files.
        """
        return MemoryReadPort(alias, self.parts(alias)).dataframe(spark_session)

    def get_files(self, alias: str) -> dict[str, bytes]:
        """Logical path -> content of every file of a dataset."""
        return {f.path: Path(f.location).read_bytes() for f in MemoryReadPort(alias, self.parts(alias)).files()}

    def parts(self, alias: str) -> list[Part]:
        """What a dataset is made of."""
        return self._dataset(alias).parts

    def __contains__(self, alias: object) -> bool:
        return alias in self._datasets

    @property
    def aliases(self) -> list[str]:
        """Everything stored."""
        return sorted(self._datasets)

    def _dataset(self, alias: str) -> StoredDataset:
        if alias not in self._datasets:
            raise DatasetNotFoundError(alias, tuple(self._datasets))
        return self._datasets[alias]

    def _store(self, alias: str, part: Part, append: bool) -> None:
        dataset = self._datasets.setdefault(alias, StoredDataset())
        if append:
            dataset.parts.append(part)
        else:
            self._replace(alias, [part], rewritten=True)

    def _replace(self, alias: str, parts: list[Part], *, rewritten: bool) -> None:
        dataset = self._datasets.setdefault(alias, StoredDataset())
        dataset.parts = parts
        dataset.generation += rewritten

    def _state(self, reference: str) -> RunState | None:
        return self._runs.get(reference)

    def _remember(self, reference: str, state: RunState) -> None:
        self._runs[reference] = state


__all__ = ["InMemoryDatastore"]

__getattr__ = module_getattr(__name__, ["InMemoryDatastore"])
