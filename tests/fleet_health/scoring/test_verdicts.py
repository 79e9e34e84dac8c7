"""One block of vectors to verdicts, without Spark: what is told, what is ranked, what is refused."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fleet_health.ids import natural_key_id_of
from fleet_health.model_input.errors import NotANumberError, OtherFeaturesError, WrongVersionError
from fleet_health.scoring.errors import AdapterShapeError, NotAScoreError, VectorLengthError
from fleet_health.scoring.verdicts import blocks, verdicts

NAMES = ["a", "b", "c", "d", "e", "f", "g"]
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
CARRIED = ("device_id", "window_end")


def model(granularity: str = "fleet", **more: Any) -> Any:
    """Scores are the first value, distances the values themselves."""
    constants = {"model_id": "x_v1", "model_version": "1.0.0", "granularity": granularity, "feature_names": NAMES}
    told = {"scores": lambda vectors, cohorts: vectors[:, 0].copy(), "distances": lambda vectors, cohorts: vectors}
    return SimpleNamespace(constants=constants, **{**told, **more})


def block(*vectors: list[float], **more: list[Any]) -> pa.Table:
    rows = len(vectors)
    columns = {
        "device_id": [f"D{n}" for n in range(rows)],
        "window_start": [NOON - timedelta(minutes=15)] * rows,
        "window_end": [NOON] * rows,
        "cohort_id": pa.array([None] * rows, pa.string()),
        "feature_vector": pa.array(vectors, pa.list_(pa.float64())),
        "other_features": pa.array([None] * rows, pa.string()),
        "other_version": pa.array([None] * rows, pa.string()),
    }
    return pa.table({**columns, **{name: pa.array(values) for name, values in more.items()}})


def test_the_strongest_five_are_told_and_ties_keep_the_order_of_the_vector() -> None:
    made = verdicts(block([0.5, 3, 1, 3, 2, 0, 9], [0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]), model(), CARRIED)
    assert made.column("anomaly_score").to_pylist() == [0.5, 0.0, 0.0]
    assert made.column("top_contributors").to_pylist() == [["g", "b", "d", "e", "c"], None, ["b"]]
    assert made.column("contributor_scores").to_pylist() == [[9, 3, 3, 2, 1], None, [1.0]]
    assert made.column("device_id").to_pylist() == ["D0", "D1", "D2"]
    window = (1_768_477_500_000_000, 1_768_478_400_000_000)
    ids = [natural_key_id_of("score", device, *window, "x_v1", "1.0.0", "fleet") for device in ("D0", "D1", "D2")]
    assert made.column("score_id").to_pylist() == ids


def test_a_family_that_cannot_tell_has_no_contributors() -> None:
    made = verdicts(block([0.5] * 7), model(distances=lambda vectors, cohorts: None), CARRIED)
    assert made.column("top_contributors").to_pylist() == made.column("contributor_scores").to_pylist() == [None]


def test_cohorts_travel_to_models_that_need_them() -> None:
    seen: list[Any] = []

    def scores(vectors: Any, cohorts: Any) -> Any:
        seen.append(None if cohorts is None else list(cohorts))
        return vectors[:, 0]

    for granularity in ("fleet", "cohort"):
        verdicts(block([0.5] * 7, cohort_id=["WC-200"]), model(granularity, scores=scores), CARRIED)
    assert seen == [None, ["WC-200"]]


def test_vectors_reach_the_model_without_a_copy() -> None:
    held = block([float(n) for n in range(7)], [0.25] * 7)
    seen: list[Any] = []
    verdicts(held, model(scores=lambda vectors, cohorts: (seen.append(vectors), vectors[:, 0])[1]), CARRIED)
    address = held["feature_vector"].chunk(0).values.buffers()[1].address
    assert seen[0].ctypes.data == address


def broken(vectors: Any, cohorts: Any) -> Any:
    return np.array([0.1, np.nan])


REFUSED: list[tuple[pa.Table, Any, type[Exception], str]] = [
    (block([0.5] * 7, other_features=["id-of-others"]), model(), OtherFeaturesError, "these vectors hold id-of-others"),
    (block([0.5] * 7, other_version=["0.9.0"]), model(), WrongVersionError, "filled for version 0.9.0"),
    (block([0.5] * 7, [0, 1, np.nan, 0, 0, 0, 0]), model(), NotANumberError, "device D1: c is NaN or infinite"),
    (block([0, 0, 0, 0, 0, 0, -np.inf]), model(), NotANumberError, "device D0: g is NaN or infinite"),
    (block([0.5] * 7, [0.5] * 6), model(), VectorLengthError, "with 7 features, and a vector holds 6 values"),
    (block([0.5] * 7), SimpleNamespace(constants=model().constants), AdapterShapeError, "cannot be asked for scores"),
    (block([0.5] * 7), model(scores=broken), AdapterShapeError, "asked about 1 rows and answers for others"),
    (block([0.5] * 7, [1] * 7), model(scores=broken), NotAScoreError, "D1, window ending 2026-01-15 12:00"),
]


@pytest.mark.parametrize(("rows", "scorer", "error", "text"), REFUSED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_cannot_be_scored_is_refused_with_its_place(
    rows: pa.Table, scorer: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        verdicts(rows, scorer, CARRIED)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made


def test_blocks_hold_their_number_of_rows_and_keep_the_order() -> None:
    batches = [pa.record_batch({"n": list(range(start, end))}) for start, end in ((0, 2), (2, 2), (2, 5), (5, 6))]
    made = [one["n"].to_pylist() for one in blocks(batches, 4)]
    assert made == [[0, 1, 2, 3, 4], [5]]
    assert all(one["n"].num_chunks == 1 for one in blocks(batches, 4))
    assert list(blocks([])) == []
