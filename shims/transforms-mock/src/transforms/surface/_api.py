"""Fidelity of ``transforms.api``: declarations."""

from __future__ import annotations

from transforms.surface._incremental import RULES
from transforms.surface._row import LIBRARY, Status, rows

_M = "transforms.api"
_S3, _S4, _S8 = "test_s03_decorators.py::", "test_s04_specs.py::", "test_s08_pipeline.py::"
_STACK = f"{_S3}test_spark_decorators_stack_in_any_order"
_STACKS = "test_s03_stacks.py::test_single_node_stacks_over_three_builds_start_no_spark"
_BUILD = f"{_S3}test_builders_take_options_before_the_function_and_stay_reusable"
_FRAMES = f"{_S3}test_frame_decorators_take_the_output_by_position_and_by_keyword"
_SIGNATURES = f"{_S4}test_signatures_are_foundrys"
_RECORDED_ONLY = "Kept on the transform and shown; access control exists in Foundry only."
_SIZING = "Kept on the transform and shown; it sizes machines and changes no result."
_EVOLUTION = "transforms-python/lightweight-api-evolution"
_TABLES = "transforms-python/tables-overview"
_BUILDER = (
    "with_resources and with_container are checked and recorded; profiles of with_config act as those of configure; "
    "other with_* options are recorded, unless they look like a mistake in one of these."
)
_ELSEWHERE = "The warehouse computes it, outside Foundry too; declaring works, running is refused."

DECLARATIONS = (
    *rows(_M, "transform", f"{LIBRARY}api-transform", f"{_S3}test_transform_is_a_class_whose_instances_decorate"),
    *rows(_M, "transform.using transform.lightweight", f"{LIBRARY}api-transform", _BUILD, Status.DIFFERS, _BUILDER),
    *rows(_M, "transform.spark", _EVOLUTION, _BUILD, Status.DIFFERS, _BUILDER),
    *rows(
        _M,
        "transform.databricks transform.snowflake transform.bigquery",
        _TABLES,
        "test_s15_s16_other_packages.py::test_compute_pushdown_imports_and_is_refused_when_run",
        Status.REFUSED,
        _ELSEWHERE,
    ),
    *rows(_M, "transform_df", f"{LIBRARY}api-transform-df", _FRAMES),
    *rows(_M, "transform_pandas", f"{LIBRARY}api-transform-pandas", _FRAMES),
    *rows(_M, "transform_polars", f"{LIBRARY}api-transform-polars", _FRAMES),
    *rows(
        _M,
        "lightweight",
        f"{LIBRARY}api-lightweight",
        _STACKS,
        Status.DIFFERS,
        "Runs in the job's own process. Cores, memory, GPU and container are checked and recorded, not provided.",
    ),
    *rows(
        _M,
        "configure",
        f"{LIBRARY}api-configure",
        "test_s05_spark_runtime.py::test_profiles_that_change_results_hold_for_their_job_only",
        Status.DIFFERS,
        "Profiles that change results set Spark for this job alone; profiles that size machines, allowed_run_duration, "
        "run_as_user and checkpoint_outputs are recorded. ALLOW_ADD_MONTHS belongs to Foundry's own Spark.",
    ),
    *rows(
        _M,
        "ComputeBackend",
        f"{LIBRARY}api-configure",
        f"{_S3}test_configure_records_everything_and_takes_the_profile_by_position",
        Status.RECORDED,
        "Velox computes the same results faster; open-source Spark computes them here.",
    ),
    *rows(_M, "incremental", f"{LIBRARY}api-incremental", _STACKS, Status.DIFFERS, RULES),
    *rows(_M, "Input Output", f"{LIBRARY}api-input", f"{_S4}test_an_input_says_what_it_was_given"),
    *rows(
        _M,
        "InputSet OutputSet",
        f"{LIBRARY}api-param",
        "test_s05_spark_runtime.py::test_sets_arrive_as_lists_in_declared_order",
        Status.DIFFERS,
        "Foundry does not document what is injected; here a list in declared order.",
    ),
    *rows(
        _M,
        "Param FoundryInputParam FoundryOutputParam LightweightInputParam LightweightOutputParam ParamContext",
        f"{LIBRARY}api-param",
        f"{_S4}test_a_custom_parameter_makes_its_own_runtime_object",
    ),
    *rows(
        _M,
        "StringParam IntegerParam FloatParam BooleanParam ParamValueInput",
        f"{LIBRARY}api-stringparam",
        f"{_S3}test_a_typed_parameter_arrives_with_its_value_and_a_missing_binding_is_named",
    ),
    *rows(_M, "Check", f"{LIBRARY}api-check", f"{_S4}test_wrong_specs_fail_where_they_are_written"),
    *rows(
        _M,
        "Check.is_incremental",
        f"{LIBRARY}api-check",
        f"{_S4}test_an_attribute_that_foundry_lacks_names_the_nearest_one",
        Status.DIFFERS,
        "Always false: a check looks at the full dataset, in incremental runs too.",
    ),
    *rows(
        _M,
        "Markings OrgMarkings",
        f"{LIBRARY}api-markings",
        f"{_S4}test_an_input_says_what_it_was_given",
        Status.RECORDED,
        _RECORDED_ONLY,
    ),
    *rows(
        _M,
        "UnmarkingPolicy",
        "building-pipelines/remove-inherited-markings",
        f"{_S4}test_an_unmarking_policy_is_kept_as_it_was_written",
        Status.RECORDED,
        _RECORDED_ONLY,
    ),
    *rows(
        _M,
        "Transform",
        "transforms-python-spark/transforms-python-api-classes",
        f"{_S3}test_calling_a_transform_passes_everything_straight_through",
    ),
    *rows(
        _M,
        "ContainerTransform ContainerTransformsConfiguration",
        f"{LIBRARY}api-containertransform",
        f"{_S3}test_lightweight_and_incremental_stack_both_ways_and_with_or_without_parentheses",
        Status.DIFFERS,
        "Runs in the job's own process; containers are recorded.",
    ),
    *rows(
        _M,
        "Pipeline Pipeline.add_transforms Pipeline.discover_transforms Pipeline.transforms",
        f"{LIBRARY}api-pipeline",
        f"{_S8}test_discovery_imports_every_module_below_and_takes_every_shape",
    ),
    *rows(
        _M,
        "IncrementalSettings",
        f"{LIBRARY}api-incremental",
        _STACK,
        Status.DIFFERS,
        "Ours: what @incremental was given, for the platform.",
    ),
    *rows(
        _M,
        "execute JobEnvironment JobOutcome",
        "transforms-python/transforms",
        "test_s05_spark_runtime.py::test_the_context_knows_its_job",
        Status.DIFFERS,
        "Ours: how a platform runs a transform. Foundry keeps this part to itself.",
    ),
    *rows(
        _M,
        "LightweightException LightweightNotImplementedError LightweightTypeError LightweightValueError",
        f"{LIBRARY}api-overview",
        "test_s03_wrong_use.py::test_wrong_lightweight_use_is_refused",
        Status.DIFFERS,
        "Foundry does not say which misuse raises which.",
    ),
)
