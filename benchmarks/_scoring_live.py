"""One row at a time over HTTP, and four connections that never rest, against the bare model in this process."""

from __future__ import annotations

import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks import Bench, Figure

if TYPE_CHECKING:
    from model_adapters.isolation_forest import IsolationForestAdapter

MODEL = "/Bench/models/isolation_forest"
OBJECTIVES = "objectives:\n  isolation_forest: {model: /Bench/models/isolation_forest, owner: bench}\n"
TREES, FEATURES, TRAINED_ON = 200, 45, 20_000
REQUESTS = 500
SUSTAINED, CONNECTIONS = 1_000, 4

_CLIENT = """
import http.client, json, sys, threading
host, path, body, requests, connections = json.loads(sys.stdin.readline())
wrong = []
def ask(count):
    connection = http.client.HTTPConnection(host)
    for _ in range(count):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            wrong.append(answer.status)
threads = [threading.Thread(target=ask, args=(requests // connections,)) for _ in range(connections)]
[t.start() for t in threads]
[t.join() for t in threads]
sys.exit(f"answers other than 200: {wrong[:5]}" if wrong else 0)
"""


def live(bench: Bench) -> Iterator[Figure]:
    """``live_p50``, ``live_p99`` and ``live_sustained``."""
    adapter = _forest()
    home = bench.scratch / "live"
    _release(home, adapter)
    row = {"device_id": "d", "window_start": "2026-01-05T06:00:00", "window_end": "2026-01-05T06:15:00"}
    body = json.dumps({"df_in": [{**row, **{f"feature_{n}": n / FEATURES for n in range(FEATURES)}}]})
    requests = max(20, int(REQUESTS * bench.size))
    with _server(home) as url:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)

        def ask() -> list[dict[str, Any]]:
            connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            found: list[dict[str, Any]] = json.loads(text)["df_out"]
            return found

        def bare() -> list[dict[str, Any]]:
            return _bare(adapter, body)

        assert ask()[0]["anomaly_score"] == bare()[0]["anomaly_score"]
        for _ in range(20):
            ask(), bare()
        times: dict[str, list[tuple[float, float]]] = {"p50": [], "p99": []}
        for number in range(bench.rounds):
            ours, theirs = _in_turn(ask, bare, requests)
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                times[name].append((_quantile(ours, share), _quantile(theirs, share)))
            texts = (f"{name} {a * 1e3:.1f} ms / {b * 1e3:.1f} ms" for name, ((*_, (a, b))) in times.items())
            bench.say(f"scoring.live round {number + 1}: {', '.join(texts)}")
        for name, limit in (("p50", 5.0), ("p99", 10.0)):
            yield bench.share(f"live_{name}", *zip(*times[name], strict=True), limit=limit)  # type: ignore[arg-type]
        count = max(CONNECTIONS, int(SUSTAINED * bench.size))
        order = json.dumps([parts.netloc, parts.path, body, count, CONNECTIONS]) + "\n"

        def sustained() -> None:
            subprocess.run([sys.executable, "-c", _CLIENT], input=order, text=True, check=True)

        yield bench.compare("live_sustained", a=sustained, b=lambda: [bare() for _ in range(count)], rounds=3)


def _forest() -> IsolationForestAdapter:
    import numpy as np
    from sklearn.ensemble import IsolationForest

    from model_adapters.isolation_forest import IsolationForestAdapter

    rows = np.random.default_rng(42).normal(size=(TRAINED_ON, FEATURES))
    forest = IsolationForest(n_estimators=TREES, max_samples=256, random_state=42, n_jobs=1).fit(rows)
    constants: Any = {
        "model_id": "isolation_forest_v1",
        "feature_names": [f"feature_{n}" for n in range(FEATURES)],
        "medians": [0.0] * FEATURES,
        "scales": [1.0] * FEATURES,
        "raw_min": -0.2,
        "raw_max": 0.2,
        "threshold": 0.6,
    }
    return IsolationForestAdapter(forest, constants)


def _release(home: Path, adapter: IsolationForestAdapter) -> None:
    from mirror.datasets import Workspace
    from mirror.models import Governance
    from mirror.models.notebook import WorkspaceHost
    from palantir_models.publishing import WritableModel

    (home / "repository" / "ci").mkdir(parents=True)
    (home / "repository" / "ci" / "objectives.yml").write_text(OBJECTIVES)
    with Workspace.create(home / "workspace", repository=home / "repository") as workspace:
        host = WorkspaceHost(workspace)
        port = host.write(MODEL)
        WritableModel(port).publish(adapter)
        host.commit(port)
        governance = Governance(workspace)
        governance.submit(MODEL, owner="bench", branch="master")
        for to in ("staging", "production"):
            governance.release(MODEL, to=to, actor="bench", approved_by=["bench"], reason="measure")


@contextlib.contextmanager
def _server(home: Path) -> Iterator[str]:
    """The v2 address of ``mirror serve`` in a process of its own."""
    command = [sys.executable, "-c", "from mirror.cli import main; main()", "--workspace", str(home / "workspace")]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--json", "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        while not _ready(said["url"]):
            time.sleep(0.05)
        yield said["v2"]
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=10):  # noqa: S310 - our own server
            return True
    except OSError:
        return False


def _bare(adapter: IsolationForestAdapter, body: str) -> list[dict[str, Any]]:
    import pandas as pd

    frame = adapter.predict(pd.DataFrame(json.loads(body)["df_in"]))
    found: list[dict[str, Any]] = json.loads(json.dumps(frame.to_dict("records")))
    return found


def _in_turn(a: Callable[[], object], b: Callable[[], object], count: int) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            start = time.perf_counter()
            (a, b)[side]()
            found[side].append(time.perf_counter() - start)
    return found


def _quantile(seconds: list[float], share: float) -> float:
    return statistics.quantiles(seconds, n=1000, method="inclusive")[round(share * 1000) - 1]
