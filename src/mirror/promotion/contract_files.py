"""Contracts as they lie in a commit: YAML with ``dataset``, ``columns``, ``primary_key`` and ``write_mode``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirror.located import Located, parse
from mirror.promotion.contracts import Column, Contract, Unreadable, canonical_type
from mirror.promotion.errors import PolicyError
from mirror.promotion.git import Repository
from mirror.promotion.path_globs import matching


def read_contracts(
    repository: Repository, files: Mapping[str, tuple[str, str]], globs: Sequence[str]
) -> list[Contract | Unreadable]:
    """The contracts among the ``files`` of one commit (path -> mode and object id), in path order."""
    return [parse_contract(repository.blob(files[path][1]), path) for path in matching(sorted(files), globs)]


def parse_contract(text: str, file: str) -> Contract | Unreadable:
    """A contract, or why the file is none; never raises, because a broken contract is a finding and not a crash."""
    try:
        entries = parse(text, file, PolicyError).mapping(required=("dataset", "columns"), what="a contract")
        return Contract(
            dataset=entries["dataset"].text("dataset"),
            file=file,
            columns=tuple(_column(item) for item in entries["columns"].items("columns")),
            key=entries["primary_key"].texts("primary_key") if "primary_key" in entries else None,
            write_mode=entries["write_mode"].text("write_mode") if "write_mode" in entries else None,
        )
    except PolicyError as error:
        return Unreadable(file, str(error))


def _column(item: Located) -> Column:
    fields = item.mapping(required=("name", "type"), what="a column")
    nullable = fields["nullable"].value if "nullable" in fields else None
    if nullable is not None and not isinstance(nullable, bool):
        fields["nullable"].wrong(f"nullable must be true or false, not {nullable!r}.")
    meaning = fields["meaning"].value if "meaning" in fields else ""
    return Column(
        fields["name"].text("name"), canonical_type(fields["type"].text("type")), nullable, str(meaning or "")
    )
