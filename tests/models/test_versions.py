"""Publishing, finding and loading versions: same state, same bytes; nothing of a failed job; nothing that was
changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mirror.datasets import TransactionType, Workspace
from mirror.datasets.errors import PathEscapesRootError
from mirror.datasets.lock import held_branches
from mirror.datasets.retention import plan_sweep, unpin
from mirror.datasets.storage import LocalStorage
from mirror.models import ModelBinder, ModelRegistry
from mirror.models.artefacts import pack, unpack
from mirror.models.errors import (
    AmbiguousModelError,
    ArtefactMissingError,
    ArtefactTamperedError,
    ModelNotFoundError,
    VersionNotFoundError,
)
from mirror.models.keeping import orphans, pin_all, remove
from mirror.models.ports import as_json
from mirror.models.registry import next_semantic
from palantir_models.transforms import ModelInput

from .conftest import FOREST, Publish, training_job


def adapter(workspace: Workspace, version: str | None = None) -> object:
    from mirror.builds.specs import ParamSpec

    binder, declared = ModelBinder(workspace), ModelInput("/other/models/plain", model_version=version)
    settings = {"model_version": version} if version else {}
    spec = ParamSpec("model", "model_input", "input", ("/other/models/plain",), None, settings)
    return declared._bind(binder.bind(declared, binder.resolve(spec, "master"), training_job(workspace)))


def test_a_published_version_scores_and_tells_where_it_comes_from(workspace: Workspace, publish: Publish) -> None:
    rid = publish(0.5, path="/other/models/plain")
    model = adapter(workspace)
    assert model.transform(pd.DataFrame({"x": [0.4, 0.6]})).df_out["flag"].tolist() == [False, True]
    assert model.model_version_rid == rid
    registry = ModelRegistry(workspace)
    version = registry.version(registry.model("plain"), "1.0.0")
    assert version.provenance["inputs"] == [{"alias": "ri.data", "rid": "ri.data", "transaction": "ri.tx.7"}]
    assert (version.provenance["transform"], version.provenance["logic_version"]) == ("training:train", "logic-1")
    assert version.provenance["seeds"] == {"seed": 42}
    assert version.provenance["packages"]["scikit-learn"] == "1.5.2"
    assert version.facts == {"limit": 0.5, "seed": 42, "rate": 0.05}


def test_the_same_state_gives_the_same_bytes_and_is_the_same_version(workspace: Workspace, publish: Publish) -> None:
    registry = ModelRegistry(workspace)
    first = publish(0.5)
    assert publish(0.5) == first
    assert [v.semantic for v in registry.versions(registry.model(FOREST))] == ["1.0.0"]
    other = publish(0.5, path="/Fleet/refrigeration/models/isolation_forest")
    shas = {registry.by_rid(rid)[1].sha256 for rid in (first, other)}
    assert other != first
    assert len(shas) == 1
    changed = publish(0.6)
    assert registry.by_rid(changed)[1].semantic == "1.1.0"
    assert registry.by_rid(changed)[1].sha256 not in shas


def test_a_version_of_a_failed_job_never_becomes_visible(workspace: Workspace, publish: Publish) -> None:
    registry = ModelRegistry(workspace)
    publish(0.5)
    publish(0.9, fail=True)
    assert [v.facts["limit"] for v in registry.versions(registry.model(FOREST))] == [0.5]
    artefacts = [file.location for file in workspace.storage.listing("_models")]
    assert artefacts == [registry.versions(registry.model(FOREST))[0].location]
    assert registry.by_rid(publish(0.9))[1].semantic == "1.1.0"


def test_a_changed_artefact_is_refused_before_anything_is_unpickled(workspace: Workspace, publish: Publish) -> None:
    registry = ModelRegistry(workspace)
    version = registry.by_rid(publish(0.5, path="/other/models/plain"))[1]
    file = Path(workspace.storage.root, version.location)
    file.write_bytes(b"no archive at all")
    with pytest.raises(ArtefactTamperedError) as caught:
        adapter(workspace)
    assert "/other/models/plain 1.0.0" in str(caught.value)
    assert version.sha256[:12] in str(caught.value)
    assert "publish the model again" in str(caught.value)
    file.unlink()
    with pytest.raises(ArtefactMissingError, match="Restore the file"):
        adapter(workspace)


def test_archives_of_no_version_are_collected_unless_somebody_may_be_publishing(
    workspace: Workspace, publish: Publish
) -> None:
    registry = ModelRegistry(workspace)
    publish(0.5)
    ((kept, _),) = [(file.location, file.size) for file in workspace.storage.listing("_models")]
    left, young = (Path(workspace.storage.root, "_models", name) for name in ("left.zip", "young.zip"))
    hours = [workspace.clock().timestamp() - 3600 * n for n in (2, 0)]
    for file, at in ((left, hours[0]), (young, hours[1]), (Path(workspace.storage.root, kept), hours[0])):
        file.touch()
        os.utime(file, (at, at))
    with workspace.lock("feature/x"):
        assert held_branches(workspace.path / "locks") == ("feature/x",)
        assert orphans(registry) == ()
    found = orphans(registry)
    assert [archive.location for archive in found] == ["_models/left.zip"]
    remove(registry, found)
    assert orphans(registry) == ()
    assert [file.location for file in workspace.storage.listing("_models")] == sorted([kept, "_models/young.zip"])


def test_what_a_version_was_trained_on_is_never_swept(workspace: Workspace, tmp_path: Path, publish: Publish) -> None:
    store = workspace.store
    dataset = store.create("/features")
    (tmp_path / "x").write_text("x")
    made = []
    for _ in range(3):
        with store.transaction(dataset, "master", TransactionType.SNAPSHOT) as opened:
            opened.add(tmp_path / "x", "x")
        made.append(opened.rid)
    publish(0.5, inputs={dataset.rid: made[0], "ri.unknown": "ri.tx.7"})
    expected = {made[0]: (f"model {FOREST} 1.0.0",)}
    assert plan_sweep(store, dataset, keep_views=1).pinned == expected
    # A version from before versions pinned what they need is caught up with.
    unpin(store, f"model {FOREST} 1.0.0")
    assert [x.rid for x in plan_sweep(store, dataset, keep_views=1).transactions] == made[:2]
    pin_all(ModelRegistry(workspace))
    plan = plan_sweep(store, dataset, keep_views=1)
    assert ([x.rid for x in plan.transactions], plan.pinned) == ([made[1]], expected)


@pytest.mark.parametrize("workspace", ["memory://models"], indirect=True)
def test_archives_lie_below_a_url_as_well(workspace: Workspace, publish: Publish) -> None:
    registry = ModelRegistry(workspace)
    publish(0.9, fail=True)
    assert workspace.storage.listing("_models") == []
    version = registry.by_rid(publish(0.5, path="/other/models/plain"))[1]
    assert adapter(workspace).limit == 0.5
    changed = workspace.storage.temporary("_models")
    changed.write_bytes(b"no archive at all")
    workspace.storage.place(changed, version.location)
    with pytest.raises(ArtefactTamperedError, match="memory://models/_models/"):
        adapter(workspace)
    workspace.storage.remove(version.location)
    with pytest.raises(ArtefactMissingError):
        adapter(workspace)


def test_versions_belong_to_branches_and_pins_win(workspace: Workspace, publish: Publish) -> None:
    publish(0.5, path="/other/models/plain")
    publish(0.7, path="/other/models/plain", branch="develop")
    assert adapter(workspace).limit == 0.5
    assert adapter(workspace, "1.1.0").limit == 0.7


def test_names_find_models_and_wrong_ones_are_told_the_nearest(workspace: Workspace, publish: Publish) -> None:
    registry = ModelRegistry(workspace)
    with pytest.raises(ModelNotFoundError, match="nothing has been published yet"):
        registry.model("isolation_forest")
    publish(0.5)
    assert registry.model("isolation_forest").path == FOREST
    publish(0.5, path="/Fleet/refrigeration/models/isolation_forest")
    assert registry.model("air_handler/isolation_forest").path == FOREST
    with pytest.raises(AmbiguousModelError, match="fits several models: /Fleet/air_handler"):
        registry.model("isolation_forest")
    with pytest.raises(ModelNotFoundError, match="Did you mean '/Fleet/air_handler/models/isolation_forest'"):
        registry.model("/Fleet/air_handler/models/isolation_forrest")
    with pytest.raises(VersionNotFoundError, match=r"no version 3.0.0; it has 1.0.0"):
        registry.version(registry.model(FOREST), "3.0.0")


@pytest.mark.parametrize(
    ("last", "change", "expected"),
    [(None, "MAJOR", "1.0.0"), ("1.4.2", "MAJOR", "2.0.0"), ("1.4.2", "MINOR", "1.5.0"), ("1.4.2", None, "1.4.3")],
)
def test_version_numbers_follow_the_change_type(last: str | None, change: str | None, expected: str) -> None:
    assert next_semantic(last, change) == expected


def test_what_no_database_can_store_becomes_plain_values() -> None:
    stored = as_json({"nan": float("nan"), "n": np.int64(3), "x": np.float32(0.5), "day": date(2026, 1, 5), "l": [1.0]})
    assert stored == {"nan": None, "n": 3, "x": 0.5, "day": "2026-01-05", "l": [1.0]}


def test_an_archive_is_a_function_of_the_files_alone_and_never_writes_outside(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "deep").mkdir()
    (tmp_path / "a" / "deep" / "x.bin").write_bytes(b"x" * 100)
    (tmp_path / "a" / "b.bin").write_bytes(b"b")
    first = pack(tmp_path / "a", tmp_path / "1.zip")
    os.utime(tmp_path / "a" / "b.bin", (0, 0))
    assert pack(tmp_path / "a", tmp_path / "2.zip") == first
    here = LocalStorage(str(tmp_path))
    folder = unpack(here, "1.zip", first[0], "/m", "1.0.0")
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.bin")) == ["b.bin", "deep/x.bin"]
    shutil.rmtree(folder)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil.txt", b"x")
    sha256 = hashlib.sha256((tmp_path / "evil.zip").read_bytes()).hexdigest()
    with pytest.raises(PathEscapesRootError, match=r"\.\./evil.txt"):
        unpack(here, "evil.zip", sha256, "/m", "1.0.0")
