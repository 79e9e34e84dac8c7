"""Fact sheet section 2: every public name is there, costs nothing to import, and names that Foundry lacks say so."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from transforms.errors import UnknownAttributeError, UnknownNameError

API = """
transform transform_df transform_pandas transform_polars lightweight incremental configure
Input InputSet Output OutputSet Param FoundryInputParam FoundryOutputParam LightweightInputParam LightweightOutputParam
StringParam IntegerParam FloatParam BooleanParam Check Markings OrgMarkings
Transform ContainerTransform ContainerTransformsConfiguration Pipeline
TransformInput TransformOutput TransformContext IncrementalTransformInput IncrementalTransformOutput
IncrementalTransformContext TableTransformInput IncrementalTableTransformInput FileSystem FileStatus
LightweightInput LightweightOutput IncrementalLightweightInput IncrementalLightweightOutput LightweightContext
FoundryDataSidecarFileSystem FoundryDataSidecarFile
ParamContext ParamValueInput ComputeBackend UnmarkingPolicy
LightweightException LightweightNotImplementedError LightweightTypeError LightweightValueError
"""

MODULES = {
    "transforms.api": API,
    "transforms._errors": "EntryPointError TransformTypeError TransformKeyError SchemaMismatchError",
    "transforms.verbs.dataframes": "union_many sanitize_schema_for_parquet",
    "transforms.verbs.columns": "trim_to_null camel_to_snake_case",
    "transforms.verbs.testing.TransformRunner": "TransformRunner",
    "transforms.verbs.testing.datastores": "InMemoryDatastore",
    "transforms.external.systems": "external_systems Source use_external_systems EgressPolicy Credential ExportControl",
    "transforms.mediasets": "MediaSetInput MediaSetOutput MediaSetInputParam MediaSetOutputParam "
    "LightweightMediaSetInputParam LightweightMediaSetOutputParam",
    "transforms.mediasets.inputs": "MediaSetInputParam",
    "transforms.mediasets.outputs": "MediaSetOutputParam",
    "transforms.tables": "TableInput TableOutput TableTransformInput TableTransformOutput TableLightweightInput "
    "TableLightweightOutput IncrementalTableTransformInput BigQueryTable DatabricksTable DeltaTable FilesTable "
    "IcebergTable SnowflakeTable",
    "transforms.sidecar": "sidecar Volume",
    "transforms.timeseries": "TimeSeriesInput",
    "transforms.objects": "ObjectInput",
    "transforms.aip.orchestrators": "CompletionOrchestrator CompletionModelProperties",
    "transforms.foundry.connectors": "FoundryConnector",
    "foundry.transforms": "Dataset Column",
    "bellaso_python_lib.encryption.encrypter_input": "EncrypterInput",
    "bellaso_python_lib.encryption.hasher_input": "HasherInput",
    "bellaso_python_lib.decryption.decrypter_input": "DecrypterInput",
}


@pytest.mark.parametrize("module", MODULES)
def test_every_documented_name_is_importable(module):
    found = importlib.import_module(module)
    assert [name for name in MODULES[module].split() if not hasattr(found, name)] == []


def test_no_module_costs_spark_or_a_frame_library_at_import():
    script = (
        f"import importlib, sys\nfor m in {sorted(MODULES)!r}: importlib.import_module(m)\n"
        "import transforms.expectations\n"
        "heavy = ('pyspark', 'pandas', 'numpy', 'polars', 'pyarrow', 'duckdb', 'requests')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_a_module_below_a_package_is_importable_from_it(monkeypatch):
    """Before anything imported it: only then does Python ask the package first."""
    from palantir_models import models

    for package, name in ((models, "api"), (importlib.import_module("foundry_ml_metrics"), "charts")):
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        monkeypatch.delattr(package, name, raising=False)
        scope: dict[str, object] = {}
        exec(f"from {package.__name__} import {name} as found", scope)  # noqa: S102 -- the statement is under test
        assert scope["found"] is sys.modules[f"{package.__name__}.{name}"]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("from transforms.api import Config", "@configure(profile=...)"),
        ("from transforms.api import get_config", "StringParam"),
        ("from transforms.api import Secret", "Source.get_secret"),
        ("from transforms.api import check", "checks=Check(expectation, name)"),
        ("from transforms.api import DataFrame", "pyspark.sql"),
        ("from transforms.api import ModelInput", "has no 'ModelInput'. It is in palantir_models.transforms."),
        ("from transforms.api import external_systems", "It is in transforms.external.systems."),
        ("from transforms.api import TableInput", "It is in transforms.tables."),
        ("from transforms.api import transform_dataframe", "has no 'transform_dataframe'"),
        ("from transforms.api import TransfromInput", "Did you mean 'TransformInput'"),
        ("from transforms.api import lightweigth", "Did you mean 'lightweight'"),
        ("from transforms.verbs.dataframes import DataQualityCheck", "has no 'DataQualityCheck'"),
        ("from transforms.verbs.dataframes import unionMany", "Did you mean 'union_many'"),
        ("from transforms.expectations import Expectations", "has no 'Expectations'"),
        ("from palantir_models.transforms import Volume", "in transforms.sidecar"),
        ("from palantir_models.models import GenericEmbedingModel", "Did you mean 'GenericEmbeddingModel'"),
        ("from transforms.mediasets import MediaSetInputs", "Did you mean 'MediaSetInput'"),
        ("from transforms.external.systems import ExternalSystems", "Did you mean 'external_systems'"),
    ],
)
def test_importing_a_name_that_foundry_lacks_says_so(statement, says):
    with pytest.raises(UnknownNameError) as caught:
        exec(statement, {})  # noqa: S102 -- the import statement itself is under test
    assert says in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_a_star_gives_every_documented_name():
    names: dict[str, object] = {}
    exec("from transforms.api import *", names)  # noqa: S102 -- the import statement itself is under test
    assert [name for name in API.split() if name not in names] == []


def test_asking_for_such_a_name_in_other_ways_is_an_attribute_error():
    api = importlib.import_module("transforms.api")
    assert not hasattr(api, "Config")
    with pytest.raises(UnknownAttributeError, match="Did you mean 'Output'"):
        _ = api.Outptu
    with pytest.raises(AttributeError, match="no attribute '_private'"):
        _ = api._private


def test_an_attribute_that_fails_inside_tells_its_own_error():
    class Port:
        path = "/o"

    found = importlib.import_module("transforms.api").TransformInput(Port())
    assert found.path == "/o"
    with pytest.raises(AttributeError, match="'Port' object has no attribute 'rid'"):
        _ = found.rid
    with pytest.raises(UnknownAttributeError, match="TransformInput has no 'ridd'"):
        _ = found.ridd


def test_modules_that_do_not_exist_stay_absent():
    for module in ("transforms.verbs.checkpoints", "transforms.testing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(module)
