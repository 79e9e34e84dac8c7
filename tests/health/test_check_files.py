"""What a file of health checks may say, and what each mistake is told."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from mirror.health.check_files import HEALTH_FOLDER, load_checks
from mirror.health.errors import HealthCheckFileError, UnknownHealthCheckError
from mirror.health.kinds import check_kinds

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
defaults: {owner: Data Engineer, view: fleet, subscribers: [{who: Ada}]}
checks:
  - name: readings keep coming
    type: timeSinceLastUpdated
    dataset: /Fleet/clean
    bounds: {upperBoundInSeconds: 1800, severity: MODERATE, reason: one lost run}
  - name: the job succeeds
    type: jobStatus
    dataset: /Fleet/clean
    owner: ML Platform
    severity: CRITICAL
    reason: everything downstream waits for it
"""


def write(repository: Path, text: str, name: str = "fleet.yaml") -> Path:
    folder = repository / HEALTH_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return repository


def refusal(repository: Path, text: str) -> str:
    with pytest.raises(HealthCheckFileError) as caught:
        load_checks(write(repository, text))
    return str(caught.value)


def one(body: str) -> str:
    return "checks:\n  - name: n\n    owner: o\n" + textwrap.indent(textwrap.dedent(body), "    ")


def test_checks_take_what_the_file_says_of_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    first, second = load_checks(tmp_path).all
    assert (first.owner, first.view, first.subscribers[0].who) == ("Data Engineer", "fleet", "Ada")
    assert (second.owner, second.severity.value, second.evaluation) == ("ML Platform", "CRITICAL", None)
    (threshold,) = [part for _, part in first.thresholds]
    assert (threshold.high, threshold.low, threshold.reason) == (1800, None, "one lost run")
    assert load_checks(tmp_path / "nowhere").all == ()


REFUSED = {
    "a threshold without a reason": (
        GOOD.replace(", reason: one lost run", ""),
        f"{HEALTH_FOLDER}/fleet.yaml:6: a threshold of the check 'readings keep coming' has no reason: "
        "say in its `reason` why the limit lies there and nowhere else.",
    ),
    "a blank reason": (GOOD.replace("one lost run", "' '"), ":6: bounds.reason of the check 'readings keep coming'"),
    "two thresholds with one reason": (
        one(
            """\
            type: jobDuration
            dataset: /d
            reason: it is so
            bounds: {upperBoundInSeconds: 9, severity: MODERATE}
            medianDeviation: {dataPoints: 9, deviationThreshold: 3, severity: MODERATE}
            """
        ),
        ":7: a threshold of the check 'n' has no reason",
    ),
    "a status without a reason": (
        GOOD.replace("    reason: everything downstream waits for it\n", ""),
        ":7: the check 'the job succeeds' has no reason: say in `reason` why somebody must look when it fails.",
    ),
    "an unknown key": (
        GOOD.replace("severity: CRITICAL", "severty: CRITICAL"),
        ":11: the check 'the job succeeds' has no 'severty'. Did you mean 'severity'?",
    ),
    "an unknown key of a part": (
        GOOD.replace("upperBoundInSeconds", "upperBound"),
        ":6: bounds of the check 'readings keep coming' has no 'upperBound'. Did you mean 'upperBoundInSeconds'?",
    ),
    "an unknown default": (GOOD.replace("view:", "group:"), ":1: defaults has no 'group'."),
    "a wrong default": (
        GOOD.replace("{who: Ada}", "{who: Ada, level: loud}"),
        ":1: subscribers.level of the check 'readings keep coming'",
    ),
    "a key twice": (
        GOOD.replace("severity: MODERATE,", "severity: MODERATE, severity: CRITICAL,"),
        ":6: 'severity' is given twice in a health check; keep one.",
    ),
    "a missing part": (
        GOOD.replace("    bounds:", "    notes: x\n    # bounds:"),
        ":3: the check 'readings keep coming': timeSinceLastUpdated needs bounds or medianDeviation.",
    ),
    "a missing key": (
        GOOD.replace("    severity: CRITICAL\n", ""),
        ":7: the check 'the job succeeds' needs 'severity'.",
    ),
    "one name twice": (
        GOOD.replace("the job succeeds", "readings keep coming"),
        f":7: two checks are called 'readings keep coming'; the other is in {HEALTH_FOLDER}/fleet.yaml:3. Rename one.",
    ),
    "one question twice": (
        GOOD.replace("type: jobStatus", "type: timeSinceLastUpdated").replace(
            "severity: CRITICAL", "bounds: {upperBoundInSeconds: 9, severity: CRITICAL}"
        ),
        ":7: 'the job succeeds' asks what 'readings keep coming' asks: one check of type timeSinceLastUpdated on "
        "/Fleet/clean. Give the other a second threshold, or subscribe to it.",
    ),
    "an unknown type": (
        GOOD.replace("type: jobStatus", "type: jobState"),
        ":8: no check has the type 'jobState'. Did you mean 'jobStatus'?",
    ),
    "a sync": (
        GOOD.replace("type: jobStatus", "type: syncStatus"),
        ":8: the status of a sync cannot be checked: nothing is synced to another store outside Foundry.",
    ),
    "swapped ends": (
        GOOD.replace("{upper", "{lowerBoundInSeconds: 3600, upper"),
        ":6: bounds of the check 'readings keep coming': the lower end 3600 lies above the upper end 1800; swap them.",
    ),
    "a number that is none": (GOOD.replace("1800", "soon"), ":6: bounds.upperBoundInSeconds of the check"),
    "a percentage above 100": (
        one(
            "type: nullPercentage\ndataset: /d\ncolumnName: c\n"
            "bounds: {upperBoundPercentage: 101, severity: MODERATE}\n"
        ),
        ":7: bounds.upperBoundPercentage of the check 'n': Input should be less than or equal to 100.",
    ),
    "a severity of monitoring rules": (
        GOOD.replace("CRITICAL", "HIGH"),
        ":11: severity of the check 'the job succeeds'",
    ),
    "escalation of a duration": (
        GOOD.replace("    bounds:", "    escalation: {failuresToCritical: 2}\n    bounds:"),
        ":6: the check 'readings keep coming' has no 'escalation'.",
    ),
    "escalation after one": (
        GOOD.replace("    severity: C", "    escalation: {failuresToCritical: 1}\n    severity: C"),
        ":11: escalation.failuresToCritical of the check 'the job succeeds'",
    ),
    "a Unix cron": (
        GOOD.replace("    severity: C", '    evaluation: {cron: "0 11 * * *"}\n    severity: C'),
        "'0 11 * * *' has 5 fields; Data Health takes Quartz expressions: seconds minutes hours day-of-month month "
        "day-of-week; a schedule's five-field expression needs the seconds in front.",
    ),
    "a snooze without a zone": (
        GOOD.replace("    severity: C", "    snooze: {until: 2026-01-01T00:00:00, reason: r}\n    severity: C"),
        ":11: snooze.until of the check 'the job succeeds'",
    ),
    "a date without a zone": (
        one(
            "type: dateColumnRange\ndataset: /d\ncolumnName: c\n"
            "bounds: {lowerBound: 2026-01-01T00:00:00, severity: MODERATE, reason: r}\n"
        ),
        ":7: bounds of the check 'n': 2026-01-01T00:00:00 has no time zone; write 2026-01-01T00:00:00Z.",
    ),
    "a strict schema without a type": (
        one(
            "type: schemaComparison\ndataset: /d\nseverity: MODERATE\nreason: r\n"
            "schemaComparisonType: COLUMN_ADDITIONS_ALLOWED_STRICT\nexpectedSchema: [{name: a}]\n"
        ),
        ":2: the check 'n': COLUMN_ADDITIONS_ALLOWED_STRICT compares types exactly: give the type of 'a'.",
    ),
    "no column type": (
        one("type: columnType\ndataset: /d\ncolumnName: c\ncolumnType: strng\nseverity: MODERATE\nreason: r\n"),
        ":7: columnType of the check 'n': 'strng' is no column type. Did you mean 'string'?",
    ),
    "a trend of nothing": (
        one("type: numericColumnMean\ndataset: /d\ncolumnName: c\ntrend: {severity: MODERATE, reason: r}\n"),
        ":7: trend of the check 'n': a trend needs trendType, differenceBounds or both.",
    ),
    "no YAML": ("checks: [", "not valid YAML"),
    "an empty file": ("", ":1: the file is empty."),
    "no list": ("checks: {a: 1}\n", ":1: checks must be a list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_mistake_is_told_where_it_is(tmp_path: Path, case: str) -> None:
    text, said = REFUSED[case]
    message = refusal(tmp_path, text)
    assert said in message
    assert message.startswith(f"{HEALTH_FOLDER}/fleet.yaml:")


def test_a_name_is_taken_across_files_and_an_unknown_one_finds_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    found = load_checks(tmp_path)
    with pytest.raises(UnknownHealthCheckError) as caught:
        found.named("the job succeds")
    assert "no health check is called 'the job succeds' in health/checks. Did you mean 'the job succeeds'?" in str(
        caught.value
    )
    write(tmp_path, GOOD, "other.yml")
    with pytest.raises(HealthCheckFileError, match=r"other.yml:3: two checks are called 'readings keep coming'"):
        load_checks(tmp_path)


def test_every_documented_kind_is_there_and_names_match_files() -> None:
    assert sorted(check_kinds()) == [
        "allowedColumnValues", "approximateUniquePercentage", "buildDuration", "buildStatus", "columnRegex",
        "columnRelation", "columnType", "dataExpectation", "dataFreshness", "datasetFileCount", "datasetPartition",
        "dateColumnRange", "jobDuration", "jobStatus", "nullPercentage", "numericColumnMean", "numericColumnMedian",
        "numericColumnRange", "primaryKey", "rowCount", "scheduleDuration", "scheduleStatus", "schemaComparison",
        "timeSinceLastUpdated", "totalColumnCount", "transactionFileCount", "transactionFileSize",
    ]  # fmt: skip
    for kind, member in check_kinds().items():
        words = member.__module__.rsplit(".", 1)[-1].split("_")
        assert kind == words[0] + "".join(word.capitalize() for word in words[1:])


def test_the_checks_of_the_shipped_fleets_load_and_each_tells_somebody() -> None:
    shipped = load_checks(ROOT)
    assert {check.view for check in shipped.all} == {"air handler pipeline", "refrigeration pipeline"}
    assert [check.name for check in shipped.all if not check.subscribers or check.snooze] == []


def test_the_check_that_the_document_shows_loads(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "03-production" / "data-health.md").read_text(encoding="utf-8")
    write(tmp_path, text.split("```yaml\n", 1)[1].split("```", 1)[0])
    (shown,) = load_checks(tmp_path).all
    assert [part.severity.value for _, part in shown.thresholds] == ["MODERATE", "MODERATE", "CRITICAL"]
