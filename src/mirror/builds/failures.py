"""What a failed transform, or a module that cannot be imported, tells its author: place, kind, text and a way out.

Spark wraps an error of a Python worker into pages of Java; what helps is the last Python traceback inside.
"""

from __future__ import annotations

import importlib.util
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from mirror.errors import nearest

_LONGEST = 2000
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_PYTHON = re.compile(
    r"Traceback \(most recent call last\):\n(?P<frames>(?:[ \t]+.*\n|\n)+)"
    r"(?P<kind>[\w.]+)(?:: (?P<text>.*(?:\n(?!\s+at |\n|\t).*)*))?"
)
_JAVA = (
    re.compile(r"^Caused by: (?P<kind>[\w.$]+): (?P<text>.*)$", re.MULTILINE),
    re.compile(r"executor \w+\): (?P<kind>[\w.$]+): (?P<text>.*)$", re.MULTILINE),
    re.compile(r"^: (?P<kind>[\w.$]+): (?P<text>.*)$", re.MULTILINE),
)
_NO_SESSION = ("SparkContext or SparkSession should be created first", "'NoneType' object has no attribute '_jvm'")
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "fitz": "PyMuPDF",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "osgeo": "GDAL",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Import names that differ from what pip installs."""

_OF_FOUNDRY = (
    "foundry", "palantir", "transforms", "functions", "vector", "code_workbook", "conjure_python_client",
)  # fmt: skip


def told(error: BaseException, root: Path) -> tuple[str | None, str, str]:
    """``file:line`` inside ``root`` or ``None``, the error's kind, and its text.

    For an error of a Python worker, those of the worker's own traceback.
    """
    said = str(error).strip()
    place, kind = place_of(error, root), type(error).__name__
    if kind in ("Py4JJavaError", "PythonException"):
        if tracebacks := list(_PYTHON.finditer(said + "\n")):
            last = tracebacks[-1]
            frames = [f for f in _FRAME.finditer(last["frames"]) if Path(f["file"]).is_relative_to(root)]
            place = f"{frames[-1]['file']}:{frames[-1]['line']}" if frames else place
            kind, said = last["kind"].rpartition(".")[2], (last["text"] or "").strip()
            said += _missing(last["kind"], said)
        elif java := next((found[-1] for pattern in _JAVA if (found := list(pattern.finditer(said)))), None):
            kind, said = java["kind"].rpartition(".")[2], java["text"]
    else:
        said = said.split("\nJVM stacktrace", 1)[0] + way_out(error, root)
    return place, kind, said[:_LONGEST] or "no message"


def place_of(error: BaseException, root: Path) -> str | None:
    """``file:line`` of the innermost frame inside ``root``; for a syntax error, where it is."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(root)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def text_of(error: BaseException, root: Path) -> str:
    """What an error at import says, with its type where the text alone does not tell, and a way out where there is
    one.
    """
    said, way = str(error).strip(), way_out(error, root)
    if isinstance(error, SyntaxError | ImportError):
        return said + way
    return f"{type(error).__name__}: {said or way.strip() or 'no message'}{way if said else ''}"


def way_out(error: BaseException, root: Path) -> str:
    """A sentence to append, or an empty string: for a missing package, and for Spark used before there is a session."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _for_package(error.name, root)
    if _needs_session(error):
        return (
            " Column functions, windows and functions with a type given as text need a running session, which there"
            " is none at import, in Foundry neither: move the expression into the function"
        )
    return ""


def _needs_session(error: BaseException) -> bool:
    if any(sign in str(error) for sign in _NO_SESSION):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, AssertionError) and bool(frames) and "/pyspark/sql/" in frames[-1].filename


def _missing(kind: str, text: str) -> str:
    found = re.match(r"No module named '([\w.]+)'", text)
    return _for_package(found[1], None) if kind == "ModuleNotFoundError" and found else ""


def _served(package: str) -> list[str]:
    """The public modules below one of Foundry's packages that are served here."""
    spec = importlib.util.find_spec(package)
    found = []
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in Path(folder).rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            if not parts[-1].startswith("__"):
                found.append(".".join((package, *parts)))
            elif len(parts) > 1:
                found.append(".".join((package, *parts[:-1])))
    return [name for name in found if "._" not in name]


def _for_package(name: str, root: Path | None) -> str:
    package = name.partition(".")[0]
    if root is not None and package in set(_own(root)):
        return ""
    if package in _OF_FOUNDRY or package.startswith(("palantir_", "foundry_", "transforms_")):
        close = nearest(name, _served(package)).removeprefix(" Did you mean").rstrip("?")
        also = f", nearest:{close}" if close else ""
        return f". '{package}' belongs to Foundry; docs/fidelity.md lists what of it is served here{also}"
    wanted = _DISTRIBUTIONS.get(package, package)
    return f". Install it where mirror runs: pip install {wanted}; a library of your own: pip install its src folder"


def _own(root: Path) -> Iterator[str]:
    for entry in root.iterdir():
        yield entry.stem if entry.suffix == ".py" else entry.name
