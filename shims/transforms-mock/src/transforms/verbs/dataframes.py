"""``transforms.verbs.dataframes``: helpers for whole frames."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

from transforms._names import known_arguments, module_getattr
from transforms.api._empty import empty_frame
from transforms.errors import UnionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

HOW = ("strict", "narrow", "wide")
_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")


@known_arguments("union_many")
def union_many(*dfs: DataFrame, how: str = "strict", spark_session: SparkSession | None = None) -> DataFrame:
    """All rows of all frames, columns matched by name (without regard to case) in the order of the first that has them.

    Args:
        dfs: frames, or one list (or other iterable) of frames.
        how: ``strict`` wants the same columns everywhere, ``narrow`` keeps the common ones, ``wide`` keeps all and
            fills with nulls.
        spark_session: needed only for no frames at all, which gives an empty frame without columns.

    Raises:
        UnionError: something is no frame, unknown ``how``, columns that differ under ``strict``, no common column under
            ``narrow``, or no frames and no session.
    """
    frames = list(dfs[0]) if len(dfs) == 1 and isinstance(dfs[0], Iterable) else list(dfs)
    for position, frame in enumerate(frames, start=1):
        if not hasattr(frame, "unionByName"):
            raise UnionError(f"frame {position} is no Spark DataFrame but {type(frame).__name__}.")
    if how not in HOW:
        raise UnionError(f"how is one of {', '.join(HOW)}, got {how!r}.")
    if not frames:
        if spark_session is None:
            raise UnionError("there are no frames; give spark_session to get an empty one.")
        from pyspark.sql.types import StructType

        return empty_frame(spark_session, StructType([]))
    if how == "wide":
        return reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)
    first = {name.lower(): name for name in frames[0].columns}
    others = [{name.lower(): name for name in frame.columns} for frame in frames[1:]]
    if how == "narrow":
        shared = [name for key, name in first.items() if all(key in other for other in others)]
        if not shared:
            raise UnionError("narrow found no column that all frames share.")
        frames = [frame.select([_quoted(name) for name in shared]) for frame in frames]
        return reduce(lambda left, right: left.unionByName(right), frames)
    for position, other in enumerate(others, start=2):
        lacking = sorted(first[key] for key in first.keys() - other.keys())
        extra = sorted(other[key] for key in other.keys() - first.keys())
        if lacking or extra:
            what = f"frame {position} differs from the first: missing {lacking or 'none'}, extra {extra or 'none'}."
            raise UnionError(f"{what} Use how='wide' to fill with nulls, or how='narrow'.")
    return reduce(lambda left, right: left.unionByName(right), frames)


def sanitize_schema_for_parquet(df: DataFrame) -> DataFrame:
    """The same rows under column names that Parquet takes: each of `` ,;{}()``, tab, line end and ``=`` becomes ``_``.

    Fields inside structs are renamed too. A name that Parquet takes stays; one that becomes like another, case aside,
    gets ``_1``, ``_2``, ... in order.
    """
    renamed = _clean(df.schema)
    if renamed == df.schema:
        return df
    from pyspark.sql import functions as F

    # by position first: two columns of one name cannot be told apart by name
    named = df.toDF(*renamed.names)
    if all(old.dataType == new.dataType for old, new in zip(df.schema.fields, renamed.fields, strict=True)):
        return named
    return named.select([F.col(_quoted(new.name)).cast(new.dataType).alias(new.name) for new in renamed.fields])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _clean(schema: StructType) -> StructType:
    from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

    def of(kind: DataType) -> DataType:
        if isinstance(kind, StructType):
            return _clean(kind)
        if isinstance(kind, ArrayType):
            return ArrayType(of(kind.elementType), kind.containsNull)
        if isinstance(kind, MapType):
            return MapType(of(kind.keyType), of(kind.valueType), kind.valueContainsNull)
        return kind

    taken = {field.name.lower() for field in schema.fields if not _FORBIDDEN.search(field.name)}
    fields = []
    for field in schema.fields:
        base = _FORBIDDEN.sub("_", field.name)
        name, count = base, 0
        while name != field.name and name.lower() in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name.lower())
        fields.append(StructField(name, of(field.dataType), field.nullable, field.metadata))
    return StructType(fields)


__all__ = ["sanitize_schema_for_parquet", "union_many"]

__getattr__ = module_getattr("transforms.verbs.dataframes", __all__)
