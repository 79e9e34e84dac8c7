"""Fidelity of ``palantir_models``."""

from __future__ import annotations

from transforms.surface._row import Row, Status, rows

_T, _M, _S, _E = (f"palantir_models.{n}" for n in ("transforms", "models", "serializers", "evaluations"))
_ADAPTERS, _API = "integrate-models/model-adapter-overview", "integrate-models/model-adapter-api"
_STATE = "palantir_models/test_state.py::"
_DECLARED = (
    "palantir_models/test_declarations.py::test_both_styles_and_the_undecorated_spelling_give_the_same_wire_document"
)
_PARAMS = "palantir_models/test_transform_params.py::"
_LIVE = f"{_PARAMS}test_one_transform_publishes_and_the_next_one_scores"
_HOSTED = "palantir_models/test_hosted.py::"
_LLM = f"{_HOSTED}test_a_language_model_registers_and_answers_through_a_stand_in"
_LLM_NOTE = "Foundry hosts the model: it registers, and answers through a stand-in that a test or platform provides."
_LLM_PAGE = "transforms-python-spark/palantir-provided-models"
_SERIAL = "integrate-models/model-serialization"
_ROUND = f"{_STATE}test_serializers_round_trip_into_their_fixed_file"
_FRAMEWORK = f"{_STATE}test_a_missing_framework_is_asked_for_when_it_is_used"
_BY_SERVICE = "The service it connects to is given by the platform's settings."
_OURS = "Ours: the root of this package's errors."

_PROVEN = "CloudPickleSerializer DillSerializer JsonSerializer ModelSerializer YamlSerializer"
_LAZY = (
    "HfAutoModelSerializer HfAutoTokenizerSerializer HfPipelineSerializer PytorchStateSerializer "
    "TensorflowKerasSerializer XGBoostSerializer"
)


def _serializers(module: str) -> tuple[Row, ...]:
    return (
        *rows(module, _PROVEN, _SERIAL, _ROUND),
        *rows(module, _LAZY, _SERIAL, _FRAMEWORK, Status.DIFFERS, "Needs its framework, which is imported on use."),
        *rows(module, "TensorflowFormat", _SERIAL, f"{_STATE}test_keras_formats"),
        *rows(module, "SparkMLAutoSerializer", _SERIAL, f"{_STATE}test_a_fitted_spark_pipeline_round_trips"),
    )


MODELS = (
    *rows("palantir_models", "ModelAdapter", _ADAPTERS, f"{_STATE}test_hand_written_save_and_load_are_called"),
    *rows(
        "palantir_models",
        "auto_serialize",
        _SERIAL,
        f"{_STATE}test_a_bare_decorator_stores_every_argument_by_name_and_the_same_training_gives_the_same_bytes",
    ),
    *rows(
        "palantir_models",
        "ContainerModelAdapter",
        "integrate-models/container-overview",
        f"{_HOSTED}test_a_container_adapter_is_connected_through_its_context",
        Status.DIFFERS,
        _BY_SERVICE,
    ),
    *rows(
        "palantir_models",
        "ExternalModelAdapter",
        "integrate-models/external-model-connections",
        f"{_HOSTED}test_an_external_adapter_reads_both_spellings_and_credentials_never_show",
        Status.DIFFERS,
        _BY_SERVICE,
    ),
    *rows(
        "palantir_models", "DFType FileSystem ModelApi ModelApiColumn NDArray Pandas Parameter Spark", _API, _DECLARED
    ),
    *rows(
        "palantir_models",
        "MediaReference",
        _API,
        "palantir_models/test_inference.py::test_media_references_are_converted_from_text_and_dicts_in_parameters_and_columns",
    ),
    *rows(
        "palantir_models",
        "Object ObjectSet",
        _API,
        "palantir_models/test_inference.py::test_ontology_inputs_take_objects_and_say_that_keys_need_foundry",
        Status.DIFFERS,
        "Objects are taken; looking one up by key needs Foundry's ontology.",
    ),
    *rows(
        "palantir_models",
        "InferenceResults",
        _ADAPTERS,
        "palantir_models/test_inference.py::test_results_by_attribute_subscript_and_column",
    ),
    *rows(
        "palantir_models",
        "ModelStateReader ModelStateWriter",
        _SERIAL,
        f"{_STATE}test_files_and_folders_round_trip_below_the_root",
    ),
    *rows("palantir_models", "ModelSerializer", _SERIAL, _ROUND),
    *rows("palantir_models", "ModelVersionChangeType", "integrate-models/transform-model-output", _LIVE),
    *rows(
        "palantir_models",
        "PalantirModelsError",
        "integrate-models/overview",
        "palantir_models/test_declarations.py::test_what_cannot_work_is_refused_when_declared",
        Status.DIFFERS,
        _OURS,
    ),
    *rows(_T, "ModelInput ModelOutput", "integrate-models/transform-model-input", _LIVE),
    *rows(
        _T,
        "DistributedInferenceWrapper",
        "integrate-models/distributed-inference",
        f"{_PARAMS}test_distributed_inference_scores_every_row_in_chunks_and_keeps_extra_columns",
    ),
    *rows(
        _T,
        "copy_model_to_driver",
        "integrate-models/overview",
        f"{_PARAMS}test_model_files_are_copied_to_a_local_folder",
    ),
    *rows(
        _T, "evaluation", "evaluate-models/overview", f"{_PARAMS}test_an_evaluation_transform_needs_no_dataset_output"
    ),
    *rows(
        _T,
        "AnthropicClaudeLanguageModelInput GenericChatCompletionLanguageModelInput "
        "GenericCompletionLanguageModelInput GenericEmbeddingModelInput "
        "GenericVisionCompletionLanguageModelInput OpenAiGptChatLanguageModelInput "
        "OpenAiGptChatWithVisionLanguageModelInput",
        _LLM_PAGE,
        _LLM,
        Status.REFUSED,
        _LLM_NOTE,
    ),
    *rows(
        _M,
        "AnthropicClaudeLanguageModel GenericChatCompletionLanguageModel GenericCompletionLanguageModel "
        "GenericEmbeddingModel GenericVisionCompletionLanguageModel OpenAiGptChatLanguageModel "
        "OpenAiGptChatWithVisionLanguageModel VisionLLMDocumentPageExtractor",
        _LLM_PAGE,
        _LLM,
        Status.REFUSED,
        _LLM_NOTE,
    ),
    *rows(
        _M,
        "ContainerModelAdapter ExternalModelAdapter",
        "integrate-models/container-overview",
        f"{_HOSTED}test_a_container_adapter_is_connected_through_its_context",
        Status.DIFFERS,
        _BY_SERVICE,
    ),
    *rows(
        _M,
        "ModelAdapter ModelStateReader ModelStateWriter",
        _ADAPTERS,
        f"{_STATE}test_hand_written_save_and_load_are_called",
    ),
    *rows(_M, "ModelVersionChangeType", "integrate-models/transform-model-output", _LIVE),
    *rows(
        _M,
        "CondaDependency PythonEnvironment",
        "integrate-models/model-adapter-overview",
        _DECLARED,
        Status.RECORDED,
        "Kept with the model version; the environment is the repository's.",
    ),
    *_serializers(_S),
    *_serializers("palantir_models_serializers"),
    *rows(
        _E,
        "ClassificationEvaluatorConfig Evaluation EvaluationResult RegressionEvaluatorConfig evaluate",
        "evaluate-models/overview",
        "palantir_models/test_experiments.py::test_binary_and_multiclass_figures",
    ),
    *rows(
        "models_api.models_api_executable",
        "ContainerizedApplicationContext ExternalModelContext ExternalModelExecutionContext",
        "integrate-models/container-overview",
        f"{_HOSTED}test_a_container_adapter_is_connected_through_its_context",
        Status.DIFFERS,
        _BY_SERVICE,
    ),
)
