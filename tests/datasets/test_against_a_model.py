"""Random histories against a small model in plain Python: views, branches, fallbacks, aborts, retention, garbage."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mirror.datasets import Dataset, TransactionType, Workspace
from mirror.datasets.collect import collect, find_garbage
from mirror.datasets.errors import AppendOverwritesError, TransactionOpenError, TransactionSweptError
from mirror.datasets.retention import plan_retirement, plan_sweep, retire, sweep
from mirror.datasets.rollback import rollback
from mirror.datasets.storage import open_stream
from mirror.datasets.verify import verify

NAMES = st.sampled_from(["a", "b", "c/d", "e f"])
BRANCHES = st.sampled_from(["master", "x", "y", "z"])
KINDS = st.sampled_from(["SNAPSHOT", "APPEND", "UPDATE", "DELETE"])


@dataclass
class Node:
    """A committed transaction of the model: what its view holds, and where it came from."""

    rid: str
    parent: Node | None
    kind: str
    view: dict[str, str]
    born: dict[str, int]
    number: int
    closed: datetime | None = None

    def chain(self) -> list[Node]:
        found, node = [], self
        while node is not None:
            found.append(node)
            node = node.parent  # type: ignore[assignment]
        return found

    def since_snapshot(self) -> list[Node]:
        found = []
        for node in self.chain():
            found.append(node)
            if node.kind == "SNAPSHOT":
                break
        return found


@dataclass
class Model:
    heads: dict[str, Node | None] = field(default_factory=dict)
    parents: dict[str, str | None] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    swept: set[str] = field(default_factory=set)


class Histories(RuleBasedStateMachine):
    """One dataset, driven at random."""

    root = ""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mirror-model-"))
        ticks = itertools.count()
        self.workspace = Workspace.create(
            self.folder / "w",
            repository=self.folder,
            storage={"root": f"{self.root}{self.folder.name}"} if self.root else None,
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)),
        )
        self.store = self.workspace.store
        self.dataset: Dataset = self.store.create("/d")
        self.model = Model()
        self.open: tuple[str, object] | None = None

    def teardown(self) -> None:
        if hasattr(self, "workspace"):
            self.workspace.close()
            shutil.rmtree(self.folder)

    @rule(
        branch=BRANCHES, fallback=BRANCHES, kind=KINDS, names=st.sets(NAMES, max_size=3), text=st.text("pq", max_size=3)
    )
    @precondition(lambda self: self.open is None)
    def write(self, branch: str, fallback: str, kind: str, names: set[str], text: str) -> None:
        model = self.model
        known = branch in model.heads
        source = branch if known else fallback
        head = model.heads.get(source)
        before = dict(head.view) if head else {}
        born = dict(head.born) if head else {}
        opened = self.store.open_transaction(self.dataset, branch, TransactionType(kind), fallbacks=(fallback,))
        if not known:
            model.heads[branch] = head
            model.parents[branch] = fallback if fallback in model.heads and fallback != branch else None
        if kind == "DELETE":
            names &= before.keys()
        for name in sorted(names):
            if kind == "DELETE":
                opened.remove(name)
            else:
                (self.folder / "source").write_text(text)
                opened.add(self.folder / "source", name)
        if kind == "APPEND" and names & before.keys():
            with pytest.raises(AppendOverwritesError):
                opened.commit()
            opened.abort()
            return
        committed = opened.commit()
        number = len(model.nodes)
        if kind == "SNAPSHOT":
            before, born = {}, {}
        for name in names:
            if kind == "DELETE":
                before.pop(name)
                born.pop(name)
            else:
                before[name], born[name] = text, number
        node = Node(committed.rid, head, kind, before, born, number, committed.closed_at)
        model.nodes.append(node)
        model.heads[branch] = node

    @rule(branch=BRANCHES)
    @precondition(lambda self: self.open is None)
    def begin(self, branch: str) -> None:
        known = branch in self.model.heads
        opened = self.store.open_transaction(self.dataset, branch, TransactionType.UPDATE)
        (self.folder / "source").write_text("uncommitted")
        opened.add(self.folder / "source", "a")
        if not known:
            self.model.heads[branch], self.model.parents[branch] = None, None
        self.open = (branch, opened)
        with pytest.raises(TransactionOpenError):
            self.store.open_transaction(self.dataset, branch, TransactionType.APPEND)

    @rule()
    @precondition(lambda self: self.open is not None)
    def abort(self) -> None:
        self.open[1].abort()  # type: ignore[index,attr-defined]
        self.open = None

    @rule(branch=BRANCHES, parent=BRANCHES, back=st.integers(0, 3))
    @precondition(lambda self: self.open is None)
    def fork(self, branch: str, parent: str, back: int) -> None:
        if branch in self.model.heads or parent not in self.model.heads:
            return
        head = self.model.heads[parent]
        chain = head.chain() if head else []
        at = chain[back] if back and back < len(chain) else None
        if at is not None and self.owners(at) & self.model.swept:
            return
        self.store.create_branch(self.dataset, branch, parent=parent, at=at.rid if at else None)
        self.model.heads[branch] = at or head
        self.model.parents[branch] = parent

    @rule(branch=BRANCHES)
    @precondition(lambda self: self.open is None)
    def unbranch(self, branch: str) -> None:
        if branch not in self.model.heads:
            return
        self.store.delete_branch(self.dataset, branch)
        above = self.model.parents.pop(branch)
        del self.model.heads[branch]
        for child, parent in self.model.parents.items():
            if parent == branch:
                self.model.parents[child] = above

    @rule(keep=st.integers(1, 3))
    def retain(self, keep: int) -> None:
        needed: set[str] = set()
        for head in self.model.heads.values():
            chain = head.chain() if head else []
            for _ in range(keep):
                if chain:
                    view = chain[0].since_snapshot()
                    needed |= {n.rid for n in view}
                    chain = chain[len(view) :]
        expected = {n.rid for n in self.model.nodes} - needed - self.model.swept
        plan = plan_sweep(self.store, self.dataset, keep_views=keep)
        assert {x.rid for x in plan.transactions} == expected
        sweep(self.store, plan)
        self.model.swept |= expected

    @rule(branch=BRANCHES, back=st.integers(0, 2))
    @precondition(lambda self: self.open is None)
    def retire_old(self, branch: str, back: int) -> None:
        head = self.model.heads.get(branch)
        if head is None or back >= len(head.chain()):
            return
        cut = head.chain()[back].closed
        assert cut is not None
        closed = {n.number: n.closed for n in self.model.nodes}
        old = {name for name, number in head.born.items() if closed[number] < cut}  # type: ignore[operator]
        planned = plan_retirement(self.store, self.dataset, branch, before=cut)
        done = retire(self.store, self.dataset, branch, before=cut)
        assert {f.path for f in done.files} == old
        assert (planned.files, planned.swept, planned.bytes) == (done.files, done.swept, done.bytes)
        assert (done.transaction is None) == (not old and not done.swept)
        if done.transaction is not None:
            view = {k: v for k, v in head.view.items() if k not in old}
            born = {k: v for k, v in head.born.items() if k not in old}
            node = Node(
                done.transaction.rid, head, "DELETE", view, born, len(self.model.nodes), done.transaction.closed_at
            )
            self.model.nodes.append(node)
            self.model.heads[branch] = node
        # Whoever wrote files before the cut that no branch shows any more.
        retired = {n.rid for n in head.since_snapshot() if n.closed < cut and n.number in n.born.values()}  # type: ignore[operator]
        for other in self.model.heads.values():
            retired -= self.owners(other) if other else set()
        assert set(done.swept) == retired - self.model.swept
        self.model.swept |= retired

    def owners(self, node: Node) -> set[str]:
        """The transactions whose bytes a view needs."""
        return {self.model.nodes[number].rid for number in node.born.values()}

    @rule(branch=BRANCHES, back=st.integers(0, 4))
    @precondition(lambda self: self.open is None)
    def roll_back(self, branch: str, back: int) -> None:
        head = self.model.heads.get(branch)
        chain = head.chain() if head else []
        if back >= len(chain):
            return
        if self.owners(chain[back]) & self.model.swept:
            with pytest.raises(TransactionSweptError):
                rollback(self.store, self.dataset, branch, chain[back].rid)
            return
        done = rollback(self.store, self.dataset, branch, chain[back].rid)
        assert [x.rid for x in done.undone] == [n.rid for n in reversed(chain[:back])]
        assert done.restored == ()
        self.model.heads[branch] = chain[back]

    @rule()
    def clean(self) -> None:
        collect(self.store)
        assert find_garbage(self.store) == ()

    @rule(pick=st.integers(0, 50))
    def travel(self, pick: int) -> None:
        for branch, head in self.model.heads.items():
            chain = head.chain() if head else []
            if not chain:
                continue
            node = chain[pick % len(chain)]
            if self.owners(node) & self.model.swept:
                with pytest.raises(TransactionSweptError):
                    self.store.view(self.dataset, branch, node.rid)
            else:
                assert self.content(branch, node.rid) == node.view

    @invariant()
    def every_view_is_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        assert {b.name: b.parent for b in self.store.branches(self.dataset)} == self.model.parents
        for branch, head in self.model.heads.items():
            assert self.content(branch) == (head.view if head else {})

    @invariant()
    def nothing_is_damaged(self) -> None:
        if hasattr(self, "store"):
            assert verify(self.store, checksums=False) == ()

    def content(self, branch: str, at: str | None = None) -> dict[str, str]:
        view = self.store.view(self.dataset, branch, at)
        return {e.path: open_stream(e, "r", encoding="utf-8").read() for e in view.entries}


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class HistoriesInAnObjectStore(Histories):
    """The same below a URL."""

    root = "memory://"


@pytest.mark.nightly
@pytest.mark.parametrize("machine", [Histories, HistoriesInAnObjectStore])
def test_some_histories(machine: type[Histories]) -> None:
    quick = settings(
        max_examples=8,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=CHECKS,
    )
    run_state_machine_as_test(machine, settings=quick)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [Histories, HistoriesInAnObjectStore])
def test_thousands_of_steps(machine: type[Histories]) -> None:
    long = settings(
        max_examples=120, stateful_step_count=60, deadline=None, database=None, suppress_health_check=CHECKS
    )
    run_state_machine_as_test(machine, settings=long)
