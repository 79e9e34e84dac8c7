"""Every serializer against the framework it is for: stored, loaded, and predicting the same.

The frameworks are no dependencies of this repository, so each test says what to install. Nothing is downloaded: the
models are made with random weights or fitted on sixty rows.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palantir_models as pm
from palantir_models import serializers
from palantir_models.errors import ExperimentError, PublishError
from palantir_models.evaluations import Evaluation
from palantir_models.experiments import Experiment
from palantir_models.serializers import TensorflowFormat
from palantir_models.state import ModelStateReader, ModelStateWriter

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("default")]

X = np.random.default_rng(7).normal(size=(60, 3)).astype("float32")
Y = (X[:, 0] > 0).astype(int)
DIRECTORY = "tensorflow_saved_model_dir"


def framework(module: str, install: str | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(module, reason=f"needs the framework: pip install {install or module}")


def through(serializer: Any, model: Any, folder: Path) -> tuple[Any, list[str]]:
    """The model as it comes back, and the files it lay in."""
    serializer.serialize(ModelStateWriter(folder), model)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return serializer.deserialize(ModelStateReader(folder)), files


def test_pytorch_modules_go_by_their_state(tmp_path: Path) -> None:
    torch = framework("torch")
    model, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    state, files = through(serializers.PytorchStateSerializer(), model, tmp_path / "1")
    assert files == ["model_state_dict.pt"]
    assert not torch.equal(other(torch.tensor(X)), model(torch.tensor(X)))
    other.load_state_dict(state)
    assert torch.equal(other(torch.tensor(X)), model(torch.tensor(X)))
    mixed = {"weight": torch.ones(2), "scale": np.float64(2.5), "shape": np.ones(2), "epoch": 3}
    back, _ = through(serializers.PytorchStateSerializer(), mixed, tmp_path / "2")
    assert (float(back["scale"]), back["epoch"], back["shape"].tolist()) == (2.5, 3, [1.0, 1.0])


@pytest.mark.parametrize("kind", ["XGBRegressor", "XGBClassifier", "XGBRanker", "XGBModel", "Booster"])
def test_xgboost_models_come_back_as_the_base_class(kind: str, tmp_path: Path) -> None:
    xgboost = framework("xgboost")
    if kind == "Booster":
        model = xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, xgboost.DMatrix(X, Y), 5)
        expected = model.predict(xgboost.DMatrix(X))
    else:
        query = {"qid": np.zeros(60)} if kind == "XGBRanker" else {}
        model = getattr(xgboost.sklearn, kind)(n_estimators=5, max_depth=2).fit(X, Y, **query)
        expected = model.predict_proba(X)[:, 1] if kind == "XGBClassifier" else model.predict(X)
    back, files = through(serializers.XGBoostSerializer(), model, tmp_path)
    assert files == ["xgboost_model.json"]
    assert type(back) is xgboost.sklearn.XGBModel
    assert np.allclose(back.predict(X), expected)


@pytest.mark.parametrize("form", [TensorflowFormat.DIR, TensorflowFormat.H5, TensorflowFormat.KERAS])
def test_keras_models_in_every_format_this_keras_has(form: TensorflowFormat, tmp_path: Path) -> None:
    keras = framework("tensorflow", "tensorflow-cpu").keras

    @keras.utils.register_keras_serializable("tests")
    class Twice(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def call(self, x: Any) -> Any:
            return x * 2

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu"), Twice()])
    model.compile("adam", "mse")
    serializer = serializers.TensorflowKerasSerializer(form, {"Twice": Twice})
    if form is TensorflowFormat.DIR and not framework("keras").__version__.startswith("2."):
        with pytest.raises(ValueError, match=r"format DIR of DIR, H5, KERAS \(Keras 3 takes H5 and KERAS only\)"):
            serializer.serialize(ModelStateWriter(tmp_path), model)
        return
    back, files = through(serializer, model, tmp_path)
    assert all(file.startswith(f"{DIRECTORY}/") for file in files)
    if form is not TensorflowFormat.DIR:
        assert files == [f"{DIRECTORY}/model.{form.lower()}"]
    assert np.allclose(back.predict(X, verbose=0), model.predict(X, verbose=0))
    assert back.optimizer is not None


def test_transformers_models_tokenizers_and_pipelines(tmp_path: Path) -> None:
    torch, transformers = framework("torch"), framework("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "good": 2, "bad": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
    config = transformers.BertConfig(
        vocab_size=4, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, num_labels=2
    )
    bare, ids = transformers.BertModel(config).eval(), torch.tensor([[2, 3]])
    back, files = through(serializers.HfAutoModelSerializer(), bare, tmp_path / "1")
    assert {file.split("/")[0] for file in files} == {"model"}
    assert torch.allclose(back(ids).last_hidden_state, bare(ids).last_hidden_state)

    judge = transformers.BertForSequenceClassification(config).eval()
    by_class = serializers.HfAutoModelSerializer(transformers.AutoModelForSequenceClassification)
    assert torch.allclose(through(by_class, judge, tmp_path / "2")[0](ids).logits, judge(ids).logits)

    back, files = through(serializers.HfAutoTokenizerSerializer(), tokenizer, tmp_path / "3")
    assert {file.split("/")[0] for file in files} == {"tokenizer"}
    assert back("bad new good")["input_ids"] == [3, 0, 2]

    pipeline = transformers.pipeline("text-classification", model=judge, tokenizer=tokenizer)
    back, files = through(serializers.HfPipelineSerializer("text-classification", top_k=None), pipeline, tmp_path / "4")
    assert {file.split("/")[0] for file in files} == {"pipeline"}
    assert pipeline("good") == back("good")[0][:1]
    assert len(back("good")[0]) == 2


@pytest.mark.parametrize("serializer", [serializers.DillSerializer(), serializers.CloudPickleSerializer()])
@pytest.mark.parametrize("kind", ["lightgbm", "catboost", "xgboost", "torch", "onnx"])
def test_other_frameworks_pickle(kind: str, serializer: Any, tmp_path: Path) -> None:
    module = framework(kind)
    if kind == "torch":
        model = module.nn.Sequential(module.nn.Linear(3, 2), module.nn.ReLU())
        back, _ = through(serializer, model, tmp_path)
        assert module.equal(back(module.tensor(X)), model(module.tensor(X)))
        return
    if kind == "onnx":
        runtime = framework("onnxruntime")
        node = module.helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
        axes = module.helper.make_tensor("axes", module.TensorProto.INT64, [1], [1])
        ends = [
            module.helper.make_tensor_value_info(n, module.TensorProto.FLOAT, shape)
            for n, shape in (("x", [None, 3]), ("y", [None]))
        ]
        graph = module.helper.make_graph([node], "sum", ends[:1], ends[1:], [axes])
        model = module.helper.make_model(graph, opset_imports=[module.helper.make_opsetid("", 13)], ir_version=8)
        back, _ = through(serializer, model, tmp_path)
        session = runtime.InferenceSession(back.SerializeToString(), providers=["CPUExecutionProvider"])
        assert np.allclose(session.run(None, {"x": X})[0], X.sum(axis=1))

        class Session(pm.ModelAdapter):
            @pm.auto_serialize(session=serializer)
            def __init__(self, session: Any) -> None:
                self.session = session

        # a running session cannot be stored: the error names the argument to store the model instead
        with pytest.raises(PublishError, match=rf"Session.session: {type(serializer).__name__} cannot store it: "):
            Session(session).save(ModelStateWriter(tmp_path / "session"))
        return
    made = {
        "lightgbm": lambda: module.LGBMClassifier(n_estimators=5, verbose=-1),
        "catboost": lambda: module.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False),
        "xgboost": lambda: module.XGBClassifier(n_estimators=5),
    }
    model = made[kind]().fit(X, Y)
    back, _ = through(serializer, model, tmp_path)
    assert np.array_equal(back.predict_proba(X), model.predict_proba(X))


def test_plotly_figures_are_kept_as_their_own_json() -> None:
    figures = framework("plotly.graph_objects", "plotly")
    figure = figures.Figure(figures.Scatter(x=[1, 2], y=[3, 4]))
    run, judged = Experiment("run"), Evaluation("run", "set", "ri.version.1")
    run.log_plot("curve", figure, caption="c")
    run.log_plot("curve", figure, step=5)
    judged.log_plot("curve", figure, description="d")
    (first, second), kept = run.to_json()["plots"]["curve"], judged.to_json()["plots"]["curve"]
    assert (first["step"], first["caption"], second["step"], kept["description"]) == (0, "c", 5, "d")
    assert [d["plotly"]["data"][0]["y"] for d in (first, second, kept)] == [[3, 4]] * 3


def test_what_mlflow_logs_arrives_in_the_experiment() -> None:
    mlflow = framework("mlflow")
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, format="PNG")
    experiment = Experiment("run")
    before = mlflow.get_tracking_uri()
    with experiment.as_mlflow_run():
        mlflow.log_params({"depth": 3, "name": "x"})
        for step, loss in enumerate((1.0, 0.5, 0.25)):
            mlflow.log_metric("loss", loss, step=step)
        mlflow.log_metrics({"acc": 0.5})
        mlflow.log_metrics({"acc": 0.6})
        mlflow.set_tag("dropped", "as in Foundry")
        mlflow.log_text("dropped too", "notes.txt")
        mlflow.log_image(Image.new("RGB", (2, 2)), "top.png")
        mlflow.log_image(Image.new("RGB", (2, 2)), "deep/er/inner.png")
    found = experiment.to_json()
    assert found["parameters"] == {"depth": "3", "name": "x"}
    assert [(p["step"], p["value"]) for p in found["series"]["loss"]] == [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert [p["value"] for p in found["series"]["acc"]] == [0.5, 0.6]
    assert sorted(found["images"]) == ["deep/er/inner", "top"]
    assert (mlflow.get_tracking_uri(), mlflow.active_run()) == (before, None)
    for begin in (lambda: mlflow.start_run(nested=True), lambda: Experiment("inner").as_mlflow_run()):
        with pytest.raises(ExperimentError, match=r"(?i)runs do not nest here"), Experiment("outer").as_mlflow_run():
            _enter(begin())


def _enter(run: Any) -> None:
    with run:
        pass
