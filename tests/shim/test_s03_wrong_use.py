"""Fact sheet section 3, and "bad input": wrong use of decorators fails at import, with file and line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from transforms.api import (
    ContainerTransform,
    Input,
    Output,
    OutputSet,
    Transform,
    configure,
    incremental,
    lightweight,
    transform,
    transform_df,
    transform_pandas,
    transform_polars,
)
from transforms.errors import (
    LightweightTypeError,
    LightweightValueError,
    TransformKeyError,
    TransformTypeError,
    TransformValueError,
    UnknownArgumentError,
)

HERE = "test_s03_wrong_use.py:"


def _plain(x: Any = None, out: Any = None) -> str:
    """Doc of plain."""
    return f"{x}-{out}"


async def _asynchronous(out: Any) -> None:
    return None


def _yielding() -> Any:
    yield None


def _objects() -> Transform:
    return transform(x=Input("/a"), out=Output("/b"))(_plain)


def _using() -> Any:
    return transform.using(out=Output("/b"))


def _spark() -> Any:
    return transform.spark.using(out=Output("/b"))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: transform(_plain), TransformTypeError, "by keyword, got a bare @transform"),
        (lambda: transform(x="/a", out=Output("/b")), TransformTypeError, "Did you mean Input('/a')"),
        (lambda: transform(x=Input, out=Output("/b")), TransformTypeError, "Input(...)"),
        (lambda: transform(x=Input("/a")), TransformValueError, "declares no output"),
        (lambda: transform(ctx=Input("/a"), out=Output("/b")), TransformValueError, "'ctx'"),
        (lambda: transform(a=Output("/b"), b=Output("/b"))(_plain), TransformValueError, "twice ('a' and 'b')"),
        (lambda: transform(a=OutputSet(["/b", "/b"]))(_plain), TransformValueError, "'/b' is an output twice"),
        (lambda: transform(out=Output("/b"))(dict), TransformTypeError, "A transform decorates a function, got <class"),
        (lambda: transform(out=Output("/b"))(_asynchronous), TransformTypeError, "is an async function"),
        (lambda: transform_df(Output("/b"))(_yielding), TransformTypeError, "is a generator function"),
        (lambda: transform(out=Output("/b"))(_objects()), TransformTypeError, "a function is declared once"),
        (lambda: transform.using(out=Output("/b"))(_objects()), TransformTypeError, "a function is declared once"),
        (lambda: transform.spark(x=Input("/a"), out=Output("/b")), TransformTypeError, "@transform.spark.using(...)"),
        (lambda: transform_df(Input("/a"), x=Input("/b")), TransformTypeError, "takes an Output first"),
        (lambda: transform_df(_plain), TransformTypeError, "takes an Output first"),
        (lambda: transform_df(Output("/b"), Input("/a")), TransformTypeError, "inputs by keyword: name=Input("),
        (lambda: transform_df(Output("/b"), too=Output("/c")), TransformTypeError, "'too' is a second output"),
        (lambda: transform_df(Output("/b"), output=Output("/c")), TransformTypeError, "its argument 'output' twice"),
        (lambda: transform_pandas(Output("/b"), too=OutputSet(["/c"])), TransformTypeError, "'too' is a second output"),
        (lambda: transform_polars(Output("/b"), too=Output("/c")), TransformTypeError, "Use @transform"),
        (lambda: transform.using(Input("/a")), TransformTypeError, "by keyword"),
        (lambda: transform(out=Output("/b"))(3), TransformTypeError, "decorates a function"),
        (lambda: configure(profile="A")(_plain), TransformTypeError, "on top of a Spark transform"),
        (lambda: configure(profile="A")(lightweight(_objects())), TransformTypeError, "Spark transform"),
        (lambda: configure(profile=3), TransformTypeError, "profile of @configure"),
        (lambda: configure(profiles="A"), UnknownArgumentError, "Did you mean 'profile'"),
        (lambda: configure(backend="GPU"), TransformValueError, "SPARK or VELOX"),
        (lambda: configure(allowed_run_duration=60), TransformTypeError, "timedelta"),
        (lambda: configure(profile=["A", 3]), TransformTypeError, "a name or a list of names"),
        (lambda: configure(_objects()), TransformTypeError, "profile of @configure"),
        (lambda: configure(run_as_user="no"), TransformTypeError, "run_as_user of @configure is True or False"),
        (lambda: configure(allowed_run_duration=timedelta(0)), TransformValueError, "positive duration"),
        (lambda: configure("A", None, False, "SPARK", None, 1), UnknownArgumentError, "has no argument '1'"),
        (lambda: configure("A", profile="B"), TransformTypeError, "got its argument 'profile' twice"),
        (lambda: incremental(require_incremental="no"), TransformTypeError, "require_incremental of @incremental"),
        (lambda: incremental(strict_append="no"), TransformTypeError, "strict_append of @incremental"),
        (lambda: incremental(allow_retention="no"), TransformTypeError, "allow_retention of @incremental"),
        (lambda: incremental(v2_semantics="no"), TransformTypeError, "v2_semantics of @incremental"),
        (lambda: incremental(snapshot_inputs=[Input("/a")]), TransformTypeError, "list of parameter names"),
        (lambda: incremental(snapshot_inputs=["out"])(_objects()), TransformKeyError, "no input of the transform"),
        (
            lambda: incremental()(transform.using(out=Output("/b"))),
            TransformTypeError,
            "LightweightBuilder without its",
        ),
        (lambda: _spark().with_config(profile="A"), UnknownArgumentError, "Did you mean 'profiles'"),
        (lambda: _spark().with_config(profiles=3), TransformTypeError, "profiles of with_config"),
        (lambda: _using().with_resources(cpu=1), UnknownArgumentError, "with_resources has no argument 'cpu'"),
        (lambda: _using().with_container("i"), TransformTypeError, "needs its argument 'container_tag'"),
        (lambda: Transform(_plain, {}, {"out": Output("/b")}, retries=3), UnknownArgumentError, "'retries'"),
        (lambda: Transform(_plain, {"x": "/a"}, {"out": Output("/b")}), TransformTypeError, "x must be an Input"),
        (lambda: ContainerTransform(_objects(), identifier_override=3), TransformTypeError, "is a text, got 3"),
        (lambda: ContainerTransform(_objects(), incremental_override=True), TransformTypeError, "incremental_override"),
        (lambda: incremental(_objects()), TransformTypeError, "parentheses"),
        (lambda: incremental()(incremental(semantic_version=2)(_objects())), TransformTypeError, "@incremental twice"),
        (lambda: incremental()(_plain), TransformTypeError, "on top of a transform"),
        (lambda: incremental(snapshot_inputs=True), TransformTypeError, "list of parameter names"),
        (lambda: incremental(semantic_version="2"), TransformTypeError, "whole number"),
        (lambda: incremental(snapshot_inputs=["xx"])(_objects()), TransformKeyError, "Did you mean 'x'"),
        (lambda: incremental(snapshot_input=["x"]), UnknownArgumentError, "snapshot_inputs"),
    ],
)
def test_wrong_use_fails_at_import_with_file_and_line(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)
    assert HERE in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: lightweight(_plain), LightweightTypeError, "on top of a transform"),
        (lambda: lightweight(transform_df(Output("/o"))(_plain)), LightweightValueError, "transform_polars"),
        (lambda: lightweight(memory_gb=1, memory_mb=2), LightweightValueError, "not both"),
        (lambda: lightweight(gpu_type="NVIDIA_T5"), LightweightValueError, "NVIDIA_T4"),
        (lambda: lightweight(cpu_cores=0), LightweightValueError, "positive"),
        (lambda: lightweight(cpu_cores="2"), LightweightValueError, "positive"),
        (lambda: lightweight(container_image="i"), LightweightValueError, "add container_tag"),
        (lambda: lightweight(container_image=1, container_tag="t"), LightweightValueError, "container_image is a text"),
        (lambda: lightweight(should_snapshot=True), UnknownArgumentError, "should_snapshot"),
    ],
)
def test_wrong_lightweight_use_is_refused(make, error, says):
    with pytest.raises(error, match=r".") as caught:
        make()
    assert says in str(caught.value)
