"""Fact sheet sections 15 and 16: tables, sidecars, and packages whose content only Foundry holds."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bellaso_python_lib.decryption.decrypter_input import DecrypterInput
from bellaso_python_lib.encryption.encrypter_input import EncrypterInput
from bellaso_python_lib.encryption.hasher_input import HasherInput
from transforms import tables
from transforms.aip.orchestrators import CompletionOrchestrator
from transforms.api import Input, JobEnvironment, Output, execute, incremental, transform
from transforms.errors import (
    NotAvailableError,
    TransformTypeError,
    TransformValueError,
    UnknownNameError,
    WriteArgumentError,
)
from transforms.foundry.connectors import FoundryConnector
from transforms.objects import ObjectInput
from transforms.sidecar import Volume, sidecar
from transforms.tables import DatabricksTable, IcebergTable, SnowflakeTable, TableInput, TableOutput
from transforms.timeseries import TimeSeriesInput
from transforms.verbs.testing._memory_ports import MemoryReadPort, MemoryWritePort


class _Port:
    path = "/o"


@pytest.mark.nightly
def test_tables_read_and_write_as_datasets(store, run, frame, rows):
    store.store_dataframe("/t", frame(v=[1]))
    locator = DatabricksTable("c", "s", "t")
    assert (locator.format, locator.location, IcebergTable("t").warehouse_path) == ("delta", None, None)
    seen = []

    @transform(source=TableInput("/t"), out=TableOutput("/o", "ri.source", locator))
    def compute(source, out):
        out.write_dataframe(source.dataframe(options={"numPartitions": 4}))
        for refused, error in (
            (lambda: source.catalog, WriteArgumentError),
            (lambda: source.identifier, WriteArgumentError),
            (lambda: out.apply_changelog(None, ["v"]), NotAvailableError),
        ):
            with pytest.raises(error):
                refused()

    @incremental(v2_semantics=True)
    @transform(source=TableInput("/t"), out=TableOutput("/p", table="C.S.T"))
    def increments(source, out):
        seen.append([r.v for r in source.dataframe("added").collect()])
        with pytest.raises(NotAvailableError, match="changelog of table '/t'"):
            source.dataframe("changelog")
        out.write_dataframe(source.dataframe())

    @transform.using(source=TableInput("/t"), out=TableOutput("/q"))
    def single(source, out):
        scan = source.iceberg().table().scan()
        seen.append([scan.to_polars().collect()["v"].to_list(), list(scan.to_pandas()["v"])])
        seen.append(scan.to_arrow_batch_reader().read_all().num_rows)
        out.iceberg().write(scan.to_arrow())
        with pytest.raises(NotAvailableError, match="snowpark"):
            source.snowpark()

    for each in (compute, increments, single):
        run(each)
    assert rows("/o") == rows("/p") == rows("/q") == [(1,)]
    assert seen == [[1], [[1], [1]], 1]
    with pytest.raises(TransformTypeError, match="SnowflakeTable"):
        TableOutput("/t", table=SnowflakeTable)
    with pytest.raises(TransformValueError, match="one of avro, csv, parquet, got 'xls'"):
        tables.FilesTable("/p", "xls")


@pytest.mark.parametrize("engine", ["databricks", "snowflake", "bigquery"])
def test_compute_pushdown_imports_and_is_refused_when_run(engine):
    builder = getattr(transform, engine).using(x=TableInput("/x"), out=TableOutput("/o"))
    made = builder.with_compute(cluster_id="c").with_warehouse("w").with_engine("pyspark")(lambda x, out: 0)
    assert made.recorded["with_warehouse"] == (("w",), {})
    with pytest.raises(NotAvailableError, match=f"(?i)pushdown to {engine}"):
        execute(made, JobEnvironment(), {"x": _Port(), "out": _Port()})
    names = {"snowflake": "Snowflake SnowparkConnect", "bigquery": "Ibis"}.get(engine, "").split()
    for name in (f"{n}{side}" for n in names for side in ("Input", "Output")):
        with pytest.raises(NotAvailableError, match=f"transforms.tables.{name}"):
            getattr(tables, name)()


def test_a_sidecar_is_recorded_and_refused_when_run():
    made = sidecar(image="img", tag="1", volumes=[Volume("shared")])(transform(out=Output("/o"))(lambda out: 0))
    assert made.recorded["sidecar"]["volumes"] == (Volume("shared"),)
    with pytest.raises(NotAvailableError, match="container image 'img'"):
        execute(made, JobEnvironment(), {"out": _Port()})
    for wrong, says in (
        (lambda: sidecar(image="img", tag="1")(lambda out: 0), "on top of a transform"),
        (lambda: sidecar(image="img", tag=1), "tag of @sidecar is a text"),
        (lambda: sidecar(image="img", tag="1", volumes=["shared"]), r"list of Volume\(...\)"),
        (lambda: sidecar(image="img", tag="1", volume=[]), "Did you mean 'volumes'"),
        (lambda: Volume(""), "name of a folder"),
        (lambda: Volume(folder="x"), "Volume has no argument 'folder'"),
        (lambda: TimeSeriesInput("ri.ts", branch="b"), "TimeSeriesInput has no argument 'branch'"),
        (lambda: EncrypterInput(3), "EncrypterInput takes a RID or path"),
        (lambda: ObjectInput("ri.o", ontology_rid=3), "ontology_rid of ObjectInput"),
        (lambda: ObjectInput("ri.o", ontology="ri.y"), "ObjectInput has no argument 'ontology'"),
    ):
        with pytest.raises(TypeError, match=says) as caught:
            wrong()
        assert "test_s15_s16_other_packages.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("param", "kind", "service"),
    [
        (TimeSeriesInput("ri.ts"), "timeseries_input", "time series"),
        (ObjectInput(object_type_rid="ri.o", ontology_rid="ri.y"), "object_input", "ontology"),
        (EncrypterInput("/cipher"), "cipher_encrypter", "Cipher"),
        (DecrypterInput("/cipher"), "cipher_decrypter", "Cipher"),
        (HasherInput("/cipher"), "cipher_hasher", "Cipher"),
    ],
)
def test_parameters_of_services_register_and_are_refused_unless_bound(param, kind, service):
    seen = []
    made = incremental(snapshot_inputs=["p"])(transform(p=param, out=Output("/o"))(lambda p, out: seen.append(p)))
    assert made.inputs["p"].kind == kind
    with pytest.raises(NotAvailableError, match=service):
        execute(made, JobEnvironment(), {"out": _Port()})
    execute(made, JobEnvironment(), {"out": _Port(), "p": "bound"})
    assert seen == ["bound"]


def test_deprecated_packages_import_and_refuse():
    with pytest.raises(NotAvailableError, match="deprecated"):
        CompletionOrchestrator("model")
    with pytest.raises(UnknownNameError, match=r"transforms.aip.prompt has no 'Template'"):
        from transforms.aip.prompt import Template  # noqa: F401


def test_the_connector_opens_by_alias_or_rid_and_runs(store, run, spark):
    run(transform.using(out=Output("/in"))(lambda out: out.write_table(pa.table({"v": [1]}))))
    written = MemoryWritePort("/out", (), incremental=False)
    connector = FoundryConnector(
        lambda alias, branch, for_writing: written if for_writing else MemoryReadPort(alias, store.parts(alias)),
        "token",
        fallback_branches=["master"],
    )
    assert connector.input(alias="/in").dataframe().count() == 1
    assert connector.output(rid="ri.x").path == "/out"
    connector.run(transform(x=Input("/in"), out=Output("/out"))(lambda x, out: out.write_dataframe(x.dataframe())))
    assert written.schema("added").simpleString() == "struct<v:bigint>"
    with pytest.raises(TransformValueError, match="exactly one"):
        connector.input()
    with pytest.raises(NotAvailableError, match="range"):
        connector.input(alias="/in", end_txrid="t")
    with pytest.raises(NotAvailableError, match="transaction by hand"):
        connector.output(alias="/out", txrid="t")
    with pytest.raises(TypeError, match=r"FoundryConnector.output has no argument 'tx_rid'\. Did you mean 'txrid'"):
        connector.output(alias="/out", tx_rid="t")
    with pytest.raises(TransformTypeError, match=r"FoundryConnector.run takes a transform"):
        connector.run(lambda: 0)
    with pytest.raises(NotAvailableError, match="no Foundry services"):
        FoundryConnector({"uri": "x"}).input(alias="/in")


def test_time_series_import_and_are_refused_when_called():
    import foundryts.functions as F
    from foundryts import FoundryTS, NodeCollection
    from foundryts.search import ontology

    assert repr(NodeCollection) == "<foundryts.NodeCollection, only in Foundry>"
    for call, name in (
        (lambda: FoundryTS(), "foundryts.FoundryTS"),
        (lambda: F.interpolate(before="nearest"), "foundryts.functions.interpolate"),
        (lambda: FoundryTS.search.series("ri.x"), "foundryts.FoundryTS.search.series"),
        (lambda: ontology("x"), "foundryts.search.ontology"),
    ):
        with pytest.raises(NotAvailableError, match=f"^{name} .*time series service"):
            call()
    assert not hasattr(F, "__wrapped__")
