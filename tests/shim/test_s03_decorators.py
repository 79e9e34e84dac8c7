"""Fact sheet section 3: decorators, builders, stacking and argument binding."""

from __future__ import annotations

import functools
import inspect
import itertools
from datetime import timedelta
from typing import Any

import pytest

from transforms import expectations as E
from transforms.api import (
    Check,
    ComputeBackend,
    ContainerTransform,
    IncrementalSettings,
    Input,
    JobEnvironment,
    Markings,
    Output,
    StringParam,
    Transform,
    configure,
    execute,
    incremental,
    lightweight,
    transform,
    transform_df,
    transform_pandas,
    transform_polars,
)
from transforms.errors import (
    BindingError,
    TransformTypeError,
    TransformValueError,
    UnknownAttributeError,
)

HERE = "test_s03_decorators.py:"


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


def test_transform_is_a_class_whose_instances_decorate():
    assert inspect.isclass(transform)
    made = _objects()
    assert isinstance(made, Transform)
    assert {n: p.alias for n, p in made.inputs.items()} == {"x": "/a"}
    assert {n: p.alias for n, p in made.outputs.items()} == {"out": "/b"}
    assert (made.__name__, made.__doc__, made.__module__) == ("_plain", "Doc of plain.", __name__)
    assert made.source.file == __file__
    assert inspect.getsource(_plain).splitlines()[0].startswith("def _plain")
    assert made.source.line == inspect.getsourcelines(_plain)[1]


def test_calling_a_transform_passes_everything_straight_through():
    made = _objects()
    assert made(1, out=2) == "1-2"
    assert made(x=5) == "5-None"
    with pytest.raises(TypeError, match="unexpected keyword"):
        made(nonsense=1)


@pytest.mark.parametrize("decorator", [transform_df, transform_pandas, transform_polars])
def test_frame_decorators_take_the_output_by_position_and_by_keyword(decorator):
    for made in (
        decorator(Output("/o"), a=Input("/a"), b=Input("/b"))(lambda a, b: (a, b)),
        decorator(output=Output("/o"), a=Input("/a"), b=Input("/b"))(lambda a, b: (a, b)),
    ):
        assert list(made.inputs) == ["a", "b"]
        assert [p.alias for p in made.outputs.values()] == ["/o"]
        assert made(1, b=2) == (1, 2)
    with pytest.raises(TransformTypeError, match="takes its Output first"):
        decorator(a=Input("/a"))


def _spark_layers() -> dict[str, Any]:
    return {
        "configure": configure(profile=["NUM_EXECUTORS_8", "LAST_MAP_KEY_WINS"]),
        "incremental": incremental(snapshot_inputs=["x"], semantic_version=3),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(["configure", "incremental"])))
@pytest.mark.parametrize("base", ["transform", "transform_df", "transform_pandas", "spark.using"])
def test_spark_decorators_stack_in_any_order(order, base):
    specs = {"x": Input("/a"), "out": Output("/b")}
    made: Any = {
        "transform": lambda: transform(**specs)(_plain),
        "transform_df": lambda: transform_df(specs["out"], x=specs["x"])(_plain),
        "transform_pandas": lambda: transform_pandas(specs["out"], x=specs["x"])(_plain),
        "spark.using": lambda: transform.spark.using(**specs)(_plain),
    }[base]()
    for layer in order:
        made = _spark_layers()[layer](made)
    assert isinstance(made, Transform)
    assert made.recorded["profile"] == ("NUM_EXECUTORS_8", "LAST_MAP_KEY_WINS")
    assert made.incremental == IncrementalSettings(semantic_version=3, snapshot_inputs=("x",))
    assert made(7, 8) == "7-8"


def test_lightweight_and_incremental_stack_both_ways_and_with_or_without_parentheses():
    layers = [lightweight, lightweight(), lightweight(cpu_cores=1.5, memory_gb=4)]
    for layer in layers:
        for made in (layer(incremental()(_objects())), incremental()(layer(_objects()))):
            assert isinstance(made, ContainerTransform)
            assert made.incremental == IncrementalSettings()
            assert made(1, 2) == "1-2"
    assert layers[2](_objects()).recorded == {"cpu_cores": 1.5, "memory_gb": 4}
    assert "python" in lightweight(_objects()).default_container_entrypoint


def test_builders_take_options_before_the_function_and_stay_reusable():
    using = transform.using(x=Input("/a"), out=Output("/b"))
    small, odd = using.with_resources(cpu_cores=1, memory_gb=2), using.with_moonlight(phase="full")
    assert using(_plain).recorded == {}
    assert small(_plain).recorded == {"cpu_cores": 1, "memory_gb": 2}
    assert odd(_plain).recorded == {"with_moonlight": ((), {"phase": "full"})}
    assert isinstance(transform.lightweight(out=Output("/b"))(_plain), ContainerTransform)
    contained = using.with_container(container_image="i", container_tag="t").with_resources(memory_mb=5)(_plain)
    assert contained.recorded == {"container_image": "i", "container_tag": "t", "memory_mb": 5}
    profiled = transform.spark.using(out=Output("/b")).with_config(profiles=["A", "B"])(_plain)
    assert isinstance(profiled, Transform)
    assert profiled.recorded == {"profile": ("A", "B")}
    for act, says in (
        (lambda: using.resources, "Did you mean 'with_resources'"),
        (lambda: using.with_resource, "Did you mean 'with_resources'"),
        (lambda: using.with_config, "of a Spark transform"),
        (lambda: _spark().with_resources, "sizes a single-node transform"),
        (lambda: transform(out=Output("/b")).with_resources, "Options belong to the builders"),
        (lambda: transform.usign, "transform has no 'usign'. Did you mean 'using'"),
        (lambda: transform.spark.usign, "transform.spark has no 'usign'. Did you mean 'using'"),
        (lambda: transform.snowflake.used, "transform.snowflake has no 'used'"),
        (lambda: ComputeBackend.VELOXX, "Did you mean 'VELOX'"),
    ):
        with pytest.raises(UnknownAttributeError) as caught:
            act()
        assert says in str(caught.value)


def test_configure_records_everything_and_takes_the_profile_by_position():
    made = configure(["A"], allowed_run_duration=timedelta(hours=1), run_as_user=True, backend=ComputeBackend.VELOX)(
        _objects()
    )
    assert made.recorded == {
        "profile": ("A",),
        "allowed_run_duration": timedelta(hours=1),
        "run_as_user": True,
        "backend": "VELOX",
    }
    assert configure(profile="ONE", backend="velox")(_objects()).recorded == {"profile": ("ONE",), "backend": "VELOX"}
    assert configure(checkpoint_outputs=["out"])(_objects()).recorded == {"checkpoint_outputs": ["out"]}
    assert configure()(_objects()).recorded == {}
    spark = _spark().with_config(profiles="A", allowed_run_duration=timedelta(hours=1), wave=2)(_plain)
    assert spark.recorded == {"profile": ("A",), "allowed_run_duration": timedelta(hours=1), "wave": 2}


def test_a_decorator_changes_a_copy_and_a_declaration_is_fixed():
    first = _objects()
    second = configure(profile="P")(first)
    assert (first.recorded, second.recorded) == ({}, {"profile": ("P",)})
    for change in (
        lambda: setattr(first, "inputs", {}),
        lambda: setattr(first.inputs["x"], "aliases", ("/other",)),
        lambda: first.inputs.__setitem__("y", Input("/y")),
        lambda: first.inputs.update(y=1),
    ):
        with pytest.raises((AttributeError, TypeError), match=r"cannot change|declaration"):
            change()


def test_the_name_can_be_assigned_and_travels_with_copies():
    made = _objects()
    made.__name__ = f"north_{made.__name__}"
    assert made.__name__ == "north__plain"
    assert incremental()(made).__name__ == "north__plain"
    assert made.reference == f"{__name__}:north__plain(/b)"


def _offer(function: Any) -> dict[str, Any]:
    made = transform(a=Input("/a"), b=Input("/b"), out=Output("/o"))(function)
    return made.arguments({"a": 1, "b": 2, "out": 3, "ctx": 4})


def test_arguments_are_bound_by_name_whatever_their_order():
    assert _offer(lambda ctx, out, b, a: 0) == {"ctx": 4, "out": 3, "b": 2, "a": 1}
    assert _offer(lambda out, b, a: 0) == {"out": 3, "b": 2, "a": 1}
    assert _offer(lambda a, b, out, source="s": 0) == {"a": 1, "b": 2, "out": 3}
    assert _offer(lambda **everything: 0) == {"a": 1, "b": 2, "out": 3}
    assert _offer(lambda out, *, ctx, **others: 0) == {"a": 1, "b": 2, "out": 3, "ctx": 4}

    def timed(function: Any, keep: Any = functools.wraps) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return keep(function)(wrapper) if keep else wrapper

    assert _offer(timed(lambda b, ctx, out, a: 0)) == {"a": 1, "b": 2, "out": 3, "ctx": 4}
    assert _offer(timed(lambda b, out, a: 0, None)) == {"a": 1, "b": 2, "out": 3}
    odd = {name: Input(f"/{name}") for name in ("self", "cls", "args", "kwargs", "owner", "output", "more")}
    for made in (transform, transform.using, transform.lightweight, transform.spark.using, transform.snowflake.using):
        assert list(made(**odd, out=Output("/o"))(lambda **given: 0).inputs) == list(odd)
    assert _offer(functools.partial(lambda a, b, out, scale: 0, scale=2)) == {"a": 1, "b": 2, "out": 3}
    assert transform(out=Output("/o"))(timed(_plain)).source.line == inspect.getsourcelines(_plain)[1]


def test_parameters_that_do_not_fit_name_both_sets():
    made = transform(a=Input("/a"), out=Output("/o"))(lambda b, out: 0)
    with pytest.raises(BindingError) as caught:
        made.arguments({"a": 1, "out": 2, "ctx": 3})
    text = str(caught.value)
    assert HERE in text
    assert "declares [a, out]" in text
    assert "takes [b, out]" in text
    assert "not accepted by the function: a" in text
    assert "not declared: b" in text
    assert str(made.binding_problem()) == text
    assert _objects().binding_problem() is None


def test_a_function_that_returns_a_frame_fits_without_taking_its_output():
    assert transform_df(Output("/o"), a=Input("/a"))(lambda a: a).binding_problem() is None
    problem = transform_df(Output("/o"), a=Input("/a"))(lambda b: b).binding_problem()
    assert "declares [a] but its function takes [b]" in str(problem)


def test_a_check_name_twice_in_one_transform_is_refused_at_its_line():
    def named() -> Check:
        return Check(E.count().gt(0), "holds rows")

    with pytest.raises(TransformValueError, match=r"'holds rows' \(a and output\)") as caught:
        transform_df(Output("/o", checks=named()), a=Input("/a", checks=named()))(lambda a: a)
    assert HERE in str(caught.value)
    with pytest.raises(TransformValueError, match=r"'holds rows' \(out\)"):
        transform(out=Output("/o", checks=[named(), named()]))(lambda out: None)
    for path in ("/o1", "/o2"):
        assert transform_df(Output(path, checks=named()))(lambda: None).checks[0][1].name == "holds rows"


def test_a_dataset_read_and_written_by_one_transform_is_refused_at_its_line():
    with pytest.raises(TransformValueError, match=r"'/same' is an input \('a'\) and an output \('out'\)") as caught:
        transform(a=Input("/same"), out=Output("/same"))(lambda a, out: None)
    assert HERE in str(caught.value)
    assert "dataframe('previous')" in str(caught.value)


def test_a_typed_parameter_arrives_with_its_value_and_a_missing_binding_is_named():
    got: dict[str, Any] = {}

    class Port:
        path = "/o"

    def compute(region, out):
        got["region"] = region.value

    made = transform(region=StringParam("north", allowed_values={"north", "south"}), out=Output("/o"))(compute)
    execute(made, JobEnvironment(), {"out": Port()})
    assert got == {"region": "north"}
    execute(made, JobEnvironment(), {"out": Port(), "region": "south"})
    assert got == {"region": "south"}
    with pytest.raises(TransformValueError, match="allows north, south; got 'east'"):
        execute(made, JobEnvironment(), {"out": Port(), "region": "east"})
    with pytest.raises(BindingError, match="out"):
        execute(made, JobEnvironment(), {})


def test_a_transform_can_be_made_by_hand():
    made = Transform(_plain, {"x": Input("/a")}, {"out": Output("/b")}, profile="P")
    assert made.recorded == {"profile": ("P",)}
    assert made(1, 2) == "1-2"
    contained = ContainerTransform(made, cpu_cores=1, identifier_override="mine")
    assert (contained.reference, contained.recorded["cpu_cores"]) == ("mine", 1)


def test_what_only_foundry_acts_on_is_recorded_with_its_parameter():
    markings = Markings(["m"], on_branches=["master"])
    made = transform(x=Input("/a", stop_propagating=markings), out=Output("/b", sever_permissions=True))(_plain)
    noted = {"x.stop_propagating": markings, "out.sever_permissions": True}
    assert made.recorded == noted
    assert configure(profile="P")(made).recorded == {"profile": ("P",), **noted}


def test_a_function_without_source_has_no_logic_version():
    namespace: dict[str, Any] = {}
    exec(compile("def f(out):\n    return out\n", "/no/such/file.py", "exec"), namespace)  # noqa: S102 -- no file on purpose
    namespace["f"].__module__ = "no_such_module"
    with pytest.raises(ValueError, match=r"/no/such/file.py:1: the logic of this transform has no version"):
        _ = transform(out=Output("/b"))(namespace["f"]).version
