"""The files around the code that Foundry's repository templates leave to the user, as far as they are publicly known.

What belongs to the template itself (``gradle.properties`` with its RIDs, ``templateConfig.json``, the Gradle wrapper,
``ci.yml``) is not written: a repository made in Foundry has them, with values nobody outside can know, and upgrades
overwrite them.
"""

from __future__ import annotations

_SETUP = """\
import os

from setuptools import find_packages, setup

setup(
    name=os.environ["PKG_NAME"],
    version=os.environ["PKG_VERSION"],
    packages=find_packages(exclude=["contrib", "docs", "test"]),
    package_data={{"": [{patterns}]}},
    install_requires=[],
    entry_points={{"transforms.pipelines": ["root = {module}:{attribute}"]}},
)
"""

SETUP_CFG = """\
[pycodestyle]
max-line-length = 120
"""

PYTEST_INI = """\
[pytest]
testpaths = test
# helper modules that several tests share lie in test itself; test files in different folders may have one name
pythonpath = test
addopts = --import-mode=importlib
markers =
    nightly: long or large; leave out with -m "not nightly"
    case: the ids of the test matrix that a test proves
"""

BUILD_GRADLE = """\
// Checks of a change in Foundry: transforms-python/build.gradle of the code repository. `ci.yml` belongs to Foundry and
// is overwritten on upgrades, so checks of one's own hang on the tasks it supports: check, test and publish.
//
// Foundry solves and caches the environment of conda_recipe/meta.yaml, runs src/test with pytest, and publishes the
// JobSpecs of the entry point in src/setup.py to the data branch of the same name.
apply plugin: 'com.palantir.transforms.lang.python'
apply plugin: 'com.palantir.transforms.lang.python-defaults'
apply plugin: 'com.palantir.transforms.lang.pytest-defaults'
apply plugin: 'com.palantir.conda.pep8'

// A change whose tests fail is never published.
project.tasks.publish.dependsOn project.tasks.check
"""

CONFTEST = '''\
"""The tests call the session ``spark``; Foundry provides it as ``spark_session``."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def spark(spark_session):
    return spark_session
'''

_PORTING = """\
# {title}

Written by `mirror port`; a second run over the same sources writes the same bytes.

1. In Foundry, make a code repository from the template **{template}** and clone it.
2. Copy the content of this folder over the clone. Keep what the template made and this folder does not hold
   (`gradle.properties`, `templateConfig.json`, `build.gradle`, `settings.gradle`, the Gradle wrapper, `ci.yml`).
3. Commit on a branch and push. Checks build the environment from `transforms-python/conda_recipe/meta.yaml`, run
   `transforms-python/src/test`, and publish the JobSpecs of `{module}:{attribute}` to the data branch of the same name.

## Code

{code}

## Datasets and models

{aliases}

## Tests

{tests}
"""


def setup_py(module: str, attribute: str, suffixes: list[str]) -> str:
    """``setup.py`` with the entry point Foundry looks for; name and version come from Foundry's CI."""
    patterns = ", ".join(f'"*{suffix}"' for suffix in suffixes)
    return _SETUP.format(module=module, attribute=attribute, patterns=patterns)


def porting_notes(
    title: str, template: str, module: str, attribute: str, code: str, aliases: list[str], tests: list[str]
) -> str:
    """``PORTING.md``: how the folder becomes a repository, and what is left to a person."""
    unmapped = [f"* `{alias}`" for alias in aliases]
    mapping = (
        "\n".join(
            [
                "These have no RID in `transforms-shrinkwrap.yml`. Foundry asks for them at the first commit, or name",
                "them under `[aliases]` in the workspace's `config.toml` and port again:",
                "",
                *unmapped,
            ]
        )
        if aliases
        else "Every path has its RID in `transforms-shrinkwrap.yml`."
    )
    left = (
        "\n".join(["These stay behind, because Foundry could not run them:", "", *[f"* {line}" for line in tests]])
        if tests
        else "All tests of these packages are in `transforms-python/src/test`."
    )
    return _PORTING.format(
        title=title, template=template, module=module, attribute=attribute, code=code, aliases=mapping, tests=left
    )


def shrinkwrap(mappings: list[tuple[str, list[str], str]]) -> str:
    """``transforms-shrinkwrap.yml`` from ``(alias, modes, rid)``."""
    lines = ["mappings:"] if mappings else ["mappings: []"]
    for alias, modes, rid in mappings:
        quoted = ", ".join(f'"{mode}"' for mode in modes)
        lines += [f'- alias: "{alias}"', f"  modes: [{quoted}]", '  path: "/deprecated-field"', f'  rid: "{rid}"']
    return "\n".join(lines) + "\n"
