"""Declarations of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms._names import caller, known_arguments
from transforms.api._params import LightweightInputParam, LightweightOutputParam
from transforms.errors import TransformTypeError
from transforms.tables._locators import LOCATORS

if TYPE_CHECKING:
    from transforms.api._job import Job


def _text(owner: str, argument: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TransformTypeError(f"{argument} of {owner} is text, got {value!r}.", caller())
    return value


class TableInput(LightweightInputParam):
    """A table to read, by path or RID."""

    kind = "table_input"
    takes_port = True

    @known_arguments("TableInput")
    def __init__(self, alias: str | None = None) -> None:
        super().__init__(_text("TableInput", "alias", alias))

    def _bind(self, bound: Any, job: Job) -> Any:
        from transforms.tables import _runtime

        if job.is_lightweight:
            return _runtime.TableLightweightInput(bound)
        if job.transform.incremental is None:
            return _runtime.TableTransformInput(bound, job.spark)
        snapshot = job.parameter in job.transform.incremental.snapshot_inputs
        return _runtime.IncrementalTableTransformInput(
            bound, job.spark, is_incremental=job.environment.is_incremental, snapshot=snapshot
        )


class TableOutput(LightweightOutputParam):
    """A table to write.

    Args:
        alias: path or RID.
        source: the connection it lies behind; recorded.
        table: a locator, or ``CATALOG.SCHEMA.TABLE``; recorded.
    """

    kind = "table_output"
    takes_port = True
    source: str | None
    table: Any

    @known_arguments("TableOutput")
    def __init__(self, alias: str | None = None, source: str | None = None, table: Any = None) -> None:
        super().__init__(_text("TableOutput", "alias", alias))
        if table is not None and not isinstance(table, (str, *LOCATORS)):
            names = ", ".join(kind.__name__ for kind in LOCATORS)
            raise TransformTypeError(f"table of TableOutput is text or one of {names}, got {table!r}.", caller())
        self.source = _text("TableOutput", "source", source)
        self.table = table

    def _bind(self, bound: Any, job: Job) -> Any:
        from transforms.tables import _runtime

        if job.is_lightweight:
            return _runtime.TableLightweightOutput(bound)
        return _runtime.TableTransformOutput(bound, job.spark)
