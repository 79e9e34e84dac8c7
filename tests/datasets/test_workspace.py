"""Workspaces: made once, of one version, found guests, locks that outlive nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mirror.datasets import Workspace
from mirror.datasets import tables as t
from mirror.datasets.catalog import VERSION
from mirror.datasets.errors import (
    CatalogVersionError,
    GuestNotFoundError,
    WorkspaceConfigError,
    WorkspaceLockedError,
    WorkspaceNotFoundError,
)
from mirror.datasets.guest import find_guest
from mirror.errors import UsageError


def test_creating_twice_keeps_everything(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w", repository=tmp_path) as first:
        first.store.create("/a")
        text = (tmp_path / "w" / "config.toml").read_text()
    with Workspace.create(tmp_path / "w") as second:
        assert [d.path for d in second.store.datasets()] == ["/a"]
        assert second.config.repository == tmp_path
    with pytest.raises(WorkspaceConfigError, match=r'write \[repository\] path = "\.\./elsewhere" there'):
        Workspace.create(tmp_path / "w", repository=tmp_path / "elsewhere")
    assert (tmp_path / "w" / "config.toml").read_text() == text


def test_missing_and_broken_configuration(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceNotFoundError, match="mirror init"):
        Workspace.open(tmp_path / "none")
    (tmp_path / "config.toml").write_text('[repository]\npath = "."\n[branches]\ndefault = 3\n')
    with pytest.raises(WorkspaceConfigError, match=r"\[branches\] default must be a text, not 3"):
        Workspace.open(tmp_path)
    (tmp_path / "config.toml").write_text("[repository\n")
    with pytest.raises(WorkspaceConfigError, match="line 1"):
        Workspace.open(tmp_path)


def test_a_workspace_moves_with_its_repository(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with Workspace.create(tmp_path / "one" / ".mirror", repository=tmp_path / "one") as made:
        made.store.create("/a")
    (tmp_path / "one").rename(tmp_path / "two")
    with Workspace.open(tmp_path / "two" / ".mirror") as moved:
        assert moved.config.repository == tmp_path / "two"
        assert moved.store.dataset("a").path == "/a"


@pytest.mark.parametrize("found", [VERSION + 1, 0])
def test_a_catalog_of_another_version_is_refused(tmp_path: Path, found: int) -> None:
    with Workspace.create(tmp_path / "w", repository=tmp_path) as made, made.catalog.writing() as connection:
        connection.execute(t.catalog_version.update().values(version=found))
    with pytest.raises(CatalogVersionError) as caught:
        Workspace.open(tmp_path / "w")
    assert f"schema version {found}, this release reads version {VERSION}" in str(caught.value)


def test_a_file_that_is_no_catalog_is_refused(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w", repository=tmp_path):
        pass
    for leftover in (tmp_path / "w").glob("catalog.sqlite*"):
        leftover.unlink()
    (tmp_path / "w" / "catalog.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match=r"catalog\.sqlite"):
        Workspace.open(tmp_path / "w")


ENTRY = "root = fleet.pipeline:pipeline"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("setup.py", f"from setuptools import setup\nsetup(entry_points={{'transforms.pipelines': ['{ENTRY}']}})"),
        (
            "setup.py",
            f"import os\nsetup(name=os.environ['PKG_NAME'], entry_points={{'transforms.pipelines': '{ENTRY}'}})",
        ),
        ("setup.py", f"setup(entry_points='''[transforms.pipelines]\n{ENTRY}\n''')"),
        ("setup.py", f"E = {{'transforms.pipelines': ['{ENTRY}']}}\nsetup(name='x', entry_points=E)"),
        (
            "setup.py",
            f"# \u00e9\nconfig = {{'entry_points': {{'transforms.pipelines': ['{ENTRY}']}}}}\nsetup(**config)",
        ),
        ("setup.cfg", f"[options.entry_points]\ntransforms.pipelines =\n    {ENTRY}\n"),
        ("pyproject.toml", '[project.entry-points."transforms.pipelines"]\nroot = "fleet.pipeline:pipeline"\n'),
    ],
)
def test_entry_point_is_found_without_running_anything(tmp_path: Path, file: str, text: str) -> None:
    source = tmp_path / "transforms-python" / "src"
    source.mkdir(parents=True)
    (source / file).write_text(text + "\nraise SystemExit('executed')\n" * (file == "setup.py"))
    with Workspace.create(tmp_path / "w", repository=tmp_path) as made:
        assert (made.guest.module, made.guest.attribute) == ("fleet.pipeline", "pipeline")
        assert made.guest.source_root == source


def test_guest_under_another_name_and_no_guest(tmp_path: Path) -> None:
    with (
        Workspace.create(tmp_path / "w", repository=tmp_path) as made,
        pytest.raises(GuestNotFoundError, match="init --repo"),
    ):
        _ = made.guest
    (tmp_path / "transform-python" / "src").mkdir(parents=True)
    (tmp_path / "transform-python" / "src" / "setup.py").write_text(
        f"setup(entry_points={{'transforms.pipelines': ['{ENTRY}']}})"
    )
    with Workspace.open(tmp_path / "w") as again:
        assert again.guest.source_root.parent.name == "transform-python"


def test_a_repository_inside_a_larger_one_and_code_without_entry_point(tmp_path: Path) -> None:
    inner = tmp_path / "larger" / "projects" / "foundry"
    (inner / "transforms-python" / "src").mkdir(parents=True)
    setup = f"setup(entry_points={{'transforms.pipelines': ['{ENTRY}']}})"
    (inner / "transforms-python" / "src" / "setup.py").write_text(setup)
    (inner / "transforms-shrinkwrap.yml").write_text("mappings:\n- alias: /a\n  rid: ri.1\n")
    installed = tmp_path / "larger" / "node_modules" / "other"
    installed.mkdir(parents=True)
    (installed / "setup.py").write_text(setup)
    with Workspace.create(tmp_path / "w", repository=tmp_path / "larger") as made:
        assert made.guest.source_root == inner / "transforms-python" / "src"
        assert made.store.rids == {"ri.1": "/a"}

    package = tmp_path / "part" / "code" / "pkg"
    for file in (package / "__init__.py", package / "steps" / "__init__.py"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    for name in ("code/pkg/steps/one.py", "code/2-more.py", "code/tests/test_one.py", "other/alone.py"):
        file = tmp_path / "part" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("from transforms.api import transform_df\n")
    with Workspace.create(tmp_path / "v", repository=tmp_path / "part") as made:
        assert (made.guest.source_root, made.guest.entry) == (package.parent, "every module of 2-more,pkg")
    # What ships needs an entry point, and says so.
    with pytest.raises(GuestNotFoundError, match="no entry point"):
        find_guest(tmp_path / "part")


def test_shrinkwrap_maps_rids_and_second_spellings(tmp_path: Path) -> None:
    rid = "ri.foundry.main.dataset.11111111-1111-1111-1111-111111111111"
    (tmp_path / "transforms-shrinkwrap.yml").write_text(
        textwrap.dedent(f"""\
        mappings:
        <<<<<<< HEAD
        - alias: "/Fleet/raw"
          modes: ["READ"]
          rid: "{rid}"
        =======
        >>>>>>> other
        - alias: "raw-input"
          modes: ["READ"]
          rid: "{rid}"
        """)
    )
    with Workspace.create(tmp_path / "w", repository=tmp_path) as made:
        created = made.store.create("/Fleet/raw")
        assert created.rid == rid
        assert made.store.dataset(rid) == made.store.dataset("raw-input") == created


HOLD = """
import sys, time
from pathlib import Path
from mirror.datasets import Workspace
with Workspace.open(Path(sys.argv[1])) as w, w.lock("master"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.nightly
def test_a_second_build_is_refused_and_a_killed_one_taken_over(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w", repository=tmp_path) as made:
        holder = subprocess.Popen([sys.executable, "-c", HOLD, str(made.path)], stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(WorkspaceLockedError) as caught, made.lock("master"):
                pass
            said = str(caught.value)
            assert f"process {holder.pid} since 20" in said
            assert "branch 'master'" in said
            with made.lock("feature/x") as other:
                assert other.taken_over_from is None
        finally:
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            assert holder.stdout is not None
            holder.stdout.close()
        with made.lock("master") as held:
            assert held.taken_over_from == holder.pid
        with made.lock("master") as held:
            assert held.taken_over_from is None


def test_an_alias_of_the_workspace_wins_over_the_repositorys() -> None:
    from mirror.datasets.guest import spellings

    both = {"ri.1": "/old", "also": "/old", "ri.2": "/other"}
    assert spellings(both, {"ri.1": "/new", "x": "/other"}) == {
        "ri.1": "/new", "also": "/new", "/old": "/new", "ri.2": "/other", "x": "/other",
    }  # fmt: skip
