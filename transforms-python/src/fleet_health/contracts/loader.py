"""From a YAML file to a checked contract; every mistake is one typed error with file, line and the fix."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import resources

from pydantic import ValidationError

from fleet_health.contracts.agreement import check_agreement, check_references
from fleet_health.contracts.errors import ContractMissingError, ContractSchemaError, ContractSyntaxError
from fleet_health.contracts.model import Column, Contract, EachColumn, Parsed
from fleet_health.contracts.rules import KINDS
from fleet_health.definition_errors import first_mistake, nearest
from fleet_health.yaml_lines import load_with_lines

_FOLDER = "fleet_health.contracts"


def parse_contract(text: str, file: str, read: Callable[[str], Parsed] | None = None) -> Parsed:
    """The contract written in ``text``.

    Args:
        text: the YAML.
        file: how the file is named in errors.
        read: finds the contract that ``columns_of`` names; default: the shipped ones.

    Raises:
        ContractSyntaxError: not YAML, empty, or a key written twice.
        ContractSchemaError: a key is missing, unknown or of the wrong type, a kind is unknown, a rule has no reason.
        ContractAgreementError: columns, ids, levels or limits do not agree with each other.
        ContractMissingError: ``columns_of`` names no contract.
    """
    data, lines = load_with_lines(text, file, ContractSyntaxError)
    if not isinstance(data, dict):
        raise ContractSchemaError(file, 1, "the file is not a mapping of keys", "Start with `dataset: <name>`.")
    try:
        contract = Contract.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = _written(first["loc"])
        problem = first_mistake(error, place)
        fix = _fix(first["type"], str(place[-1]) if place else "dataset")
        raise ContractSchemaError(file, lines.of(place), problem, fix) from error
    base = (read or shipped_contract)(contract.columns_of) if contract.columns_of else None
    parsed = Parsed(
        contract=contract,
        file=file,
        stored=_stored(contract, base),
        partitions=_partitions(contract, base),
        enums={**(base.enums if base else {}), **contract.enums},
    )
    check_agreement(parsed, lines)
    return parsed


_MODELS = frozenset({"Column", "EachColumn", "Other", "bool", "int", "float", "str", "tuple[str, ...]"})


def _written(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The part of a location that stands in the file: neither a rule's kind nor the tags of unions."""
    plain = [part for part in place if part not in _MODELS]
    if plain[:1] == ["expectations"] and plain[2:3] and plain[2] in KINDS:
        del plain[2]
    return tuple(plain)


def _fix(kind: str, key: str) -> str:
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"Use one of the kinds: {', '.join(sorted(KINDS))}."
    if key == "why":
        return "Say in `why` what goes wrong without the rule; no rule is accepted without its reason."
    if kind == "missing":
        return f"Add the key `{key}`."
    if kind == "extra_forbidden":
        return f"Remove `{key}`, or correct its spelling."
    return "Correct the value."


def _partitions(contract: Contract, base: Parsed | None) -> tuple[str, ...]:
    if contract.partition_by is not None:
        return contract.partition_by
    return base.partitions if base else ()


def _stored(contract: Contract, base: Parsed | None) -> tuple[EachColumn | Column, ...]:
    """Columns of the base, of the contract, then additions at their places."""
    columns = [*(base.stored if base else ()), *contract.columns]
    for addition in contract.additions:
        names = [column.name if isinstance(column, Column) else "" for column in columns]
        at = names.index(addition.after) + 1 if addition.after is not None and addition.after in names else len(names)
        columns.insert(at, addition)
    return tuple(columns)


@functools.cache
def shipped_contract(dataset: str) -> Parsed:
    """One of the contracts beside this module.

    Raises:
        ContractMissingError: none of that name; the nearest one is named.
        ContractError: see :func:`parse_contract`.
    """
    file = resources.files(_FOLDER).joinpath(f"{dataset}.yaml")
    if not file.is_file():
        fix = nearest(dataset, contract_names())
        raise ContractMissingError(f"fleet_health/contracts/{dataset}.yaml", None, "no such contract", fix)
    return parse_contract(file.read_text(encoding="utf-8"), f"fleet_health/contracts/{dataset}.yaml")


@functools.cache
def contract_names() -> tuple[str, ...]:
    """The datasets that have a contract."""
    return tuple(sorted(f.name[:-5] for f in resources.files(_FOLDER).iterdir() if f.name.endswith(".yaml")))


@functools.cache
def shipped_contracts() -> dict[str, Parsed]:
    """Every contract by dataset, held against each other.

    Raises:
        ContractAgreementError: two contracts share an id, or one refers to a column that another does not have.
        ContractError: see :func:`parse_contract`.
    """
    contracts = {name: shipped_contract(name) for name in contract_names()}
    check_references(contracts)
    return contracts


def enum(dataset: str, name: str) -> tuple[str, ...]:
    """A closed list of a contract, in its order."""
    return tuple(str(value) for value in shipped_contract(dataset).enums[name])
