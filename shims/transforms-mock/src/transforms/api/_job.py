"""One job: its environment, and how a bound dataset becomes the object that the compute function receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from transforms.ports import ReadPort, WritePort

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from transforms.api._transform import TransformBase


@dataclass(frozen=True)
class JobEnvironment:
    """What the platform decided about one job.

    Attributes:
        spark: the session; ``None`` is enough for single-node transforms.
        is_incremental: whether inputs are read from where the last run ended.
        parameters: ``ctx.parameters``.
        fallback_branches, branch: of the build.
        own_session: the session, or what is set in it, ends with the job, so that settings need no copy of it.
        spark_conf: further Spark SQL settings for this job alone; they win over those of profiles.
        auth_header: ``ctx.auth_header``.
        packages: ``ctx.environment``.
        job_rid: handed to custom parameters.
    """

    spark: SparkSession | None = None
    is_incremental: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fallback_branches: Sequence[str] = ()
    branch: str = "master"
    own_session: bool = False
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    auth_header: str = ""
    packages: Sequence[str] = ()
    job_rid: str | None = None


@dataclass(frozen=True)
class JobOutcome:
    """How the compute function ended.

    Attributes:
        aborted: ``ctx.abort_job()`` was called: no output may commit, and the job counts as successful.
        aborted_outputs: names of outputs on which ``abort()`` was called.
    """

    aborted: bool = False
    aborted_outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """A transform in its environment, seen from one parameter."""

    transform: TransformBase
    environment: JobEnvironment
    spark: SparkSession | None
    parameter: str

    @property
    def is_lightweight(self) -> bool:
        """Whether the job runs on one node, without Spark."""
        return self.transform.engine == "lightweight"

    def dataset_input(self, port: ReadPort) -> Any:
        """The input object for this kind of transform."""
        settings, incremental = self.transform.incremental, self.environment.is_incremental
        snapshot = settings is not None and self.parameter in settings.snapshot_inputs
        if self.is_lightweight:
            from transforms.api._lightweight import IncrementalLightweightInput, LightweightInput

            if settings is None:
                return LightweightInput(port)
            v2 = settings.v2_semantics
            return IncrementalLightweightInput(port, is_incremental=incremental, snapshot=snapshot, v2=v2)
        from transforms.api._incremental_runtime import IncrementalTransformInput
        from transforms.api._spark_runtime import TransformInput

        if settings is None:
            return TransformInput(port, self.spark)
        return IncrementalTransformInput(port, self.spark, is_incremental=incremental, snapshot=snapshot)

    def dataset_output(self, port: WritePort) -> Any:
        """The output object for this kind of transform."""
        settings, incremental = self.transform.incremental, self.environment.is_incremental
        if self.is_lightweight:
            from transforms.api._lightweight_output import IncrementalLightweightOutput, LightweightOutput

            if settings is None:
                return LightweightOutput(port)
            strict = settings.strict_append
            return IncrementalLightweightOutput(port, is_incremental=incremental, strict_append=strict)
        from transforms.api._incremental_runtime import IncrementalTransformOutput
        from transforms.api._spark_runtime import TransformOutput

        if settings is None:
            return TransformOutput(port, self.spark)
        strict = settings.strict_append
        return IncrementalTransformOutput(port, self.spark, is_incremental=incremental, strict_append=strict)

    def context(self, inputs: Mapping[str, Any]) -> Any:
        """``ctx`` for this kind of transform."""
        env, settings = self.environment, self.transform.incremental
        if self.is_lightweight:
            from transforms.api._lightweight_context import LightweightContext

            incremental = env.is_incremental and settings is not None
            return LightweightContext(incremental, inputs, auth_header=env.auth_header)
        from transforms.api._context import IncrementalTransformContext, TransformContext

        facts: dict[str, Any] = {
            "parameters": env.parameters,
            "environment": env.packages,
            "spark": self.spark,
            "fallback_branches": env.fallback_branches,
            "auth_header": env.auth_header,
        }
        if settings is None:
            return TransformContext(**facts)
        return IncrementalTransformContext(env.is_incremental, settings.snapshot_inputs, **facts)
