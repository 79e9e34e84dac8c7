"""Fact sheet section 4: inputs, outputs, sets, markings, checks and typed parameters."""

from __future__ import annotations

import copy
import inspect
from unittest.mock import MagicMock

import cloudpickle
import pytest

from transforms import expectations as E
from transforms.api import (
    BooleanParam,
    Check,
    FloatParam,
    FoundryInputParam,
    FoundryOutputParam,
    Input,
    InputSet,
    IntegerParam,
    Markings,
    OrgMarkings,
    Output,
    OutputSet,
    Param,
    ParamValueInput,
    StringParam,
    UnmarkingPolicy,
    incremental,
    transform,
)
from transforms.errors import TransformTypeError, TransformValueError, UnknownArgumentError, UnknownAttributeError
from transforms.expectations.errors import IncompleteExpectationError

ANY_ROWS = E.count().gt(0)


def _check(name: str = "holds", on_error: str = "FAIL") -> Check:
    return Check(ANY_ROWS, name, on_error)


@pytest.mark.parametrize(
    ("symbol", "names", "defaults"),
    [
        (
            Input,
            "alias branch description stop_propagating stop_requiring checks failure_strategy transaction_limit",
            (None,) * 8,
        ),
        (Output, "alias sever_permissions description checks", (None, False, None, None)),
        (InputSet, "aliases description", (None, None)),
        (OutputSet, "aliases sever_permissions description", (None, False, None)),
        (Check, "expectation name on_error description", (inspect.Parameter.empty,) * 2 + ("FAIL", None)),
        (StringParam, "default description allowed_values", (inspect.Parameter.empty, None, None)),
        (IntegerParam, "default description", (inspect.Parameter.empty, None)),
        (FloatParam, "default description", (inspect.Parameter.empty, None)),
        (BooleanParam, "default description", (inspect.Parameter.empty, None)),
        (
            FoundryInputParam,
            "aliases branch type description properties failure_strategy stop_propagating stop_requiring",
            (None, None, "foundry", None, None, None, None, None),
        ),
        (Markings, "marking_ids on_branches", (inspect.Parameter.empty,) * 2),
        (FoundryOutputParam, "aliases type description properties", (None, "foundry", None, None)),
    ],
)
def test_signatures_are_foundrys(symbol, names, defaults):
    parameters = list(inspect.signature(symbol).parameters.values())
    assert [p.name for p in parameters] == names.split()
    assert tuple(p.default for p in parameters) == defaults


def test_an_input_says_what_it_was_given():
    check, markings, organisations = _check(), Markings(["m"], "master"), OrgMarkings("o", ["master", "release"])
    spec = Input(
        "/Some Space/a & b: [x] (y) {z}",
        branch="develop",
        description="d",
        stop_propagating=markings,
        stop_requiring=organisations,
        checks=[check],
        failure_strategy="continue",
        transaction_limit=3,
    )
    assert (spec.alias, spec.aliases) == ("/Some Space/a & b: [x] (y) {z}",) * 1 + (spec.aliases,)
    assert (spec.branch, spec.description, spec.checks) == ("develop", "d", (check,))
    assert (spec.failure_strategy, spec.transaction_limit) == ("continue", 3)
    assert spec.stop_propagating.on_branches == ("master",)
    assert spec.stop_requiring.marking_ids == ("o",)
    assert spec.kind == "dataset_input"


def test_kinds_and_directions_tell_parameters_apart():
    kinds = {type(p).__name__: (p.kind, p.direction) for p in (Input(), Output(), StringParam("s"))}
    kinds["InputSet"] = (InputSet(["/a"]).kind, InputSet.direction)
    kinds["OutputSet"] = (OutputSet(["/a", "/b"]).kind, OutputSet.direction)
    assert kinds == {
        "Input": ("dataset_input", "input"),
        "Output": ("dataset_output", "output"),
        "StringParam": ("parameter", "input"),
        "InputSet": ("dataset_input_set", "input"),
        "OutputSet": ("dataset_output_set", "output"),
    }


@pytest.mark.parametrize("spec", [Input, Output])
def test_checks_come_alone_in_a_list_or_not_at_all(spec):
    one, two = _check("one"), _check("two")
    assert spec("/a", checks=one).checks == (one,)
    assert spec("/a", checks=[one, two]).checks == (one, two)
    assert spec("/a", checks=(c for c in [one])).checks == (one,)
    assert spec("/a", checks=None).checks == ()
    assert spec("/a").checks == ()


def test_checks_of_a_transform_are_listed_with_their_parameter():
    made = transform(x=Input("/a", checks=_check("in")), out=Output("/b", checks=_check("out", "WARN")))(
        lambda x, out: 0
    )
    assert [(name, check.name, check.on_error) for name, check in made.checks] == [
        ("x", "in", "FAIL"),
        ("out", "out", "WARN"),
    ]


def test_an_unbound_parameter_keeps_the_transform_from_being_published():
    made = transform(x=Input(), y=Input("/y"), z=Input(""), out=Output())(lambda x, y, z, out: 0)
    assert made.unbound == ("x", "z", "out")
    assert made.output_aliases == ()


def test_a_bare_input_takes_mocks_as_foundrys_unit_tests_do():
    spec = Input()
    spec.dataframe = MagicMock(return_value="frame")
    assert spec.dataframe() == "frame"
    assert spec.alias is None
    spec.branch, spec.checks, spec.rid = "develop", "mock", "ri.x"
    spec.alias = "/a"
    assert (spec.branch, spec.checks, spec.rid, spec.alias) == ("develop", "mock", "ri.x", "/a")
    with pytest.raises(AttributeError, match="its branch cannot change"):
        spec.branch = "master"


def test_specs_copy_and_pickle():
    spec = Input("/a", checks=_check())
    for twin in (copy.copy(spec), copy.deepcopy(spec), cloudpickle.loads(cloudpickle.dumps(spec))):
        assert (twin.alias, len(twin.checks), repr(twin)[:6]) == ("/a", 1, "Input(")


def test_typed_parameters_keep_their_default():
    assert [p.default for p in (StringParam("s"), IntegerParam(2), FloatParam(2), BooleanParam(False))] == [
        "s",
        2,
        2,
        False,
    ]
    for make in (
        lambda: IntegerParam("2"),
        lambda: IntegerParam(True),
        lambda: StringParam(2),
        lambda: BooleanParam(0),
    ):
        with pytest.raises(TransformTypeError, match=r"test_s04_specs.py:\d+: \w+Param takes"):
            make()


def test_a_custom_parameter_makes_its_own_runtime_object():
    class Beacon(FoundryInputParam):
        @staticmethod
        def instance(context, json_value):
            return f"beacon on {context.branch}: {json_value['branch']}"

    from transforms.api import JobEnvironment, execute

    got = []

    class Silent(Param):
        direction = "output"

        @staticmethod
        def instance(context, json_value):
            return "silent"

    assert Beacon(["ri.x"]).json_value == {"aliases": ["ri.x"], "type": "foundry", "properties": {}}
    assert (Input("/a").schema, Input("/a").input_results(None), Output("/a").output_results(None)) == ({}, {}, {})
    with pytest.raises(NotImplementedError, match=r"defines instance\(context, json_value\)"):
        Input.instance(None, None)
    made = transform(b=Beacon(["ri.x"], branch="b1"), s=Silent())(lambda b, s: got.append((b, s)))
    execute(made, JobEnvironment(branch="feature"), {})
    assert got == [("beacon on feature: b1", "silent")]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Input(3), TransformTypeError, "path or RID"),
        (lambda: Input("/a", optional=True), UnknownArgumentError, "Input has no argument 'optional'"),
        (lambda: Input("/a", check=_check()), UnknownArgumentError, "Did you mean 'checks'"),
        (lambda: Input("/a", checks="holds"), TransformTypeError, "takes a Check"),
        (lambda: Input("/a", checks=[_check(), 3]), TransformTypeError, "got 3"),
        (lambda: Input("/a", stop_propagating=["m"]), TransformTypeError, "stop_propagating of Input"),
        (lambda: Input("/a", failure_strategy="stop"), TransformValueError, "'continue' or 'fail'"),
        (lambda: Input("/a", transaction_limit=0), TransformValueError, "positive number"),
        (lambda: Input("/a", transaction_limit=True), TransformValueError, "positive number"),
        (lambda: Input("/a", branch=3), TransformTypeError, "branch of Input"),
        (lambda: Input("/a", description=3), TransformTypeError, "description of Input"),
        (lambda: Input("/a", stop_requiring=Markings("m", "b")), TransformTypeError, "stop_requiring of Input"),
        (lambda: Input(*"/abcdefghi"), UnknownArgumentError, "has no argument 'h'"),
        (lambda: FoundryInputParam(["/a"], alias="/b"), UnknownArgumentError, "Did you mean 'aliases'"),
        (lambda: FoundryInputParam(["/a"], type=3), TransformTypeError, "type of FoundryInputParam"),
        (lambda: FoundryOutputParam(["/a"], properties=3), TransformTypeError, "properties of FoundryOutputParam"),
        (lambda: Output("/a", sever_permissions="no"), TransformTypeError, "sever_permissions of Output"),
        (lambda: OutputSet(["/a"], sever_permissions="no"), TransformTypeError, "sever_permissions of OutputSet"),
        (lambda: Output("/a", description=3), TransformTypeError, "description of Output"),
        (lambda: InputSet(["/a"], description=3), TransformTypeError, "description of InputSet"),
        (lambda: InputSet(["/a"], branch="b"), UnknownArgumentError, "InputSet has no argument 'branch'"),
        (lambda: Markings(["m"]), TransformTypeError, "Markings needs its argument 'on_branches'"),
        (lambda: OrgMarkings(["m"], branches="b"), UnknownArgumentError, "OrgMarkings has no argument 'branches'"),
        (lambda: Check(ANY_ROWS), TransformTypeError, "Check needs its argument 'name'"),
        (lambda: Check(ANY_ROWS, "n", description=3), TransformTypeError, "description of a Check"),
        (lambda: Check(lambda df: True, "n"), IncompleteExpectationError, "Check needs expectations"),
        (lambda: Check([ANY_ROWS], "n"), IncompleteExpectationError, "Check needs expectations"),
        (lambda: Check(ANY_ROWS, "n", "warn"), TransformValueError, "'FAIL' or 'WARN'"),
        (lambda: StringParam(), TransformTypeError, "StringParam needs its argument 'default'"),
        (lambda: StringParam("a", "text"), UnknownArgumentError, "StringParam has no argument 'text'"),
        (lambda: StringParam("a", allowed_values="abc"), TransformTypeError, "set of texts"),
        (lambda: StringParam("a", allowed_values={"a", 1}), TransformTypeError, "set of texts"),
        (lambda: IntegerParam(1, minimum=0), UnknownArgumentError, "IntegerParam has no argument 'minimum'"),
        (lambda: BooleanParam(True, description=3), TransformTypeError, "description of BooleanParam"),
        (lambda: Output(["/a"]), TransformTypeError, "path or RID"),
        (lambda: Output("/a", partition_cols=["d"]), UnknownArgumentError, "Output has no argument"),
        (lambda: InputSet([]), TransformValueError, "cannot be empty"),
        (lambda: InputSet("/a"), TransformTypeError, "list of paths"),
        (lambda: OutputSet([1]), TransformTypeError, "got 1 in it"),
        (lambda: Markings(3, "master"), TransformTypeError, "marking_ids of Markings"),
        (lambda: Check(ANY_ROWS, ""), TransformValueError, "needs a name"),
        (lambda: Check(ANY_ROWS, 3), TransformTypeError, "name of a Check"),
        (lambda: Check("amount > 0", "n"), TransformTypeError, "takes an expectation"),
        (lambda: Check(E.col("amount"), "n"), IncompleteExpectationError, "finish it with one of"),
        (lambda: Check(E.when(ANY_ROWS, ANY_ROWS), "n"), IncompleteExpectationError, ".otherwise("),
        (lambda: Check(ANY_ROWS, "n", "ERROR"), TransformValueError, "'FAIL' or 'WARN'"),
        (lambda: Check(assert_true=1, description="d"), UnknownArgumentError, "no argument 'assert_true'"),
        (lambda: StringParam("x", allowed_values={"a"}), TransformValueError, "allows a"),
    ],
)
def test_wrong_specs_fail_where_they_are_written(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)
    assert "test_s04_specs.py:" in str(caught.value)


def test_an_attribute_that_foundry_lacks_names_the_nearest_one():
    with pytest.raises(UnknownAttributeError, match=r"Input has no 'aliass'\. Did you mean 'alias"):
        _ = Input("/a").aliass
    check = _check()
    assert check.is_incremental is False
    with pytest.raises(UnknownAttributeError, match=r"Check has no 'onerror'\. Did you mean 'on_error'"):
        _ = check.onerror
    with pytest.raises(UnknownAttributeError, match=r"Markings has no 'marking_id'\. Did you mean 'marking_ids'"):
        _ = Markings("m", "b").marking_id
    with pytest.raises(UnknownAttributeError, match=r"ParamValueInput has no 'vlaue'\. Did you mean 'value'"):
        _ = ParamValueInput(3).vlaue
    with pytest.raises(UnknownAttributeError, match="Did you mean 'incremental'"):
        _ = transform(out=Output("/a"))(lambda out: 0).incremental_


def test_sets_are_sorted_so_that_a_pipeline_is_the_same_in_every_process():
    names = {f"/d{n}" for n in range(9)}
    assert InputSet(names).aliases == OutputSet(frozenset(names)).aliases == tuple(sorted(names))
    assert Markings(names, {"b", "a"}) == Markings(sorted(names), ["a", "b"])
    made = incremental(snapshot_inputs={"y", "x", "z"})(
        transform(x=Input("/x"), y=Input("/y"), z=Input("/z"), out=Output("/o"))(lambda **given: 0)
    )
    assert made.incremental.snapshot_inputs == ("x", "y", "z")
    assert InputSet(["/b", "/a"]).aliases == ("/b", "/a")


def test_an_unmarking_policy_is_kept_as_it_was_written():
    policy = UnmarkingPolicy("ri.policy", reason="checked")
    spec = Input("/a", stop_propagating=policy)
    assert (spec.stop_propagating.arguments, dict(policy.options)) == (("ri.policy",), {"reason": "checked"})
    assert policy == UnmarkingPolicy("ri.policy", reason="checked")
