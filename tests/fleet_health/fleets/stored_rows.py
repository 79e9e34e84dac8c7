"""What lies in files, as Spark would hand it over: to plan a query costs more than to read a few rows."""

from __future__ import annotations

import pandas as pd

from transforms.api._arrow import read_arrow
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing.datastores import InMemoryDatastore


def stored_rows(store: InMemoryDatastore, alias: str) -> pd.DataFrame:
    """The current rows of a dataset in memory."""
    return as_spark_hands_over(read_arrow(MemoryReadPort(alias, store.parts(alias)), "current").to_pandas())


def as_spark_hands_over(frame: pd.DataFrame) -> pd.DataFrame:
    """Instants in nanoseconds of a UTC that is not written beside them."""
    instants = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{one: frame[one].dt.tz_localize(None).astype("datetime64[ns]") for one in instants})
