"""The lint of guest code: what each rule finds, where, and what it leaves alone."""

from __future__ import annotations

import pytest

from mirror.porting.check import check_guest
from mirror.porting.errors import GuestFileError, RecipeError
from mirror.porting.rules import GuestFacts, all_findings, known_rules, rule
from mirror.porting.source import Module

FACTS = GuestFacts(
    frozenset({"fleet"}), frozenset({"os", "time", "datetime", "importlib", "pandas", "pyspark", "typing"})
)

# One module per rule; a line that ends in `# !` must be found, no other line may be.
CASES = {
    "provided_imports": """\
import os, sqlalchemy  # !
import pandas as pd
from mirror.datasets import Workspace  # !
from fleet.other import thing
from . import sibling
from .. import nothing
""",
    "module_level_imports": """\
from typing import TYPE_CHECKING
import importlib
if TYPE_CHECKING:
    from pandas import DataFrame
try:
    import pandas
except ImportError:
    pandas = None
def compute(frame):
    import os  # !
    def inner():
        from os import path  # !
    # pandas is slow to import
    import pandas as pd
    # a reason does not help a module of the guest
    from fleet.other import thing  # !
    return importlib.import_module("x")  # !
if True:
    class Late:
        import time  # !
module = __import__("x")  # !
""",
    "wall_clock": """\
import time
import datetime as dt
from datetime import UTC, datetime
from pyspark.sql import functions as F
import pandas as pd
a = datetime.now(UTC)  # !
b = dt.date.today()  # !
c = F.current_timestamp()  # !
d = pd.Timestamp.now()  # !
e = time.time()  # !
f = datetime.fromisoformat("2026-01-01")
g = time.gmtime(0)
h = frame.now()
def now(): return 1
i = now()
""",
    "environment_reads": """\
import os, sys
from os import environ, getenv as get
a = os.environ["HOME"]  # !
b = environ.get("HOME")  # !
c = get("HOME")  # !
d = sys.argv  # !
e = os.path.join("a", "b")
""",
    "evaluated_code": """\
import re, subprocess
eval("1")  # !
exec("1")  # !
subprocess.run(["ls"])  # !
re.compile("x")
frame.eval("a + b")
""",
    "undeclared_access": """\
import pandas as pd
import requests
from pathlib import Path
a = spark.read.format("csv").load("/x")  # !
b = spark.readStream.schema(s).parquet(folder)  # !
frame.write.mode("append").saveAsTable("t")  # !
with open("/x") as file:  # !
    pass
c = pd.read_csv("/x.csv")  # !
d = requests.get("http://x")  # !
# a stream that no build of this pipeline runs
e = spark.readStream.parquet(folder)
with source.filesystem().open("x") as stream:
    f = pd.read_csv(stream)
g = source.dataframe().read("x")
h = Path(__file__).read_text()
out.write_table(frame)
i = table.write()
""",
    "refused_apis": """\
import sys
from pyspark import SparkContext
from pyspark.sql import SparkSession
sys.exit(1)  # !
spark.stop()  # !
ctx.spark_session.stop()  # !
SparkContext("local")  # !
input("name?")  # !
a = SparkSession.builder.getOrCreate()
b = ctx.spark_session.sparkContext.broadcast(1)
query.stop()
""",
    "platform_names": '''\
"""Words about `mirror build` are documentation."""
a = "run mirror ingest first"  # !
b = ".mirror/catalog.sqlite"  # !
c = "MIRROR_HOME"  # !
# the name of the namespace, no address
d = "https://foundry-mirror.invalid/x"
e = "a mirror image"
''',
    "collected_frames": """\
rows = frame.collect()  # !
# one row per device, a few hundred at most
rows = frame.collect()
rows = frame.toPandas()  # short list of devices
rows = (
    frame.groupBy("a")  # group by profile first
    .count()
    .collect()
)
rows = frame.collect()  # noqa: X
stream = source.collect(3)
""",
}


@pytest.mark.parametrize("name", known_rules())
def test_a_rule_finds_exactly_the_marked_lines(name):
    text = CASES[name]
    lines = text.splitlines()
    expected = [n for n, line in enumerate(lines, 1) if line.endswith("# !")]
    if name == "collected_frames":
        expected = [1, 10]
        text = text.replace("  # !", "")
    found = sorted(rule(name).findings(Module("fleet/sub/code.py", "fleet.sub.code", text), FACTS))
    assert [finding.line for finding in found] == expected
    assert all(finding.rule == name and finding.problem and finding.fix for finding in found)


def test_findings_are_ordered_and_say_file_line_and_fix():
    second = Module("fleet/b.py", "fleet.b", "import os\n\na = os.environ\n")
    first = Module("fleet/a.py", "fleet.a", "eval('1')\n")
    texts = [str(finding) for finding in all_findings([second, first], FACTS)]
    assert texts == [
        "fleet/a.py:1: runs code made from text (eval). Write the code out, or choose among functions in a dict.",
        "fleet/b.py:3: reads os.environ. "
        "Declare it: a parameter of the transform, a dataset, or a YAML file in the package.",
    ]


@pytest.fixture
def repository(tmp_path):
    package = tmp_path / "transforms-python" / "src" / "fleet"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import sklearn, yaml, pyspark, transforms\n")
    recipe = tmp_path / "transforms-python" / "conda_recipe" / "meta.yaml"
    recipe.parent.mkdir()
    recipe.write_text(
        "{% set x = 1 %}\npackage:\n  name: '{{ PACKAGE_NAME }}'\nrequirements:\n  run:\n"
        "    - python 3.11\n    - transforms {{ PYTHON_TRANSFORMS_VERSION }}\n    - scikit-learn 1.5.2\n"
        "  pip:\n    - PyYAML ==6.0\n"
    )
    return tmp_path


def test_the_recipe_decides_what_may_be_imported(repository):
    assert check_guest(repository) == ([], 1)
    recipe = repository / "transforms-python" / "conda_recipe" / "meta.yaml"
    recipe.write_text(recipe.read_text().replace("scikit-learn", "scipy"))
    (finding,) = check_guest(repository)[0]
    assert "imports 'sklearn', which no package provides" in str(finding)
    assert "conda_recipe/meta.yaml" in finding.fix


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("python 3.11", "python 3.9", "meta.yaml:6: asks for python 3.9; Foundry has 3.10, 3.11, 3.12."),
        ("python 3.11", "python", "asks for python of any version"),
        ("scikit-learn 1.5.2", "scikit-learn >=1.5", "meta.yaml:8: scikit-learn is not pinned to one version (>=1.5)."),
        ("scikit-learn 1.5.2", "scikit-learn 1.5.2\n    - pyspark 4.0.0", "meta.yaml:9: asks for pyspark 4.0.0"),
    ],
)
def test_the_recipe_asks_for_what_foundry_has(repository, old, new, words):
    recipe = repository / "transforms-python" / "conda_recipe" / "meta.yaml"
    recipe.write_text(recipe.read_text().replace(old, new))
    (finding,) = check_guest(repository)[0]
    assert words in str(finding)
    assert finding.fix


def test_syntax_is_judged_by_the_recipes_python(repository):
    recipe = repository / "transforms-python" / "conda_recipe" / "meta.yaml"
    (repository / "transforms-python/src/fleet/new.py").write_text("try:\n    x = 1\nexcept* ValueError:\n    pass\n")
    assert check_guest(repository)[0] == []
    recipe.write_text(recipe.read_text().replace("python 3.11", "python 3.10"))
    (finding,) = check_guest(repository)[0]
    assert str(finding).startswith("fleet/new.py:4: is no Python 3.10")


def test_unreadable_files_are_named(repository):
    code = repository / "transforms-python" / "src" / "fleet" / "torn.py"
    code.write_text("x = 1\ndef (:\n")
    with pytest.raises(GuestFileError) as torn:
        check_guest(repository)
    assert str(torn.value).startswith("fleet/torn.py:2: this is no Python")
    code.unlink()
    (repository / "transforms-python" / "conda_recipe" / "meta.yaml").unlink()
    with pytest.raises(RecipeError) as missing:
        check_guest(repository)
    assert "meta.yaml: there is no such file" in str(missing.value)
