"""State readers and writers, serializers and ``auto_serialize``: what goes in comes out, with the same bytes each
time.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

import palantir_models as pm
import palantir_models_serializers
from palantir_models import serializers
from palantir_models.errors import DeclarationError, MissingPackageError, ModelStateError, PublishError
from palantir_models.state import ModelStateReader, ModelStateWriter

from .samples import Bare, ByHand, Listed


def test_files_and_folders_round_trip_below_the_root(tmp_path: Path) -> None:
    writer, reader = ModelStateWriter(tmp_path / "store"), ModelStateReader(tmp_path / "store")
    (tmp_path / "local" / "sub").mkdir(parents=True)
    (tmp_path / "local" / "sub" / "b.txt").write_text("b")
    with writer.open("/deep/a.bin") as stream:
        stream.write(b"a")
    writer.put_file(tmp_path / "local" / "sub" / "b.txt")
    writer.put_directory(tmp_path / "local", "copied")
    with writer.open("text.txt", "w") as stream:
        stream.write("grün")
    assert (tmp_path / "store" / "text.txt").read_bytes() == "grün".encode()
    assert reader.open("text.txt", "r").read() == "grün"
    (tmp_path / "store" / "text.txt").unlink()
    assert reader.open("deep/a.bin").read() == b"a"
    assert reader.open("b.txt", "r").read() == "b"
    assert Path(reader.dir("copied/sub"), "b.txt").read_text() == "b"
    with reader.extract_to_temp_dir() as folder:
        assert sorted(p.name for p in Path(folder).rglob("*") if p.is_file()) == ["a.bin", "b.txt", "b.txt"]
    assert not Path(folder).exists()
    assert Path(reader.extract(str(tmp_path / "out")), "deep", "a.bin").read_bytes() == b"a"


def test_ways_out_of_the_store_and_missing_files_are_refused(tmp_path: Path) -> None:
    writer, reader = ModelStateWriter(tmp_path / "store"), ModelStateReader(tmp_path / "store")
    with writer.open("a.bin") as stream:
        stream.write(b"a")
    for attempt in (lambda: writer.open("../x"), lambda: reader.open("a/../../x"), lambda: reader.dir("..")):
        with pytest.raises(ModelStateError, match="leaves the model's store"):
            attempt()
    with pytest.raises(ModelStateError, match=r"b.bin: is not stored with this model version. Stored: a.bin"):
        reader.open("b.bin")


def stored(adapter: pm.ModelAdapter, folder: Path) -> dict[str, str]:
    adapter.save(ModelStateWriter(folder))
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def forest() -> Any:
    from sklearn.ensemble import IsolationForest

    rows = np.random.default_rng(7).normal(size=(300, 3))
    return IsolationForest(n_estimators=20, random_state=42).fit(pd.DataFrame(rows, columns=["a", "b", "c"]))


def test_a_bare_decorator_stores_every_argument_by_name_and_the_same_training_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    first = stored(Bare(forest(), 3.0), tmp_path / "1")
    assert list(first) == ["model/dill.pkl", "scale/dill.pkl"]
    assert stored(Bare(forest(), scale=3.0), tmp_path / "2") == first
    assert stored(Bare(forest(), 4.0), tmp_path / "3") != first
    loaded: Any = Bare.load(ModelStateReader(tmp_path / "1"))
    rows = pd.DataFrame({"a": [0.0], "b": [1.0], "c": [9.0]})
    assert loaded.scale == 3.0
    assert loaded.fitted.score_samples(rows).tolist() == forest().score_samples(rows).tolist()


def test_bytes_do_not_depend_on_identity_or_on_the_order_of_sets(tmp_path: Path) -> None:
    joined, literal = "".join(["a", "bc"]), "abc"
    words = {"one", "two", "three", "four"}
    reordered = {"four", "three", "two", "one"}
    one = stored(Bare([literal, literal, words]), tmp_path / "1")
    assert stored(Bare([joined, str(b"abc", "ascii"), reordered]), tmp_path / "2") == one
    assert Bare.load(ModelStateReader(tmp_path / "2")).fitted == ["abc", "abc", words]  # type: ignore[attr-defined]


def test_two_arguments_with_the_same_serializer_do_not_collide(tmp_path: Path) -> None:
    files = stored(Listed([1], [2], {"seed": 42}), tmp_path / "1")
    assert list(files) == ["facts/config.json", "first/dill.pkl", "second/dill.pkl"]
    loaded: Any = Listed.load(ModelStateReader(tmp_path / "1"))
    assert (loaded.first, loaded.second, loaded.facts) == ([1], [2], {"seed": 42})
    assert loaded.version_metadata() == {"seed": 42}


def test_hand_written_save_and_load_are_called(tmp_path: Path) -> None:
    from palantir_models.version import load_state

    assert list(stored(ByHand("hello"), tmp_path / "1")) == ["notes/text.txt"]
    assert load_state(ByHand, ModelStateReader(tmp_path / "1")).transform().text == "hello"


def test_an_argument_added_since_needs_a_default(tmp_path: Path) -> None:
    stored(Bare(1, 3.0), tmp_path / "1")

    class Grown(Bare):
        @pm.auto_serialize
        def __init__(self, model: Any, scale: float, added: str = "new") -> None:
            super().__init__(model, scale)
            self.added = added

    class Demanding(Bare):
        @pm.auto_serialize
        def __init__(self, model: Any, scale: float, added: str) -> None:
            super().__init__(model, scale)

    loaded: Any = Grown.load(ModelStateReader(tmp_path / "1"))
    assert (loaded.added, loaded.scale) == ("new", 3.0)
    assert list(stored(loaded, tmp_path / "2")) == ["added/dill.pkl", "model/dill.pkl", "scale/dill.pkl"]
    with pytest.raises(ModelStateError, match="published before the constructor had that argument"):
        Demanding.load(ModelStateReader(tmp_path / "1"))


@pytest.mark.parametrize(
    ("decorate", "expected"),
    [
        (lambda f: pm.auto_serialize(model=serializers.DillSerializer())(f), "no serializer for other. List every"),
        (
            lambda f: pm.auto_serialize(modle=serializers.DillSerializer())(f),
            "no argument 'modle'. Did you mean 'model'?",
        ),
        (lambda f: pm.auto_serialize(model="dill", other="x")(f), "model='dill' is no serializer"),
        (lambda f: pm.auto_serialize(serializers.DillSerializer())(f), "Write @pm.auto_serialize or"),
    ],
)
def test_a_decorator_that_does_not_fit_the_constructor_is_refused_at_once(decorate: Any, expected: str) -> None:
    def __init__(self: Any, model: Any, other: Any) -> None:  # noqa: N807
        """A constructor."""

    with pytest.raises(DeclarationError) as caught:
        decorate(__init__)
    assert expected in str(caught.value)
    with pytest.raises(DeclarationError, match="cannot be stored by name"):
        pm.auto_serialize(lambda self, *models: None)


def test_what_cannot_be_stored_names_adapter_argument_and_serializer(tmp_path: Path) -> None:
    adapter = Listed(1, 2, {"when": object()})
    with pytest.raises(PublishError, match=r"Listed.facts: JsonSerializer cannot store it: .*not JSON serializable"):
        adapter.save(ModelStateWriter(tmp_path))
    plain = type("Plain", (pm.ModelAdapter,), {})
    with pytest.raises(PublishError, match=r"Decorate __init__ with @pm.auto_serialize, or write save and load"):
        plain().save(ModelStateWriter(tmp_path))
    with pytest.raises(PublishError, match=r"Plain: cannot be loaded"):
        plain.load(ModelStateReader(tmp_path))


@pytest.mark.parametrize(
    ("serializer", "value", "file"),
    [
        (serializers.DillSerializer(), {"f": [1, 2]}, "dill.pkl"),
        (serializers.CloudPickleSerializer(), {"f": [1, 2]}, "cloudpickle.pkl"),
        (serializers.JsonSerializer(), {"f": [1, 2]}, "config.json"),
        (serializers.YamlSerializer(), {"f": [1, 2]}, "config.yaml"),
    ],
)
def test_serializers_round_trip_into_their_fixed_file(serializer: Any, value: Any, file: str, tmp_path: Path) -> None:
    serializer.serialize(ModelStateWriter(tmp_path), value)
    assert [p.name for p in tmp_path.iterdir()] == [file]
    assert serializer.deserialize(ModelStateReader(tmp_path)) == value


def test_functions_with_what_they_refer_to_survive_dill(tmp_path: Path) -> None:
    limit = 3
    serializer = serializers.DillSerializer()
    serializer.serialize(ModelStateWriter(tmp_path), lambda x: x > limit)
    above = serializer.deserialize(ModelStateReader(tmp_path))
    assert (above(4), above(2)) == (True, False)


@pytest.mark.parametrize(
    ("serializer", "module", "install"),
    [
        (serializers.PytorchStateSerializer(), "torch", "pytorch"),
        (serializers.TensorflowKerasSerializer(), "tensorflow", "tensorflow"),
        (serializers.XGBoostSerializer(), "xgboost", "xgboost"),
        (serializers.HfPipelineSerializer("text-classification"), "transformers", "transformers"),
        (serializers.HfAutoModelSerializer(), "transformers", "transformers"),
        (serializers.HfAutoTokenizerSerializer(), "transformers", "transformers"),
    ],
)
def test_a_missing_framework_is_asked_for_when_it_is_used(
    serializer: Any, module: str, install: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for use in (
        lambda: serializer.serialize(ModelStateWriter(tmp_path), object()),
        lambda: serializer.deserialize(ModelStateReader(tmp_path)),
    ):
        with pytest.raises(MissingPackageError) as caught:
            use()
        assert f"Add '{install}' under requirements/run in conda_recipe/meta.yaml" in str(caught.value)


def test_keras_formats() -> None:
    assert serializers.TensorflowKerasSerializer("h5").format == "H5"
    with pytest.raises(ValueError, match="no format 'zip'; it has DIR, H5, KERAS"):
        serializers.TensorflowKerasSerializer("zip")


@pytest.mark.nightly
def test_a_fitted_spark_pipeline_round_trips(spark: SparkSession, tmp_path: Path) -> None:
    from pyspark.ml import PipelineModel
    from pyspark.ml.feature import SQLTransformer, VectorAssembler
    from pyspark.ml.regression import LinearRegression

    numbers = spark.range(9).selectExpr("CAST(id AS DOUBLE) AS x", "3D * id AS label")
    serializer = serializers.SparkMLAutoSerializer()
    stage = SQLTransformer(statement="SELECT x, x + 1 AS y FROM __THIS__")
    serializer.serialize(ModelStateWriter(tmp_path), PipelineModel([stage]))
    loaded = serializer.deserialize(ModelStateReader(tmp_path))
    assert (type(loaded), loaded.stages[0].getStatement()) == (PipelineModel, stage.getStatement())
    fitted = LinearRegression(maxIter=1).fit(VectorAssembler(inputCols=["x"], outputCol="features").transform(numbers))
    serializer.serialize(ModelStateWriter(tmp_path), fitted)
    loaded = serializer.deserialize(ModelStateReader(tmp_path))
    assert (type(loaded), loaded.coefficients) == (type(fitted), fitted.coefficients)


def test_the_older_package_has_the_same_serializers() -> None:
    assert palantir_models_serializers.__all__ == serializers.__all__
    assert palantir_models_serializers.DillSerializer is serializers.DillSerializer
