"""``FoundryConnector``: inputs, outputs and runs by hand, against whatever opens datasets underneath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from transforms._names import Named, caller, known_arguments, module_getattr
from transforms.api._execute import execute
from transforms.api._job import JobEnvironment, JobOutcome
from transforms.api._spark_runtime import TransformInput, TransformOutput
from transforms.api._transform import TransformBase
from transforms.errors import NotAvailableError, TransformTypeError, TransformValueError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Opener = Callable[[str, str | None, bool], Any]


class FoundryConnector(Named):
    """Opens datasets by path or RID.

    Args:
        service_config: in Foundry the addresses of its services; here a function ``(alias, branch, for_writing) ->
            port`` that a platform or a test provides.
        auth_header: kept.
        fallback_branches: tried in order where no branch is named.
    """

    @known_arguments("FoundryConnector")
    def __init__(
        self,
        service_config: Opener | Any,
        auth_header: str = "",
        filesystem_id: str | None = None,
        fallback_branches: Sequence[str] | None = None,
        resolver: Any = None,
    ) -> None:
        self._open = service_config
        self.auth_header = auth_header
        self.fallback_branches = list(fallback_branches or [])

    @property
    def spark_session(self) -> SparkSession:
        """The running session, or a new one."""
        from pyspark.sql import SparkSession

        return SparkSession.builder.getOrCreate()

    def _port(self, alias: str | None, rid: str | None, branch: str | None, for_writing: bool) -> Any:
        if (alias is None) == (rid is None):
            raise TransformValueError("FoundryConnector takes exactly one of alias and rid.", caller())
        if not callable(self._open):
            raise NotAvailableError(
                "FoundryConnector with a service configuration", "there are no Foundry services here"
            )
        chosen = branch or (self.fallback_branches[0] if self.fallback_branches else None)
        return self._open(alias or rid or "", chosen, for_writing)

    @known_arguments("FoundryConnector.input")
    def input(
        self,
        alias: str | None = None,
        rid: str | None = None,
        branch: str | None = None,
        end_txrid: str | None = None,
        start_txrid: str | None = None,
        schema_version: str | None = None,
    ) -> TransformInput:
        """A dataset to read.

        Raises:
            TransformValueError: not exactly one of ``alias`` and ``rid``.
            NotAvailableError: a transaction range was asked for.
        """
        if any(value is not None for value in (end_txrid, start_txrid, schema_version)):
            raise NotAvailableError("A transaction range by hand", "ranges belong to builds")
        return TransformInput(self._port(alias, rid, branch, False), self.spark_session)

    @known_arguments("FoundryConnector.output")
    def output(
        self,
        alias: str | None = None,
        rid: str | None = None,
        branch: str | None = None,
        txrid: str | None = None,
        filesystem_id: str | None = None,
    ) -> TransformOutput:
        """A dataset to write; committing is its opener's.

        Raises:
            TransformValueError: not exactly one of ``alias`` and ``rid``.
            NotAvailableError: a transaction was named: the opener makes its own.
        """
        if txrid is not None:
            raise NotAvailableError("A transaction by hand", "transactions belong to builds")
        return TransformOutput(self._port(alias, rid, branch, True), self.spark_session)

    @known_arguments("FoundryConnector.run")
    def run(self, transform: TransformBase) -> JobOutcome:
        """Run one transform on the datasets it declares.

        Raises:
            TransformTypeError: not a transform.
        """
        if not isinstance(transform, TransformBase):
            raise TransformTypeError(f"FoundryConnector.run takes a transform, got {transform!r}.", caller())
        bindings = {}
        for name, param in transform.parameters.items():
            if param.takes_port:
                aliases = getattr(param, "aliases", None) or ()
                ports = [self._port(alias, None, None, param.direction == "output") for alias in aliases]
                bindings[name] = ports if param.is_set else ports[0]
        environment = JobEnvironment(
            self.spark_session, fallback_branches=self.fallback_branches, auth_header=self.auth_header
        )
        return execute(transform, environment, bindings)


__all__ = ["FoundryConnector"]

__getattr__ = module_getattr("transforms.foundry.connectors", __all__)
