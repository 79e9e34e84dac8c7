"""Fitted Spark ML pipelines in Spark's own folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class SparkMLAutoSerializer(ModelSerializer[Any]):
    """Stores a fitted ``PipelineModel`` below ``pipeline``; needs a running Spark session both ways.

    Spark names its part files at random, so unlike the others this serializer gives new bytes each time.
    """

    directory = "pipeline"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        obj.write().overwrite().save(f"file://{writer.mkdir(self.directory)}")

    def deserialize(self, reader: ModelStateReader) -> Any:
        from pyspark.ml import PipelineModel

        return PipelineModel.load(f"file://{reader.dir(self.directory)}")
