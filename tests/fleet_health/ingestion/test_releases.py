"""Decisions about versions as they land: what is taken, and what is refused before anything follows it."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest
from decisions import HEADER

from fleet_health.ingestion.releases import (
    ReleaseDecisionError,
    ReleaseHistoryError,
    check_history,
    release_decisions,
)

LANDING = "/Fleet/test/release_landing"
GOOD = "isolation_forest,ALL,isolation_forest_v1,1.0.0,champion,1.0,2026-01-05T00:00:00+00:00,Ada,first"


def table(*lines: str) -> pd.DataFrame:
    return pd.DataFrame([line.split(",") for line in lines], columns=HEADER.split(","))


def test_decisions_are_read_in_the_order_of_their_time() -> None:
    later = GOOD.replace("1.0.0", "1.1.0").replace("00:00:00+00:00", "02:00:00+01:00")
    found = release_decisions(table(later, GOOD), LANDING)
    assert found["model_version"].tolist() == ["1.0.0", "1.1.0"]
    assert found["effective_from"].map(lambda at: at.isoformat()).tolist()[0] == "2026-01-05T00:00:00+00:00"
    assert found["traffic_fraction"].tolist() == [1.0, 1.0]


@pytest.mark.case("SRV-BI-04")
def test_two_champions_and_a_version_that_moves_are_refused() -> None:
    with pytest.raises(ReleaseDecisionError, match=r"data row 2: .* has two champions, 1\.0\.0 and 1\.1\.0"):
        release_decisions(table(GOOD, GOOD.replace("1.0.0", "1.1.0")), LANDING)
    for word in ("latest", "LATEST", "1.0", "1.0.x"):
        with pytest.raises(ReleaseDecisionError, match=f"model_version '{word}' is not three numbers"):
            release_decisions(table(GOOD.replace("1.0.0", word)), LANDING)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("champion", "canary", "there is no deployment_role 'canary'"),
        ("ALL", "EU", "region 'EU' is not served"),
        ("champion,1.0", "champion,1.5", "traffic_fraction 1.5 is no share"),
        ("champion,1.0", "champion,all", "could not convert"),
        ("2026-01-05T00:00:00+00:00", "soon", "Invalid isoformat"),
        ("Ada", "", "approved_by_role is empty"),
        ("isolation_forest_v1", "autoencoder_v1", "'autoencoder_v1' is not of family 'isolation_forest'"),
    ],
)
def test_what_nobody_can_follow_is_refused(old: str, new: str, text: str) -> None:
    with pytest.raises(ReleaseDecisionError, match=text) as caught:
        release_decisions(table(GOOD.replace(old, new)), LANDING)
    assert str(caught.value).startswith(f"{LANDING}, data row 1: ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made


def test_a_missing_column_and_two_decisions_of_one_instant_are_refused() -> None:
    with pytest.raises(ReleaseDecisionError, match="the header lacks region"):
        release_decisions(table(GOOD).drop(columns="region"), LANDING)
    with pytest.raises(ReleaseDecisionError, match=r"two decisions of .* they have no order"):
        release_decisions(table(GOOD, GOOD.replace("champion", "shadow").replace("1.0.0", "1.1.0")), LANDING)


def test_no_decision_is_lost_or_changed() -> None:
    before = release_decisions(table(GOOD), LANDING)
    more = release_decisions(table(GOOD, GOOD.replace("00:00:00", "01:00:00").replace("first", "again")), LANDING)
    check_history(more, before, LANDING)
    stored = before.assign(effective_from=pd.to_datetime(before["effective_from"]).dt.tz_convert(None))
    check_history(more, stored, LANDING)
    for other in (table(GOOD.replace("Ada", "Eve")), table(GOOD.replace("00:00:00", "03:00:00"))):
        with pytest.raises(ReleaseHistoryError, match=r"isolation_forest champion 1\.0\.0 of 2026-01-05"):
            check_history(release_decisions(other, LANDING), stored, LANDING)
