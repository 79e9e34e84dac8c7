"""Verdicts as JUnit XML, the form that CI servers show. One suite per dataset, one case per check.

A verdict that blocks is a ``failure`` (the data) or an ``error`` (not computable). What only warns passes, with its
text in ``system-out``: JUnit knows no warning, and a warning must not turn a pipeline red. Times are zero, as schemas
demand one of every case and the checks of a dataset are judged together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from mirror.checks.result import ERROR, PASS, CheckResult

_NO_TIME = "0.000"


@dataclass(frozen=True)
class Reported:
    """One verdict and where it belongs."""

    dataset: str
    branch: str
    evaluated_at: datetime
    result: CheckResult


def junit_xml(verdicts: Iterable[Reported]) -> str:
    """The XML document; suites and cases come in the order given."""
    suites: dict[tuple[str, str], list[Reported]] = {}
    for verdict in verdicts:
        suites.setdefault((verdict.dataset, verdict.branch), []).append(verdict)
    everything = [verdict for members in suites.values() for verdict in members]
    root = ET.Element("testsuites", {"name": "foundry-mirror checks"} | _counts(everything))
    for (dataset, branch), members in suites.items():
        at = max(m.evaluated_at for m in members).astimezone(UTC)
        # strict readers take neither a zone nor a fraction
        attributes = _counts(members) | {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S")}
        suite = ET.SubElement(root, "testsuite", {"name": _printable(f"{dataset} on {branch}")} | attributes)
        for member in members:
            _case(suite, dataset, member.result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counts(members: list[Reported]) -> dict[str, str]:
    blocking = [m.result for m in members if m.result.blocks]
    errors = sum(1 for result in blocking if result.outcome == ERROR)
    counts = {"tests": str(len(members)), "failures": str(len(blocking) - errors), "errors": str(errors)}
    return counts | {"time": _NO_TIME}


def _case(suite: ET.Element, dataset: str, result: CheckResult) -> None:
    name = {"classname": _printable(dataset), "name": _printable(result.name)}
    case = ET.SubElement(suite, "testcase", name | {"time": _NO_TIME})
    if result.outcome == PASS:
        return
    text = _printable("\n".join([result.expectation, *map(_row, result.offending)]))
    if result.blocks:
        tag = "error" if result.outcome == ERROR else "failure"
        told = ET.SubElement(case, tag, message=_printable(result.detail), type=result.reason or result.outcome)
        told.text = text
    else:
        ET.SubElement(case, "system-out").text = _printable(f"WARN {result.outcome}: {result.detail}\n") + text


def _row(row: Mapping[str, object]) -> str:
    return json.dumps(dict(row), ensure_ascii=False)


def _printable(text: str) -> str:
    """XML 1.0 has no control characters and no halves of pairs, not even escaped; data may hold them."""
    return "".join(c if _allowed(c) else f"\\x{ord(c):02x}" for c in text)


def _allowed(c: str) -> bool:
    return (c >= " " or c in "\t\n") and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"
