"""What the documents say is so: tables are current, commands parse, files and rules exist, lists are complete."""

from __future__ import annotations

import functools
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pandas as pd
import pytest

from mirror.cli import cli

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted((ROOT / "docs" / "03-production").glob("*.md")), ROOT / "docs" / "bring-your-fleet.md"]
IDS = [path.name for path in DOCUMENTS]

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load(ROOT / "docs" / "tables.py")


def text_of(name: str) -> str:
    return next(path for path in DOCUMENTS if path.name == name).read_text(encoding="utf-8")


def first_column(document: str, heading: str) -> list[str]:
    """The first cells of the table below a heading, without code marks."""
    section = text_of(document).split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1].strip().strip("`") for line in section.splitlines() if line.startswith("| ")]
    return cells[2:]


@each_document
def test_tables_are_what_their_sources_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tables.rendered(text) == text, "stale: run `python docs/tables.py` and read the difference"


def test_a_stale_table_is_found_and_an_unknown_one_refused() -> None:
    block = "<!-- table: training_days air_handler -->\n\nold\n\n<!-- end -->"
    written = tables.rendered(block)
    assert "| AHU-X3A-VAV-2017F | 2017-09-20, 2017-09-23 |" in written
    assert "old" not in written
    assert tables.rendered(written) == written
    with pytest.raises(KeyError, match="wishes"):
        tables.rendered("<!-- table: wishes -->\n<!-- end -->")


def shown_commands(path: Path) -> Iterator[list[str]]:
    for block in re.findall(r"```console\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                yield shlex.split(line[2:], comments=True)


def problem_of(words: list[str]) -> str:
    """Why a command that a document shows could not be typed; empty when it could."""
    match words:
        case ["mirror", *arguments]:
            return _unparsable(cli, "mirror", arguments)
        case ["make", target, *settings]:
            text = (ROOT / "Makefile").read_text(encoding="utf-8")
            if target not in re.findall(r"^([a-z-]+):", text, re.MULTILINE):
                return f"no target {target}"
            unknown = {each.partition("=")[0] for each in settings} - set(
                re.findall(r"^([A-Z]+) \?=", text, re.MULTILINE)
            )
            return f"no setting {sorted(unknown)}" if unknown else ""
        case ["python", "-m", "benchmarks", name]:
            return "" if (ROOT / "benchmarks" / f"{name}.py").is_file() else f"no benchmark {name}"
        case ["python", "-m", "pytest", folder, *_]:
            return "" if (ROOT / folder).exists() else f"nothing at {folder}"
        case ["python", script, *_]:
            return "" if (ROOT / script).is_file() else f"no script {script}"
        case ["git", "show", reference]:
            from mirror.promotion.audit import AUDIT_REF

            return "" if reference == f"{AUDIT_REF}:audit.jsonl" else f"nothing is at {reference}"
    return f"no test knows how to judge {words[0]!r}"


def _unparsable(command: click.Command, name: str, arguments: list[str]) -> str:
    """Parses as the command line would, without running anything."""
    try:
        if not isinstance(command, click.Group):
            command.make_context(name, arguments)
            return ""
        context = click.Context(command, info_name=name)
        # a group leaves what follows its own options to the command that it names
        _, rest, _ = command.make_parser(context).parse_args(args=arguments)
        called, found, rest = command.resolve_command(context, rest)
        return _unparsable(found, str(called), rest) if found is not None else f"no command {rest}"
    except click.ClickException as error:
        return error.format_message()


@each_document
def test_every_command_can_be_typed(path: Path) -> None:
    commands = list(shown_commands(path))
    assert commands
    assert {shlex.join(words): problem for words in commands if (problem := problem_of(words))} == {}


def test_what_could_not_be_typed_is_noticed() -> None:
    assert "No such command 'biuld'" in problem_of(["mirror", "biuld"])
    assert "No such option" in problem_of(["mirror", "build", "--dryrun"])
    assert "Missing option" in problem_of(["mirror", "models", "release", "isolation_forest"])
    assert "no target" in problem_of(["make", "everything"])
    assert "no setting ['SPARC']" in problem_of(["make", "test", "SPARC=4"])


@each_document
def test_every_file_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tops = {entry.name for entry in ROOT.iterdir() if entry.is_dir() and entry.name != ".git"}
    named = {word for word in re.findall(r"`([\w./*-]+)`", text) if word.split("/")[0] in tops and "/" in word}
    gone = {word for word in named if not any(ROOT.glob(word.rstrip("/")))}
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    gone |= {link for link in links if "://" not in link and not (path.parent / link).exists()}
    assert gone == set()


@functools.cache
def known_ids() -> set[str]:
    """Of rules, metrics and runbooks."""
    rules = [row for fleet in ("air_handler", "refrigeration") for row in tables.checks(fleet).splitlines()]
    known = {row.split("|")[2].strip() for row in rules}
    known |= {row.split("|")[1].strip() for row in tables.metrics().splitlines()}
    return known | set(re.findall(r"RB-\d\d", tables.runbooks()))


@each_document
def test_every_rule_metric_and_runbook_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"<!-- table.*?<!-- end -->", "", text, flags=re.DOTALL)
    assert set(re.findall(r"\b(?:[A-Z]{3}|RB)-\d\d\b", prose)) <= known_ids()


def test_cleansing_steps_stand_in_the_order_of_the_code() -> None:
    from fleet_health.ingestion import cleansing

    order = re.search(r"order is the contract's: (.*?)\.", str(cleansing.__doc__), re.DOTALL)
    assert order is not None
    assert first_column("data-quality.md", "Cleansing, in this order") == re.split(r",\s+", order[1])


def test_flags_and_reasons_are_all_there() -> None:
    from fleet_health.contracts import clean

    known = [*sorted(clean.CLEAN_FLAGS), *clean.QUARANTINE_REASONS, *clean.DEAD_LETTER_REASONS]
    assert sorted(first_column("data-quality.md", "Flags and reasons")) == sorted(known)


def test_every_folder_of_tests_is_described() -> None:
    described = set(re.findall(r"`tests/(\w+)/`", text_of("testing.md")))
    assert described == {folder.name for folder in (ROOT / "tests").iterdir() if any(folder.rglob("test_*.py"))}


def test_the_walked_fleet_reads_as_the_document_says() -> None:
    from fleet_health.ingestion.deserialise import parse_file
    from fleet_health.profiles.loader import load_profile

    folder = ROOT / "docs" / "heat_pumps"
    profile = load_profile(folder / "heat_pump.yaml")
    readings = load(folder / "write_readings.py").readings

    def parsed(unit: str) -> pd.DataFrame:
        stream = io.BytesIO("\n".join(readings(unit)).encode(profile.source.encoding))
        return pd.concat([f.astype("object") for f in parse_file(stream, f"{unit}_2026-01.csv", profile)])

    north, east = parsed("hp_north"), parsed("hp_east")
    torn = north[north["reason"].notna()]
    assert torn[["reason", "payload", "line_number"]].to_numpy().tolist() == [["SCHEMA_MISMATCH", "torn", 602]]
    first = east.iloc[0]
    assert first["timestamp_device"] == pd.Timestamp("2026-01-11 23:00", tz="UTC")
    assert first["flow_temperature"] == float(readings("hp_east")[1].split(";")[1].replace(",", "."))
    assert east[["outdoor_temperature", "power"]].isna().sum().tolist() == [18, 7]
    assert [names for names in east["unreadable"] if names] == []
    assert [names for names in north["unreadable"] if isinstance(names, list) and names] == [["return_temperature"]]


def test_the_walked_fleet_has_the_checks_that_the_document_shows() -> None:
    from fleet_health.contracts.compiled import checks_of
    from fleet_health.profiles.loader import load_profile

    profile = load_profile(ROOT / "docs" / "heat_pumps" / "heat_pump.yaml")
    datasets = ("raw_sensor_readings", "clean_sensor_readings", "device_features", "model_scores", "device_alerts")
    declared = {name: checks_of(name, profile) for name in datasets}
    shown = dict(re.findall(r"/Fleet/heat_pump/(\w+) .* (\d+)/0", text_of("bring-your-fleet.md")))
    assert {name: int(shown[name]) for name in declared} == {name: len(checks) for name, checks in declared.items()}
