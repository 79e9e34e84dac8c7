"""The conda recipe that Foundry installs and the lock file used here name the same versions."""

from __future__ import annotations

import re
from pathlib import Path

from mirror.datasets.guest import find_source_root
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some

# Foundry's own, served here by the shim; and what conda counts as a package but pip does not.
_FOUNDRY = ("python", "setuptools", "transforms", "palantir", "foundry", "pyspark", "external-systems")


def examine(case: ReviewCase) -> Answer:
    recipe = find_source_root(case.repository).parent / "conda_recipe" / "meta.yaml"
    lock = case.repository / "requirements.lock"
    link = f"{recipe.relative_to(case.repository).as_posix()}, requirements.lock"
    for file in (recipe, lock):
        if not file.is_file():
            return Answer(
                Verdict.NOT_MET, f"{file.name} is missing", link, "Write it: builds are not repeatable without."
            )
    locked = {
        _canonical(found[1]): found[2]
        for text in lock.read_text(encoding="utf-8").splitlines()
        if (found := re.match(r"([A-Za-z0-9_.\-]+)==([^ ;\\]+)", text))
    }
    required = {_canonical(name): version for name, version in _run_section(recipe)}
    ours = {name: version for name, version in required.items() if not name.startswith(_FOUNDRY)}
    wrong = [
        f"{name} is {version or 'unpinned'} in the recipe and {locked.get(name, 'absent')} in the lock"
        for name, version in sorted(ours.items())
        if locked.get(name) != version
    ]
    if wrong:
        return Answer(Verdict.NOT_MET, some(wrong), link, "Pin the same version in both files.")
    return Answer(Verdict.MET, f"{len(ours)} packages at equal versions", link)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run_section(recipe: Path) -> list[tuple[str, str]]:
    import yaml

    text = re.sub(r"\{\{.*?\}\}", "X", re.sub(r"\{%.*?%\}", "", recipe.read_text(encoding="utf-8")))
    requirements = yaml.safe_load(text)["requirements"]
    entries = [*requirements["run"], *(requirements.get("pip") or [])]
    parts = [re.split(r"[ =]+", str(entry), maxsplit=1) for entry in entries]
    return [(part[0], part[1] if len(part) > 1 else "") for part in parts]
