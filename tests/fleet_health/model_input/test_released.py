"""What every bound version does, by decisions alone."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from fleet_health.model_input.errors import ReleaseNotBoundError
from fleet_health.model_input.released import in_share, roles_by


def version(number: str) -> Any:
    return SimpleNamespace(constants={"model_id": "isolation_forest_v1", "model_version": number})


OLD, NEW, OTHER = (version(number) for number in ("1.0.0", "1.1.0", "1.2.0"))


def rows(*decided: tuple[str, Any, float]) -> list[Row]:
    return [
        Row(
            deployment_role=role,
            traffic_fraction=share,
            effective_from=datetime(2026, 1, 5, 0, minute, tzinfo=UTC),
            **one.constants,
        )
        for minute, (role, one, share) in enumerate(decided)
    ]


@pytest.mark.case("SRV-HP-06")
def test_a_decision_that_names_the_version_before_puts_it_in_force() -> None:
    decided = [("champion", OLD, 1.0), ("champion", NEW, 1.0)]
    assert roles_by(rows(*decided), NEW, OLD).champion is NEW
    back = roles_by(rows(*decided, ("champion", OLD, 1.0)), NEW, OLD)
    assert (back.champion, back.candidate) == (OLD, None)


CASES: list[tuple[list[tuple[str, Any, float]], Any, Any, tuple[Any, Any, str | None, float, float]]] = [
    ([("champion", OLD, 1)], OLD, OLD, (OLD, None, None, 0, 0)),
    ([("challenger", OLD, 1), ("champion", OLD, 1)], OLD, OLD, (OLD, None, None, 0, 0)),
    ([("champion", OLD, 1), ("challenger", NEW, 1)], OLD, NEW, (OLD, NEW, "canary_offline", 1, 0)),
    ([("champion", OLD, 1), ("shadow", NEW, 1)], OLD, NEW, (OLD, NEW, "shadow", 1, 0)),
    ([("champion", OLD, 1), ("canary_live", NEW, 0.05)], OLD, NEW, (OLD, NEW, "canary_live", 0.05, 0.05)),
    ([("champion", OLD, 1), ("canary_live", NEW, 0.05), ("canary_live", NEW, 0)], OLD, NEW, (OLD, None, None, 0, 0)),
    ([("champion", OLD, 1), ("shadow", NEW, 1), ("champion", NEW, 1)], NEW, NEW, (NEW, None, None, 0, 0)),
    # what was rolled back is not tried again by itself
    (
        [("champion", OLD, 1), ("shadow", NEW, 1), ("champion", NEW, 1), ("champion", OLD, 1)],
        OLD,
        NEW,
        (OLD, None, None, 0, 0),
    ),
    # a branch that staging serves scores with what is in staging
    ([("champion", OLD, 1), ("challenger", NEW, 1)], NEW, NEW, (NEW, None, None, 0, 0)),
    ([("challenger", NEW, 1)], NEW, NEW, (NEW, None, None, 0, 0)),
]


@pytest.mark.parametrize(("decided", "model", "challenger", "expected"), CASES)
def test_roles_follow_the_newest_decisions(decided: Any, model: Any, challenger: Any, expected: Any) -> None:
    found = roles_by(rows(*decided), model, challenger)
    assert (found.champion, found.candidate, found.stage, found.fraction, found.alerting_share) == expected
    found.refuse_unbound()


def test_a_champion_of_no_device_is_halted_until_the_next_decision() -> None:
    halted = roles_by(rows(("champion", OLD, 1.0), ("shadow", NEW, 1.0), ("champion", OLD, 0.0)), OLD, NEW)
    assert (halted.champion, halted.halted, halted.candidate) == (OLD, True, None)
    again = roles_by(rows(("champion", OLD, 0.0), ("champion", OLD, 1.0), ("shadow", NEW, 0.0)), OLD, NEW)
    assert (again.champion, again.halted) == (OLD, False)


def test_a_version_that_is_not_bound_is_refused_with_those_that_are() -> None:
    with pytest.raises(ReleaseNotBoundError) as caught:
        roles_by(rows(("champion", OTHER, 1.0)), OLD, NEW)
    text = "names isolation_forest_v1 1.2.0 as champion, but the versions bound here are isolation_forest_v1 1.0.0 and"
    assert text in str(caught.value)
    with pytest.raises(ReleaseNotBoundError, match="names no champion"):
        roles_by([], OLD, NEW)
    trial = roles_by(rows(("champion", OLD, 1.0), ("canary_live", OTHER, 0.5)), OLD, NEW)
    assert (trial.champion, trial.candidate, trial.alerting_share) == (OLD, None, 0.0)
    with pytest.raises(ReleaseNotBoundError, match=r"names isolation_forest_v1 1\.2\.0 as candidate"):
        trial.refuse_unbound()


@pytest.mark.nightly
def test_the_share_of_devices_is_a_function_of_their_ids_and_grows(spark: SparkSession) -> None:
    devices = [f"REF-{number:04}" for number in range(2000)]
    frame = spark.createDataFrame([(one,) for one in devices], "device_id string")
    told = frame.select("device_id", *(in_share(F.col("device_id"), x).alias(str(x)) for x in (0.05, 0.5, 0.0, 1.0)))
    found = told.toPandas().set_index("device_id")
    place = {one: int(hashlib.sha1(f"share\x1f{one}".encode()).hexdigest()[:8], 16) / 2**32 for one in devices}  # noqa: S324 - as Spark's, no secret
    for share in (0.05, 0.5):
        assert found[str(share)].to_dict() == {one: place[one] < share for one in devices}
    assert not (found["0.05"] & ~found["0.5"]).any()
    assert 60 <= found["0.05"].sum() <= 140
    assert (found["0.0"].any(), found["1.0"].all()) == (False, True)
