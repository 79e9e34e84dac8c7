"""What every part of a profile is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Reason = Annotated[str, Field(min_length=10)]
Duration = Annotated[int, Field(gt=0)]

Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Comparison = Literal["<", "<=", ">", ">="]


class Strict(BaseModel):
    """No unknown key, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReasonedNumber(Strict):
    value: float
    reason: Reason
