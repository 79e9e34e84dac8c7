"""``model_release_config``: decisions about versions, from the CSV files in which they land."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from fleet_health.contracts.loader import enum
from fleet_health.contracts.releases import CHAMPION, RELEASES_SCHEMA
from fleet_health.definition_errors import nearest

EVERYWHERE = "ALL"
_NUMBERS = r"[0-9]+\.[0-9]+\.[0-9]+"


class ReleaseDecisionError(ValueError):
    """A decision that cannot be followed; the decisions before it stay in force.

    Attributes:
        dataset: where the CSV was read from.
        row: 1-based data row over all files in the order of their names; ``None`` when a column is meant.
        problem: what is wrong, and how it should be.
    """

    def __init__(self, dataset: str, row: int | None, problem: str) -> None:
        super().__init__(dataset, row, problem)
        self.dataset, self.row, self.problem = dataset, row, problem

    def __str__(self) -> str:
        place = self.dataset if self.row is None else f"{self.dataset}, data row {self.row}"
        return f"{place}: {self.problem}. Correct the file and land it again; releasing a version writes such a row."


class ReleaseHistoryError(ValueError):
    """A decision that was in force is gone or says something else now.

    Attributes:
        dataset: where the CSV was read from.
        lost: the decision as it was: family, role, version and time.
    """

    def __init__(self, dataset: str, lost: str) -> None:
        super().__init__(dataset, lost)
        self.dataset, self.lost = dataset, lost

    def __str__(self) -> str:
        return (
            f"{self.dataset}: the decision {self.lost!r} is gone or was changed. Scores were made by it: put the file "
            "back, and take a decision back with a new row that names the earlier version."
        )


def release_decisions(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The rows of contract R4, oldest first.

    Args:
        table: text columns named as in the contract. Times without an offset are UTC.
        dataset: named in errors.

    Raises:
        ReleaseDecisionError: a column is missing, a cell is empty, a role or region nobody serves, a version that is
            not three numbers ("latest" moves by itself), a share outside 0..1, a time that is none, two decisions of
            one instant, two champions among them.
    """
    names = RELEASES_SCHEMA.fieldNames()
    missing = [name for name in names if name not in table]
    if missing:
        raise ReleaseDecisionError(dataset, None, f"the header lacks {', '.join(missing)}")
    at: dict[tuple[str, str, datetime], Mapping[str, str]] = {}
    rows = []
    for number, record in enumerate(table.to_dict("records"), start=1):
        cells = {name: str(record[name]).strip() for name in names}
        wrong = _problem(cells)
        if wrong is None:
            moment = _moment(cells["effective_from"])
            key = (cells["model_family"], cells["region"], moment)
            wrong = _clash(at.get(key), cells)
            at[key] = cells
        if wrong is not None:
            raise ReleaseDecisionError(dataset, number, wrong)
        rows.append({**cells, "traffic_fraction": float(cells["traffic_fraction"]), "effective_from": moment})
    made = pd.DataFrame(rows, columns=names)
    return made.sort_values("effective_from", kind="stable", ignore_index=True)


def check_history(decisions: pd.DataFrame, before: pd.DataFrame, dataset: str) -> None:
    """Raises :class:`ReleaseHistoryError` unless every row of ``before`` is among ``decisions`` unchanged."""
    now = {_text(row) for row in decisions.to_dict("records")}
    for row in before.to_dict("records"):
        if _text(row) not in now:
            lost = f"{row['model_family']} {row['deployment_role']} {row['model_version']} of {row['effective_from']}"
            raise ReleaseHistoryError(dataset, lost)


def _text(row: Mapping[Any, Any]) -> tuple[str, ...]:
    moment = pd.Timestamp(row["effective_from"])
    moment = moment.tz_convert(None) if moment.tzinfo else moment
    others = (str(row[name]) for name in RELEASES_SCHEMA.fieldNames() if name != "effective_from")
    return (moment.isoformat(), *others)


def _problem(cells: Mapping[str, str]) -> str | None:
    empty = [name for name, value in cells.items() if not value]
    if empty:
        return f"{empty[0]} is empty"
    family, model = cells["model_family"], cells["model_id"]
    if model.rsplit("_v", 1)[0] != family:
        return f"model_id {model!r} is not of family {family!r}"
    if cells["region"] != EVERYWHERE:
        return f"region {cells['region']!r} is not served: one version scores the whole fleet, so it is {EVERYWHERE!r}"
    if not pd.Series([cells["model_version"]]).str.fullmatch(_NUMBERS).all():
        return f"model_version {cells['model_version']!r} is not three numbers such as 1.2.0; a word moves by itself"
    roles = enum("model_release_config", "deployment_role")
    if cells["deployment_role"] not in roles:
        return f"there is no deployment_role {cells['deployment_role']!r}. {nearest(cells['deployment_role'], roles)}"
    try:
        share = float(cells["traffic_fraction"])
        _moment(cells["effective_from"])
    except ValueError as error:
        return str(error)
    return None if 0.0 <= share <= 1.0 else f"traffic_fraction {share:g} is no share from 0 to 1"


def _clash(other: Mapping[str, str] | None, cells: Mapping[str, str]) -> str | None:
    if other is None:
        return None
    both = (other["deployment_role"], cells["deployment_role"])
    versions = f"{other['model_version']} and {cells['model_version']}"
    since = cells["effective_from"]
    if both == (CHAMPION, CHAMPION):
        return f"{cells['model_family']} has two champions, {versions}, from {since} on; only one may alert"
    return f"{cells['model_family']} has two decisions of {since}, about {versions}: they have no order"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
