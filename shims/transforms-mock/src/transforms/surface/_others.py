"""Fidelity of the packages beside ``transforms.api``."""

from __future__ import annotations

from transforms.surface._row import LIBRARY, Status, rows

_S12, _S13, _S14 = "test_s12_verbs.py::", "test_s13_external.py::", "test_s14_mediasets.py::"
_S15, _S18, _S7 = "test_s15_s16_other_packages.py::", "test_s18_unit_tests.py::", "test_s07_dataset.py::"
_TABLES = f"{_S15}test_tables_read_and_write_as_datasets"
_MEDIA = f"{_S14}test_items_are_read_listed_and_copied_on_one_node"
_MEDIA_NOTE = (
    "A media set is a dataset of raw files, whose RIDs depend on the path; what Foundry's media service computes is "
    "refused. batch_limit is recorded: a run takes every new item."
)
_TABLE_NOTE = "A table is a dataset here; catalogs, identifiers, change logs and warehouse sessions are refused."
_SERVICE = f"{_S15}test_parameters_of_services_register_and_are_refused_unless_bound"
_SERVICE_NOTE = "Only Foundry holds the content. It registers, and runs where a platform binds something of its kind."
_LEGACY = "data-connection/external-transforms-legacy"
_OLD = f"{_S13}test_the_older_generation_injects_every_name"
_LOCAL = (
    "Secrets, addresses, certificates and credentials come from a local file and the environment; no egress is "
    "blocked, no agent proxy stands between, credentials do not expire."
)
_UNPUBLISHED = "transforms-python/unit-tests"

OTHERS = (
    *rows(
        "transforms.verbs.dataframes",
        "union_many",
        "open source: N3C",
        f"{_S12}test_union_many",
        Status.DIFFERS,
        "No reference is published: 'strict' by name is the default, 'narrow' and 'wide' as their names say.",
    ),
    *rows(
        "transforms.verbs.dataframes",
        "sanitize_schema_for_parquet",
        "building-pipelines/infer-schema",
        f"{_S12}test_sanitize_schema_for_parquet",
        Status.DIFFERS,
        "No reference is published: each forbidden character becomes '_', nested fields included.",
    ),
    *rows(
        "transforms.verbs.columns",
        "trim_to_null camel_to_snake_case",
        "open source: public repositories",
        f"{_S12}test_columns",
        Status.DIFFERS,
        "No reference is published; behaviour follows the names and their use.",
    ),
    *rows(
        "transforms.verbs.testing.TransformRunner",
        "TransformRunner",
        _UNPUBLISHED,
        f"{_S18}test_the_runner_builds_upstream_datasets_first",
        Status.DIFFERS,
        "No reference is published. Runs every kind of transform; the second argument is the folder that names lie in, "
        "or the datastore; checks are left to a platform.",
    ),
    *rows(
        "transforms.verbs.testing.datastores",
        "InMemoryDatastore",
        _UNPUBLISHED,
        f"{_S18}test_the_runner_builds_upstream_datasets_first",
        Status.DIFFERS,
        "No reference is published. store_dataframe as known; store_files, append and get_dataframe are ours.",
    ),
    *rows(
        "transforms.external.systems",
        "external_systems Source ResolvedSource",
        "data-connection/external-transforms",
        f"{_S13}test_a_source_arrives_with_connection_and_secrets",
        Status.DIFFERS,
        _LOCAL,
    ),
    *rows("transforms.external.systems", "use_external_systems Credential", _LEGACY, _OLD, Status.DIFFERS, _LOCAL),
    *rows(
        "transforms.external.systems",
        "EgressPolicy ExportControl",
        _LEGACY,
        _OLD,
        Status.RECORDED,
        "Kept on the transform; nothing is blocked here.",
    ),
    *rows(
        "transforms.mediasets",
        "MediaSetInput MediaSetOutput LightweightMediaSetInputParam LightweightMediaSetOutputParam",
        "transforms-python/media-sets",
        _MEDIA,
        Status.DIFFERS,
        _MEDIA_NOTE,
    ),
    *rows(
        "transforms.mediasets",
        "MediaSetInputParam MediaSetOutputParam",
        "transforms-python/media-set-transforms-api",
        f"{_S14}test_items_are_opened_and_put_on_workers",
        Status.DIFFERS,
        _MEDIA_NOTE,
    ),
    *rows(
        "transforms.mediasets.inputs",
        "LightweightMediaSetInputParam MediaSetInputParam",
        "transforms-python/media-sets",
        _MEDIA,
        Status.DIFFERS,
        _MEDIA_NOTE,
    ),
    *rows(
        "transforms.mediasets.outputs",
        "LightweightMediaSetOutputParam MediaSetOutputParam",
        "transforms-python/media-sets",
        _MEDIA,
        Status.DIFFERS,
        _MEDIA_NOTE,
    ),
    *rows(
        "transforms.tables",
        "TableInput TableOutput TableTransformInput TableTransformOutput IncrementalTableTransformInput "
        "TableLightweightInput TableLightweightOutput",
        "transforms-python/tables-api",
        _TABLES,
        Status.DIFFERS,
        _TABLE_NOTE,
    ),
    *rows(
        "transforms.tables",
        "BigQueryTable DatabricksTable DeltaTable FilesTable IcebergTable SnowflakeTable",
        "transforms-python/tables-api",
        _TABLES,
        Status.RECORDED,
        "Kept with the declaration; the table is a dataset here.",
    ),
    *rows(
        "transforms.tables",
        "IbisInput IbisOutput SnowflakeInput SnowflakeOutput SnowparkConnectInput SnowparkConnectOutput",
        "transforms-python/tables-overview",
        f"{_S15}test_compute_pushdown_imports_and_is_refused_when_run",
        Status.REFUSED,
        "They serve annotations. The warehouse computes it, outside Foundry too.",
    ),
    *rows(
        "transforms.sidecar",
        "sidecar Volume",
        "transforms-container/transforms-sidecar",
        f"{_S15}test_a_sidecar_is_recorded_and_refused_when_run",
        Status.REFUSED,
        "The function talks to a container that is not started here; declaring works, running is refused.",
    ),
    *rows("transforms.timeseries", "TimeSeriesInput", "time-series/foundryts", _SERVICE, Status.REFUSED, _SERVICE_NOTE),
    *rows(
        "foundryts",
        "FoundryTS functions nodes search",
        "time-series/foundryts",
        f"{_S15}test_time_series_import_and_are_refused_when_called",
        Status.REFUSED,
        "Every name of the package imports, so that a repository registers; Foundry's time series service computes it.",
    ),
    *rows("transforms.objects", "ObjectInput", "time-series/foundryts", _SERVICE, Status.REFUSED, _SERVICE_NOTE),
    *rows(
        "transforms.aip.orchestrators",
        "CompletionModelProperties CompletionOrchestrator",
        "transforms-python-spark/aip-orchestrators",
        f"{_S15}test_deprecated_packages_import_and_refuse",
        Status.REFUSED,
        "Deprecated in Foundry, and it calls language models through Foundry.",
    ),
    *rows(
        "transforms.foundry.connectors",
        "FoundryConnector",
        "transforms-python-spark/transforms-python-foundry-connectors",
        f"{_S15}test_the_connector_opens_by_alias_or_rid_and_runs",
        Status.DIFFERS,
        "Takes a function that opens datasets instead of a service configuration; transaction ranges are refused.",
    ),
    *rows("foundry.transforms", "Dataset", f"{LIBRARY}api-dataset", f"{_S7}test_reads_in_every_format"),
    *rows("foundry.transforms", "Column", f"{LIBRARY}api-dataset", f"{_S7}test_conditions"),
    *rows("foundry.transforms", "FileCollection", f"{LIBRARY}api-dataset", f"{_S7}test_writes_and_files"),
    *rows(
        "foundry.transforms",
        "DatasetHost connect datasets_from load_aliases",
        f"{LIBRARY}api-dataset",
        f"{_S7}test_aliases_of_a_code_workspace",
        Status.DIFFERS,
        "Ours: who opens datasets outside a transform. mirror.models.notebook.connect() serves those of a workspace.",
    ),
    *rows(
        "bellaso_python_lib.encryption.encrypter_input",
        "EncrypterInput",
        "cipher/overview",
        _SERVICE,
        Status.REFUSED,
        _SERVICE_NOTE,
    ),
    *rows(
        "bellaso_python_lib.encryption.hasher_input",
        "HasherInput",
        "cipher/overview",
        _SERVICE,
        Status.REFUSED,
        _SERVICE_NOTE,
    ),
    *rows(
        "bellaso_python_lib.decryption.decrypter_input",
        "DecrypterInput",
        "cipher/overview",
        _SERVICE,
        Status.REFUSED,
        _SERVICE_NOTE,
    ),
)
