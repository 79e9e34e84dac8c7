"""Cells of small tables that people and other systems keep, read with a refusal that names the row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from fleet_health.ingestion.labels import LabelScheduleError


def with_columns(table: pd.DataFrame, names: Sequence[str], optional: Collection[str], dataset: str) -> pd.DataFrame:
    """The columns ``names``, empty cells as ``None``; those of ``optional`` may be missing.

    Raises:
        LabelScheduleError: another column is missing.
    """
    missing = [name for name in names if name not in table.columns and name not in optional]
    if missing:
        raise LabelScheduleError(dataset, 0, f"the header lacks {', '.join(missing)}")
    return table.reindex(columns=list(names), fill_value="").replace("", None)


def instants(cells: pd.Series[str], dataset: str) -> pd.Series[pd.Timestamp]:
    """Times in UTC; text without an offset is UTC. Every row must have one."""
    read = pd.to_datetime(cells, utc=True, format="ISO8601", errors="coerce")
    refuse(dataset, read.isna(), cells, f"{cells.name} {{!r}} is no ISO 8601 time")
    return read


def days(cells: pd.Series[str], dataset: str) -> pd.Series[pd.Timestamp]:
    """Days such as 2026-01-31; null where nothing is said."""
    read = pd.to_datetime(cells, format="%Y-%m-%d", errors="coerce")
    refuse(dataset, read.isna() & cells.notna(), cells, f"{cells.name} {{!r}} is no day such as 2026-01-31")
    return read


def words(cells: pd.Series[str], known: Collection[str], dataset: str) -> None:
    """Refuses a row whose cell is none of ``known``."""
    refuse(dataset, ~cells.isin(list(known)), cells, f"{cells.name} {{!r}} is none of {', '.join(known)}")


def given(table: pd.DataFrame, names: Collection[str], dataset: str) -> None:
    """Refuses a row in which one of the columns says nothing."""
    for name in names:
        refuse(dataset, table[name].isna(), table[name], f"{name} is empty")


def refuse(dataset: str, wrong: pd.Series[bool], shown: pd.Series[str], problem: str) -> None:
    """Raises :class:`LabelScheduleError` for the first ``wrong`` row; ``problem`` may hold a place for its cell."""
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise LabelScheduleError(dataset, place + 1, problem.format(shown.iloc[place]))
