"""``foundry.transforms.Dataset`` outside of a job: a notebook or script reads and writes datasets of a workspace."""

from __future__ import annotations

from pathlib import Path

from foundry.transforms import load_aliases
from mirror.datasets.errors import NoViewError
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import DatasetReadPort, whole_input
from mirror.datasets.records import TransactionType
from mirror.datasets.workspace import Workspace

ALIASES_FILE = Path(".foundry") / "aliases.yml"


class DatasetsHost:
    """Serves one branch of a workspace. Every write is a transaction of its own, committed when the call returns.

    Args:
        directory: where ``.foundry/aliases.yml`` is looked for; any other alias is a dataset's path, RID or name.
    """

    def __init__(self, workspace: Workspace, branch: str | None = None, directory: Path | None = None) -> None:
        self.workspace = workspace
        self.branch = branch or workspace.config.default_branch
        file = (directory or Path.cwd()) / ALIASES_FILE
        self._aliases = dict(load_aliases(file)) if file.is_file() else {}

    def open(self, alias: str, for_writing: bool) -> DatasetReadPort | DatasetWritePort:
        """The newest view, or a new SNAPSHOT transaction.

        Raises DatasetNotFoundError, NoViewError, OpenTransactionError.
        """
        store, name = self.workspace.store, self._aliases.get(alias, alias)
        if for_writing:
            dataset = store.create(store.rids.get(name, name), exist_ok=True)
            return DatasetWritePort(store.open_transaction(dataset, self.branch, TransactionType.SNAPSHOT))
        dataset = store.dataset(name)
        if store.resolve_branch(dataset, self.branch) is None:
            raise NoViewError(dataset.path, self.branch)
        return whole_input(store.view(dataset, self.branch), store.storage)

    def commit(self, port: DatasetWritePort) -> None:
        """Commits, or aborts what ``abort()`` gave up."""
        if port.aborted:
            self.workspace.store.abort(port.rid, port.transaction_rid)
        else:
            port.commit()
