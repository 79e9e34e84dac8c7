"""The trees that go to Foundry: a transforms repository and a model training repository, from the one guest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mirror.datasets.guest import Guest, find_guest
from mirror.porting import template
from mirror.porting.closure import needed
from mirror.porting.entry_point import discovered_packages, pipeline_module
from mirror.porting.errors import DiscoveryFailedError, RecipeError
from mirror.porting.folder import refuse_foreign, write_folder
from mirror.porting.ported_tests import ported_tests
from mirror.porting.recipe import provided_imports
from mirror.porting.source import Module, modules

_ADAPTERS, _TRAINING = "model_adapters", "model_training"
_SCRIPT = Path(__file__).with_name("aliases_script.py")
_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class PortedRepository:
    """``files`` counts what was written; ``unmapped`` are aliases without a RID; ``left_behind`` tests with reasons."""

    folder: str
    entry: str
    packages: tuple[str, ...]
    files: int
    unmapped: tuple[str, ...]
    left_behind: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "folder": self.folder,
            "entry": self.entry,
            "packages": list(self.packages),
            "files": self.files,
            "unmapped": list(self.unmapped),
            "left_behind": list(self.left_behind),
        }


@dataclass(frozen=True)
class _Target:
    folder: str
    title: str
    template: str
    packages: tuple[str, ...]
    entry_module: str


def port(repository: Path, out: Path, rids: Mapping[str, str], source: str | None = None) -> list[PortedRepository]:
    """Writes the trees below ``out`` after proving that each can be imported on its own.

    Args:
        repository: the folder that holds ``transforms-python``.
        out: a folder that is empty, missing, or was written by this function before.
        rids: alias -> RID.
        source: the sub-project to port, where several declare a pipeline.

    Raises:
        ForeignFolderError, EditedFilesError: ``out`` holds something else; nothing was written.
        GuestNotFoundError, GuestFileError, RecipeError, DiscoveryFailedError: the guest cannot be read or imported.
    """
    refuse_foreign(out)
    guest = find_guest(repository, source)
    found = {module.name: module for module in modules(guest.source_root)}
    trees: dict[str, bytes] = {}
    ported = []
    for target in _targets(guest, found):
        files, summary = _repository(repository, guest, found, target, rids)
        trees |= {f"{target.folder}/{path}": content for path, content in files.items()}
        ported.append(summary)
    write_folder(out, trees)
    return ported


def _targets(guest: Guest, found: Mapping[str, Module]) -> list[_Target]:
    published = discovered_packages(found[guest.module], guest.attribute)
    plain = tuple(name for name in published if name not in (_TRAINING, _ADAPTERS))
    targets = [
        _Target("transforms-repository", "Transforms repository", "Python transforms", plain, guest.module),
    ]
    if _TRAINING in published:
        packages = (_ADAPTERS, _TRAINING) if _ADAPTERS in found else (_TRAINING,)
        entry = f"{_TRAINING}.pipeline"
        targets.append(
            _Target("model-training-repository", "Model training repository", "Model training", packages, entry)
        )
    return targets


def _repository(
    repository: Path, guest: Guest, found: Mapping[str, Module], target: _Target, rids: Mapping[str, str]
) -> tuple[dict[str, bytes], PortedRepository]:
    source = "transforms-python/src"
    recipe = guest.source_root.parent / "conda_recipe" / "meta.yaml"
    if not recipe.is_file():
        raise RecipeError(str(recipe), "there is no such file.")
    names = needed(found, target.packages, leave_out={guest.module})
    code = {found[name].file: found[name].text.encode() for name in names}
    published = [package for package in target.packages if package != _ADAPTERS]
    code[f"{target.entry_module.replace('.', '/')}.py"] = pipeline_module(published, guest.attribute).encode()
    resources = _resources(guest.source_root, code)
    tests = ported_tests(repository / "tests", target.packages, names, provided_imports(recipe), whole=guest.module)
    suffixes = sorted({Path(file).suffix for file in resources})
    files = {f"{source}/{file}": content for file, content in (code | resources).items()}
    files |= {f"{source}/test/{file}": text.encode() for file, text in tests.files.items()}
    files |= {
        f"{source}/setup.py": template.setup_py(target.entry_module, guest.attribute, suffixes).encode(),
        f"{source}/setup.cfg": template.SETUP_CFG.encode(),
        f"{source}/pytest.ini": template.PYTEST_INI.encode(),
        f"{source}/test/conftest.py": template.CONFTEST.encode(),
        "transforms-python/build.gradle": template.BUILD_GRADLE.encode(),
        "transforms-python/conda_recipe/meta.yaml": recipe.read_bytes(),
    }
    tops = sorted({name.partition(".")[0] for name in found})
    aliases = _aliases(files, source, [target.entry_module, guest.attribute, *tops])
    known = {alias: rids.get(alias, alias) for alias in aliases if alias in rids or alias.startswith("ri.")}
    unmapped = [alias for alias in aliases if alias not in known]
    files["transforms-shrinkwrap.yml"] = template.shrinkwrap(
        [(alias, aliases[alias], rid) for alias, rid in known.items()]
    ).encode()
    guests = sorted({name.partition(".")[0] for name in names} - set(target.packages))
    notes = template.porting_notes(
        target.title,
        target.template,
        target.entry_module,
        guest.attribute,
        _code_notes(target.packages, guests),
        unmapped,
        tests.left_behind,
    )
    files["PORTING.md"] = notes.encode()
    entry = f"{target.entry_module}:{guest.attribute}"
    summary = PortedRepository(
        target.folder, entry, target.packages, len(files), tuple(unmapped), tuple(tests.left_behind)
    )
    return files, summary


def _code_notes(packages: tuple[str, ...], borrowed: list[str]) -> str:
    own = f"Made for {', '.join(f'`{name}`' for name in packages)}."
    if not borrowed:
        return own
    names = ", ".join(f"`{name}`" for name in borrowed)
    return (
        f"{own} Of {names} only the modules that these import are copied along; change them where they come\n"
        "from and port again, or publish them as a library and require it in both recipes."
    )


def _resources(source_root: Path, code: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files other than Python that lie in the folders of the code, such as profiles in YAML."""
    found = {}
    for folder in sorted({Path(file).parent for file in code}):
        for path in sorted((source_root / folder).glob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                found[path.relative_to(source_root).as_posix()] = path.read_bytes()
    return found


def _aliases(files: Mapping[str, bytes], source: str, arguments: list[str]) -> dict[str, list[str]]:
    """Alias -> modes, as the tree itself declares them when imported with nothing else of this repository beside it."""
    with tempfile.TemporaryDirectory(prefix="mirror-port-") as temporary:
        folder = Path(temporary).resolve()
        for path, content in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        environment = os.environ | {"PYTHONPATH": str(Path(folder, source)), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, str(_SCRIPT), *arguments],
            cwd=folder / source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
    text = done.stdout.rpartition("\naliases: ")[2]
    if done.returncode or not text:
        said = next(
            (line for line in reversed(done.stderr.splitlines()) if line.strip()), f"it ended with {done.returncode}"
        )
        raise DiscoveryFailedError(":".join(arguments[:2]), said)
    found: dict[str, list[str]] = json.loads(text)
    return found
