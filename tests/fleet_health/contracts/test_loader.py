"""What a contract may not say, and that each mistake names its line and the way out."""

from __future__ import annotations

from importlib import resources

import pytest

from fleet_health.contracts.agreement import check_references
from fleet_health.contracts.errors import (
    ContractAgreementError,
    ContractMissingError,
    ContractSchemaError,
    ContractSyntaxError,
)
from fleet_health.contracts.loader import parse_contract, shipped_contract, shipped_contracts
from fleet_health.contracts.model import Parsed
from fleet_health.contracts.schemas import schema_of, stored_schema
from fleet_health.profiles.loader import shipped_profile

LESS = (
    "  - {id: RDG-02, kind: holds, says: it is less, holds: {column: level, lt: 1}, level: soft, why: the scale ends}\n"
)
BASE = """\
dataset: readings
owner: Somebody
purpose: a contract of the tests
producer: tests
write_mode: append
columns:
  - {name: id, type: string, nullable: false, meaning: who}
  - {name: at, type: timestamp, nullable: false, unit: UTC, meaning: when}
  - {name: level, type: integer, nullable: true, meaning: how much}
  - {name: words, type: "array<string>", nullable: true, meaning: what}
enums:
  words: [a, b]
expectations:
  - {id: RDG-00, kind: schema_equals, level: hard, why: readers bind to it}
  - {id: RDG-01, kind: primary_key, columns: [id, at], level: hard, why: nothing counts twice}
  - {id: RDG-02, kind: range, column: level, min: 0, max: 9, level: soft, why: the scale ends there}
  - {id: RDG-03, kind: array_in_set, column: words, level: hard, why: others are not understood}
"""
RANGE = "  - {id: RDG-02, kind: range, column: level, min: 0, max: 9, level: soft, why: the scale ends there}\n"
KEY = "kind: primary_key, columns: [id, at], level: hard"

# name -> (text to replace, what by, error, line, words of the message)
MISTAKES = {
    "unknown kind": ("kind: range", "kind: rnage", ContractSchemaError, 16, "Use one of the kinds: apart"),
    "no such column": ("column: level", "column: levle", ContractAgreementError, 16, "Did you mean 'level'?"),
    "no such key column": ("[id, at]", "[id, att]", ContractAgreementError, 15, "column 'att', which does not exist"),
    "no such column in a condition": (
        RANGE,
        LESS.replace("lt: 1", "lt: {column: lvel}"),
        ContractAgreementError,
        16,
        "column 'lvel'",
    ),
    "id used twice": ("id: RDG-02", "id: RDG-01", ContractAgreementError, 16, "declared twice (first on line 15)"),
    "id inside a family": (
        RANGE,
        RANGE + RANGE.replace("RDG-02, kind: range", "RDG-01, kind: range"),
        ContractAgreementError,
        17,
        "RDG-01 is declared twice",
    ),
    "no reason": (", why: the scale ends there", "", ContractSchemaError, 16, "no rule is accepted without its reason"),
    "reason of one word": ("the scale ends there", "obvious", ContractSchemaError, 16, "Say in `why`"),
    "swapped range": ("min: 0, max: 9", "min: 9, max: 0", ContractAgreementError, 16, "min 9 above max 0. Swap them."),
    "range without limits": (", min: 0, max: 9", "", ContractAgreementError, 16, "a range without limits"),
    "range of words": ("column: level", "column: id", ContractAgreementError, 16, "'id' is string, not a number"),
    "hard rule that warns": (KEY, f"{KEY}, on_error: WARN", ContractAgreementError, 15, "RDG-01 is hard and says WARN"),
    "list without values": ("  words: [a, b]", "  level: [1]", ContractAgreementError, 17, "Add `words: [...]`"),
    "elements of no list": ("column: words", "column: id", ContractAgreementError, 17, "'id' is string, not a list"),
    "column that may be null": (
        "columns: [id, at]",
        "columns: [id]",
        ContractAgreementError,
        13,
        "no hard rule keeps 'at' from being null",
    ),
    "no rule for the schema": ("kind: schema_equals", "kind: row_count, min: 1", ContractAgreementError, 13, "schema"),
    "column twice": ("{name: level,", "{name: id,", ContractAgreementError, 9, "'id' is declared twice"),
    "unknown type": ("type: integer", "type: number", ContractSchemaError, 9, "columns.2.type"),
    "unknown key": ("min: 0,", "minimum: 0,", ContractSchemaError, 16, "Remove `minimum`"),
    "condition that says two things": (
        RANGE,
        LESS.replace("lt: 1", "lt: 1, gt: 0"),
        ContractSchemaError,
        16,
        "exactly one thing, not ['gt', 'lt']",
    ),
    "another file's contract": ("dataset: readings", "dataset: writings", ContractAgreementError, 1, "writings.yaml"),
    "partition from nowhere": (
        "enums:",
        "partition_by: [date]\nenums:",
        ContractAgreementError,
        11,
        "the partition column comes from nowhere",
    ),
    "base that does not exist": ("columns:\n", "columns_of: clean\ncolumns:\n", ContractMissingError, None, "no such"),
    "key written twice": ("owner: Somebody", "owner: A\nowner: B", ContractSyntaxError, 3, "written twice"),
}


@pytest.mark.parametrize(("old", "new", "error", "line", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_every_mistake_names_line_and_fix(old: str, new: str, error: type, line: int | None, words: str) -> None:
    text = BASE.replace(old, new, 1)
    assert text != BASE
    with pytest.raises(error) as caught:
        parse_contract(text, "contracts/readings.yaml")
    assert (caught.value.line, words in str(caught.value)) == (line, True), str(caught.value)


def test_the_contract_of_the_mistakes_has_none() -> None:
    assert parse_contract(BASE, "contracts/readings.yaml").contract.dataset == "readings"


def test_an_id_belongs_to_one_contract_and_references_lead_somewhere() -> None:
    def named(dataset: str, text: str) -> Parsed:
        return parse_contract(text.replace("dataset: readings", f"dataset: {dataset}"), f"{dataset}.yaml")

    one = named("one", BASE)
    with pytest.raises(ContractAgreementError, match="RDG-00 belongs to one already"):
        check_references({"one": one, "two": named("two", BASE)})
    leads = "kind: foreign_key, column: id, references: one.idd, parameter: one,"
    other = named("two", BASE.replace("RDG", "TWO").replace("kind: range, column: level, min: 0, max: 9,", leads))
    with pytest.raises(ContractAgreementError, match=r"TWO-02 refers to one\.idd, which does not exist"):
        check_references({"one": one, "two": other})


def test_a_contract_nobody_wrote_is_missing_and_the_nearest_is_named() -> None:
    with pytest.raises(ContractMissingError, match="Did you mean 'device_alerts'"):
        shipped_contract("device_alert")


def test_partitions_are_stored_last_and_go_on_in_contracts_made_of_it() -> None:
    text = resources.files("fleet_health.contracts").joinpath("clean_sensor_readings.yaml").read_text("utf-8")
    clean = parse_contract(text.replace("# partition_by: [date]", "partition_by: [date]"), "clean_sensor_readings.yaml")
    held = resources.files("fleet_health.contracts").joinpath("quarantine_sensor_readings.yaml").read_text("utf-8")
    quarantine = parse_contract(held, "quarantine_sensor_readings.yaml", {"clean_sensor_readings": clean}.__getitem__)
    assert clean.partitions == quarantine.partitions == ("date",)
    assert "date" not in quarantine.plain
    profile = shipped_profile("refrigeration")
    for name, parsed in shipped_contracts().items():
        plain, stored = schema_of(name, profile), stored_schema(name, profile)
        assert stored.fieldNames() == [*plain.fieldNames(), *parsed.partitions]


def test_a_schema_that_depends_on_the_fleet_asks_which() -> None:
    with pytest.raises(ValueError, match="one column per sensor: name the profile"):
        schema_of("raw_sensor_readings")
