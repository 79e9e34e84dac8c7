"""Requests for embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["GenericEmbeddingsRequest"]


@dataclass
class GenericEmbeddingsRequest:
    """Texts to be embedded."""

    inputs: Sequence[str] = field(default_factory=list)
