"""The surface table is complete in both directions: every public symbol has a row, every row's test exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from palantir_models.models import CondaDependency, PythonEnvironment
from palantir_models.surface import ROWS, STATUSES

ROOT = Path(__file__).resolve().parents[3]
MODULES = (
    "",
    ".models",
    ".models.api",
    ".serializers",
    ".transforms",
    ".evaluations",
    ".experiments",
    ".code_workspaces",
)


def test_every_public_symbol_has_a_row_and_no_row_is_left_over() -> None:
    listed = {row.symbol.partition("(")[0] for row in ROWS}
    public: set[object] = set()
    for name in MODULES:
        module = importlib.import_module(f"palantir_models{name}")
        for symbol in getattr(module, "__all__", ("ModelInput", "ModelOutput")):
            value = getattr(module, symbol)
            spelled = f"{module.__name__}.{symbol}"
            # The same object under several names needs one row.
            if spelled not in listed and value not in public:
                others = [f"palantir_models{m}.{symbol}" for m in MODULES]
                assert any(o in listed for o in others), f"{spelled} has no row in palantir_models/surface.py"
            public.add(value)
    for symbol in listed:
        parts = symbol.split(".")
        found = next(i for i in range(len(parts), 0, -1) if _is_module(".".join(parts[:i])))
        value: object = importlib.import_module(".".join(parts[:found]))
        for part in parts[found:]:
            value = getattr(value, part)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_every_rows_test_exists_and_what_differs_is_explained() -> None:
    tests: dict[str, set[str]] = {}
    for row in ROWS:
        assert row.status in STATUSES
        assert row.note or row.status == "same", row.symbol
        file, _, function = row.test.partition("::")
        if file not in tests:
            tree = ast.parse((ROOT / file).read_text())
            tests[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in tests[file], row.test
    assert len({row.symbol for row in ROWS}) == len(ROWS)


def test_older_environment_declarations_are_accepted() -> None:
    dependency = CondaDependency("transforms-model-training", "1.2.3", "ri.stemma.main.repository.1")
    environment = PythonEnvironment(conda_dependencies=[dependency])
    assert environment.conda_dependencies[0].package_version == "1.2.3"


def test_importing_the_library_and_declaring_an_adapter_imports_no_spark_and_no_framework() -> None:
    code = (
        "import sys, palantir_models as pm, palantir_models.models, palantir_models.experiments\n"
        "from palantir_models.transforms import ModelInput, ModelOutput\n"
        "from palantir_models.serializers import DillSerializer, PytorchStateSerializer\n"
        "class A(pm.ModelAdapter):\n"
        "    @pm.auto_serialize(model=DillSerializer(), net=PytorchStateSerializer())\n"
        "    def __init__(self, model, net): ...\n"
        "ModelInput('/m'), ModelOutput('/m')\n"
        "print([m for m in ('pyspark', 'sklearn', 'pandas', 'torch') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
