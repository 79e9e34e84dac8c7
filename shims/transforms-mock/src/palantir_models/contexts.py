"""What container and external adapters learn about the services they speak to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ContainerizedApplicationContext:
    """The containers that run beside a container adapter.

    Attributes:
        services: container name -> ``host:port`` of each of its services.
        shared_empty_dir_mount_path: a folder that all containers and the adapter read and write.
    """

    services: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shared_empty_dir_mount_path: str = ""


@dataclass(frozen=True)
class ExternalModelContext:
    """Where an externally hosted model answers and how it is addressed."""

    base_url: str = ""
    connection_configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def connection_config(self) -> Mapping[str, Any]:
        """Foundry's pages use both spellings."""
        return self.connection_configuration


@dataclass(frozen=True)
class ExternalModelExecutionContext:
    """An external model with its decrypted credentials, which never show in ``repr``."""

    external_model: ExternalModelContext = field(default_factory=ExternalModelContext)
    resolved_credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def base_url(self) -> str:
        """Where the model answers."""
        return self.external_model.base_url

    @property
    def connection_configuration(self) -> Mapping[str, Any]:
        """Plain settings of the connection."""
        return self.external_model.connection_configuration

    connection_config = connection_configuration
