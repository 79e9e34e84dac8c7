"""The kinds of value that every section of a profile is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Reason = Annotated[str, Field(min_length=10)]
Duration = Annotated[int, Field(gt=0)]
Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Comparison = Literal["<", "<=", ">", ">="]


class Strict(BaseModel):
    """Frozen, and no key that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReasonedNumber(Strict):
    """A threshold with the reason why it is this one."""

    value: float
    reason: Reason
