# ruff: noqa: N999 -- the module name is Foundry's
"""Run transforms of a pipeline in a unit test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from transforms._names import Named, caller, known_arguments, module_getattr
from transforms.api._execute import execute
from transforms.api._job import JobEnvironment, JobOutcome
from transforms.api._params import Param
from transforms.api._pipeline import Pipeline
from transforms.api._transform import TransformBase
from transforms.errors import DatasetNotFoundError, RequireIncrementalError, TransformTypeError
from transforms.verbs.testing._memory_ports import MemoryReadPort, MemoryWritePort
from transforms.verbs.testing.datastores import InMemoryDatastore, RunState

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class TransformRunner(Named):
    """Builds datasets of a pipeline from a datastore, upstream ones first where they are not stored.

    Args:
        pipeline: holds the transforms.
        root: the folder that aliases without a leading slash lie in, e.g. ``/Foundry/Project``; datasets of the
            datastore may be stored under their names below it. A datastore may stand in its place.
        datastore: where inputs come from and outputs go; a new empty one by default.
        bindings: transform parameter name -> object, for models and other resources that are no datasets.
        parameters: ``ctx.parameters``.

    Checks are declarations only here: a platform evaluates them.
    """

    @known_arguments("TransformRunner")
    def __init__(
        self,
        pipeline: Pipeline,
        root: str | InMemoryDatastore | None = None,
        datastore: InMemoryDatastore | None = None,
        *,
        bindings: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(root, InMemoryDatastore):
            root, datastore = None, root if datastore is None else datastore
        if not isinstance(pipeline, Pipeline) or not isinstance(root, str | None):
            raise TransformTypeError(
                f"TransformRunner takes a Pipeline, a folder and a datastore, got {pipeline!r}, {root!r}.", caller()
            )
        self._pipeline, self._root = pipeline, (root or "").rstrip("/")
        self.datastore = datastore if datastore is not None else InMemoryDatastore()
        self._bindings, self._parameters = dict(bindings or {}), dict(parameters or {})

    def build_dataset(self, spark_session: SparkSession, output_alias: str) -> DataFrame:
        """Run the transform that writes ``output_alias`` and give back the rows.

        Raises:
            DatasetNotFoundError: no transform writes it, or an input is neither stored nor written.
            NoSchemaError: the transform wrote files only.
        """
        maker = self._maker(output_alias)
        self.run(spark_session, maker)
        written = next(alias for alias in self._spellings(output_alias) if alias in maker.output_aliases)
        return self.datastore.get_dataframe(written, spark_session)

    def run(self, spark_session: SparkSession, transform: TransformBase) -> JobOutcome:
        """Run one transform and store its outputs; an exception leaves the datastore unchanged."""
        for param in transform.inputs.values():
            for alias in _dataset_aliases(param):
                if self._stored(alias) not in self.datastore:
                    self.run(spark_session, self._maker(alias))
        incremental = self._is_incremental(transform)
        bindings: dict[str, Any] = dict(self._bindings)
        writes: dict[str, MemoryWritePort] = {}
        for name, param in transform.parameters.items():
            if name not in self._bindings and _dataset_aliases(param):
                ports = [self._port(transform, alias, param, incremental, writes) for alias in _dataset_aliases(param)]
                bindings[name] = ports if param.is_set else ports[0]
        environment = JobEnvironment(spark_session, is_incremental=incremental, parameters=self._parameters)
        outcome = execute(transform, environment, bindings)
        if not outcome.aborted:
            self._commit(transform, writes)
        return outcome

    def _spellings(self, alias: str) -> tuple[str, ...]:
        """The alias itself, then as it reads with or without the root."""
        if self._root and alias.startswith(f"{self._root}/"):
            return alias, alias.removeprefix(f"{self._root}/")
        return (alias, f"{self._root}/{alias}") if self._root and not alias.startswith(("/", "ri.")) else (alias,)

    def _stored(self, alias: str) -> str:
        """The spelling under which a dataset is stored; the alias itself where it is not."""
        return next((spelling for spelling in self._spellings(alias) if spelling in self.datastore), alias)

    def _maker(self, alias: str) -> TransformBase:
        for spelling in self._spellings(alias):
            for transform in self._pipeline.transforms:
                if spelling in transform.output_aliases:
                    return transform
        made = {alias for transform in self._pipeline.transforms for alias in transform.output_aliases}
        raise DatasetNotFoundError(self._spellings(alias)[-1], tuple(sorted({*made, *self.datastore.aliases})))

    def _seen(self, transform: TransformBase, alias: str) -> tuple[int, int]:
        state = self.datastore._state(transform.reference)
        return state.seen.get(alias, (-1, 0)) if state is not None else (-1, 0)

    def _is_incremental(self, transform: TransformBase) -> bool:
        settings, state = transform.incremental, self.datastore._state(transform.reference)
        if settings is None or state is None or state.semantic_version != settings.semantic_version:
            return False
        for name, param in transform.inputs.items():
            for alias in () if name in settings.snapshot_inputs else _dataset_aliases(param):
                generation = self._seen(transform, alias)[0]
                if generation not in (-1, self.datastore._dataset(self._stored(alias)).generation):
                    if settings.require_incremental:
                        raise RequireIncrementalError(transform.__name__, f"input '{alias}' was rewritten")
                    return False
        return True

    def _port(
        self,
        transform: TransformBase,
        alias: str,
        param: Param,
        incremental: bool,
        writes: dict[str, MemoryWritePort],
    ) -> MemoryReadPort:
        if param.direction == "output":
            before = self.datastore.parts(alias) if alias in self.datastore else []
            writes[alias] = MemoryWritePort(alias, before, incremental=incremental)
            if incremental and transform.incremental is not None and transform.incremental.strict_append:
                writes[alias].set_mode("append")
            return writes[alias]
        parts = self.datastore.parts(self._stored(alias))
        seen = self._seen(transform, alias)[1] if incremental else 0
        return MemoryReadPort(alias, parts[:seen], parts[seen:])

    def _commit(self, transform: TransformBase, writes: Mapping[str, MemoryWritePort]) -> None:
        for alias, port in writes.items():
            parts = port.commit()
            if parts is not None:
                self.datastore._replace(alias, parts, rewritten=port.mode == "replace")
        seen = {}
        for param in transform.inputs.values():
            for alias in _dataset_aliases(param):
                dataset = self.datastore._dataset(self._stored(alias))
                seen[alias] = (dataset.generation, len(dataset.parts))
        version = transform.incremental.semantic_version if transform.incremental else 1
        self.datastore._remember(transform.reference, RunState(version, seen))


def _dataset_aliases(param: Param) -> tuple[str, ...]:
    return tuple(getattr(param, "aliases", None) or ()) if param.takes_port else ()


__getattr__ = module_getattr(__name__, ["TransformRunner"])
