"""Scoring a Spark frame partition by partition with an adapter that knows only pandas."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from palantir_models.adapter import overrides
from palantir_models.declarations.fields import Api, DFType, Field, Kind
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import DeclarationError, InferenceInputError
from palantir_models.inputs import bind_arguments, convert_input
from palantir_models.results import is_spark_frame
from transforms._names import known_arguments

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from palantir_models.adapter import ModelAdapter


class DistributedInferenceWrapper:
    """Runs an adapter with one pandas input and one pandas output over a Spark frame.

    Rows meet the adapter in arbitrary chunks of at most ``max_rows_per_chunk``: use it only for adapters that score
    each row on its own. Extra columns survive as the adapter keeps them.

    Args:
        model: the adapter, as received for a ``ModelInput``.
        ctx: the transform's context; its Spark session is used.
        num_partitions: how many partitions to score in, or ``auto``: as many as there are executors (locally: as they
        come).
        max_rows_per_chunk: the most rows of one call.

    Raises:
        DeclarationError: the adapter has not exactly one pandas input and one tabular output.
    """

    @known_arguments("DistributedInferenceWrapper")
    def __init__(
        self, model: ModelAdapter, ctx: Any, num_partitions: int | str = "auto", max_rows_per_chunk: int = 1_000_000
    ) -> None:
        self._model = model
        self._ctx = ctx
        self._api = declared_api(model)
        self._input = _only_table(self._api, type(model).__name__)
        if num_partitions != "auto" and not (isinstance(num_partitions, int) and num_partitions > 0):
            raise DeclarationError(
                "DistributedInferenceWrapper", f"num_partitions={num_partitions!r} is no count.", "Or 'auto'."
            )
        if max_rows_per_chunk < 1:
            raise DeclarationError("DistributedInferenceWrapper", "max_rows_per_chunk must be at least 1.")
        self._num_partitions = num_partitions
        self._max_rows_per_chunk = max_rows_per_chunk

    def predict(self, df: DataFrame, *args: Any, schema: Any = None, **kwargs: Any) -> DataFrame:
        """The adapter's output for every row, as a Spark frame; parameters are passed as to the adapter itself.

        The result's columns are found by scoring an empty chunk, or the first rows when the adapter needs some;
        ``schema`` (a local addition) states them and saves that call.
        """
        if not is_spark_frame(df):
            raise InferenceInputError(
                "DistributedInferenceWrapper.predict", f"takes a Spark frame, got {type(df).__name__}."
            )
        parameters = self._parameters(args, kwargs)
        score = functools.partial(_score, self._model, self._input, parameters)
        frame = self._partitioned(df)
        result = schema if schema is not None else self._schema(df, score)
        return frame.mapInPandas(_chunked(score, self._max_rows_per_chunk), result)

    transform = predict

    def _parameters(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        others = Api(tuple(f for f in self._api.inputs if f is not self._input), ())
        return bind_arguments(others, args, kwargs, type(self._model).__name__)

    def _partitioned(self, df: DataFrame) -> DataFrame:
        if self._num_partitions != "auto":
            return df.repartition(int(self._num_partitions))
        context = df.sparkSession.sparkContext
        executors = int(context.getConf().get("spark.executor.instances", "0"))
        return df.repartition(executors) if executors > df.rdd.getNumPartitions() else df

    def _schema(self, df: DataFrame, score: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
        import pyarrow as pa
        from pyspark.sql import types as T
        from pyspark.sql.pandas.types import from_arrow_schema

        # pandas loses types on empty object columns, so a few real rows are preferred wherever there are any
        sample = score(df.limit(100).toPandas())
        given = {field.name: field.dataType for field in df.schema.fields}

        def kind(field: T.StructField) -> T.DataType:
            # nothing but nulls shows no type, and a map looks like a struct: the adapter's input knows better
            if isinstance(field.dataType, T.NullType):
                return given.get(field.name, T.StringType())
            kept = given.get(field.name)
            return kept if isinstance(kept, T.MapType) and isinstance(field.dataType, T.StructType) else field.dataType

        found = from_arrow_schema(pa.Schema.from_pandas(sample, preserve_index=False))
        return T.StructType([T.StructField(field.name, kind(field)) for field in found.fields])


def _only_table(api: Api, adapter: str) -> Field:
    tables = [f for f in api.inputs if f.kind is Kind.TABULAR]
    others = [f for f in api.inputs if f.kind not in (Kind.TABULAR, Kind.PARAMETER)]
    fits = (
        len(tables) == 1
        and not others
        and tables[0].frame is DFType.PANDAS
        and len(api.outputs) == 1
        and api.outputs[0].kind is Kind.TABULAR
        and api.outputs[0].frame is not DFType.SPARK
    )
    if not fits:
        raise DeclarationError(
            f"DistributedInferenceWrapper({adapter})",
            f"needs one pandas input and one pandas output; it declares ({', '.join(map(str, api.inputs))})"
            f" -> ({', '.join(map(str, api.outputs))}).",
            "Any number of parameters may stand beside them.",
        )
    return tables[0]


def _score(model: Any, table: Field, parameters: dict[str, Any], chunk: pd.DataFrame) -> pd.DataFrame:
    if overrides(model, "predict"):
        return model.predict(**{table.name: convert_input(table, chunk)}, **parameters)
    results = model.transform(**{table.name: chunk}, **parameters)
    return results[next(iter(results))]


def _chunked(
    score: Callable[[pd.DataFrame], pd.DataFrame], size: int
) -> Callable[[Iterable[pd.DataFrame]], Iterable[pd.DataFrame]]:
    def run(batches: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
        for batch in batches:
            for start in range(0, len(batch), size):
                yield score(batch.iloc[start : start + size].reset_index(drop=True))

    return run
