"""Verdicts as JUnit XML, the form that CI servers show. One suite per dataset, one case per check.

A verdict that blocks is a ``failure`` (the data) or an ``error`` (not computable). What only warns passes, with its
text in ``system-out``: JUnit knows no warning, and a warning must not turn a pipeline red.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from mirror.checks.result import ERROR, PASS, CheckResult


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
    root = ET.Element("testsuites", name="foundry-mirror checks")
    for (dataset, branch), members in suites.items():
        attributes = _counts(members) | {"timestamp": max(m.evaluated_at for m in members).isoformat()}
        suite = ET.SubElement(root, "testsuite", {"name": f"{dataset} on {branch}"} | attributes)
        for member in members:
            _case(suite, dataset, member.result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counts(members: list[Reported]) -> dict[str, str]:
    blocking = [m.result for m in members if m.result.blocks]
    errors = sum(1 for result in blocking if result.outcome == ERROR)
    return {"tests": str(len(members)), "failures": str(len(blocking) - errors), "errors": str(errors)}


def _case(suite: ET.Element, dataset: str, result: CheckResult) -> None:
    case = ET.SubElement(suite, "testcase", classname=dataset, name=result.name)
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
    """XML 1.0 has no control characters, not even escaped; data may hold them."""
    return "".join(c if c >= " " or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)
