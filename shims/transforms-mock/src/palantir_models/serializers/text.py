"""Plain data as text a person can read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from palantir_models.serializers.base import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class JsonSerializer(ModelSerializer[Any]):
    """Stores JSON types as ``config.json``; tuples come back as lists, keys as texts."""

    file_name = "config.json"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        text = json.dumps(obj)
        with writer.open(self.file_name, "w") as stream:
            stream.write(text)

    def deserialize(self, reader: ModelStateReader) -> Any:
        with reader.open(self.file_name, "r") as stream:
            return json.load(stream)


class YamlSerializer(ModelSerializer[Any]):
    """Stores plain data as ``config.yaml`` with the safe dumper and loader."""

    file_name = "config.yaml"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        text = yaml.safe_dump(obj)
        with writer.open(self.file_name, "w") as stream:
            stream.write(text)

    def deserialize(self, reader: ModelStateReader) -> Any:
        with reader.open(self.file_name, "r") as stream:
            return yaml.safe_load(stream)
