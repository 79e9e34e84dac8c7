"""Every error this package raises on purpose.

    TransformsError                      facts as fields, one text rendered from them
    |-- DeclarationError                 a decorator or spec was misused; names file and line
    |   |-- UnknownArgumentError         (TypeError) a keyword that Foundry does not have
    |   |-- TransformTypeError           (TypeError) a decorator on, or an argument of, the wrong kind
    |   |-- TransformKeyError            (KeyError) ``snapshot_inputs`` names no input
    |   `-- TransformValueError          (ValueError) the kind is right, the value is not
    |-- UnknownNameError                 (ImportError) and UnknownAttributeError (AttributeError): no such name in
    Foundry |-- NotAvailableError                (NotImplementedError) Foundry has it, this environment cannot honour it
    |-- EntryPointError                  no ``transforms.pipelines`` entry point
    |-- PipelineError                    (ValueError) two transforms claim the same output or reference
    |-- BindingError                     (TypeError) a compute function and its declared parameters do not fit
    |-- ReturnTypeError                  (TypeError) a compute function returned something that is no frame
    |-- SourceError                      (ValueError) a source or secret is not configured
    |-- UnionError                       (ValueError) frames that ``union_many`` cannot put together
    `-- RuntimeUseError                  a dataset object was used against its rules, inside a job
        |-- WriteModeError               (ValueError), ModeAfterWriteError, WrittenTwiceError, ReadOnlyError
        |-- ReadModeError, PreviousWithoutSchemaError (ValueError), SchemaMismatchError
        |-- WriteArgumentError           (ValueError), FrameTypeError (TypeError)
        |-- NoSchemaError, PathError     (ValueError) no rows, or no such place, in a dataset
        |-- MediaItemError               (KeyError) no such item in a media set
        |-- DatasetNotFoundError         (KeyError), RequireIncrementalError: in ``transforms.verbs.testing``
        `-- DriverOnlyError              a Spark frame was asked for on a worker

Each subclass of a builtin error also is what Foundry documents for that case. All of them pickle: facts are the
arguments. The ``Lightweight*`` errors of single-node transforms close the page.
"""

from transforms.errors._declaring import (
    DeclarationError,
    EntryPointError,
    NotAvailableError,
    PipelineError,
    SourceError,
    TransformKeyError,
    TransformTypeError,
    TransformValueError,
    UnknownArgumentError,
    UnknownAttributeError,
    UnknownNameError,
)
from transforms.errors._lightweight import (
    LightweightException,
    LightweightNotImplementedError,
    LightweightTypeError,
    LightweightValueError,
)
from transforms.errors._root import (
    TransformsError,
    nearest,
)
from transforms.errors._running import (
    BindingError,
    DatasetNotFoundError,
    DriverOnlyError,
    FrameTypeError,
    MediaItemError,
    ModeAfterWriteError,
    NoSchemaError,
    PathError,
    PreviousWithoutSchemaError,
    ReadModeError,
    ReadOnlyError,
    RequireIncrementalError,
    ReturnTypeError,
    RuntimeUseError,
    SchemaMismatchError,
    UnionError,
    WriteArgumentError,
    WriteModeError,
    WrittenTwiceError,
)

__all__ = [
    "BindingError",
    "DatasetNotFoundError",
    "DeclarationError",
    "DriverOnlyError",
    "EntryPointError",
    "FrameTypeError",
    "LightweightException",
    "LightweightNotImplementedError",
    "LightweightTypeError",
    "LightweightValueError",
    "MediaItemError",
    "ModeAfterWriteError",
    "NoSchemaError",
    "NotAvailableError",
    "PathError",
    "PipelineError",
    "PreviousWithoutSchemaError",
    "ReadModeError",
    "ReadOnlyError",
    "RequireIncrementalError",
    "ReturnTypeError",
    "RuntimeUseError",
    "SchemaMismatchError",
    "SourceError",
    "TransformKeyError",
    "TransformTypeError",
    "TransformValueError",
    "TransformsError",
    "UnionError",
    "UnknownArgumentError",
    "UnknownAttributeError",
    "UnknownNameError",
    "WriteArgumentError",
    "WriteModeError",
    "WrittenTwiceError",
    "nearest",
]
