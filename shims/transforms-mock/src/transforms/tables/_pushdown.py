"""What a transform that a warehouse computes receives: names for annotations, objects that exist in Foundry only."""

from __future__ import annotations

from typing import Any

from transforms.errors import NotAvailableError


class _InWarehouse:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotAvailableError(
            f"transforms.tables.{type(self).__name__}", "the warehouse computes it, outside Foundry too"
        )


class SnowflakeInput(_InWarehouse):
    """A table as Snowpark sees it."""


class SnowflakeOutput(_InWarehouse):
    """A table that Snowpark writes."""


class SnowparkConnectInput(_InWarehouse):
    """A table as PySpark inside Snowflake sees it."""


class SnowparkConnectOutput(_InWarehouse):
    """A table that PySpark inside Snowflake writes."""


class IbisInput(_InWarehouse):
    """A BigQuery table as Ibis sees it."""


class IbisOutput(_InWarehouse):
    """A BigQuery table that Ibis writes."""
