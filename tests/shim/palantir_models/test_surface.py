"""What importing the library costs, and older declarations that are taken without effect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import palantir_models as pm
import palantir_models_serializers
from palantir_models.models import CondaDependency, PythonEnvironment
from palantir_models.models import api as models_api
from palantir_models.models.api import DFType, ModelApi, ModelApiColumn, ModelInput, ModelOutput
from palantir_models.publishing import WritableModel
from palantir_models.testing import LocalModel
from transforms.errors import TransformsError


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


@pytest.mark.nightly
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


def test_unknown_keywords_and_attributes_name_the_nearest(tmp_path: Path) -> None:
    ask: Any = pm  # the type checker would see the mistakes
    out: Any = WritableModel(LocalModel(tmp_path))
    for act, text in (
        (lambda: ask.Pandas(column=["a"]), "Pandas has no argument 'column'. Did you mean 'columns'?"),
        (lambda: ask.Spark(colums=[]), "Spark has no argument 'colums'. Did you mean 'columns'?"),
        (lambda: ask.Parameter(typ=int), "Parameter has no argument 'typ'. Did you mean 'type'?"),
        (lambda: ask.NDArray(shape=(1,)), "NDArray needs its argument 'dtype'"),
        (lambda: ask.ModelApiColumn("a", optional=True), "ModelApiColumn has no argument 'optional'"),
        (lambda: models_api.ModelInput.Tabular("t", dftype="x"), "ModelInput.Tabular has no argument 'dftype'"),
        (lambda: models_api.ModelOutput.Tabular("t", df_type="x"), "ModelOutput.Tabular has no argument 'df_type'"),
        (lambda: ask.transforms.DistributedInferenceWrapper(None, None, partitions=2), "Did you mean 'num_partitions'"),
        (lambda: ask.evaluations.evaluate(dataset=1), "evaluate has no argument 'dataset'"),
        (lambda: ask.evaluations.RegressionEvaluatorConfig(average="x"), "no argument 'average'"),
        (lambda: ask.evaluations.ClassificationEvaluatorConfig(averge="x"), "Did you mean 'average'?"),
        (lambda: out.publsh, "Foundry's ModelOutput has no 'publsh'. Did you mean 'publish'?"),
        (lambda: out.create_experiment("e").log_parameter("a", 1), "no 'log_parameter'. Did you mean 'log_param"),
        (lambda: ask.ModelStateWriter(tmp_path).put_files("x"), "no 'put_files'. Did you mean 'put_file'?"),
        (lambda: ask.ModelStateReader(tmp_path).extract_to_tmp_dir(), "Did you mean 'extract_to_temp_dir'?"),
        (lambda: ask.code_workspaces.ModelInput("m", version="1"), "Did you mean 'model_version'?"),
    ):
        with pytest.raises((TypeError, AttributeError)) as caught:
            act()
        assert isinstance(caught.value, TransformsError), text
        assert text in str(caught.value)
