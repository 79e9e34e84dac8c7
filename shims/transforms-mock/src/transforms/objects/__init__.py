"""Foundry's ``transforms.objects``: declared and registered; objects are held by Foundry's ontology."""

from __future__ import annotations

from transforms._names import module_getattr
from transforms.api._remote import RemoteInput


class ObjectInput(RemoteInput):
    """An object type to read."""

    kind = "object_input"
    service = "Foundry's ontology"

    def __init__(
        self,
        object_type_rid: str | None = None,
        ontology_rid: str | None = None,
        ontology_branch_rid: str | None = None,
    ) -> None:
        super().__init__(object_type_rid, ontology_rid=ontology_rid, ontology_branch_rid=ontology_branch_rid)


__all__ = ["ObjectInput"]

__getattr__ = module_getattr("transforms.objects", __all__)
