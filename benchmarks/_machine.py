"""What a ratio was measured with: without it nobody can repeat the figure."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("pyspark", "pandas", "pyarrow", "numpy", "scikit-learn", "sqlalchemy")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def describe() -> dict[str, str]:
    """Versions and machine as text, in the order they are printed."""
    from mirror.java import find_java

    java = find_java()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}",
        "load": load,
        "python": platform.python_version(),
        "java": java.version,
        **{name: _package(name) for name in _PACKAGES},
    }
