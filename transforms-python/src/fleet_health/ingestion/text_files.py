"""Small CSV files of a raw dataset (a registry, a label schedule) as one table of text."""

from __future__ import annotations

from typing import Any

import pandas as pd


class NoTextFilesError(ValueError):
    """A raw dataset that should hold a CSV file holds none."""

    def __str__(self) -> str:
        return "the dataset holds no *.csv file. Add one to it, then build again."


def read_text_table(filesystem: Any) -> pd.DataFrame:
    """All ``*.csv`` files below each other, every cell as text, nothing read as null; files in order of their path.

    Raises:
        NoTextFilesError: there is no such file.
    """
    parts = []
    for path in sorted(status.path for status in filesystem.ls(glob="**/*.csv")):
        with filesystem.open(path, "r", encoding="utf-8-sig") as stream:
            parts.append(pd.read_csv(stream, dtype=str, keep_default_na=False))
    if not parts:
        raise NoTextFilesError
    return pd.concat(parts, ignore_index=True)
