"""``ctx``: what a compute function may know about its job, and the way to end it without a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from transforms._names import Named, known_arguments
from transforms.errors import DriverOnlyError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class JobAborted(BaseException):
    """Raised by ``ctx.abort_job()``; the runner turns it into an aborted, successful job."""


class _Context(Named):
    def __init__(self, auth_header: str = "") -> None:
        self._auth_header = auth_header

    @property
    def auth_header(self) -> str:
        """The job's token in Foundry; empty here, as there is no server that would take one."""
        return self._auth_header

    @known_arguments("{}.abort_job")
    def abort_job(self) -> NoReturn:
        """End the job now: every output's transaction is aborted, and the job counts as successful."""
        raise JobAborted


class TransformContext(_Context):
    """``ctx`` of a Spark transform."""

    def __init__(
        self,
        foundry_connector: Any = None,
        parameters: Mapping[str, Any] | None = None,
        environment: Sequence[str] = (),
        *,
        spark: SparkSession | None = None,
        fallback_branches: Sequence[str] = (),
        auth_header: str = "",
    ) -> None:
        super().__init__(auth_header)
        self._spark = spark if spark is not None else getattr(foundry_connector, "spark_session", None)
        self._parameters, self._environment = dict(parameters or {}), list(environment)
        self._fallback_branches = list(fallback_branches)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_spark": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def parameters(self) -> dict[str, Any]:
        """The transform's parameters."""
        return self._parameters

    @property
    def environment(self) -> list[str]:
        """Installed packages as Foundry would list them; empty unless the platform says."""
        return self._environment

    @property
    def fallback_branches(self) -> list[str]:
        """Read in this order where the build's branch has no data."""
        return self._fallback_branches

    @property
    def spark_session(self) -> SparkSession:
        """The session of this job.

        Raises:
            DriverOnlyError: on a worker.
        """
        if self._spark is None:
            raise DriverOnlyError("ctx", "spark_session")
        return self._spark


class IncrementalTransformContext(TransformContext):
    """``ctx`` of an ``@incremental`` Spark transform."""

    def __init__(
        self, is_incremental: bool = False, snapshot_inputs: Sequence[str] = (), *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._snapshot_inputs = tuple(snapshot_inputs)
        self._is_incremental = is_incremental

    @property
    def snapshot_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are always read in full."""
        return self._snapshot_inputs

    @property
    def is_incremental(self) -> bool:
        """Whether this run reads only what is new."""
        return self._is_incremental
