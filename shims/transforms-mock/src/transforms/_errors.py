"""The module under which Foundry's own messages name these errors."""

from transforms.errors import EntryPointError, SchemaMismatchError, TransformKeyError, TransformTypeError

__all__ = ["EntryPointError", "SchemaMismatchError", "TransformKeyError", "TransformTypeError"]
