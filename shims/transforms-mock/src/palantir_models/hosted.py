"""Adapters of models that run elsewhere: in containers beside the adapter, or behind an external service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from palantir_models.adapter import ModelAdapter
from palantir_models.errors import NeedsFoundryError

if TYPE_CHECKING:
    from palantir_models.contexts import ContainerizedApplicationContext, ExternalModelExecutionContext
    from palantir_models.state import ModelStateReader, ModelStateWriter


class _HostedAdapter(ModelAdapter):
    """Nothing of the model itself is stored with a version; loading means connecting."""

    def save(self, state_writer: ModelStateWriter) -> None:
        """Stores nothing."""


class ContainerModelAdapter(_HostedAdapter):
    """An adapter that speaks to containers started beside it; the author writes ``init_container``."""

    @classmethod
    def init_container(cls, container_context: ContainerizedApplicationContext) -> Self:
        """The adapter, connected to its containers."""
        raise NotImplementedError(f"{cls.__name__} does not write init_container(cls, container_context).")

    @classmethod
    def load(
        cls, state_reader: ModelStateReader, container_context: Any = None, external_model_context: Any = None
    ) -> Self:
        """Delegates to ``init_container``. Raises ``NeedsFoundryError`` where no containers run."""
        if container_context is None:
            raise NeedsFoundryError(
                cls.__name__, "its containers are started by Foundry.",
                "Start them yourself and call init_container(ContainerizedApplicationContext(services={...})).",
            )  # fmt: skip
        return cls.init_container(container_context)


class ExternalModelAdapter(_HostedAdapter):
    """An adapter that speaks to an externally hosted model; the author writes ``init_external``."""

    @classmethod
    def init_external(cls, external_context: ExternalModelExecutionContext) -> Self:
        """The adapter, connected to its service."""
        raise NotImplementedError(f"{cls.__name__} does not write init_external(cls, external_context).")

    @classmethod
    def load(
        cls, state_reader: ModelStateReader, container_context: Any = None, external_model_context: Any = None
    ) -> Self:
        """Delegates to ``init_external``. Raises ``NeedsFoundryError`` where no connection is configured."""
        if external_model_context is None:
            raise NeedsFoundryError(
                cls.__name__, "its connection and credentials are kept in Foundry.",
                "Call init_external(ExternalModelExecutionContext(...)) with your own.",
            )  # fmt: skip
        return cls.init_external(external_model_context)
