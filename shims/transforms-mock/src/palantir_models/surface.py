"""How every public symbol of this library behaves outside Foundry: the rows of ``docs/fidelity.md`` for models.

``same``: as in Foundry. ``recorded``: accepted, kept and shown, acted on in Foundry only. ``differs``: works, the
note says how. ``refused``: needs Foundry itself; the error says what to do instead.
"""

from __future__ import annotations

from typing import NamedTuple

STATUSES = ("same", "recorded", "differs", "refused")

_SHIM = "tests/shim/palantir_models/"
_ADAPTER = "integrate-models/model-adapter-reference"
_API = "integrate-models/model-adapter-api"
_SERIAL = "integrate-models/auto-serialization-reference"
_INPUT = "integrate-models/transform-model-input"
_EXPERIMENT = "integrate-models/experiment-reference"
_EVALUATION = "integrate-models/evaluation-reference"
_BUILTIN = "integrate-models/evaluations-builtin"
_LANGUAGE = "transforms-python-spark/palantir-provided-models"
_NOTEBOOK = "integrate-models/model-asset-code-workspaces"


class Row(NamedTuple):
    """One symbol: its status, how it differs (empty for ``same``), Foundry's page, and the test that proves it."""

    symbol: str
    status: str
    note: str
    source: str
    test: str


def _row(symbol: str, status: str, source: str, test: str, note: str = "") -> Row:
    file, _, function = test.partition("::")
    return Row(f"palantir_models.{symbol}", status, note, source, f"{_SHIM}{file}.py::{function}")


_STATE = "test_state::test_files_and_folders_round_trip_below_the_root"
_WIRE = "test_declarations::test_both_styles_and_the_undecorated_spelling_give_the_same_wire_document"
_BIND = "test_inference::test_arguments_bind_by_position_or_name_and_defaults_fill_in"
_MEDIA = "test_inference::test_media_references_are_converted_from_text_and_dicts_in_parameters_and_columns"
_ONTOLOGY = "test_inference::test_ontology_inputs_take_objects_and_say_that_keys_need_foundry"
_ROUND = "test_state::test_serializers_round_trip_into_their_fixed_file"
_MISSING = "test_state::test_a_missing_framework_is_asked_for_when_it_is_used"
_PUBLISH = "test_transform_params::test_one_transform_publishes_and_the_next_one_scores"
_LLM = "test_hosted::test_a_language_model_registers_and_answers_through_a_stand_in"
_ABSENT = "the framework is not among this repository's dependencies; the first use says what to install"
_STAND_IN = "declared and registered as in Foundry; a call is answered by a registered stand-in, else refused"

ROWS: tuple[Row, ...] = (
    _row("ModelAdapter", "same", _ADAPTER, _BIND),
    _row(
        "ModelAdapter.version_metadata",
        "differs",
        _ADAPTER,
        "test_state::test_two_arguments_with_the_same_serializer_do_not_collide",
        "a local addition: facts recorded beside the version; Foundry ignores it",
    ),
    _row("ModelAdapter.transform", "same", _API, "test_inference::test_results_by_attribute_subscript_and_column"),
    _row(
        "ModelAdapter.transform_write",
        "differs",
        _API,
        "test_inference::test_transform_write_writes_every_output_into_its_handle",
        "its precise semantics are undocumented: inputs first, then one handle per output, or all by name",
    ),
    _row(
        "ModelAdapter.run_inference",
        "same",
        _API,
        "test_inference::test_run_inference_gets_named_tuples_and_writes_several_outputs",
    ),
    _row(
        "ContainerModelAdapter",
        "differs",
        "integrate-models/container-model-adapter-example",
        "test_hosted::test_a_container_adapter_is_connected_through_its_context",
        "Foundry starts the containers; here init_container is called with a context of yours",
    ),
    _row(
        "ExternalModelAdapter",
        "differs",
        "integrate-models/external-model-connection-sagemaker",
        "test_hosted::test_an_external_adapter_reads_both_spellings_and_credentials_never_show",
        "Foundry keeps connection and credentials; here init_external is called with a context of yours",
    ),
    _row(
        "auto_serialize",
        "same",
        _SERIAL,
        "test_state::test_a_bare_decorator_stores_every_argument_by_name_and_the_same_training_gives_the_same_bytes",
    ),
    _row("Pandas", "same", _API, _WIRE),
    _row("Spark", "same", _API, "test_inference::test_frames_cross_the_boundary_as_declared"),
    _row("Parameter", "same", _API, "test_inference::test_parameter_types"),
    _row("FileSystem", "same", _API, "test_inference::test_transform_write_writes_every_output_into_its_handle"),
    _row("MediaReference", "same", _API, _MEDIA),
    _row(
        "Object", "differs", _API, _ONTOLOGY, "takes an instance; a primary key is refused, there is no Ontology here"
    ),
    _row("ObjectSet", "differs", _API, _ONTOLOGY, "takes a set; its rid is refused, there is no Ontology here"),
    _row(
        "NDArray",
        "same",
        _API,
        "test_declarations::test_arrays_are_converted_and_their_shape_is_checked_except_free_dimensions",
    ),
    _row("ModelApi", "same", _API, _WIRE),
    _row("ModelApiColumn", "same", _API, _WIRE),
    _row("DFType", "same", _API, "test_declarations::test_tables_of_the_older_style_are_spark_unless_told_otherwise"),
    _row("InferenceResults", "same", _API, "test_inference::test_results_by_attribute_subscript_and_column"),
    _row("ModelStateReader", "same", _ADAPTER, _STATE),
    _row("ModelStateWriter", "same", _ADAPTER, _STATE),
    _row("ModelSerializer", "same", _SERIAL, _ROUND),
    _row(
        "ModelVersionChangeType",
        "differs",
        "integrate-models/import-huggingface-models",
        _PUBLISH,
        "Foundry ignores it; here it decides which part of the version number advances",
    ),
    _row(
        "PalantirModelsError",
        "differs",
        _ADAPTER,
        "test_inference::test_an_adapter_that_came_from_no_version_says_so",
        "root of this library's errors; Foundry's exception classes are not documented",
    ),
    _row("models.api.ModelInput", "same", _ADAPTER, _WIRE),
    _row("models.api.ModelOutput", "same", _ADAPTER, _WIRE),
    _row(
        "models.PythonEnvironment",
        "recorded",
        _ADAPTER,
        "test_surface::test_older_environment_declarations_are_accepted",
        "accepted and ignored: the lock file decides locally",
    ),
    _row(
        "models.CondaDependency",
        "recorded",
        _ADAPTER,
        "test_surface::test_older_environment_declarations_are_accepted",
        "accepted and ignored: the lock file decides locally",
    ),
    *(
        _row(f"models.{name}", "differs", _LANGUAGE, _LLM, _STAND_IN)
        for name in (
            "AnthropicClaudeLanguageModel",
            "GenericChatCompletionLanguageModel",
            "GenericCompletionLanguageModel",
            "GenericEmbeddingModel",
            "GenericVisionCompletionLanguageModel",
            "OpenAiGptChatLanguageModel",
            "OpenAiGptChatWithVisionLanguageModel",
            "VisionLLMDocumentPageExtractor",
        )
    ),
    *(
        _row(f"serializers.{name}", "same", _SERIAL, _ROUND)
        for name in ("CloudPickleSerializer", "DillSerializer", "JsonSerializer", "YamlSerializer")
    ),
    *(
        _row(f"serializers.{name}", "same", _SERIAL, _MISSING, _ABSENT)
        for name in (
            "HfAutoModelSerializer",
            "HfAutoTokenizerSerializer",
            "HfPipelineSerializer",
            "PytorchStateSerializer",
            "TensorflowKerasSerializer",
            "XGBoostSerializer",
        )
    ),
    _row("serializers.TensorflowFormat", "same", _SERIAL, "test_state::test_keras_formats"),
    _row(
        "serializers.SparkMLAutoSerializer",
        "same",
        "migrate-models",
        "test_state::test_a_fitted_spark_pipeline_round_trips",
    ),
    _row("transforms.ModelInput", "same", _INPUT, _PUBLISH),
    _row(
        "transforms.ModelInput(use_sidecar=)",
        "recorded",
        _INPUT,
        "test_transform_params::test_declarations_know_their_kind_and_keep_what_is_recorded",
        "the adapter runs in the transform's own process and environment",
    ),
    _row("transforms.ModelOutput", "same", _INPUT, _PUBLISH),
    _row(
        "transforms.DistributedInferenceWrapper",
        "same",
        _INPUT,
        "test_transform_params::test_distributed_inference_scores_every_row_in_chunks_and_keeps_extra_columns",
    ),
    _row(
        "transforms.copy_model_to_driver",
        "same",
        "integrate-models/model-asset-files",
        "test_transform_params::test_model_files_are_copied_to_a_local_folder",
    ),
    _row(
        "transforms.evaluation",
        "same",
        _EVALUATION,
        "test_transform_params::test_an_evaluation_transform_needs_no_dataset_output",
    ),
    *(
        _row(f"transforms.{name}", "differs", _LANGUAGE, _LLM, _STAND_IN)
        for name in (
            "AnthropicClaudeLanguageModelInput",
            "GenericChatCompletionLanguageModelInput",
            "GenericCompletionLanguageModelInput",
            "GenericEmbeddingModelInput",
            "GenericVisionCompletionLanguageModelInput",
            "OpenAiGptChatLanguageModelInput",
            "OpenAiGptChatWithVisionLanguageModelInput",
        )
    ),
    _row(
        "experiments.Experiment",
        "same",
        _EXPERIMENT,
        "test_experiments::test_steps_count_on_per_series_and_never_go_back",
    ),
    _row(
        "experiments.ErrorHandlerType",
        "same",
        _EXPERIMENT,
        "test_experiments::test_what_is_too_much_fails_warns_once_or_is_silent",
    ),
    _row(
        "experiments.Experiment.as_mlflow_run",
        "same",
        _EXPERIMENT,
        "test_experiments::test_mlflow_is_asked_for_when_it_is_used",
        _ABSENT,
    ),
    _row(
        "evaluations.Evaluation",
        "same",
        _EVALUATION,
        "test_experiments::test_evaluations_have_no_steps_and_bounded_media",
    ),
    _row("evaluations.evaluate", "same", _BUILTIN, "test_experiments::test_evaluate_names_what_is_missing"),
    _row("evaluations.EvaluationResult", "same", _BUILTIN, "test_experiments::test_regression_figures"),
    _row("evaluations.RegressionEvaluatorConfig", "same", _BUILTIN, "test_experiments::test_regression_figures"),
    _row(
        "evaluations.ClassificationEvaluatorConfig",
        "same",
        _BUILTIN,
        "test_experiments::test_binary_and_multiclass_figures",
    ),
    _row(
        "code_workspaces.ModelInput",
        "differs",
        _NOTEBOOK,
        "test_hosted::test_a_notebook_publishes_at_once_and_loads_by_class",
        "a notebook first calls mirror.models.notebook.connect()",
    ),
    _row(
        "code_workspaces.ModelOutput",
        "differs",
        _NOTEBOOK,
        "test_hosted::test_a_notebook_publishes_at_once_and_loads_by_class",
        "a notebook first calls mirror.models.notebook.connect()",
    ),
    _row(
        "code_workspaces.ModelInput.deploy",
        "refused",
        _NOTEBOOK,
        "test_hosted::test_a_notebook_publishes_at_once_and_loads_by_class",
        "workspace deployments are containers of Foundry; the adapter answers in this process instead",
    ),
)
