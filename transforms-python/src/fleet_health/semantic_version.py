"""The semantic version of a job, made of what decides its output."""

from __future__ import annotations

import hashlib
import json


def semantic_version(facts: object) -> int:
    """A number above 0 that is the same for the same facts, which are plain JSON values; keys in any order."""
    return int(hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:7], 16) + 1
