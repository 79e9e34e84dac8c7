"""The harness on sides that cost nothing: order, ratio, spread, limits, output; time comes from a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pyspark
import pytest
from benchmarks.__main__ import entries, main

import benchmarks
from benchmarks import Bench, Figure


def clock(durations: list[float]) -> Callable[[], float]:
    """A timer whose n-th pair of looks is ``durations[n]`` apart."""
    now = 0.0
    looks: list[float] = []
    for seconds in durations:
        looks += [now, now + seconds]
        now += seconds + 100.0
    ticks: Iterator[float] = iter(looks)
    return lambda: next(ticks)


@pytest.mark.nightly
def test_pairs_swap_their_order_and_the_warm_up_does_not_count(tmp_path):
    order: list[str] = []
    turns: list[int] = []
    # Warm-up a, b; then b, a; then a, b; then b, a.
    timer = clock([50.0, 1.0, 2.0, 3.0, 4.0, 1.0, 5.0, 10.0])
    bench = Bench("entry", tmp_path, 3, timer=timer)
    figure = bench.compare("name", lambda: order.append("a"), lambda: order.append("b"), limit=1.0, setup=turns.append)
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert turns == list(range(8))
    # Ratios a / b: 3/2, 4/1, 10/5.
    assert figure == Figure("entry.name", 2.0, 1.0, pytest.approx(1.25), 3)
    assert not figure.within
    assert figure.to_json() == {"name": "entry.name", "ratio": 2.0, "limit": 1.0, "spread": 1.25, "n": 3}


@pytest.mark.nightly
def test_a_figure_may_be_measured_by_another_timer(tmp_path):
    bench = Bench("entry", tmp_path, 1, timer=clock([]))
    figure = bench.compare("name", lambda: None, lambda: None, warm_up=0, timer=clock([6.0, 4.0]))
    assert figure.ratio == 1.5


@pytest.mark.nightly
def test_a_side_may_ask_for_fewer_rounds_and_never_gets_more(tmp_path):
    calls: list[str] = []
    bench = Bench("entry", tmp_path, 2)
    fewer = bench.compare("f", lambda: calls.append("a"), lambda: calls.append("b"), rounds=1, warm_up=0)
    more = bench.compare("m", lambda: calls.append("a"), lambda: calls.append("b"), rounds=9, warm_up=0)
    assert (fewer.n, more.n, len(calls)) == (1, 2, 6)
    assert fewer.spread == 0.0
    assert fewer.within
    with pytest.raises(ValueError, match="at least 1"):
        Bench("entry", tmp_path, 0)


def test_shares_are_part_over_whole(tmp_path):
    figure = Bench("entry", tmp_path, 1).share("s", [1.0, 3.0, 2.0], [4.0, 4.0, 4.0], limit=0.6)
    assert (figure.ratio, figure.spread, figure.n, figure.within) == (0.5, 0.25, 3, True)


def test_a_measured_process_that_fails_is_loud(tmp_path):
    bench = Bench("entry", tmp_path, 1)
    with pytest.raises(RuntimeError, match="ended with 3"):
        bench.python("import sys; print('why', file=sys.stderr); sys.exit(3)")()


def test_every_entry_keeps_the_protocol():
    found = entries()
    assert {"build_overhead", "session_start", "suite_split"} <= set(found)
    folder = Path(benchmarks.__file__).parent
    for name in found:
        text = (folder / f"{name}.py").read_text()
        assert text.startswith('"""'), f"{name}: the first line says what is measured"
        assert "def run(bench: Bench) -> Iterator[Figure]:" in text, f"{name}: no run(bench)"


@pytest.fixture
def toy(monkeypatch):
    module = ModuleType("benchmarks.toy", "What a toy costs.\n\nMore.")
    module.run = lambda bench: iter(
        [Figure(f"{bench.entry}.fine", bench.size / 2, 1.0, 0.1, bench.rounds), Figure("t.b", 2.0, 1.5, 0.0, 1)]
    )
    monkeypatch.setitem(__import__("sys").modules, "benchmarks.toy", module)
    monkeypatch.setattr("benchmarks.__main__.entries", lambda: ["toy"])


def test_json_is_one_line_per_figure_and_a_broken_limit_is_the_exit_code(toy, capsys):
    assert main(["toy", "--json", "--rounds", "4"]) == 1
    streams = capsys.readouterr()
    assert [json.loads(line) for line in streams.out.splitlines()] == [
        {"name": "toy.fine", "ratio": 0.5, "limit": 1.0, "spread": 0.1, "n": 4},
        {"name": "t.b", "ratio": 2.0, "limit": 1.5, "spread": 0.0, "n": 1},
    ]
    assert f"pyspark  {pyspark.__version__}" in streams.err
    assert "cores" in streams.err
    # a small run shows that everything works; no promise is made of it
    assert main(["toy", "--json", "--size", "0.5"]) == 0
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(figure["ratio"], figure["limit"]) for figure in figures] == [(0.25, None), (2.0, None)]


@pytest.mark.nightly
def test_people_read_a_table_and_unknown_names_get_a_hint(toy, capsys):
    assert main(["all"]) == 1
    out = capsys.readouterr().out
    assert "EXCEEDED  (What a toy costs.)" in out
    with pytest.raises(SystemExit) as unknown:
        main(["tyo"])
    assert unknown.value.code == 2
    assert "Did you mean 'toy'?" in capsys.readouterr().err
