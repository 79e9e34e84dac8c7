"""The fidelity table against the code, in both directions, and the page against the table."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from transforms.surface import BEHAVIOURS, SURFACE, Status, render

ROOT = Path(__file__).resolve().parents[2]

# Modules whose ``__all__`` is Foundry's surface. Others are named with the reason why they are not.
PUBLIC = sorted({
    "transforms.api",
    "transforms.expectations",
    "transforms.verbs.dataframes",
    "transforms.verbs.columns",
    "transforms.external.systems",
    "transforms.mediasets",
    "transforms.mediasets.inputs",
    "transforms.mediasets.outputs",
    "transforms.tables",
    "transforms.sidecar",
    "transforms.timeseries",
    "transforms.objects",
    "transforms.aip.orchestrators",
    "transforms.foundry.connectors",
    "foundry.transforms",
    "bellaso_python_lib.encryption.encrypter_input",
    "bellaso_python_lib.encryption.hasher_input",
    "bellaso_python_lib.decryption.decrypter_input",
    "palantir_models",
    "palantir_models.transforms",
    "palantir_models.models",
    "palantir_models.serializers",
    "palantir_models.evaluations",
    "palantir_models.experiments",
    "palantir_models.models.api",
    "palantir_models_serializers",
    "models_api.models_api_executable",
    "foundry_ml_metrics",
    "foundry_ml_metrics.charts",
    "foundry_ml_metrics.evaluation",
    "language_model_service_api.languagemodelservice_api",
    "language_model_service_api.languagemodelservice_api_completion_v3",
    "language_model_service_api.languagemodelservice_api_embeddings_v3",
})  # fmt: skip
RUNTIME = [
    "TransformInput",
    "TransformOutput",
    "IncrementalTransformInput",
    "IncrementalTransformOutput",
    "FileSystem",
    "LightweightInput",
    "LightweightOutput",
    "IncrementalLightweightInput",
    "IncrementalLightweightOutput",
    "TransformContext",
    "IncrementalTransformContext",
    "LightweightContext",
    "FoundryDataSidecarFileSystem",
    "Pipeline",
]
SYMBOLS = {row.symbol: row for row in SURFACE}


def _resolves(symbol: str) -> bool:
    if "()" in symbol:
        from transforms import expectations as E

        made = {
            "col": E.col("x"),
            "group_by": E.group_by("x"),
            "count": E.count(),
            "schema": E.schema(),
            "dataset_ref": E.dataset_ref("x"),
            "when": E.when(E.true(), E.true()),
        }
        owner, _, member = symbol.removeprefix("transforms.expectations.").partition("().")
        return hasattr(made[owner], member)
    parts = symbol.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_every_row_is_there_once():
    assert len(SYMBOLS) == len(SURFACE)
    assert [symbol for symbol in SYMBOLS if not _resolves(symbol)] == []


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_table(module):
    names = importlib.import_module(module).__all__
    assert [name for name in names if f"{module}.{name}" not in SYMBOLS] == []


@pytest.mark.parametrize("name", RUNTIME)
def test_every_member_of_a_runtime_object_is_in_the_table(name):
    cls = getattr(importlib.import_module("transforms.api"), name)
    members = [member for member in dir(cls) if not member.startswith("_")]
    assert [member for member in members if f"transforms.api.{name}.{member}" not in SYMBOLS] == []


def test_every_method_of_an_expectation_is_in_the_table():
    from transforms import expectations as E

    members = [member for member in dir(E.col("x")) if not member.startswith("_")]
    assert [member for member in members if f"transforms.expectations.col().{member}" not in SYMBOLS] == []


def test_no_public_module_is_left_out():
    """Every module with an ``__all__`` is either Foundry's surface or one of ours."""
    ours = {"transforms._errors", "transforms.errors", "transforms.surface", "transforms.aip.prompt"}
    testing = {"transforms.verbs.testing.datastores"}
    found = set()
    folders = sorted(Path(find_spec("transforms.api").origin).parents[2].iterdir())
    packages = [folder.name for folder in folders if (folder / "__init__.py").is_file()]
    assert "palantir_models" in packages
    assert {symbol.partition(".")[0] for symbol in SYMBOLS} == set(packages)
    for package in packages:
        root = importlib.import_module(package)
        for info in pkgutil.walk_packages(root.__path__, f"{package}."):
            last = info.name.rpartition(".")[2]
            if (last.startswith("_") and info.name not in ours) or last == "__main__":
                continue
            if vars(importlib.import_module(info.name)).get("__all__") is not None:
                found.add(info.name)
    assert found - set(PUBLIC) - ours - testing == set()


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_row_names_a_test_that_exists():
    missing = []
    for test in sorted({row.test for row in (*SURFACE, *BEHAVIOURS)}):
        file, _, function = test.partition("::")
        if not (ROOT / file).is_file() or function not in _functions(file):
            missing.append(test)
    assert missing == []


def test_what_is_not_the_same_says_why():
    assert [row.symbol for row in SURFACE if row.status is not Status.SAME and len(row.note) < 20] == []


def test_the_page_is_up_to_date():
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert page == render(SURFACE, BEHAVIOURS), "run: python -m transforms.surface > docs/fidelity.md"


def test_documented_classes_have_docstrings_of_their_own():
    api = importlib.import_module("transforms.api")
    bare = [n for n in api.__all__ if inspect.isclass(getattr(api, n)) and not (getattr(api, n).__doc__ or "").strip()]
    assert bare == []
