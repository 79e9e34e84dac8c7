"""Foundry's ``transforms.objects``: declared and registered; objects are held by Foundry's ontology."""

from __future__ import annotations

from transforms._names import caller, known_arguments, module_getattr
from transforms.api._remote import RemoteInput
from transforms.errors import TransformTypeError


class ObjectInput(RemoteInput):
    """An object type to read."""

    kind = "object_input"
    service = "Foundry's ontology"

    @known_arguments("ObjectInput")
    def __init__(
        self,
        object_type_rid: str | None = None,
        ontology_rid: str | None = None,
        ontology_branch_rid: str | None = None,
    ) -> None:
        for name, value in (("ontology_rid", ontology_rid), ("ontology_branch_rid", ontology_branch_rid)):
            if not isinstance(value, str | None):
                raise TransformTypeError(f"{name} of ObjectInput is a RID as text, got {value!r}.", caller())
        super().__init__(object_type_rid, {"ontology_rid": ontology_rid, "ontology_branch_rid": ontology_branch_rid})


__all__ = ["ObjectInput"]

__getattr__ = module_getattr("transforms.objects", __all__)
