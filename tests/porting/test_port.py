"""The trees that go to Foundry: what they hold, that they stand alone, and what is never overwritten."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mirror.cli import run
from mirror.datasets.guest import find_guest, shrinkwrap
from mirror.porting import errors
from mirror.porting.folder import write_folder
from mirror.porting.port import port

FILES = {
    "transforms-python/conda_recipe/meta.yaml": (
        "requirements:\n  run:\n    - python 3.11\n    - transforms\n    - pyyaml 6.0.4\n"
    ),
    "transforms-python/src/setup.py": (
        "from setuptools import setup\n"
        "setup(entry_points={'transforms.pipelines': ['root = fleet.pipeline:pipeline']})\n"
    ),
    "transforms-python/src/fleet/__init__.py": "",
    "transforms-python/src/fleet/pipeline.py": (
        "import model_training\nfrom transforms.api import Pipeline\nimport fleet\n\n"
        "pipeline = Pipeline()\npipeline.discover_transforms(fleet, model_training)\n"
    ),
    "transforms-python/src/fleet/names/__init__.py": "ROOT = '/Fleet'\n",
    "transforms-python/src/fleet/names/fleet.yaml": "name: north\n",
    "transforms-python/src/fleet/clean.py": (
        "from transforms.api import Input, Output, transform_df\nfrom fleet.names import ROOT\n\n"
        "RAW = 'ri.foundry.main.dataset.11111111-1111-1111-1111-111111111111'\n"
        "@transform_df(Output(f'{ROOT}/clean'), raw=Input(RAW))\n"
        "def clean(raw):\n    return raw\n"
    ),
    "transforms-python/src/model_adapters/__init__.py": "",
    "transforms-python/src/model_adapters/forest.py": "class Forest: ...\n",
    "transforms-python/src/model_training/__init__.py": "",
    "transforms-python/src/model_training/train.py": (
        "from transforms.api import Input, Output, transform_df\nfrom fleet.names import ROOT\n"
        "from model_adapters.forest import Forest\n\n"
        "@transform_df(Output(f'{ROOT}/statistics'), clean=Input(f'{ROOT}/clean'))\n"
        "def train(clean):\n    return clean\n"
    ),
    "tests/fleet/test_clean.py": "from fleet.names import ROOT\n\ndef test_root():\n    assert ROOT == '/Fleet'\n",
    "tests/fleet/test_build.py": "from mirror.builds import run\n",
    "tests/fleet/test_file.py": "from pathlib import Path\nHERE = Path(__file__)\n",
    "tests/fleet/slow/conftest.py": "import mirror\nimport pytest\n\n@pytest.fixture\ndef made(): return mirror\n",
    "tests/fleet/slow/test_under.py": "def test_it(made): assert made\n",
    # No fixture of the conftest.py that stays, and a helper that lies beside the tests.
    "tests/fleet/slow/test_free.py": "from shapes import SHAPE\n\ndef test_it(): assert SHAPE == 'round'\n",
    "tests/fleet/helpers/shapes.py": "from sizes import SIZE\n\nSHAPE = 'round' if SIZE else ''\n",
    "tests/fleet/helpers/sizes.py": "SIZE = 1\n",
    "tests/fleet/helpers/builds.py": "import mirror\n",
    "tests/fleet/test_helped.py": "from builds import mirror\n",
    "tests/fleet/test_whole.py": "from fleet.pipeline import pipeline\n",
    "tests/model_training/test_train.py": "from fleet.clean import clean\n",
    # A package's tests may lie in those of another one, with helpers from anywhere; one that nobody needs stays.
    "tests/fleet/model_adapters/test_forest.py": (
        "from model_adapters.forest import Forest\nfrom shapes import SHAPE\n\n"
        "def test_it(): assert (Forest.__name__, SHAPE) == ('Forest', 'round')\n"
    ),
    "tests/fleet/helpers/unused.py": "UNUSED = 1\n",
}


def write(root: Path) -> Path:
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture
def repository(tmp_path):
    return write(tmp_path / "repository")


CLEAN_RID = "ri.foundry.main.dataset.22222222-2222-2222-2222-222222222222"


@pytest.fixture(scope="module")
def ported(tmp_path_factory):
    """Ported once; tests only look at it, or at a copy."""
    root = write(tmp_path_factory.mktemp("porting") / "repository")
    out = root.parent / "out"
    return out, *port(root, out, {"/Fleet/clean": CLEAN_RID})


def listing(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_trees_that_stand_alone(ported):
    out, transforms, training = ported
    files = listing(out)
    source = "transforms-repository/transforms-python/src"
    assert {path for path in files if path.startswith(source)} == {
        f"{source}/{path}"
        for path in (
            "fleet/__init__.py",
            "fleet/clean.py",
            "fleet/names/__init__.py",
            "fleet/names/fleet.yaml",
            "fleet/pipeline.py",
            "pytest.ini",
            "setup.cfg",
            "setup.py",
            "test/conftest.py",
            "test/fleet/slow/test_free.py",
            "test/fleet/test_clean.py",
            "test/shapes.py",
            "test/sizes.py",
        )
    }
    source = "model-training-repository/transforms-python/src"
    assert {path for path in files if path.startswith(source) and path.endswith((".py", ".yaml"))} == {
        f"{source}/{path}"
        for path in (
            "fleet/__init__.py",
            "fleet/names/__init__.py",
            "fleet/names/fleet.yaml",
            "model_adapters/__init__.py",
            "model_adapters/forest.py",
            "model_training/__init__.py",
            "model_training/pipeline.py",
            "model_training/train.py",
            "setup.py",
            "test/conftest.py",
            "test/fleet/model_adapters/test_forest.py",
            "test/shapes.py",
            "test/sizes.py",
        )
    }
    assert (transforms.entry, training.entry) == ("fleet.pipeline:pipeline", "model_training.pipeline:pipeline")
    assert transforms.unmapped == ()
    assert training.unmapped == ("/Fleet/statistics",)
    assert transforms.left_behind == (
        "`tests/fleet/model_adapters/test_forest.py`: it imports `model_adapters`",
        "`tests/fleet/slow/test_under.py`: it uses the fixture 'made' of a conftest.py that stays",
        "`tests/fleet/test_build.py`: it imports `mirror`",
        "`tests/fleet/test_file.py`: it reads files beside itself (`__file__`)",
        "`tests/fleet/test_helped.py`: it imports `builds`",
        "`tests/fleet/test_whole.py`: it imports the whole pipeline, of which this tree is a part",
    )
    assert training.left_behind == (
        "`tests/model_training/test_train.py`: it imports `fleet.clean.clean`, which lies in the other repository",
    )

    mappings = yaml.safe_load(files["transforms-repository/transforms-shrinkwrap.yml"])["mappings"]
    raw = "ri.foundry.main.dataset.11111111-1111-1111-1111-111111111111"
    assert [(m["alias"], m["modes"], m["rid"]) for m in mappings] == [
        ("/Fleet/clean", ["BUILD"], CLEAN_RID),
        (raw, ["READ"], raw),
    ]
    assert "* `/Fleet/statistics`" in files["model-training-repository/PORTING.md"].decode()
    guest = find_guest(out / "transforms-repository")
    assert (guest.module, guest.attribute) == ("fleet.pipeline", "pipeline")
    assert shrinkwrap(out / "transforms-repository") == {CLEAN_RID: "/Fleet/clean"}


@pytest.mark.nightly
@pytest.mark.parametrize(("tree", "passed"), [("transforms-repository", 2), ("model-training-repository", 1)])
def test_the_ported_tests_run_in_the_ported_tree(ported, tmp_path, tree, passed):
    shutil.copytree(ported[0], tmp_path / "out")
    source = tmp_path / "out" / tree / "transforms-python" / "src"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout


@pytest.mark.nightly
def test_the_same_sources_give_the_same_bytes(ported, repository, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(ported[0], out)
    port(repository, out, {"/Fleet/clean": CLEAN_RID})
    assert listing(out) == listing(ported[0])


def test_a_second_run_takes_away_what_it_no_longer_writes(tmp_path):
    write_folder(tmp_path / "out", {"a/late/b.py": b"b", "c.py": b"c"})
    write_folder(tmp_path / "out", {"c.py": b"new"})
    assert listing(tmp_path / "out").keys() == {".mirror-port.json", "c.py"}
    assert (tmp_path / "out" / "c.py").read_bytes() == b"new"
    assert not (tmp_path / "out" / "a").exists()


def test_other_peoples_files_are_never_overwritten(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(errors.ForeignFolderError) as foreign:
        port(tmp_path, out, {})
    assert "notes.txt" in str(foreign.value)
    assert listing(out) == {"notes.txt": b"mine"}

    (out / "notes.txt").unlink()
    write_folder(out, {"a/b.py": b"b", "c.py": b"c"})
    (out / "a" / "b.py").write_text("edited")
    with pytest.raises(errors.EditedFilesError) as changed:
        write_folder(out, {"c.py": b"new"})
    assert "a/b.py" in str(changed.value)
    assert (out / "c.py").read_text() == "c"


@pytest.mark.nightly
def test_a_pipeline_nobody_can_divide_or_import_is_named(repository, tmp_path):
    pipeline = repository / "transforms-python/src/fleet/pipeline.py"
    good = pipeline.read_text()
    pipeline.write_text(good + "pipeline.add_transforms(*things)\n")
    with pytest.raises(errors.GuestFileError) as divided:
        port(repository, tmp_path / "out", {})
    assert str(divided.value).startswith("fleet/pipeline.py:7: pipeline.add_transforms(...) cannot be divided")
    pipeline.write_text(good)
    (repository / "transforms-python/src/fleet/clean.py").write_text("1 / 0\n")
    with pytest.raises(errors.DiscoveryFailedError) as failed:
        port(repository, tmp_path / "out", {})
    assert "fleet.pipeline:pipeline cannot be imported: ZeroDivisionError" in str(failed.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
def test_the_command_checks_first_and_writes_only_without_findings(repository, tmp_path, capsys):
    workspace = ["--workspace", str(tmp_path / "none")]
    assert run([*workspace, "port", "--check", "--repo", str(repository)]) == 0
    assert capsys.readouterr().out == "nothing found in 8 files\n"
    assert run([*workspace, "--json", "port", "--out", str(tmp_path / "out"), "--repo", str(repository)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [r["folder"] for r in document["repositories"]] == ["transforms-repository", "model-training-repository"]

    (repository / "transforms-python/src/fleet/clean.py").write_text("import os\nHOME = os.environ['HOME']\n")
    assert run([*workspace, "port", "--out", str(tmp_path / "new"), "--repo", str(repository)]) == 1
    assert "fleet/clean.py:2: reads os.environ." in capsys.readouterr().out
    assert not (tmp_path / "new").exists()
    assert run([*workspace, "port", "--repo", str(repository)]) == 2
    assert "either --check or --out DIR" in capsys.readouterr().err


def test_of_several_sub_projects_the_chosen_one_is_ported(tmp_path, capsys):
    for name in ("north", "south"):
        shutil.copytree(write(tmp_path / name) / "transforms-python", tmp_path / "both" / name)
    both = str(tmp_path / "both")
    workspace = ["--workspace", str(tmp_path / "ws")]
    assert run([*workspace, "port", "--check", "--repo", both]) == 2
    assert "north/src" in capsys.readouterr().err
    (tmp_path / "both/south/src/fleet/clean.py").write_text("import os\nHOME = os.environ['HOME']\n")
    assert run([*workspace, "port", "--check", "--repo", both, "--source", "north"]) == 0
    # Without the option, what the workspace of this repository chose.
    assert run([*workspace, "init", "--repo", both, "--source", "south/src"]) == 0
    capsys.readouterr()
    assert run([*workspace, "port", "--check", "--repo", both]) == 1
    assert "fleet/clean.py:2: reads os.environ." in capsys.readouterr().out
