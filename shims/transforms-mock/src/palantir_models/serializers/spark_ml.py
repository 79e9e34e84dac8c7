"""Fitted Spark ML pipelines in Spark's own folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from palantir_models.errors import ModelStateError
from palantir_models.serializers.base import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class SparkMLAutoSerializer(ModelSerializer[Any]):
    """Stores a fitted ``PipelineModel`` or any other Spark ML model below ``pipeline``; needs a running Spark session.

    Spark names its part files at random, so unlike the others this serializer gives new bytes each time.
    """

    directory = "pipeline"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        obj.write().overwrite().save(f"file://{writer.mkdir(self.directory)}")

    def deserialize(self, reader: ModelStateReader) -> Any:
        from pyspark.ml.util import DefaultParamsReader
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is None:
            raise ModelStateError(type(self).__name__, "needs a running Spark session.", "Use it in a Spark transform.")
        path = f"file://{reader.dir(self.directory)}"
        return DefaultParamsReader.loadParamsInstance(path, session.sparkContext)
