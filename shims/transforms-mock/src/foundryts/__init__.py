"""Foundry's FoundryTS: every name imports, so that a repository registers; whatever is called is refused.

Time series live in Foundry's time series service, and the documentation of the package is not public enough to tell a
name it has from one it has not.
"""

from foundryts._refusal import refused_getattr

__getattr__ = refused_getattr("foundryts")
