"""Fidelity of ``palantir_models``."""

from __future__ import annotations

from transforms.surface._row import Row, Status, rows

_P, _T, _M, _S, _E = (
    "palantir_models",
    *(f"palantir_models.{n}" for n in ("transforms", "models", "serializers", "evaluations")),
)
_OLDER, _X, _N = (f"palantir_models.{n}" for n in ("models.api", "experiments", "code_workspaces"))
_ADAPTER, _API = "integrate-models/model-adapter-reference", "integrate-models/model-adapter-api"
_SERIAL, _INPUT = "integrate-models/auto-serialization-reference", "integrate-models/transform-model-input"
_CONTAINER = "integrate-models/container-model-adapter-example"
_EXTERNAL = "integrate-models/external-model-connection-sagemaker"
_EXPERIMENT, _EVALUATION = "integrate-models/experiment-reference", "integrate-models/evaluation-reference"
_BUILTIN, _NOTEBOOK = "integrate-models/evaluations-builtin", "integrate-models/model-asset-code-workspaces"
_SETS = "evaluate-models/metric-sets-reference"
_LLM_PAGE = "transforms-python-spark/palantir-provided-models"

_STATE, _PARAMS, _HOSTED, _RUN, _DECLARE, _INFER = (
    f"palantir_models/test_{n}.py::"
    for n in ("state", "transform_params", "hosted", "experiments", "declarations", "inference")
)
_WIRE = f"{_DECLARE}test_both_styles_and_the_undecorated_spelling_give_the_same_wire_document"
_LIVE = f"{_PARAMS}test_one_transform_publishes_and_the_next_one_scores"
_FILES = f"{_STATE}test_files_and_folders_round_trip_below_the_root"
_ROUND = f"{_STATE}test_serializers_round_trip_into_their_fixed_file"
_CONTAINED = f"{_HOSTED}test_a_container_adapter_is_connected_through_its_context"
_EXTERNALLY = f"{_HOSTED}test_an_external_adapter_reads_both_spellings_and_credentials_never_show"
_LLM = f"{_HOSTED}test_a_language_model_registers_and_answers_through_a_stand_in"
_CONDA = "palantir_models/test_surface.py::test_older_environment_declarations_are_accepted"
_REQUESTS = f"{_HOSTED}test_requests_are_plain_records"
_METRICS = "palantir_models/test_metric_sets.py::test_a_set_names_version_and_transaction_and_overwrites_by_key"
_BOOK = f"{_HOSTED}test_a_notebook_publishes_at_once_and_loads_by_class"

_LLM_NOTE = "Foundry hosts the model: it registers, and a call is answered by a stand-in of yours, else refused."
_START = "Foundry starts the containers; here init_container is called with a context of your own."
_CONNECT = "Foundry keeps connection and credentials; here init_external is called with a context of your own."
_CHANGE = "Foundry ignores it; here it decides which part of the version number advances."
_HOST = "A notebook first calls mirror.models.notebook.connect(), which Foundry does not need."
_SIDECAR = "use_sidecar and sidecar_resources are recorded: the adapter runs in the transform's process."
_OWN = "Ours: the root of this package's errors; Foundry documents no exception classes."
_ONTOLOGY = "An instance or a set is taken; looking one up by key or RID needs Foundry's Ontology."
_LOCKED = "Accepted and without effect: the repository's lock file decides what is installed."
_LOCAL = "Ours: facts recorded beside the version; an adapter that overrides it runs in Foundry unchanged."
_JSON = "Saved as metrics.json in the output; Foundry's own storage format is not documented."
_HANDLES = "Undocumented in detail: inputs first, then one handle per output, or all by name."

_PROVEN = "ModelSerializer YamlSerializer"
_HUGGING_FACE = "HfAutoModelSerializer HfAutoTokenizerSerializer HfPipelineSerializer"
_FRAMES = "palantir_models/test_frameworks.py::"
_LANGUAGE_MODELS = (
    "AnthropicClaudeLanguageModel GenericChatCompletionLanguageModel GenericCompletionLanguageModel "
    "GenericEmbeddingModel GenericVisionCompletionLanguageModel OpenAiGptChatLanguageModel "
    "OpenAiGptChatWithVisionLanguageModel"
)


def _serializers(module: str) -> tuple[Row, ...]:
    lazy = "The framework is no dependency: the first use says what to install. Stored, loaded and compared with"
    return (
        *rows(module, _PROVEN, _SERIAL, _ROUND),
        *rows(module, "JsonSerializer", _SERIAL, _ROUND, note="JSON in config.json; Foundry's text says YAML once."),
        *rows(
            module,
            "CloudPickleSerializer DillSerializer",
            _SERIAL,
            _ROUND,
            Status.SAME,
            "Compared also with lightgbm 4.7.0, catboost 1.2.10, xgboost 3.2.0, torch 2.13.0 and onnx 1.23.2 models.",
        ),
        *rows(
            module,
            "PytorchStateSerializer",
            _SERIAL,
            f"{_FRAMES}test_pytorch_modules_go_by_their_state",
            Status.DIFFERS,
            f"{lazy} torch 2.13.0. The state dict is stored, also of a module; Foundry's text says module.",
        ),
        *rows(
            module,
            "TensorflowKerasSerializer",
            _SERIAL,
            f"{_FRAMES}test_keras_models_in_every_format_this_keras_has",
            Status.DIFFERS,
            f"{lazy} tensorflow-cpu 2.15.1 (DIR, H5, KERAS) and 2.21.0 with Keras 3.15.1 (H5, KERAS; DIR is refused).",
        ),
        *rows(
            module,
            "XGBoostSerializer",
            _SERIAL,
            f"{_FRAMES}test_xgboost_models_come_back_as_the_base_class",
            Status.DIFFERS,
            f"{lazy} xgboost 2.1.4 and 3.2.0. A subclass comes back as XGBModel: a classifier predicts probabilities.",
        ),
        *rows(
            module,
            _HUGGING_FACE,
            _SERIAL,
            f"{_FRAMES}test_transformers_models_tokenizers_and_pipelines",
            Status.DIFFERS,
            f"{lazy} transformers 5.24.0.",
        ),
        *rows(module, "TensorflowFormat", _SERIAL, f"{_STATE}test_keras_formats"),
        *rows(module, "SparkMLAutoSerializer", "migrate-models", f"{_STATE}test_a_fitted_spark_pipeline_round_trips"),
    )


MODELS = (
    *rows(_P, "ModelAdapter", _ADAPTER, f"{_INFER}test_arguments_bind_by_position_or_name_and_defaults_fill_in"),
    *rows(
        _P,
        "ModelAdapter.transform",
        _API,
        f"{_INFER}test_missing_columns_wrong_column_types_and_extra_columns_reach_the_adapter",
        note="As uneven as documented: a parameter of the wrong type is refused, columns are checked neither for type "
        "nor for presence, extra ones pass. Live requests cast columns and refuse what cannot be cast.",
    ),
    *rows(
        _P,
        "ModelAdapter.predict ModelAdapter.run_inference",
        _ADAPTER,
        f"{_INFER}test_run_inference_gets_named_tuples_and_writes_several_outputs",
        note="Foundry's pages disagree on what predict gives when called by hand: here the author's bare value.",
    ),
    *rows(_P, "ModelAdapter.load ModelAdapter.save", _ADAPTER, f"{_STATE}test_hand_written_save_and_load_are_called"),
    *rows(
        _P,
        "ModelAdapter.transform_write",
        _API,
        f"{_INFER}test_transform_write_writes_every_output_into_its_handle",
        Status.DIFFERS,
        _HANDLES,
    ),
    *rows(
        _P,
        "ModelAdapter.version_metadata",
        _ADAPTER,
        f"{_STATE}test_two_arguments_with_the_same_serializer_do_not_collide",
        Status.DIFFERS,
        _LOCAL,
    ),
    *rows(_P, "ContainerModelAdapter", _CONTAINER, _CONTAINED, Status.DIFFERS, _START),
    *rows(_P, "ExternalModelAdapter", _EXTERNAL, _EXTERNALLY, Status.DIFFERS, _CONNECT),
    *rows(
        _P,
        "auto_serialize",
        _SERIAL,
        f"{_STATE}test_a_bare_decorator_stores_every_argument_by_name_and_the_same_training_gives_the_same_bytes",
    ),
    *rows(_P, "FileSystem ModelApi ModelApiColumn Parameter", _API, _WIRE),
    *rows(_P, "Pandas Spark", _API, _WIRE, note="columns may be left out, as in Foundry's samples."),
    *rows(_P, "DFType", _API, f"{_DECLARE}test_tables_of_the_older_style_are_spark_unless_told_otherwise"),
    *rows(
        _P,
        "NDArray",
        _API,
        f"{_DECLARE}test_arrays_are_converted_and_their_shape_is_checked_except_free_dimensions",
        note="An int may stand for a float; a bool never for a number, nor a number that does not fit its type.",
    ),
    *rows(
        _P,
        "MediaReference",
        _API,
        f"{_INFER}test_media_references_are_converted_from_text_and_dicts_in_parameters_and_columns",
    ),
    *rows(
        _P,
        "Object ObjectSet",
        _API,
        f"{_INFER}test_ontology_inputs_take_objects_and_say_that_keys_need_foundry",
        Status.DIFFERS,
        _ONTOLOGY,
    ),
    *rows(
        _P,
        "InferenceResults",
        _API,
        f"{_INFER}test_results_by_attribute_subscript_and_column",
        note="A subscript is an output's name; with one table, else that table's column: Foundry's pages show both.",
    ),
    *rows(_P, "ModelStateReader ModelStateWriter", _ADAPTER, _FILES),
    *rows(_P, "ModelSerializer", "integrate-models/serialization", _ROUND),
    *rows(_P, "ModelVersionChangeType", "integrate-models/import-huggingface-models", _LIVE, Status.DIFFERS, _CHANGE),
    *rows(
        _P,
        "PalantirModelsError",
        _ADAPTER,
        f"{_DECLARE}test_what_cannot_work_is_refused_when_declared",
        Status.DIFFERS,
        _OWN,
    ),
    *rows(_OLDER, "DFType ModelApi ModelApiColumn ModelInput ModelOutput", _ADAPTER, _WIRE),
    *rows(_M, "ModelAdapter", _ADAPTER, f"{_STATE}test_hand_written_save_and_load_are_called"),
    *rows(_M, "ModelStateReader ModelStateWriter", _ADAPTER, _FILES),
    *rows(_M, "ContainerModelAdapter", _CONTAINER, _CONTAINED, Status.DIFFERS, _START),
    *rows(_M, "ExternalModelAdapter", _EXTERNAL, _EXTERNALLY, Status.DIFFERS, _CONNECT),
    *rows(_M, "ModelVersionChangeType", "integrate-models/import-huggingface-models", _LIVE, Status.DIFFERS, _CHANGE),
    *rows(_M, "CondaDependency PythonEnvironment", _ADAPTER, _CONDA, Status.RECORDED, _LOCKED),
    *rows(_M, f"{_LANGUAGE_MODELS} VisionLLMDocumentPageExtractor", _LLM_PAGE, _LLM, Status.REFUSED, _LLM_NOTE),
    *_serializers(_S),
    *_serializers("palantir_models_serializers"),
    *rows(_T, "ModelInput", _INPUT, _LIVE, Status.DIFFERS, _SIDECAR),
    *rows(_T, "ModelOutput", _INPUT, _LIVE),
    *rows(
        _T,
        "DistributedInferenceWrapper",
        _INPUT,
        f"{_PARAMS}test_distributed_inference_scores_every_row_in_chunks_and_keeps_extra_columns",
    ),
    *rows(
        _T,
        "copy_model_to_driver",
        "integrate-models/model-asset-files",
        f"{_PARAMS}test_model_files_are_copied_to_a_local_folder",
    ),
    *rows(_T, "evaluation", _EVALUATION, f"{_PARAMS}test_an_evaluation_transform_needs_no_dataset_output"),
    *rows(
        _T,
        " ".join(f"{name}Input" for name in _LANGUAGE_MODELS.split()),
        _LLM_PAGE,
        _LLM,
        Status.REFUSED,
        _LLM_NOTE,
    ),
    *rows(_X, "Experiment", _EXPERIMENT, f"{_RUN}test_steps_count_on_per_series_and_never_go_back"),
    *rows(
        _X,
        "Experiment.as_mlflow_run",
        _EXPERIMENT,
        f"{_FRAMES}test_what_mlflow_logs_arrives_in_the_experiment",
        Status.DIFFERS,
        "MLflow is no dependency: the first use says what to install. Run with mlflow 3.17.2. A nested run is refused.",
    ),
    *rows(_X, "ErrorHandlerType", _EXPERIMENT, f"{_RUN}test_what_is_too_much_fails_warns_once_or_is_silent"),
    *rows(
        _E,
        "Evaluation",
        _EVALUATION,
        f"{_RUN}test_evaluations_have_no_steps_and_bounded_media",
        Status.DIFFERS,
        "A repeated build replaces the evaluation of the same version and name; Foundry makes the name unique.",
    ),
    *rows(
        _E,
        "evaluate",
        _BUILTIN,
        f"{_RUN}test_evaluate_names_what_is_missing",
        Status.DIFFERS,
        "Not documented: arguments of predict go by declared name, left-out parameters have their declared default; "
        "nulls in targets or predictions are refused, as dropping them would flatter the model.",
    ),
    *rows(
        _E,
        "EvaluationResult RegressionEvaluatorConfig",
        _BUILTIN,
        f"{_RUN}test_regression_figures",
        note="Any numbers; Foundry's reference says integers, its tutorial uses floats.",
    ),
    *rows(
        _E,
        "ClassificationEvaluatorConfig",
        _BUILTIN,
        f"{_RUN}test_probabilities_of_several_classes",
        note="f1 is the usual one (Foundry's page leaves out its factor of two). One probability column per class.",
    ),
    *rows(_N, "ModelInput ModelOutput", _NOTEBOOK, _BOOK, Status.DIFFERS, _HOST),
    *rows(
        _N,
        "ModelInput.deploy",
        _NOTEBOOK,
        _BOOK,
        Status.REFUSED,
        "Workspace deployments are containers of Foundry; the adapter answers in this process instead.",
    ),
    *rows(
        "models_api.models_api_executable",
        "ContainerizedApplicationContext",
        _CONTAINER,
        _CONTAINED,
        Status.DIFFERS,
        _START,
    ),
    *rows(
        "models_api.models_api_executable",
        "ExternalModelContext ExternalModelExecutionContext",
        _EXTERNAL,
        _EXTERNALLY,
        Status.DIFFERS,
        _CONNECT,
    ),
    *rows(
        "language_model_service_api.languagemodelservice_api",
        "ChatMessage ChatMessageRole",
        _LLM_PAGE,
        _REQUESTS,
    ),
    *rows(
        "language_model_service_api.languagemodelservice_api_completion_v3",
        "GenericCompletionRequest GptChatCompletionRequest",
        _LLM_PAGE,
        _REQUESTS,
    ),
    *rows(
        "language_model_service_api.languagemodelservice_api_embeddings_v3",
        "GenericEmbeddingsRequest",
        _LLM_PAGE,
        _REQUESTS,
    ),
    *rows("foundry_ml_metrics", "MetricSet", _SETS, _METRICS, Status.DIFFERS, _JSON),
    *rows("foundry_ml_metrics.charts", "bar line", _SETS, _METRICS),
    *rows(
        "foundry_ml_metrics.evaluation",
        "ComputedMetricValue Evaluator Field",
        "evaluate-models/evaluator-custom",
        "palantir_models/test_metric_sets.py::test_a_custom_evaluator_computes_from_a_frame",
        Status.DIFFERS,
        "Declared and callable; no objective runs it here: judge versions with ci/objectives.yml.",
    ),
)
