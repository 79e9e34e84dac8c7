"""Writes the tables of the documents from what they repeat: ``python docs/tables.py [--check]``.

A table stands between ``<!-- table: name argument -->`` and ``<!-- end -->``; people write everything around it.
YAML is read as data. Rules come from the contracts, profile keys from the declarations, null rules and review lines
from the docstrings that say them, detection figures from the test that pins them.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import shlex
import sys
import typing
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
GUEST = ROOT / "transforms-python" / "src" / "fleet_health"

_BLOCK = re.compile(r"(<!-- table: (?P<name>[a-z_]+)(?: (?P<argument>\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)

Table = Callable[..., str]
TABLES: dict[str, Table] = {}


def table(function: Table) -> Table:
    """Makes a function a table that documents may name."""
    TABLES[function.__name__] = function
    return function


def documents() -> list[Path]:
    """Every Markdown file below ``docs`` that holds a table."""
    return [path for path in sorted(DOCS.rglob("*.md")) if _BLOCK.search(path.read_text(encoding="utf-8"))]


def rendered(text: str) -> str:
    """``text`` with every table made anew. Raises KeyError for a table that nobody makes."""

    def fill(found: re.Match[str]) -> str:
        arguments = [found["argument"]] if found["argument"] else []
        return f"{found[1]}\n{TABLES[found['name']](*arguments)}\n\n{found[4]}"

    return _BLOCK.sub(fill, text)


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 when ``--check`` finds a stale document; without it stale documents are rewritten."""
    stale = [path for path in documents() if rendered(path.read_text(encoding="utf-8")) != path.read_text("utf-8")]
    for path in stale:
        sys.stdout.write(f"{path.relative_to(ROOT)}: {'is stale' if '--check' in arguments else 'written'}\n")
        if "--check" not in arguments:
            path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
    runbook_pages = _sibling("runbook_pages")
    for page in runbook_pages.stale():
        sys.stdout.write(f"{page.relative_to(ROOT)}: {'is stale' if '--check' in arguments else 'written'}\n")
        stale.append(page)
    if "--check" not in arguments:
        runbook_pages.write()
    return int(bool(stale) and "--check" in arguments)


def _rows(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


@functools.cache
def _document(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - both are safe loaders


def _yaml(*parts: str) -> Any:
    return _document(ROOT.joinpath(*parts))


def _monitoring(name: str) -> Any:
    return _document(GUEST / "monitoring" / name)


def _profile(name: str) -> Any:
    return _document(GUEST / "profiles" / f"{name}.yaml")


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


@functools.cache
def _sibling(name: str) -> Any:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(typing.cast(Any, spec))
    typing.cast(Any, spec).loader.exec_module(module)
    return module


_CONTRACTS = _sibling("contract_tables")
_SERVING = _sibling("serving_tables")


@table
def contracts(profile: str) -> str:
    """Every dataset of a fleet and what it is for."""
    header = ("dataset", "for", "written by", "answers for it", "written as", "columns", "rules")
    return _rows(header, _CONTRACTS.contracts(profile))


@table
def checks(profile: str) -> str:
    """Every rule of a fleet's contracts; the members of a family share a row."""
    header = ("dataset", "rule", "holds", "enforced by", "otherwise", "because")
    return _rows(header, _CONTRACTS.rules(profile))


@table
def rule_kinds() -> str:
    """The vocabulary of contracts."""
    return _rows(("kind", "demands", "enforced by"), _CONTRACTS.rule_kinds())


@table
def ranges(profile: str) -> str:
    """What a sensor can measure, and where its values become suspicious."""
    rows = []
    for sensor in _profile(profile)["sensors"]:
        span = f"{sensor['min']:g} to {sensor['max']:g}" if "min" in sensor else ""
        limits = [f"below {sensor['suspect_below']:g}"] if "suspect_below" in sensor else []
        limits += [f"above {sensor['suspect_above']:g}"] if "suspect_above" in sensor else []
        rows.append((f"`{sensor['name']}`", sensor["unit"], span, ", ".join(limits), sensor.get("reason")))
    return _rows(("sensor", "unit", "possible", "suspicious", "because"), rows)


@table
def impossible_rows(profile: str) -> str:
    """Rules for rows that cannot have been measured."""
    rows = [
        (
            rule["id"],
            " and ".join(f"`{c['sensor']}` {c['op']} {c['value']:g}" for c in rule["all_of"]),
            rule["reason"],
        )
        for rule in _profile(profile)["cleansing"].get("impossible_rows", [])
    ]
    return _rows(("rule", "when all hold", "because"), rows)


@table
def null_rules() -> str:
    """The null rules that the feature kernel states about itself."""
    text = _docstring(GUEST / "features" / "kernel.py").partition("Null rules")[2].split("\n", 1)[1]
    rows: list[list[str]] = []
    for line in text.splitlines():
        name, _, says = line.partition("  ")
        if name.strip():
            rows.append([f"`{name.strip()}`", says.strip()])
        elif line.strip():
            rows[-1][1] += f" {line.strip()}"
    return _rows(("feature", "null when"), rows)


@table
def metrics() -> str:
    """What is measured, by whom it is watched and who owns it."""
    return _rows(*_sibling("monitoring_tables").metrics())


@table
def triggers() -> str:
    """When a model is to be looked at again."""
    return _rows(*_sibling("monitoring_tables").triggers())


@table
def health_kinds() -> str:
    """Every kind of health check, with what its module says."""
    from mirror.health.kinds import check_kinds

    rows = []
    for kind, model in sorted(check_kinds().items()):
        module = sys.modules[model.__module__]
        says = " ".join(str(module.__doc__).partition("\n\n")[0].split())
        fields = model.model_fields
        own = [str(fields[name].alias) for name in vars(model)["__annotations__"] if name in fields]
        deviating = ["medianDeviation"] if "median_deviation" in fields else []
        detail = " ".join(str(model.__doc__).split())
        rows.append((f"`{kind}`", says, ", ".join(f"`{key}`" for key in [*own, *deviating]), detail))
    return _rows(("type", "judges", "parameters", "to know"), rows)


@table
def health_checks(fleet: str) -> str:
    """The shipped health checks of a fleet, with the reason of each threshold."""
    rows = []
    for check in _yaml("health", "checks", f"{fleet}.yaml")["checks"]:
        about = check.get("dataset") or ", ".join(check["schedule"]["targets"])
        name = f"`{about.rsplit('/', 1)[-1]}`"
        limits = [check.get(key) or [] for key in ("bounds", "relativeBounds", "medianDeviation")]
        parts = [part for given in limits for part in (given if isinstance(given, list) else [given])]
        for part in parts or [check]:
            ends = [
                f"{key} {part[key]}" for key in part if key.endswith(("Bound", "InSeconds", "Percentage", "Threshold"))
            ]
            what = check.get("columnName") or ", ".join(check.get("columns", ()))
            rows.append((name, check["type"], what, ", ".join(ends), part["severity"], part["reason"]))
    return _rows(("about", "type", "column", "limit", "severity", "because"), rows)


@table
def thresholds() -> str:
    """Each threshold with its reason."""
    return _rows(*_sibling("monitoring_tables").thresholds())


@table
def escalations() -> str:
    """How fast, and who is next."""
    rows = [(e["id"], e["acknowledge"], e["then"]) for e in _monitoring("runbooks.yaml")["escalations"]]
    return _rows(("policy", "acknowledge within", "then"), rows)


@table
def runbooks() -> str:
    """Which runbook is about what; each has a page of its own."""
    return _rows(*_sibling("monitoring_tables").runbooks())


@table
def routing() -> str:
    """What ``mirror alerts`` fills in where an alert does not say it itself."""
    document = _yaml("src", "mirror", "health", "routing.yaml")
    policies = {policy["id"]: policy for policy in document["policies"]}
    rows = []
    for route in document["routes"]:
        for severity in ("CRITICAL", "HIGH", "MEDIUM", "LOW"):
            policy = policies[route["escalation"][severity]]
            steps = ", then ".join(f"{step['to']} after {step['after']}" for step in policy.get("then", []))
            called = route["rotation"] if policy.get("pages") else "nobody"
            rows.append((route["kind"], severity, policy["id"], called, policy["acknowledge"], steps or "none"))
    return _rows(("kind", "severity", "policy", "called", "acknowledge within", "else"), rows)


@table
def severities(profile: str) -> str:
    """How urgent a flagged window is."""
    rows = []
    for rule in _profile(profile)["alerting"]["severities"]:
        when = f"score above {rule['above']:g}" if "above" in rule else "any flagged window"
        when += f", {rule['sustained_windows']} windows in a row" if "sustained_windows" in rule else ""
        when += f", or {rule['or_families']} model families flag it" if "or_families" in rule else ""
        rows.append((rule["severity"], when, f"{rule['acknowledge_minutes']} minutes", rule["reason"]))
    return _rows(("severity", "when", "acknowledge within", "because"), rows)


@table
def objective_checks() -> str:
    """What a submitted version is judged by."""

    def keeps_out(check: Any) -> str:
        return ", ".join([*check.get("blocks", []), *(["halts the trial"] if check.get("halts") else [])]) or "nothing"

    rows = [
        (name, check["name"], f"`{check['kind']}`", keeps_out(check), check["reason"])
        for name, objective in _yaml("ci", "objectives.yml")["objectives"].items()
        for check in objective["checks"]
    ]
    return _rows(("objective", "check", "kind", "blocks", "because"), rows)


@table
def environments() -> str:
    """Which branch scores with which release."""
    rows = [
        (name, environment, ", ".join(f"`{branch}`" for branch in settings["branches"]), settings["approvals"])
        for name, objective in _yaml("ci", "objectives.yml")["objectives"].items()
        for environment, settings in objective["environments"].items()
    ]
    return _rows(("objective", "environment", "serves branches", "approvals"), rows)


@table
def model_constants(profile: str) -> str:
    """What is fixed before training."""
    rows = []
    for key, value in _profile(profile)["model"].items():
        if key not in ("training_days", "training_days_reason"):
            told = dict(value) if isinstance(value, dict) else {"value": value}
            reason = told.pop("reason", "")
            shown = told["value"] if "value" in told else ", ".join(f"{name} {part}" for name, part in told.items())
            rows.append((f"`{key}`", shown, reason))
    return _rows(("constant", "value", "because"), rows)


@table
def models_beside(profile: str) -> str:
    """The models that stand beside the first one."""
    rows = [
        (f"`{one['model_id']}`", one["window_duration_minutes"], one["flagged_share"]["value"], one["reason"])
        for one in _profile(profile)["models"]
    ]
    return _rows(("model", "window (min)", "flagged share", "because"), rows)


@table
def split(profile: str) -> str:
    """Which windows train and which judge."""
    declared = _profile(profile)["training"]["split"]
    rows = [(f"`{key}`", value["value"], value["reason"]) for key, value in declared.items() if isinstance(value, dict)]
    held = [(f"`{key}`", declared[key], declared["holdout_reason"]) for key in ("holdout_validation", "holdout_test")]
    return _rows(("key", "value", "because"), [*rows, *held])


@table
def training_days(profile: str) -> str:
    """Which days train which unit."""
    rows = [
        (days["device_id"], ", ".join(map(str, days["days"])), days["reason"])
        for days in _profile(profile)["model"]["training_days"]
    ]
    return _rows(("device", "days", "because"), rows)


@table
def detection() -> str:
    """The figures that the detection test pins."""
    return _rows(*_sibling("detection_table").detection(ROOT))


@table
def gates() -> str:
    """The gates of every promotion step."""
    rows = []
    for step in _yaml("ci", "branches.yml")["steps"]:
        for name, gate in step["gates"].items():
            what = f"`{shlex.join(gate['command'])}`" if "command" in gate else ", ".join(gate.get("roles", []))
            if "by_path" in gate:
                more = {role for roles in gate["by_path"].values() for role in roles}
                what += "; by path also " + ", ".join(sorted(more))
            limit = f"{gate['limit_seconds']} s" if "limit_seconds" in gate else ""
            rows.append((f"`{step['from']}` to `{step['to']}`", f"`{name}`", what, limit, gate["reason"]))
    return _rows(("step", "gate", "runs or asks", "limit", "because"), rows)


@table
def hand_overs() -> str:
    """What production needs from whom."""
    rows = [
        (entry["name"], entry["owed_by"], f"`{entry['files']}`", entry["why"])
        for entry in _yaml("ci", "hand_overs.yml")["hand_overs"]
    ]
    return _rows(("hand-over", "owed by", "lies in", "because"), rows)


@table
def review_lines() -> str:
    """The production checklist."""
    folder = ROOT / "src" / "mirror" / "promotion" / "review"
    lines = [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
    return _rows(("line", "says"), [(f"`{path.stem}`", _docstring(path).partition("\n")[0]) for path in lines])


@table
def profile_keys() -> str:
    """Every key of a profile, from the model that the loader validates with."""
    from fleet_health.profiles.model import Profile

    return _rows(("key", "value", "default"), _sibling("profile_keys").keys(Profile, ""))


@table
def streaming_rules(profile: str) -> str:
    """The rules for acute events, with limits that hold where a device has none of its own."""
    header = ("rule", "sensor", "fires when it is", "threshold (allowed)", "because")
    return _rows(header, _SERVING.streaming_rules(_profile(profile)))


@table
def streaming_settings(profile: str) -> str:
    """What all streaming rules share."""
    return _rows(("setting", "value", "because"), _SERVING.streaming_settings(_profile(profile)))


@table
def fallback_rules(profile: str) -> str:
    """The rules that score while no model does."""
    return _rows(("rule", "fires when", "because"), _SERVING.fallback_rules(_profile(profile)))


@table
def staleness_bands(profile: str) -> str:
    """How old scores may be."""
    header = ("models", "band", "age of the newest score", "what happens", "because")
    return _rows(header, _SERVING.staleness_bands(_profile(profile)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
