"""What is stored: catalog, branches, transactions, views, files, workspace.

Importing this package imports neither Spark nor pyarrow.
"""

from mirror.datasets.catalog import Catalog
from mirror.datasets.guest import Guest
from mirror.datasets.records import (
    Branch,
    Dataset,
    StoredFile,
    StoredSchema,
    Transaction,
    TransactionStatus,
    TransactionType,
    View,
)
from mirror.datasets.storage import Storage
from mirror.datasets.store import DEFAULT_BRANCH, DatasetStore
from mirror.datasets.tables import UtcTime, metadata
from mirror.datasets.transaction import OpenTransaction
from mirror.datasets.workspace import Workspace, WorkspaceConfig

__all__ = [
    "DEFAULT_BRANCH",
    "Branch",
    "Catalog",
    "Dataset",
    "DatasetStore",
    "Guest",
    "OpenTransaction",
    "Storage",
    "StoredFile",
    "StoredSchema",
    "Transaction",
    "TransactionStatus",
    "TransactionType",
    "UtcTime",
    "View",
    "Workspace",
    "WorkspaceConfig",
    "metadata",
]
