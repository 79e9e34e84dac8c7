"""What importing the library costs, and older declarations that are taken without effect."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd

import palantir_models as pm
import palantir_models_serializers
from palantir_models.models import CondaDependency, PythonEnvironment
from palantir_models.models.api import DFType, ModelApi, ModelApiColumn, ModelInput, ModelOutput


def test_older_environment_declarations_are_accepted() -> None:
    dependency = CondaDependency("transforms-model-training", "1.2.3", "ri.stemma.main.repository.1", channel="x")
    environment = PythonEnvironment(conda_dependencies=[dependency], python_version="3.9")
    assert environment.conda_dependencies[0].package_version == "1.2.3"
    assert "python_version='3.9'" in repr(environment)


class OlderTemplate(pm.ModelAdapter):
    """An adapter as the older repository template writes it."""

    @pm.auto_serialize(model=palantir_models_serializers.DillSerializer())
    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def api(cls) -> ModelApi:
        columns = [ModelApiColumn(name="x", type=float, required=True)]
        inputs = [ModelInput.Tabular(name="df_in", df_type=DFType.PANDAS, columns=columns)]
        return ModelApi(inputs, [ModelOutput.Tabular(name="df_out", columns=columns)])

    @classmethod
    def dependencies(cls) -> PythonEnvironment:
        return PythonEnvironment(conda_dependencies=[CondaDependency("adapter", "1.0", "ri.repository")])

    def run_inference(self, inputs: Any, outputs: Any) -> None:
        outputs.df_out.write(inputs.df_in.assign(prediction=self.model))


def test_an_adapter_of_the_older_template_runs_unmodified() -> None:
    result = OlderTemplate(7).transform(pd.DataFrame({"x": [1.0], "label": [1]}))
    assert result.df_out.to_dict("records") == [{"x": 1.0, "label": 1, "prediction": 7}]
    assert "adapter" in repr(OlderTemplate.dependencies())


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
