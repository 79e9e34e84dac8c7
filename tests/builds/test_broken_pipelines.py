"""Repositories whose pipeline cannot be taken as it is: what is refused, and where it says to look."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mirror.builds import publish
from mirror.builds.discovery import OWN_PACKAGES
from mirror.builds.errors import CyclicPipelineError, PackageNameError, PipelineImportError

ROOT = Path(__file__).resolve().parents[2]


def test_a_module_named_like_one_that_mirror_runs_on_is_refused(repository) -> None:
    r = repository()
    (r.source / "rich").mkdir()
    (r.source / "rich" / "__init__.py").write_text("")
    with pytest.raises(PackageNameError, match="module 'rich' in"):
        publish(r.workspace, "master")
    import rich.console

    assert rich.console.Console().width
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    imported = {
        "markdown-it-py": "markdown_it",
        "psycopg[binary]": "psycopg",
        "pyyaml": "yaml",
        "scikit-learn": "sklearn",
    }
    needed = [re.split(r"[<>=]", text)[0] for text in project["dependencies"]]
    assert {imported.get(name, name.replace("-", "_")) for name in needed} <= OWN_PACKAGES


def test_broken_pipelines_are_usage_errors(repository) -> None:
    r = repository()
    r.write(
        "cycle",
        """
    @transform_df(Output("/p"), q=Input("/q"))
    def p(q):
        return q

    @transform_df(Output("/q"), p=Input("/p"))
    def q(p):
        return p
    """,
    )
    with pytest.raises(CyclicPipelineError, match=r"/[pq] -> /[pq] -> /[pq]"):
        r.build()
    r.write(
        "cycle",
        """
    @transform_df(Output("/p"), q=Input("/q"))
    def one(q):
        return q

    @transform_df(Output("/p"), q=Input("/q"))
    def two(q):
        return q
    """,
    )
    with pytest.raises(PipelineImportError) as double:
        r.build()
    assert "Two transforms write '/p'" in str(double.value)
    assert "one" in str(double.value)
    assert "two" in str(double.value)
    r.write("cycle", "def broken(:\n")
    with pytest.raises(PipelineImportError, match=r"cannot be imported at .*cycle\.py:3"):
        r.build()
    r.write("cycle", "import nothing_of_that_name\n")
    with pytest.raises(PipelineImportError, match=r"cycle\.py:3: No module named 'nothing_of_that_name'"):
        r.build()
