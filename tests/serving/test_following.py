"""The version that answers follows the release: first, next, broken, back; and nothing taken on is lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirror.datasets.errors import CatalogBusyError
from mirror.serving import Limits
from mirror.serving.follower import Follower, Trouble
from mirror.serving.metrics import Metrics

from .conftest import PROBE, Live, Probe, Site, Unloadable, connect, serving


@pytest.fixture
def unbroken() -> Iterator[None]:
    yield
    Unloadable.broken = False


def test_readiness_is_false_until_something_is_released_and_loaded(site: Site) -> None:
    path = "/Fleet/unit/models/probe_late"
    rid = site.publish(5.0, path)
    with serving(site, path) as live:
        live.until(lambda: live.server.parts.follower.trouble is not None)
        waiting = live.client.get("/health/ready")
        assert (waiting.status_code, waiting.json()["ready"], waiting.json()["serving"]) == (503, False, None)
        assert f"mirror models release {path} --to production" in waiting.json()["trouble"]["reason"]
        assert live.client.get("/health/live").status_code == 200
        refused = live.ask()
        assert (refused.status_code, refused.json()["errorName"]) == (503, "LiveDeploymentNotReady")
        assert refused.headers["retry-after"] == "5"
        assert live.client.get("/openapi.json").status_code == 503
        site.release(rid, path)
        live.until(lambda: live.client.get("/health/ready").status_code == 200)
        told = live.client.get("/health/ready").json()
        assert (told["trouble"], told["serving"]["version_rid"], told["serving"]["release"]) == (None, rid, 1)
        assert live.ask().json()["df_out"][0]["level"] == 5.0


@pytest.mark.nightly
def test_releases_under_load_change_the_version_and_fail_no_request(site: Site, unbroken: None) -> None:
    """Forward, back, to one that cannot be loaded, and to that one once it can."""
    path = "/Fleet/unit/models/probe_swapped"
    first, second, broken = site.publish(1.0, path), site.publish(2.0, path), site.publish(3.0, path, Unloadable)
    site.release(first, path)
    with serving(site, path) as live:
        follower = live.server.parts.follower
        live.until(lambda: follower.served is not None)
        found: list[tuple[int, str, float]] = []
        enough = threading.Event()

        def ask() -> None:
            with connect(live.server) as client:
                while not enough.is_set():
                    answer = live.ask(client=client)
                    level = answer.json().get("df_out", [{"level": -1.0}])[0]["level"]
                    found.append((answer.status_code, answer.headers.get("x-model-version", ""), level))

        def answered_by(rid: str) -> None:
            live.until(lambda: found[-1:] != [] and found[-1][1] == rid)

        with ThreadPoolExecutor(3) as pool:
            asking = [pool.submit(ask) for _ in range(3)]
            try:
                answered_by(first)
                site.release(second, path)
                answered_by(second)
                site.rollback(path)
                answered_by(first)
                Unloadable.broken = True
                site.release(broken, path)
                reason = "RuntimeError: the library of this artefact is gone"
                live.until(lambda: follower.trouble == Trouble("1.2.0", reason))
                told = live.client.get("/health/ready")
                assert (told.status_code, told.json()["serving"]["version_rid"]) == (200, first)
                assert told.json()["trouble"] == {"version": "1.2.0", "reason": reason}
                assert "mirror_live_behind 1\n" in live.client.get("/metrics").text
                answered_by(first)
                # it is tried again, later and later, and taken up once it can be
                live.until(lambda: _count(live, "load_failures_total") >= 2)
                Unloadable.broken = False
                answered_by(broken)
            finally:
                enough.set()
            for future in asking:
                future.result()
        assert follower.trouble is None
        assert _count(live, "swaps_total") == 4
    assert {status for status, _, _ in found} == {200}
    assert {(rid, level) for _, rid, level in found} == {(first, 1.0), (second, 2.0), (broken, 3.0)}


def follower(site: Site, path: str) -> Follower:
    """One that looks when it is told to."""
    return Follower(site.governance, site.deployment(path), Limits(poll_seconds=60.0), Metrics())


def test_an_artefact_that_was_changed_is_not_even_opened(site: Site) -> None:
    path = "/Fleet/unit/models/probe_tampered"
    first, second = site.publish(1.0, path), site.publish(2.0, path)
    site.release(first, path)
    site.release(second, path)
    _, version = site.governance.registry.by_rid(second)
    file = Path(site.workspace.storage.root, version.location)
    file.write_bytes(file.read_bytes().replace(b"2.0", b"9.0"))
    following = follower(site, path)
    following.look()
    assert following.served is None
    assert following.trouble is not None
    assert "is not what was published: sha256" in following.trouble.reason
    # a failure is not tried again before its time, and another release is taken up at once
    file.unlink()
    following.look()
    assert "is not what was published" in following.trouble.reason
    site.rollback(path)
    following.look()
    assert following.served is not None
    assert (following.served.version.rid, following.trouble) == (first, None)


def test_a_halted_model_answers_nobody_until_it_is_resumed(site: Site) -> None:
    path = "/Fleet/unit/models/probe_halted"
    site.release(site.publish(4.0, path), path)
    with serving(site, path) as live:
        live.until(lambda: live.ask().status_code == 200)
        site.governance.halt(path, actor="night", reason="PSI above 1")
        live.until(lambda: live.ask().status_code == 503)
        told = live.ask().json()
        assert told["errorName"] == "LiveDeploymentNotReady"
        assert "halted by night: PSI above 1" in str(told["parameters"])
        assert live.client.get("/health/ready").status_code == 503
        assert live.client.get("/health/live").status_code == 200
        site.governance.resume(path, actor="ada", approved_by=["Ada"], reason="corrected")
        live.until(lambda: live.ask().status_code == 200)
        assert live.ask().json()["df_out"][0]["level"] == 4.0


def test_going_back_to_what_still_serves_loads_nothing(site: Site, unbroken: None) -> None:
    path = "/Fleet/unit/models/probe_back"
    first, second = site.publish(1.0, path), site.publish(2.0, path, Unloadable)
    site.release(first, path)
    following = follower(site, path)
    following.look()
    assert following.served is not None
    adapter = following.served.adapter
    Unloadable.broken = True
    site.release(second, path)
    following.look()
    assert following.trouble is not None
    site.rollback(path)
    following.look()
    assert (following.trouble, following.served.release.number) == (None, 3)
    assert following.served.adapter is adapter


def test_a_model_of_spark_tables_is_refused_with_the_reason(site: Site) -> None:
    path = "/Fleet/unit/models/probe_spark"
    site.release(site.publish(1.0, path, OnSpark), path)
    following = follower(site, path)
    following.look()
    assert following.trouble is not None
    expected = f"{path} 1.0.0 cannot be served live: 'df_in' is declared as a Spark table"
    assert following.trouble.reason.startswith(expected)


def test_a_catalog_that_cannot_be_read_leaves_what_serves(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    following = follower(site, PROBE)
    following.look()
    served = following.served
    assert served is not None

    def away(*_: object) -> None:
        raise CatalogBusyError("catalog", 5.0)

    with monkeypatch.context() as patched:
        patched.setattr(site.governance, "in_force", away)
        following.look()
    assert following.served is served
    assert following.trouble is not None
    assert following.trouble.reason.startswith("the releases cannot be read: ")
    following.look()
    assert following.trouble is None


class OnSpark(Probe):
    @classmethod
    def api(cls) -> object:
        import palantir_models as pm

        return {"df_in": pm.Spark()}, {"df_out": pm.Spark()}


def test_stopping_answers_what_was_taken_on(site: Site, gate: threading.Event) -> None:
    with ThreadPoolExecutor(3) as pool, contextlib.ExitStack() as stack:
        live: Live = stack.enter_context(serving(site, workers=1))
        live.until(lambda: live.server.parts.follower.served is not None)
        clients = [stack.enter_context(connect(live.server)) for _ in range(3)]
        asked = [pool.submit(live.ask, {"x": n}, mode="wait", client=c) for n, c in enumerate(clients)]
        line = live.server.parts.line
        live.until(lambda: (line.running, line.waiting) == (1, 2))
        live.server.stop()
        live.until(lambda: not live.server.accepting)
        gate.set()
        answers = [future.result() for future in asked]
    assert [(a.status_code, a.json()["df_out"][0]["x"]) for a in answers] == [(200, 0.0), (200, 1.0), (200, 2.0)]


def _count(live: Live, name: str) -> int:
    text = live.client.get("/metrics").text
    return int(next(line for line in text.splitlines() if line.startswith(f"mirror_live_{name} ")).split()[1])
