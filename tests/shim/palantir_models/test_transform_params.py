"""Models as parameters of transforms, run through ``transforms.api.execute`` on a folder of versions."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession

import palantir_models as pm
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import DeclarationError, ExperimentError, ModelStateError, PublishError
from palantir_models.experiments import ErrorHandlerType
from palantir_models.ports import AdapterReference
from palantir_models.publishing import ModelVersionChangeType, WritableModel
from palantir_models.testing import LocalModel
from palantir_models.transforms import (
    DistributedInferenceWrapper,
    ModelInput,
    ModelOutput,
    copy_model_to_driver,
    evaluation,
)
from palantir_models.transforms.distributed import _score
from palantir_models.version import adapter_class, load_version
from transforms.api import Input, JobEnvironment, Output, Pipeline, execute, lightweight, transform
from transforms.verbs.testing.TransformRunner import TransformRunner

from . import samples
from .samples import Bare, Listed


def published(folder: LocalModel, adapter: pm.ModelAdapter | None = None) -> LocalModel:
    WritableModel(folder).publish(adapter or Bare("weights", 3.0))
    return folder


def test_declarations_know_their_kind_and_keep_what_is_recorded() -> None:
    declared = ModelInput("/models/m", "1.2.0", use_sidecar=True, sidecar_resources={"cpus": 2.0, "gpus": 1})
    assert (declared.kind, declared.alias, declared.model_version) == ("model_input", "/models/m", "1.2.0")
    assert declared.sidecar_resources == {"cpus": 2.0, "gpus": 1}
    assert (ModelOutput("/models/m").kind, ModelOutput("/models/m").alias) == ("model_output", "/models/m")
    assert ModelInput(model_rid_or_path="/older").alias == "/older"
    assert ModelInput("/m", branch="develop").branch == "develop"


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (lambda: ModelInput("/m", model_version="latest"), "'latest' is neither a version RID nor like '1.2.0'"),
        (lambda: ModelInput("/m", sidecar_resources={"cpus": 1}), "sidecar_resources need use_sidecar=True"),
        (lambda: ModelInput("/m", use_sidecar=True, sidecar_resources={"cpu": 1}), "Did you mean 'cpus'?"),
        (lambda: ModelInput("/m", use_sidecar=True, sidecar_resources={"gpus": 0.5}), "gpus of a sidecar is a number"),
        (
            lambda: ModelInput("/m", modelversion="1.0.0"),
            "has no argument 'modelversion'. Did you mean 'model_version'?",
        ),
        (lambda: ModelInput("/m", model_version=3), "model_version 3 is neither a version RID nor"),
        (lambda: ModelOutput("/m", branch="x"), "has no argument 'branch'. It takes: alias."),
        (lambda: evaluation(""), "its set is named by a text"),
        (lambda: evaluation("set")(3), "stands on something without a ModelInput"),
        (lambda: ModelOutput(7), "takes a path or RID as text, got 7"),
    ],
)
def test_declarations_that_cannot_work_are_refused(declare: Any, expected: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert expected in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_one_transform_publishes_and_the_next_one_scores(tmp_path: Path) -> None:
    folder = LocalModel(tmp_path)

    @transform(model=ModelOutput("/models/m"))
    def train(model: Any) -> None:
        assert (model.rid, model.path, model.branch) == (folder.model_rid, "/models/local", "master")
        model.publish(model_adapter=Bare("weights", 3.0), change_type=ModelVersionChangeType.MINOR)

    scored: list[Any] = []

    @transform(model=ModelInput("/models/m"))
    def score(model: Any) -> None:
        assert isinstance(model, Bare)
        frame = pd.DataFrame({"x": [1.0], "label": [1]})
        scored.append(model.transform(frame, shift=1.0).df_out)
        scored.append(model.predict(frame, 0.0))
        scored.append(model.model_version_rid)

    execute(train, JobEnvironment(), {"model": folder})
    state = folder.published[0]
    assert (str(state.adapter), state.change_type) == (f"{samples.__name__}:Bare", "MINOR")
    assert [f["name"] for f in state.api["inputs"]] == ["df_in", "shift"]
    execute(score, JobEnvironment(), {"model": folder})
    assert scored[0].to_dict("list") == {"x": [1.0], "label": [1], "y": [4.0]}
    assert scored[1]["y"].tolist() == [3.0]
    assert scored[2] == folder.model_version_rid


def test_model_inputs_work_in_single_node_transforms_too(tmp_path: Path) -> None:
    seen: list[float] = []

    @lightweight
    @transform(model=ModelInput("/models/m"))
    def score(model: Any) -> None:
        seen.append(model.scale)

    execute(score, JobEnvironment(), {"model": published(LocalModel(tmp_path))})
    assert seen == [3.0]


def test_what_is_no_adapter_or_could_not_be_found_again_is_not_published(tmp_path: Path) -> None:
    class Local(Bare):
        pass

    model = WritableModel(LocalModel(tmp_path))
    with pytest.raises(PublishError, match=r"was given str. Wrap the trained model in your adapter"):
        model.publish("model")  # type: ignore[arg-type]
    with pytest.raises(PublishError, match="Move the adapter to its own module"):
        model.publish(Local("weights"))
    with pytest.raises(PublishError, match="has no argument 'notes'"):
        model.publish(Bare("weights"), notes="x")
    with pytest.raises(PublishError, match=r"has no change_type 'BIG'\. It is one of MAJOR, MINOR, PATCH"):
        model.publish(Bare("weights"), change_type="BIG")
    with pytest.raises(PublishError, match="was given 'run' for an experiment"):
        model.publish(Bare("weights"), "run")  # type: ignore[arg-type]


def test_a_state_that_does_not_load_is_never_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = LocalModel(tmp_path)
    monkeypatch.setattr(samples.ByHand, "save", lambda self, state_writer: None)
    with pytest.raises(ModelStateError, match=r"notes/text.txt: is not stored"):
        WritableModel(folder).publish(samples.ByHand("hello"))
    assert folder.published == []


def test_a_version_whose_class_moved_says_what_a_version_keeps() -> None:
    with pytest.raises(ModelStateError, match=r"the adapter class is gone. .* Did you mean 'Bare'\?"):
        adapter_class(AdapterReference(samples.__name__, "Bear"))
    with pytest.raises(ModelStateError, match="the adapter's module cannot be imported: No module named 'gone'"):
        adapter_class(AdapterReference("gone", "Bare"))
    with pytest.raises(ModelStateError, match="is no ModelAdapter"):
        adapter_class(AdapterReference(samples.__name__, "pd"))
    with pytest.raises(ValueError, match=r"package.module:ClassName"):
        AdapterReference.parse("nonsense")


def test_an_experiment_travels_with_its_version_and_repeated_names_are_made_unique(tmp_path: Path) -> None:
    folder = LocalModel(tmp_path)
    model = WritableModel(folder)
    experiment = model.create_experiment("run", error_handler_type=ErrorHandlerType.FAIL)
    assert [model.create_experiment("run").name for _ in range(2)] == ["run-2", "run-3"]
    experiment.log_metric("loss", 0.5)
    model.publish(Bare("weights"), experiment=experiment)
    attached = folder.published[0].experiment
    assert attached is not None
    assert (attached["name"], attached["series"]) == ("run", {"loss": [{"step": 0, "value": 0.5}]})


def test_an_evaluation_transform_needs_no_dataset_output(tmp_path: Path) -> None:
    folder = published(LocalModel(tmp_path))

    @evaluation("week 3")
    @transform(model=ModelInput("/models/m"))
    def judge(model: Any) -> None:
        first = model.create_evaluation(name="week 3 run")
        assert model.create_evaluation() is first
        first.log_metrics({"accuracy": 0.5, "north/accuracy": 1})
        first.log_metric("accuracy", 0.75)

    assert judge.recorded["evaluation_set"] == "week 3"
    execute(judge, JobEnvironment(), {"model": folder})
    (document,) = folder.evaluations
    assert document["metrics"] == {"accuracy": 0.75, "north/accuracy": 1}
    assert (document["evaluationSet"], document["name"]) == ("week 3", "week 3 run")
    assert document["modelVersionRid"] == folder.model_version_rid
    assert document["rid"].startswith("ri.models.main.evaluation.")


def test_the_evaluation_decorator_wants_a_name_and_a_model_and_changes_no_shared_declaration() -> None:
    shared = ModelInput("/models/m")
    marked = evaluation("a set")(transform(model=shared)(lambda model: None))
    assert (marked.inputs["model"]._evaluation_set, shared._evaluation_set) == ("a set", None)
    for misuse, text in (
        (lambda: evaluation(" "), "is named by a text"),
        (lambda: evaluation("x")(lambda: None), r"stands on something without a ModelInput"),
        (lambda: evaluation("x")(transform(model=ModelOutput("/m"))(lambda model: None)), "without a ModelInput"),
    ):
        with pytest.raises(DeclarationError, match=text):
            misuse()
    with pytest.raises(ExperimentError, match="has 101 characters; 100 is the most"):
        evaluation("x" * 101)


def test_a_loaded_adapter_travels_to_workers_without_its_port(tmp_path: Path) -> None:
    folder = published(LocalModel(tmp_path))
    adapter: Any = load_version(folder, "a set")
    adapter.create_evaluation()
    copied = pickle.loads(pickle.dumps(adapter))  # noqa: S301
    assert copied.model_version_rid == folder.model_version_rid
    with pytest.raises(ExperimentError, match="works only in the transform itself"):
        copied.create_evaluation()


@pytest.mark.nightly
def test_distributed_inference_scores_every_row_in_chunks_and_keeps_extra_columns(
    spark: SparkSession, tmp_path: Path
) -> None:
    cloudpickle.register_pickle_by_value(samples)
    try:
        adapter: Any = published(LocalModel(tmp_path)).load()
        rows = spark.createDataFrame(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0], "label": list("abcde")}))
        rows = rows.selectExpr("*", "CAST(NULL AS DATE) AS never", "map(label, 1) AS by")
        wrapper = DistributedInferenceWrapper(adapter, None, num_partitions=1, max_rows_per_chunk=2)
        predicted = wrapper.predict(rows, shift=0.5)
        scored = predicted.toPandas().sort_values("x")
    finally:
        cloudpickle.unregister_pickle_by_value(samples)
    # what pandas cannot tell (only nulls, a map) keeps the type it came with
    assert [kind for _, kind in predicted.dtypes] == ["double", "string", "date", "map<string,int>", "double"]
    assert scored["by"].tolist() == [{letter: 1} for letter in "abcde"]
    assert scored["y"].tolist() == [3.5, 6.5, 9.5, 12.5, 15.5]
    assert scored["label"].tolist() == list("abcde")


def test_distributed_inference_converts_media_references_as_a_call_does() -> None:
    class Media(pm.ModelAdapter):
        @classmethod
        def api(cls) -> Any:
            return {"df_in": pm.Pandas([("m", pm.MediaReference)])}, {"df_out": pm.Pandas()}

        def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"a": [m and m.reference["a"] for m in df_in["m"]]})

    table = declared_api(Media).inputs[0]
    assert _score(Media(), table, {}, pd.DataFrame({"m": ['{"a": 1}', None]}))["a"].tolist()[0] == 1


def test_distributed_inference_wants_one_pandas_table_each_way() -> None:
    two = type(
        "Two",
        (pm.ModelAdapter,),
        {"api": classmethod(lambda c: ({"a": pm.Pandas(), "b": pm.Pandas()}, {"o": pm.Pandas()}))},
    )
    with pytest.raises(DeclarationError, match=r"it declares \(a: tabular \(pandas\), b: tabular \(pandas\)\)"):
        DistributedInferenceWrapper(two(), None)
    with pytest.raises(DeclarationError, match="num_partitions=0 is no count"):
        DistributedInferenceWrapper(Listed(1, 2, {}), None, num_partitions=0)
    with pytest.raises(pm.PalantirModelsError, match="takes a Spark frame, got DataFrame"):
        DistributedInferenceWrapper(Listed(1, 2, {}), None).predict(pd.DataFrame())


class Files:
    """A file system of model files."""

    def __init__(self, root: Path, *extra: str) -> None:
        self.root, self.extra = root, extra

    def ls(self) -> list[Any]:
        found = [p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file()]
        return [type("Status", (), {"path": path}) for path in [*found, *self.extra]]

    def open(self, path: str, mode: str) -> Any:
        return (self.root / path).open(mode)


def test_model_files_are_copied_to_a_local_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(ModelStateError, match="the dataset holds no file"):
        copy_model_to_driver(Files(tmp_path))
    (tmp_path / "a" / "b" / "weights.bin").write_bytes(b"w")
    local = Path(copy_model_to_driver(Files(tmp_path)))
    assert (local / "a" / "b" / "weights.bin").read_bytes() == b"w"
    with pytest.raises(ModelStateError, match="leaves the folder it is copied to"):
        copy_model_to_driver(Files(tmp_path, "../evil"))


def test_training_and_scoring_run_in_a_unit_test_without_a_workspace(tmp_path: Path) -> None:
    @lightweight
    @transform(out=Output("/in"))
    def features(out: Any) -> None:
        out.write_pandas(pd.DataFrame({"x": [1.0, 4.0]}))

    @lightweight
    @transform(data=Input("/in"), model=ModelOutput("/models/m"))
    def train(data: Any, model: Any) -> None:
        model.publish(Bare("weights", float(data.pandas()["x"].max())))

    @lightweight
    @transform(data=Input("/in"), model=ModelInput("/models/m"), out=Output("/out"))
    def score(data: Any, model: Any, out: Any) -> None:
        out.write_pandas(model.transform(data).df_out)

    local, pipeline = LocalModel(tmp_path), Pipeline()
    with pytest.raises(ModelStateError, match=r"/models/local: has no version yet"):
        local.load()
    pipeline.add_transforms(features, train, score)
    runner = TransformRunner(pipeline, bindings={"model": local})
    for one in (train, score):
        runner.run(None, one)  # type: ignore[arg-type]
    (content,) = runner.datastore.get_files("/out").values()
    assert pd.read_parquet(io.BytesIO(content))["y"].tolist() == [4.0, 16.0]
    assert [str(p.adapter) for p in local.published] == [f"{samples.__name__}:Bare"]
