"""What goes together with ``@incremental``. Decorators stack in any order, so it is asked of the finished transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.errors import TransformValueError

if TYPE_CHECKING:
    from transforms.api._transform import TransformBase

_NEED_V2 = {"media_set": "media sets", "table": "tables"}


def incremental_problem(transform: TransformBase) -> TransformValueError | None:
    """The first contradiction, or ``None``."""
    settings = transform.incremental
    where = str(transform.source)
    v2 = settings is not None and settings.v2_semantics
    for name, param in transform.parameters.items():
        if getattr(param, "transaction_limit", None) is not None:
            what = f"input '{name}' of transform '{transform.__name__}' has a transaction_limit"
            if not v2:
                return TransformValueError(f"{what}, which needs @incremental(v2_semantics=True).", where)
            if transform.engine == "lightweight":
                return TransformValueError(f"{what}, which single-node transforms lack; use a Spark transform.", where)
            if settings is not None and name in settings.snapshot_inputs:
                return TransformValueError(f"{what} and is a snapshot input, which is always read whole.", where)
        kinds = next((text for kind, text in _NEED_V2.items() if param.kind.startswith(kind)), None)
        if kinds is not None and settings is not None and not v2:
            what = f"'{name}' of transform '{transform.__name__}'"
            need = f"{kinds} in an incremental transform need @incremental(v2_semantics=True)"
            return TransformValueError(f"{what}: {need}.", where)
    return None
