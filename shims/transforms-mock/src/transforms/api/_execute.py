"""Running one transform with objects that a platform bound; the platform commits or aborts afterwards."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from transforms.api._context import JobAborted
from transforms.api._job import Job, JobEnvironment, JobOutcome
from transforms.api._params import Param, ParamContext
from transforms.api._profiles import result_settings
from transforms.api._transform import TransformBase
from transforms.errors import BindingError, ReturnTypeError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_FRAME_NAMES = {"spark": "pyspark.sql.DataFrame", "pandas": "pandas.DataFrame", "polars": "polars.DataFrame"}
_READERS = {"spark": "dataframe", "pandas": "pandas", "polars": "polars"}
_WRITERS = {"spark": "write_dataframe", "pandas": "write_pandas", "polars": "write_table"}


def execute(transform: TransformBase, environment: JobEnvironment, bindings: Mapping[str, Any]) -> JobOutcome:
    """Call the compute function with its runtime objects and write what it returns, if it is one that returns frames.

    Args:
        transform: any transform of this package.
        environment: what the platform decided about this job.
        bindings: parameter name -> port, list of ports (sets) or ready value. Typed parameters may be left out (their
            default holds), and so may custom parameters that make their own runtime object.

    Returns:
        How the function ended. Nothing is committed or aborted here.

    Raises:
        BindingError: the function cannot take what is declared, or a parameter was not bound.
        ReturnTypeError: a frame-returning function returned something else.
        NotAvailableError: the transform is computed by an outside warehouse.
        TransformValueError: ``@incremental`` and what is declared do not go together.
        Exception: whatever the compute function raises.
    """
    for refused in (transform.refusal(), transform.incremental_problem()):
        if refused is not None:
            raise refused
    spark = _session(transform, environment)
    bound = {
        name: param._bind(
            _binding(transform, name, param, environment, bindings), Job(transform, environment, spark, name)
        )
        for name, param in transform.parameters.items()
    }
    ctx = Job(transform, environment, spark, "ctx").context({n: bound[n] for n in transform.inputs})
    try:
        run_on_objects(transform, bound, ctx)
    except JobAborted:
        return JobOutcome(aborted=True)
    return JobOutcome(aborted_outputs=tuple(n for n in transform.outputs if getattr(bound[n], "_aborted", False)))


def _binding(
    transform: TransformBase, name: str, param: Param, environment: JobEnvironment, bindings: Mapping[str, Any]
) -> Any:
    if name in bindings:
        return bindings[name]
    if hasattr(param, "_default_binding"):
        return param._default_binding()
    maker = "lightweight_instance" if transform.engine == "lightweight" else "instance"
    if getattr(type(param), maker) is not getattr(Param, maker):
        context = ParamContext(
            environment, transform.inputs, transform.outputs, environment.branch, job_rid=environment.job_rid
        )
        return getattr(param, maker)(context, param.json_value)
    raise BindingError(
        transform.__name__, str(transform.source), tuple(transform.parameters), tuple(bindings), (), (name,)
    )


def _session(transform: TransformBase, environment: JobEnvironment) -> SparkSession | None:
    """The job's session, set as the profiles that change results say; a sibling where other jobs share it.

    ``SparkSession.builder.getOrCreate()`` in a helper finds the views and settings of the first kind only.
    """
    if environment.spark is not None:
        _ensure_checkpoints(environment.spark)
    settings = {**result_settings(transform.recorded.get("profile", ())), **environment.spark_conf}
    if environment.spark is None or not settings:
        return environment.spark
    from pyspark.sql import SparkSession

    session = environment.spark
    if not environment.own_session:
        session = SparkSession(session.sparkContext, session._jsparkSession.cloneSession())
    for key, value in settings.items():
        session.conf.set(key, value)
    return session


_PREPARED: weakref.WeakSet[SparkContext] = weakref.WeakSet()


def _ensure_checkpoints(spark: SparkSession) -> None:
    """``df.checkpoint()`` works in Foundry without preparation; on one machine any folder serves."""
    context = spark.sparkContext
    if context in _PREPARED:  # each question is several calls into the JVM, and the answer stays
        return
    if str(context.master).startswith("local") and context.getCheckpointDir() is None:
        folder = tempfile.mkdtemp(prefix="transforms-checkpoints-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        context.setCheckpointDir(folder)
    _PREPARED.add(context)


def run_on_objects(transform: TransformBase, bound: Mapping[str, Any], ctx: Any) -> None:
    """Call the function as its decorator promises: with the objects themselves, or with frames whose result is
    written.
    """
    if transform.style == "objects":
        transform.compute_func(**transform.arguments({**bound, "ctx": ctx}))
        return
    read = _READERS[transform.style]
    offered: dict[str, Any] = {"ctx": ctx}
    for name, param in transform.inputs.items():
        value = bound[name]
        if param.takes_port and param.is_set:
            offered[name] = [getattr(one, read)() for one in value]
        else:
            offered[name] = getattr(value, read)() if param.takes_port else value
    returned = transform.compute_func(**transform.arguments(offered))
    if not _is_frame(transform.style, returned):
        got = type(returned).__name__ if returned is None else f"{type(returned).__module__}.{type(returned).__name__}"
        raise ReturnTypeError(transform.__name__, str(transform.source), _FRAME_NAMES[transform.style], got)
    getattr(bound[next(iter(transform.outputs))], _WRITERS[transform.style])(returned)


def _is_frame(style: str, value: Any) -> bool:
    if style == "spark":
        from pyspark.sql import DataFrame

        return isinstance(value, DataFrame)
    if style == "pandas":
        import pandas as pd

        return isinstance(value, pd.DataFrame)
    import polars as pl

    return isinstance(value, pl.DataFrame | pl.LazyFrame)
