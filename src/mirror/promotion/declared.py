"""What a pipeline declares at one commit: contracts (what the checks on its outputs promise) and JobSpecs.

Two versions of one pipeline cannot be imported into one process, so each tree's is imported by ``declared_script.py``
in an interpreter of its own that sees that tree's source roots first. What was read is kept in the git directory under
the content it was read from: the target's was read when it was promoted.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mirror
from mirror.builds import JobSpec
from mirror.clock import Clock
from mirror.datasets.errors import GuestNotFoundError
from mirror.datasets.guest import find_guest
from mirror.promotion.commands import run_command
from mirror.promotion.contracts import Column, Contract, Promise, Unreadable, canonical_type

if TYPE_CHECKING:
    from mirror.promotion.git import Repository
    from mirror.promotion.policy import Policy

_SCRIPT = Path(__file__).with_name("declared_script.py")
_MIRROR = Path(mirror.__path__[0])
# What turns a tree into a description: kept descriptions made by another version of it do not count.
_DESCRIBERS = ("promotion/declared_script.py", "builds/describing.py", "builds/fingerprint.py", "builds/specs.py")
_LIMIT_SECONDS = 120.0
_KEPT = 20


@dataclass(frozen=True)
class Declared:
    """What one tree declares.

    Attributes:
        contracts: one per dataset output; one :class:`Unreadable` when the pipeline cannot be imported.
        specs: JobSpecs in declared order.
        covers: reference -> files below ``source_root`` that the logic version stands for.
        source_root: of the transforms repository, relative to the tree.
    """

    contracts: tuple[Contract | Unreadable, ...] = ()
    specs: tuple[JobSpec, ...] = ()
    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source_root: str = ""

    @property
    def problem(self) -> str:
        """Why nothing could be read; empty when it could."""
        return next((item.problem for item in self.contracts if isinstance(item, Unreadable)), "")


@dataclass(frozen=True)
class Keep:
    """Descriptions are kept in ``folder`` under the content of all ``files`` (of the tree: path -> mode and object id)
    below the source roots.
    """

    folder: Path
    files: Mapping[str, tuple[str, str]]
    python_path: tuple[str, ...]


def declared_by(
    repository: Repository,
    commit: str,
    tree: Path,
    policy: Policy,
    clock: Clock,
    rids: Mapping[str, str],
) -> Declared:
    """What the commit (or tree) that lies in ``tree`` declares; nothing where the policy names no pipeline."""
    if policy.transforms is None:
        return Declared()
    keep = Keep(repository.common_directory / "mirror" / "declared", repository.files(commit), policy.python_path)
    return declared(tree, policy.transforms, policy.python_path, clock, rids=rids, keep=keep)


def declared(
    tree: Path,
    repository: str,
    python_path: Sequence[str],
    clock: Clock,
    *,
    rids: Mapping[str, str] | None = None,
    keep: Keep | None = None,
) -> Declared:
    """Reads the transforms repository at ``tree / repository``; a tree without one declares nothing.

    Args:
        rids: RID or other spelling -> path, as the workspace has them.
        keep: where descriptions are kept, and the files they depend on.
    """
    try:
        guest = find_guest(tree / repository)
    except GuestNotFoundError:
        return Declared()
    names = json.dumps(dict(rids or {}), sort_keys=True)
    root = guest.source_root.relative_to(tree).as_posix()
    kept = _kept_file(keep, root, (repository, *python_path, guest.entry, names)) if keep else None
    if kept is not None and kept.is_file():
        return _read(json.loads(kept.read_text(encoding="utf-8")), root)
    place = guest.declared_in.relative_to(tree).as_posix()
    ended = run_command(
        ["{python}", "{script}", "{mirror}", root, guest.module, guest.attribute, "{rids}"],
        tree=tree,
        values={"script": str(_SCRIPT), "mirror": str(_MIRROR), "rids": names},
        python_path=(*python_path, root),
        limit_seconds=_LIMIT_SECONDS,
        clock=clock,
    )
    marker, _, text = ended.output.rpartition("\ndeclared: ")
    if ended.code != 0 or not text:
        last = next((line for line in reversed(ended.output.splitlines()) if line.strip()), ended.problem or marker)
        problem = f"the pipeline {guest.entry} cannot be read: {last}"
        return Declared((Unreadable(place, problem),), source_root=root)
    document = json.loads(text) | {"place": place}
    if kept is not None:
        _keep(kept, document)
    return _read(document, root)


def _read(document: Mapping[str, Any], root: str) -> Declared:
    specs = tuple(JobSpec.from_json(spec) for spec in document["specs"])
    covers = [tuple(files) for files in document["covers"]]
    covered = zip(specs, document["covered_by"], strict=True)
    return Declared(
        contracts=tuple(_contract(one, document["place"]) for one in document["contracts"]),
        specs=specs,
        covers={spec.reference: covers[at] for spec, at in covered},
        source_root=root,
    )


def _contract(document: Mapping[str, Any], place: str) -> Contract:
    return Contract(
        dataset=document["dataset"],
        file=document["file"] or place,
        columns=tuple(Column(c["name"], canonical_type(c["type"]), c["nullable"]) for c in document["columns"]),
        key=tuple(document["key"]) if document["key"] else None,
        write_mode=document["write_mode"],
        declares_columns=document["declares_columns"],
        promises=tuple(Promise.from_json(one) for one in document["promises"]),
    )


def _kept_file(keep: Keep, root: str, parts: Sequence[str]) -> Path:
    below = tuple(f"{folder}/" for folder in (*keep.python_path, root.rpartition("/")[0] or root))
    files = sorted((path, sha) for path, (_, sha) in keep.files.items() if path.startswith(below))
    digest = hashlib.sha256(json.dumps([files, root, sys.version, *parts]).encode())
    for name in _DESCRIBERS:
        digest.update((_MIRROR / name).read_bytes())
    return keep.folder / f"{digest.hexdigest()}.json"


def _keep(file: Path, document: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(file)
    by_age = sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-_KEPT]:
        old.unlink(missing_ok=True)
