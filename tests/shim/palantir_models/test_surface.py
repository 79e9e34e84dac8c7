"""What importing the library costs, and older declarations that are taken without effect."""

from __future__ import annotations

import subprocess
import sys

from palantir_models.models import CondaDependency, PythonEnvironment


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
