"""Every output declares its columns in a FAIL check, as the contract file of its name says them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirror.located import parse_file
from mirror.promotion.contracts import Column, Contract, canonical_type
from mirror.promotion.errors import PolicyError
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS: dict[str, str] = {}
OPTIONAL = {"files": "texts", "unbound": "texts", "written_as": "lists"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    """``files``: contract files, each with ``dataset`` and ``columns``; ``unbound``: those that no transform writes;
    ``written_as``: contract -> globs of the datasets that keep it under names of their own.
    """
    found = case.plan.declared
    if found.problem:
        return GateResult(
            settings.gate, Outcome.FAIL, f"{found.problem}.", (), "Mend the import; nothing can be compared before."
        )
    outputs = [item for item in found.contracts if isinstance(item, Contract)]
    if not outputs:
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, "no transform writes a dataset in the merged tree.")
    gaps = [f"{c.dataset} ({c.file}) declares no columns" for c in outputs if not c.declares_columns]
    paths = sorted(path.relative_to(case.tree).as_posix() for path in case.tree.rglob("*.y*ml"))
    files = matching(paths, settings.texts("files"))
    for file in files:
        gaps += _differences(case, file, outputs, settings)
    summary = f"{len(outputs)} outputs, {len(files)} contract files"
    if gaps:
        fix = "Make schema and checks from the contract, or change the contract; both are what consumers read."
        return GateResult(settings.gate, Outcome.FAIL, f"{summary}: {len(gaps)} differences.", tuple(gaps), fix)
    return GateResult(settings.gate, Outcome.PASS, f"{summary}: every output keeps its contract.")


def _differences(case: GateCase, file: str, outputs: list[Contract], settings: GateSettings) -> Iterator[str]:
    root = parse_file(case.tree / file, file, PolicyError)
    document = None if root is None else root.value
    if not isinstance(document, Mapping) or "dataset" not in document or "columns" not in document:
        return
    name = str(document["dataset"])
    elsewhere = settings.lists("written_as").get(name)
    if elsewhere:
        bound = [c for c in outputs if matching([c.dataset], elsewhere)]
    else:
        bound = [c for c in outputs if c.dataset == name or c.dataset.endswith(f"/{name}")]
    if not bound and name not in settings.texts("unbound"):
        yield f"{file}: no transform writes a dataset called {name}"
    columns = [c for c in document["columns"] if isinstance(c, Mapping) and "name" in c and "type" in c]
    for contract in bound:
        declared = {column.name: column for column in contract.columns}
        for column in columns:
            yield from _difference(file, contract, column, declared.get(str(column["name"])))


def _difference(file: str, contract: Contract, column: Mapping[str, object], declared: Column | None) -> Iterator[str]:
    name, wanted = str(column["name"]), canonical_type(str(column["type"]))
    if declared is None:
        yield f"{file}: {contract.dataset} declares no column {name}"
    elif declared.type != wanted:
        yield f"{file}: {contract.dataset}.{name} is declared as {declared.type} and promised as {wanted}"
    elif column.get("nullable") is False and declared.nullable:
        yield f"{file}: {contract.dataset}.{name} is promised in every row and no FAIL check sees to it"
