"""The kinds of value that every section of a profile is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Reason = Annotated[str, Field(min_length=10)]
Duration = Annotated[int, Field(gt=0)]
Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Comparison = Literal["<", "<=", ">", ">="]
_PROSE = ("reason", "meaning", "description")


class Strict(BaseModel):
    """Frozen, and no key that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReasonedNumber(Strict):
    """A threshold with the reason why it is this one."""

    value: float
    reason: Reason


def said(given: object) -> object:
    """What an entry of a profile says, as plain JSON values, for the versions of the jobs that follow it.

    Prose decides nothing, and a key left at its default says nothing: a key that a later release brings does not give
    the fleets that never name it other versions. Whoever changes a default changes what they do without a word, and
    raises the number of the job that follows it.
    """
    if isinstance(given, BaseModel):
        fields = {name: (field, getattr(given, name)) for name, field in type(given).model_fields.items()}
        return {
            name: said(value)
            for name, (field, value) in fields.items()
            if not name.endswith(_PROSE) and value != field.get_default(call_default_factory=True)
        }
    if isinstance(given, Mapping):
        return {str(key): said(value) for key, value in given.items()}
    if isinstance(given, tuple | list):
        return [said(one) for one in given]
    return given.isoformat() if isinstance(given, date) else given
