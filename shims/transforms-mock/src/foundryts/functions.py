"""``foundryts.functions``: its names import, and calling one is refused."""

from foundryts._refusal import refused_getattr

__getattr__ = refused_getattr("foundryts.functions")
