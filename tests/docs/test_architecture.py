"""The page on the architecture says what the code is: rooms, arrows, names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in SETTINGS["tool"]["importlinter"]["contracts"]}


def drawn(line: str) -> list[set[str]]:
    """``a < b, c``: who stands above whom, lowest first."""
    return [set(re.findall(r"[a-z_]+", layer)) for layer in line.split("<")]


def enforced(name: str) -> list[set[str]]:
    return [set(re.findall(r"[a-z_]+", layer)) for layer in reversed(CONTRACTS[name]["layers"])]


def test_the_arrows_are_those_that_lint_imports_enforces() -> None:
    (platform,) = re.findall(r"^lower to higher: (.*)$", PAGE, re.MULTILINE)
    known_by_all = {"errors", "java", "clock", "located", "spark"}
    assert drawn(platform) == [layer for layer in enforced("Rooms know only lower rooms") if not layer & known_by_all]
    (everybodys,) = re.findall(r"^(mirror\.errors, .*): known by every room$", PAGE, re.MULTILINE)
    assert set(re.findall(r"mirror\.(\w+)", everybodys)) == known_by_all
    (guest,) = re.findall(r"^(profiles < .*)$", PAGE, re.MULTILINE)
    assert drawn(guest) == enforced("A reading goes one way through the fleet's rooms")


def test_every_room_and_library_has_its_line() -> None:
    house = PAGE.split("## The house", 1)[1].split("\nArrows", 1)[0]
    rooms = {path.parent.name for path in (ROOT / "src" / "mirror").glob("*/__init__.py")}
    assert {f"`src/mirror/{room}/`" for room in rooms} == set(re.findall(r"`src/mirror/\w+/`", house))
    shim = ROOT / "shims" / "transforms-mock" / "src"
    assert [path.name for path in shim.iterdir() if path.name != "__pycache__" and f"`{path.name}`" not in house] == []


def test_every_name_it_uses_is_a_name_of_the_code() -> None:
    folders = [ROOT / name for name in ("src", "shims", "transforms-python", "ci", "health", "benchmarks")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".yaml", ".yml")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    known = set(re.findall(r"\w+", code)) | {part for path in files for part in path.relative_to(ROOT).parts}
    known |= {path.stem for path in files} | set(re.findall(r"\w+", (ROOT / "Makefile").read_text(encoding="utf-8")))
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    shown = set(re.findall(r"`([^`\n]+)`", PAGE)) | set(re.findall(r"\b([A-Za-z_]+)\(", blocks))
    words = {word for text in shown for word in re.findall(r"[A-Za-z_]\w{3,}", text)}
    assert sorted(words - known) == []
