"""Declarations of media sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms._names import caller, known_arguments
from transforms.api._params import LightweightInputParam, LightweightOutputParam, text_alias
from transforms.errors import TransformTypeError

if TYPE_CHECKING:
    from transforms.api._job import Job


class MediaSetInput(LightweightInputParam):
    """A media set to read.

    Args:
        alias: path or RID.
        batch_limit: how many items one incremental run takes in Foundry; recorded, as a run here takes every new one.
    """

    kind = "media_set_input"
    takes_port = True
    batch_limit: int | None

    @known_arguments("MediaSetInput")
    def __init__(self, alias: str | None = None, batch_limit: int | None = None) -> None:
        super().__init__(text_alias("MediaSetInput", alias))
        if batch_limit is not None and (isinstance(batch_limit, bool) or not isinstance(batch_limit, int)):
            raise TransformTypeError(f"batch_limit of MediaSetInput is a number, got {batch_limit!r}.", caller())
        self.batch_limit = batch_limit

    def _bind(self, bound: Any, job: Job) -> Any:
        from transforms.mediasets.inputs import LightweightMediaSetInputParam, MediaSetInputParam

        if job.transform.style != "objects":
            what = f"'{job.parameter}' of transform '{job.transform.__name__}' is a media set, which is no frame"
            raise TransformTypeError(f"{what}; use @transform or @transform.using.", str(job.transform.source))
        settings = job.transform.incremental
        snapshot = settings is not None and job.parameter in settings.snapshot_inputs
        partial = settings is not None and job.environment.is_incremental and not snapshot
        if job.is_lightweight:
            return LightweightMediaSetInputParam(bound, partial=partial)
        return MediaSetInputParam(bound, job.spark, partial=partial)


class MediaSetOutput(LightweightOutputParam):
    """A media set to write.

    Args:
        alias: path or RID.
        should_snapshot: whether each run replaces the items; ``None`` leaves it to the write mode.
    """

    kind = "media_set_output"
    takes_port = True
    should_snapshot: bool | None

    @known_arguments("MediaSetOutput")
    def __init__(self, alias: str | None = None, should_snapshot: bool | None = None) -> None:
        super().__init__(text_alias("MediaSetOutput", alias))
        self.should_snapshot = should_snapshot

    def _bind(self, bound: Any, job: Job) -> Any:
        from transforms.mediasets.outputs import LightweightMediaSetOutputParam, MediaSetOutputParam

        if self.should_snapshot is not None:
            bound.set_mode("replace" if self.should_snapshot else "modify")
        return LightweightMediaSetOutputParam(bound) if job.is_lightweight else MediaSetOutputParam(bound, job.spark)
