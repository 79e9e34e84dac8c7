"""The contexts of container and external adapters, under the name Foundry's type hints use."""

from palantir_models.contexts import (
    ContainerizedApplicationContext,
    ExternalModelContext,
    ExternalModelExecutionContext,
)

__all__ = ["ContainerizedApplicationContext", "ExternalModelContext", "ExternalModelExecutionContext"]
