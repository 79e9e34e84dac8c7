"""Fidelity of ``transforms.api``: what compute functions receive."""

from __future__ import annotations

from transforms.surface._incremental import ABORTED, MODE, PANDAS, READS
from transforms.surface._row import LIBRARY, Row, Status, rows

_S5, _S6, _S9 = "test_s05_spark_runtime.py::", "test_s06_lightweight.py::", "test_s09_incremental.py::"
_READ = f"{_S5}test_inputs_read_whole_views_and_outputs_store_nullable_columns"
_FILES = "test_s05_files.py::test_files_are_listed_and_opened_on_the_driver_and_on_workers"
_MODES = f"{_S9}test_read_and_write_modes_over_three_runs"
_PATTERNS = "builds/test_incremental_patterns.py::test_patterns"
_FORMS = f"{_S6}test_inputs_read_in_every_form"
_KINDS = f"{_S6}test_outputs_take_every_kind_of_table"
_LMODES = f"{_S6}test_incremental_objects_read_by_mode"
_IDENTITY = "rid path branch column_descriptions column_typeclasses start_transaction_rid end_transaction_rid"
_CTX = f"{_S5}test_the_context_knows_its_job"
_MADE = "Made by the job; its constructor takes a port instead of Foundry's internal services."
_NO_BATCH = "Always None: how a transaction limit cuts a run is the platform's business."
_NO_PACKAGES = "Empty unless the platform lists the installed packages."
_NO_SERVER = "Empty unless the platform sets one: there is no server that would take it."


def _class(name: str, source: str, test: str, members: str) -> tuple[Row, ...]:
    made = rows("transforms.api", name, source, test, Status.DIFFERS, _MADE)
    return (*made, *rows(f"transforms.api.{name}", members, source, test))


def _batch(name: str, source: str) -> tuple[Row, ...]:
    return rows(f"transforms.api.{name}", "batch_incremental_configuration", source, _READ, Status.DIFFERS, _NO_BATCH)


_TI, _TO = f"{LIBRARY}api-transforminput", f"{LIBRARY}api-transformoutput"
_ITI, _ITO = f"{LIBRARY}api-incrementaltransforminput", f"{LIBRARY}api-incrementaltransformoutput"
_LI, _LO = f"{LIBRARY}api-lightweightinput", f"{LIBRARY}api-lightweightoutput"
_ILI, _ILO = f"{LIBRARY}api-incrementallightweightinput", f"{LIBRARY}api-incrementallightweightoutput"
_ABORT = f"{_S5}test_abort_of_one_output_and_of_the_whole_job"
_SOHO = "All keywords honoured; output_format 'soho' (Foundry's own) is refused. A second write in one job is an error."
_LIGHT_OUT = (
    "rid alias branch transaction_rid set_mode put_metadata path_for_write_table path filesystem "
    "read_unstaged_dataset_as_polars_lazy polars pandas dataframe arrow"
)
_ENGINE = "engine= is taken and has no effect; a table that Spark could not read (times, one name twice) is refused."
_TABLE = "Not in Foundry's reference, yet used by its guide; engine= has no effect."
_PARSED = (
    "Parquet, ORC, Avro, JSON, text and CSV as Spark parses them; a CSV option that only Spark's own parser knows is "
    "refused."
)
_STORE = "A local folder instead of an object store; finish with put_metadata() all the same."


def _tables(name: str, source: str) -> tuple[Row, ...]:
    symbol, parsed = f"transforms.api.{name}", "test_s06_text_files.py::test_csv_is_parsed_as_spark_parses_it"
    return rows(symbol, "polars pandas dataframe arrow", source, parsed, Status.DIFFERS, _PARSED)


def _single_node_writes(name: str, source: str) -> tuple[Row, ...]:
    symbol = f"transforms.api.{name}"
    return (
        *rows(symbol, "write_table write_dataframe write_pandas", source, _KINDS, Status.DIFFERS, _ENGINE),
        *rows(symbol, "path_for_object_store_write_table", source, _KINDS, Status.DIFFERS, _STORE),
    )


def _packages(name: str) -> tuple[Row, ...]:
    source = f"{LIBRARY}api-transformcontext"
    return rows(f"transforms.api.{name}", "environment", source, _CTX, Status.DIFFERS, _NO_PACKAGES)


def _mode(symbol: str, source: str) -> tuple[Row, ...]:
    if "Incremental" not in symbol:
        return rows(symbol, "set_mode", source, _READ)
    return rows(symbol, "set_mode", source, _PATTERNS, Status.DIFFERS, MODE)


def _written(name: str, source: str) -> tuple[Row, ...]:
    symbol = f"transforms.api.{name}"
    return (
        *rows(symbol, "write_dataframe", source, f"{_S5}test_write_arguments_reach_the_files", Status.DIFFERS, _SOHO),
        *_mode(symbol, source),
        *rows(symbol, "write_pandas from_transform_output", source, _READ),
        *rows(
            symbol,
            "write_table",
            "transforms-python/file-processing",
            f"{_S5}test_tables_of_every_kind_are_taken_by_write_table",
            Status.DIFFERS,
            _TABLE,
        ),
        *rows(symbol, "abort", source, _ABORT),
    )


RUNTIME = (
    *_class("TransformInput", _TI, _READ, f"dataframe pandas filesystem {_IDENTITY}"),
    *_batch("TransformInput", _TI),
    *_class("TransformOutput", _TO, _READ, f"dataframe pandas filesystem {_IDENTITY}"),
    *_batch("TransformOutput", _TO),
    *_written("TransformOutput", _TO),
    *_class("IncrementalTransformInput", _ITI, _MODES, f"dataframe filesystem {_IDENTITY}"),
    *rows("transforms.api.IncrementalTransformInput", "pandas", _ITI, _PATTERNS, Status.DIFFERS, PANDAS),
    *_batch("IncrementalTransformInput", _ITI),
    *_class("IncrementalTransformOutput", _ITO, _MODES, f"filesystem {_IDENTITY}"),
    *rows("transforms.api.IncrementalTransformOutput", "dataframe pandas", _ITO, _MODES, Status.DIFFERS, READS),
    *_batch("IncrementalTransformOutput", _ITO),
    *_written("IncrementalTransformOutput", _ITO),
    *_class("TransformContext", f"{LIBRARY}api-transformcontext", _CTX, "spark_session parameters fallback_branches"),
    *_packages("TransformContext"),
    *rows("transforms.api.TransformContext", "abort_job", f"{LIBRARY}api-transformcontext", _ABORT),
    *rows(
        "transforms.api.TransformContext",
        "auth_header",
        f"{LIBRARY}api-transformcontext",
        _CTX,
        Status.DIFFERS,
        _NO_SERVER,
    ),
    *_class(
        "IncrementalTransformContext",
        f"{LIBRARY}api-incrementaltransformcontext",
        f"{_S9}test_the_context_says_whether_and_what",
        "is_incremental snapshot_inputs spark_session parameters fallback_branches",
    ),
    *_packages("IncrementalTransformContext"),
    *rows(
        "transforms.api.IncrementalTransformContext",
        "abort_job",
        f"{LIBRARY}api-transformcontext",
        f"{_S9}test_a_file_increment_lists_only_new_files_and_an_abort_keeps_them_new",
        Status.DIFFERS,
        ABORTED,
    ),
    *rows(
        "transforms.api.IncrementalTransformContext",
        "auth_header",
        f"{LIBRARY}api-transformcontext",
        _CTX,
        Status.DIFFERS,
        _NO_SERVER,
    ),
    *_class("FileSystem", f"{LIBRARY}api-filesystem", _FILES, "open"),
    *rows(
        "transforms.api.FileSystem",
        "hadoop_path",
        f"{LIBRARY}api-filesystem",
        "datasets/test_ports.py::test_unfinished_files_are_never_committed",
        Status.DIFFERS,
        "Of an output it is where this run's files go; older ones stand under that of filesystem('previous'). What"
        " Spark writes there is kept, with hidden files if it puts any beside it; only show_hidden lists those.",
    ),
    *rows("transforms.api.FileSystem", "ls", f"{LIBRARY}api-filesystem", "test_s05_files.py::test_listing_rules"),
    *rows(
        "transforms.api.FileSystem",
        "files",
        f"{LIBRARY}api-filesystem",
        "test_s05_files.py::test_packing_fills_bins_by_size_and_open_cost",
        Status.DIFFERS,
        "Files are packed into partitions when packing_heuristic is given; otherwise they are spread evenly.",
    ),
    *rows("transforms.api", "FileStatus", f"{LIBRARY}api-filestatus", _FILES),
    *_class(
        "LightweightInput",
        _LI,
        _FORMS,
        "alias rid branch path filesystem start_transaction_rid end_transaction_rid",
    ),
    *_tables("LightweightInput", _LI),
    *_class(
        "IncrementalLightweightInput",
        _ILI,
        _LMODES,
        "alias rid branch path filesystem start_transaction_rid end_transaction_rid",
    ),
    *_tables("IncrementalLightweightInput", _ILI),
    *_class("LightweightOutput", _LO, _KINDS, _LIGHT_OUT),
    *_single_node_writes("LightweightOutput", _LO),
    *_class("IncrementalLightweightOutput", _ILO, _LMODES, _LIGHT_OUT),
    *_single_node_writes("IncrementalLightweightOutput", _ILO),
    *_class(
        "LightweightContext",
        f"{LIBRARY}api-lightweightcontext",
        f"{_S6}test_the_context_has_no_spark_and_aborts",
        "is_incremental abort_job",
    ),
    *rows(
        "transforms.api.LightweightContext",
        "auth_header",
        f"{LIBRARY}api-lightweightcontext",
        _CTX,
        Status.DIFFERS,
        _NO_SERVER,
    ),
    *rows(
        "transforms.api.LightweightContext",
        "duckdb",
        "transforms-python/duckdb",
        f"{_S6}test_duckdb_sees_every_input_as_a_table_and_its_files",
    ),
    *_class(
        "FoundryDataSidecarFileSystem",
        f"{LIBRARY}api-foundrydatasidecarfilesystem",
        f"{_S6}test_files_are_read_and_written_from_threads",
        "ls open",
    ),
    *rows(
        "transforms.api",
        "FoundryDataSidecarFile",
        f"{LIBRARY}api-foundrydatasidecarfile",
        f"{_S6}test_files_are_read_and_written_from_threads",
        Status.DIFFERS,
        "A name for annotations; open() gives ordinary Python streams, which can also seek.",
    ),
    *rows(
        "transforms.api",
        "TableTransformInput IncrementalTableTransformInput",
        "transforms-python/tables-api",
        "test_s15_s16_other_packages.py::test_tables_read_and_write_as_datasets",
        Status.DIFFERS,
        "A table is a dataset here; catalogs, identifiers and change logs are refused.",
    ),
)
