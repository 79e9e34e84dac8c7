"""Foundry's ``transforms.tables``: virtual and managed tables.

Here a table is a dataset under another declaration. Reading and writing frames works; what depends on the table's own
format (change logs, snapshots, the engine of a warehouse) is refused.
"""

from transforms._names import module_getattr
from transforms.tables._locators import (
    BigQueryTable,
    DatabricksTable,
    DeltaTable,
    FilesTable,
    IcebergTable,
    SnowflakeTable,
)
from transforms.tables._params import TableInput, TableOutput
from transforms.tables._pushdown import (
    IbisInput,
    IbisOutput,
    SnowflakeInput,
    SnowflakeOutput,
    SnowparkConnectInput,
    SnowparkConnectOutput,
)
from transforms.tables._runtime import (
    IncrementalTableTransformInput,
    TableLightweightInput,
    TableLightweightOutput,
    TableTransformInput,
    TableTransformOutput,
)

__all__ = [
    "BigQueryTable",
    "DatabricksTable",
    "DeltaTable",
    "FilesTable",
    "IbisInput",
    "IbisOutput",
    "IcebergTable",
    "IncrementalTableTransformInput",
    "SnowflakeInput",
    "SnowflakeOutput",
    "SnowflakeTable",
    "SnowparkConnectInput",
    "SnowparkConnectOutput",
    "TableInput",
    "TableLightweightInput",
    "TableLightweightOutput",
    "TableOutput",
    "TableTransformInput",
    "TableTransformOutput",
]

__getattr__ = module_getattr("transforms.tables", __all__)
