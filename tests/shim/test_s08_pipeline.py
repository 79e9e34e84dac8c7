"""Fact sheet section 8: what a pipeline discovers, and what it refuses."""

from __future__ import annotations

import importlib
import itertools
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from transforms.api import Input, Output, Pipeline, transform_df
from transforms.errors import PipelineError, TransformTypeError, UnknownArgumentError, UnknownAttributeError

HEAD = "from transforms.api import Input, Output, transform, transform_df, lightweight, incremental\n"
MAKE = """
def make(domain):
    @transform_df(Output(f"/out/{domain}"), df=Input(f"/in/{domain}"))
    def compute(df, domain=domain):
        return df
    return compute
"""

Package = Callable[[dict[str, str]], ModuleType]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Writes a package of its own name below a fresh source root and imports it."""
    names: list[str] = []

    def write(files: dict[str, str]) -> ModuleType:
        name = f"repo_{abs(hash((tmp_path, len(names))))}"
        names.append(name)
        for path, text in {"__init__.py": "", **files}.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for module in [m for m in sys.modules if m.partition(".")[0] in names]:
        del sys.modules[module]


def _outputs(*modules: ModuleType) -> list[str]:
    pipeline = Pipeline()
    pipeline.discover_transforms(*modules)
    return [alias for t in pipeline.transforms for alias in t.output_aliases]


def test_discovery_imports_every_module_below_and_takes_every_shape(package):
    repo = package(
        {
            "plain.py": f"{HEAD}{MAKE}\none = make('one')\ntwo = make('two')\n",
            "deep/__init__.py": "",
            "deep/er/__init__.py": f"{HEAD}{MAKE}\nin_init = make('in_init')\n",
            "deep/er/2-all-domains.py": f"{HEAD}{MAKE}\ntransforms = (make(d) for d in ['gen1', 'gen2'])\n",
            "deep/er/flight-alerts-clean.py": f"{HEAD}{MAKE}\nmany = [make(d) for d in ['list1', 'list2']]\n",
            "shapes.py": f"{HEAD}{MAKE}\na = (make('tuple'),)\nb = {{make('set')}}\nc = map(make, ['map'])\n",
            "single_node.py": f"{HEAD}\n@lightweight\n@transform(out=Output('/out/light'))\ndef f(out): pass\n",
            "iterables.py": f"import collections, itertools\n{HEAD}{MAKE}\nd = {{'x': make('dict')}}\n"
            "v, k = d.values(), {make('key'): 1}.keys()\nq = collections.deque([make('deque')])\n"
            "c = itertools.chain([make('chain')])\ns = itertools.starmap(make, [('star',)])\n"
            "numbers = itertools.count()\n",
            "loop.py": f"{HEAD}{MAKE}\nfor d in ['lost', 'kept']:\n    f = make(d)\n",
            "other.py": "numbers = (n for n in range(3))\nwords = ['a']\nnothing = None\n",
        }
    )
    expected = "one two in_init gen1 gen2 list1 list2 tuple set map light kept dict key deque chain star"
    assert sorted(_outputs(repo)) == sorted(f"/out/{name}" for name in expected.split())
    assert sorted(_outputs(repo)) == sorted(_outputs(repo)), "a generator gives its transforms to every pipeline"
    assert next(importlib.import_module(f"{repo.__name__}.iterables").numbers) == 0


def test_a_transform_imported_elsewhere_counts_once(package):
    repo = package(
        {
            "a.py": f"{HEAD}{MAKE}\none = make('one')\nseveral = [one]\n",
            "b.py": "from .a import one, several\nfrom . import a\n",
        }
    )
    assert _outputs(repo) == ["/out/one"]


def test_several_packages_sub_packages_and_plain_modules(package):
    first = package(
        {"x/__init__.py": "", "x/m.py": f"{HEAD}{MAKE}\nf = make('x')\n", "y.py": f"{HEAD}{MAKE}\nf = make('y')\n"}
    )
    second = package({"z.py": f"{HEAD}{MAKE}\nf = make('z')\n"})
    x, y = (importlib.import_module(f"{first.__name__}.{name}") for name in "xy")
    assert _outputs(x) == ["/out/x"]
    assert _outputs(y) == ["/out/y"]
    assert _outputs(first, second) == ["/out/x", "/out/y", "/out/z"]
    pipeline = Pipeline()
    for module in (second, x, first):
        pipeline.discover_transforms(module)
    assert [t.output_aliases for t in pipeline.transforms] == [("/out/z",), ("/out/x",), ("/out/y",)]


def test_generated_transforms_share_a_name_and_differ_by_what_they_write(package):
    repo = package({"m.py": f"{HEAD}{MAKE}\nts = [make(d) for d in ['n', 's']]\nts[-1].__name__ = 'south'\n"})
    pipeline = Pipeline()
    pipeline.discover_transforms(repo)
    assert [t.__name__ for t in pipeline.transforms] == ["compute", "south"]
    assert [t.reference for t in pipeline.transforms] == [
        f"{repo.__name__}.m:compute(/out/n)",
        f"{repo.__name__}.m:south(/out/s)",
    ]


def test_errors_of_a_module_surface(package):
    with pytest.raises(ZeroDivisionError):
        _outputs(package({"broken.py": "1 / 0\n"}))


def test_a_folder_without_init_is_not_entered_and_said_so(package, caplog):
    repo = package({"loose/m.py": f"{HEAD}{MAKE}\nf = make('loose')\n"})
    with caplog.at_level(logging.WARNING):
        assert _outputs(repo) == []
    assert "no __init__.py" in caplog.text


def test_transforms_in_a_dict_are_not_discovered_and_said_so(package, caplog):
    text = f"{HEAD}{MAKE}\nlost = {{'a': make('a')}}\nfound = {{'b': make('b')}}\nb = found['b']\n"
    with caplog.at_level(logging.WARNING):
        assert _outputs(package({"m.py": text})) == ["/out/b"]
    assert "m.lost is a dict with transforms" in caplog.text
    assert "m.found" not in caplog.text


def _made(output: str | None = "/o", name: str = "f"):
    made = transform_df(Output(output), x=Input("/i"))(lambda x: x)
    made.__name__ = name
    return made


def test_two_transforms_cannot_write_one_output():
    pipeline = Pipeline()
    pipeline.add_transforms(_made(name="first"))
    with pytest.raises(PipelineError, match=r"Two transforms write '/o': 'first' \(.*\) and 'second'"):
        pipeline.add_transforms(_made(name="second"))
    with pytest.raises(ValueError, match="Two transforms are"):
        Pipeline().add_transforms(_made(None), _made(None))


def test_the_list_of_transforms_is_a_copy_in_order_of_registration():
    pipeline = Pipeline()
    one, two = _made("/1"), _made("/2")
    pipeline.add_transforms(two, one)
    pipeline.add_transforms(one)
    pipeline.transforms.clear()
    assert pipeline.transforms == [two, one]


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda p: p.add_transforms([_made()]), TransformTypeError, "Unpack a list with *"),
        (lambda p: p.add_transforms(_made), TransformTypeError, "takes transforms"),
        (lambda p: p.discover_transforms(module=sys), UnknownArgumentError, "has no argument 'module'"),
        (lambda p: Pipeline("root"), UnknownArgumentError, "Pipeline has no argument 'root'"),
        (lambda p: p.discover_transforms("package"), TransformTypeError, "packages or modules, got 'package'"),
        (lambda p: p.add_transform(_made()), UnknownAttributeError, "Did you mean 'add_transforms'"),
    ],
)
def test_wrong_use_is_named(act, error, says):
    with pytest.raises(error) as caught:
        act(Pipeline())
    assert says in str(caught.value)


def test_a_logic_version_follows_the_imports_of_the_repository(package):
    repo = package(
        {
            "helper.py": "FACTOR = 2\n",
            "unrelated.py": "A = 1\n",
            "m.py": f"import json\n{HEAD}from . import helper\n{MAKE}\nf = make('v')\n",
        }
    )
    pipeline = Pipeline()
    pipeline.discover_transforms(repo)
    made, folder = pipeline.transforms[0], Path(repo.__path__[0])
    versions = [made.version, made.version]
    (folder / "unrelated.py").write_text("A = 2\n")
    versions.append(made.version)
    (folder / "helper.py").write_text("FACTOR = 3\n")
    versions.append(made.version)
    assert versions[0] == versions[1] == versions[2] != versions[3]


def test_importing_a_pipeline_touches_neither_spark_nor_disk_nor_clock(package):
    """Declarations of every kind, with the doors to the outside made to raise."""
    repo = package({"m.py": f"{HEAD}{MAKE}\nfs = [incremental()(make(d)) for d in ['a', 'b']]\n"})
    script = f"""
        import sys, socket, subprocess, time
        sys.path.insert(0, {str(Path(repo.__path__[0]).parent)!r})
        import transforms.api, {repo.__name__} as repo
        def no(*a, **k): raise AssertionError('touched the outside')
        time.time = time.time_ns = time.monotonic = socket.socket = subprocess.Popen = no
        from transforms.api import Pipeline
        pipeline = Pipeline()
        pipeline.discover_transforms(repo)
        assert len(pipeline.transforms) == 2
        heavy = [m for m in ('pyspark', 'pandas', 'numpy', 'polars', 'pyarrow', 'duckdb') if m in sys.modules]
        assert not heavy, heavy
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_large_pipeline_keeps_its_order(package):
    names = [f"d{i:03d}" for i in range(200)]
    repo = package({"m.py": f"{HEAD}{MAKE}\nts = (make(f'd{{i:03d}}') for i in range(200))\n"})
    assert list(itertools.islice(_outputs(repo), 200)) == [f"/out/{n}" for n in names]
