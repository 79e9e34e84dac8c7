"""Foundry's ``transforms.api``: declarations that touch nothing, and the runtime objects that work through ports.

Importing it imports neither pyspark nor pandas. ``execute``, ``JobEnvironment`` and ``JobOutcome`` are for the
platform that runs transforms; everything else is Foundry's public surface (``docs/fidelity.md`` says how each part
behaves here).
"""

from typing import Any

from transforms._names import module_getattr
from transforms.api._check import Check
from transforms.api._context import IncrementalTransformContext, TransformContext
from transforms.api._decorators import transform, transform_df, transform_pandas, transform_polars
from transforms.api._execute import execute
from transforms.api._filesystem import FileStatus, FileSystem
from transforms.api._incremental_runtime import IncrementalTransformInput, IncrementalTransformOutput
from transforms.api._job import JobEnvironment, JobOutcome
from transforms.api._lightweight import (
    FoundryDataSidecarFile,
    FoundryDataSidecarFileSystem,
    IncrementalLightweightInput,
    LightweightInput,
)
from transforms.api._lightweight_context import LightweightContext
from transforms.api._lightweight_output import IncrementalLightweightOutput, LightweightOutput
from transforms.api._markings import Markings, OrgMarkings, UnmarkingPolicy
from transforms.api._params import (
    FoundryInputParam,
    FoundryOutputParam,
    Input,
    InputSet,
    LightweightInputParam,
    LightweightOutputParam,
    Output,
    OutputSet,
    Param,
    ParamContext,
)
from transforms.api._pipeline import Pipeline
from transforms.api._settings import ComputeBackend, configure, incremental, lightweight
from transforms.api._spark_runtime import TransformInput, TransformOutput
from transforms.api._transform import (
    ContainerTransform,
    ContainerTransformsConfiguration,
    IncrementalSettings,
    Transform,
)
from transforms.api._typed_params import BooleanParam, FloatParam, IntegerParam, ParamValueInput, StringParam
from transforms.errors import (
    LightweightException,
    LightweightNotImplementedError,
    LightweightTypeError,
    LightweightValueError,
)

__all__ = [
    "BooleanParam",
    "Check",
    "ComputeBackend",
    "ContainerTransform",
    "ContainerTransformsConfiguration",
    "FileStatus",
    "FileSystem",
    "FloatParam",
    "FoundryDataSidecarFile",
    "FoundryDataSidecarFileSystem",
    "FoundryInputParam",
    "FoundryOutputParam",
    "IncrementalLightweightInput",
    "IncrementalLightweightOutput",
    "IncrementalSettings",
    "IncrementalTableTransformInput",
    "IncrementalTransformContext",
    "IncrementalTransformInput",
    "IncrementalTransformOutput",
    "Input",
    "InputSet",
    "IntegerParam",
    "JobEnvironment",
    "JobOutcome",
    "LightweightContext",
    "LightweightException",
    "LightweightInput",
    "LightweightInputParam",
    "LightweightNotImplementedError",
    "LightweightOutput",
    "LightweightOutputParam",
    "LightweightTypeError",
    "LightweightValueError",
    "Markings",
    "OrgMarkings",
    "Output",
    "OutputSet",
    "Param",
    "ParamContext",
    "ParamValueInput",
    "Pipeline",
    "StringParam",
    "TableTransformInput",
    "Transform",
    "TransformContext",
    "TransformInput",
    "TransformOutput",
    "UnmarkingPolicy",
    "configure",
    "execute",
    "incremental",
    "lightweight",
    "transform",
    "transform_df",
    "transform_pandas",
    "transform_polars",
]

_NOTES = {
    "Config": "Settings of a transform go into @configure(profile=...).",
    "get_config": "Settings of a transform go into @configure(profile=...); values into StringParam and its siblings.",
    "Secret": "Secrets come with a source: transforms.external.systems.external_systems and Source.get_secret.",
    "check": "Attach a Check to an Input or Output: checks=Check(expectation, name).",
    "DataFrame": "Import it from pyspark.sql.",
    "expectations": "from transforms import expectations as E.",
    "sidecar": "It is in transforms.sidecar.",
    "Dataset": "It is in foundry.transforms.",
    "FoundryConnector": "It is in transforms.foundry.connectors.",
    "TransformRunner": "It is in transforms.verbs.testing.TransformRunner.",
    **dict.fromkeys(("TableInput", "TableOutput"), "It is in transforms.tables."),
    **dict.fromkeys(("MediaSetInput", "MediaSetOutput"), "It is in transforms.mediasets."),
    **dict.fromkeys(("ModelInput", "ModelOutput"), "It is in palantir_models.transforms."),
    **dict.fromkeys(("external_systems", "use_external_systems", "Source"), "It is in transforms.external.systems."),
    **dict.fromkeys(("union_many", "sanitize_schema_for_parquet"), "It is in transforms.verbs.dataframes."),
}

_unknown = module_getattr("transforms.api", __all__, _NOTES)


def __getattr__(name: str) -> Any:
    # These two belong to both packages; ``transforms.tables`` builds on this one, so they are looked up late.
    if name in ("TableTransformInput", "IncrementalTableTransformInput"):
        from transforms.tables import _runtime

        return getattr(_runtime, name)
    return _unknown(name)
