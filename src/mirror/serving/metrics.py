"""Counts and times as Prometheus reads them. Labels come from fixed sets, so callers cannot make their number grow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

PREFIX = "mirror_live"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_HELP = {
    "requests_total": "Requests by endpoint and status.",
    "request_seconds": "Time from a request's head to its answer.",
    "swaps_total": "Versions taken up.",
    "load_failures_total": "Attempts to take up a version that failed; the earlier one serves on.",
    "catalog_failures_total": "Looks at the releases that failed.",
    "history_dropped_total": "Requests that are missing in the inference history.",
    "requests_running": "Requests that are computed now.",
    "requests_waiting": "Requests in line.",
    "workers_stuck": "Threads given up because their model did not return.",
    "body_bytes_held": "Bytes of request bodies in memory.",
    "ready": "1 when a version is loaded and a worker is left.",
    "behind": "1 when the version in force could not be taken up.",
    "model_info": "The version that serves.",
}


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        for name in ("swaps_total", "load_failures_total", "catalog_failures_total", "history_dropped_total"):
            self._counts[name, ()] = 0

    def count(self, name: str, **labels: str) -> None:
        """One more."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += 1

    def observe(self, endpoint: str, seconds: float) -> None:
        """How long one request took."""
        with self._lock:
            buckets = self._buckets.setdefault(endpoint, [0] * (len(BUCKETS) + 1))
            buckets[next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))] += 1
            self._seconds[endpoint] += seconds  # type: ignore[assignment]

    def text(self, gauges: Mapping[str, float], info: Mapping[str, str] | None) -> str:
        """The exposition format, version 0.0.4.

        Args:
            gauges: values of the moment by name.
            info: labels of ``model_info``.
        """
        with self._lock:
            counts, seconds = sorted(self._counts.items()), dict(self._seconds)
            buckets = {name: list(found) for name, found in sorted(self._buckets.items())}
        lines: list[str] = []
        for name in dict.fromkeys(name for (name, _), _ in counts):
            lines += _head(name, "counter")
            lines += [_line(name, dict(labels), value) for (other, labels), value in counts if other == name]
        lines += _head("request_seconds", "histogram")
        for endpoint, found in buckets.items():
            total = 0
            for bound, number in zip((*map(str, BUCKETS), "+Inf"), found, strict=True):
                total += number
                lines.append(_line("request_seconds_bucket", {"endpoint": endpoint, "le": bound}, total))
            lines.append(_line("request_seconds_sum", {"endpoint": endpoint}, seconds[endpoint]))
            lines.append(_line("request_seconds_count", {"endpoint": endpoint}, total))
        for name, value in gauges.items():
            lines += [*_head(name, "gauge"), _line(name, {}, value)]
        if info is not None:
            lines += [*_head("model_info", "gauge"), _line("model_info", info, 1)]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str) -> list[str]:
    return [f"# HELP {PREFIX}_{name} {_HELP[name]}", f"# TYPE {PREFIX}_{name} {kind}"]


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    spelled = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{PREFIX}_{name}{{{spelled}}} {value}" if spelled else f"{PREFIX}_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
