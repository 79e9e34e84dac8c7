"""The model: deterministic training, frozen normalisation, verdicts that depend on their row alone."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fleet_health.monitoring.distances import distances
from fleet_health.profiles.loader import shipped_profile
from fleet_health.training_data.statistics import bin_counts, bin_edges
from model_adapters.errors import FeatureMismatchError, TooLargeForTreesError
from model_adapters.isolation_forest import IsolationForestAdapter
from model_adapters.window_model import normalised
from model_training.errors import NotEnoughTrainingRowsError
from model_training.training import train
from palantir_models.state import ModelStateReader, ModelStateWriter

NAMES = ["a", "b", "c", "still"]
PROFILE = shipped_profile("refrigeration").model_copy(
    update={
        "model": shipped_profile("refrigeration").model.model_copy(
            update={"n_estimators": 25, "features": tuple(NAMES), "self_cleaning": None}
        )
    }
)


def training_rows(rows: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    values = np.random.default_rng(5).normal([0.0, 10.0, -5.0, 1.0], [1.0, 2.0, 0.5, 0.0], size=(rows, 4))
    data = pd.DataFrame(
        {
            "device_id": [f"d{n % 7}" for n in range(rows)],
            "window_start": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows) * 15, unit="min"),
            "window_end": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(1, rows + 1) * 15, unit="min"),
            "feature_vector": list(values),
            "feature_names": [NAMES] * rows,
            "cohort_id": None,
            "device_part": "train",
            "period": "train",
            "snapshot_id": "tx-9",
            "assembled_at": pd.Timestamp("2026-02-01"),
        }
    )
    median = np.median(values, axis=0)
    statistics = pd.DataFrame(
        {
            "model_id": "isolation_forest_v1",
            "feature_name": NAMES,
            "training_p50": median,
            "training_mad": np.median(np.abs(values - median), axis=0),
            "training_stddev": values.std(axis=0, ddof=1),
        }
    )
    return data, statistics


@pytest.fixture(scope="module")
def adapter() -> IsolationForestAdapter:
    return train(*training_rows(), PROFILE)


def frame(*rows: tuple[float | None, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NAMES, dtype="float64").assign(device_id="d1", label="kept")


@pytest.mark.case("MTR-EC-01")
def test_same_rows_in_any_order_give_the_same_model(adapter: IsolationForestAdapter) -> None:
    data, statistics = training_rows()
    assert adapter.constants["seed"] == 42
    turned = train(data.sample(frac=1.0, random_state=3), statistics.iloc[::-1], PROFILE)
    assert turned.constants == adapter.constants
    probe = frame((0.1, 10.0, -5.0, 1.0), (9.0, 1.0, 0.0, 3.0))
    assert turned.predict(probe)["anomaly_score"].tolist() == adapter.predict(probe)["anomaly_score"].tolist()


def test_a_rebuild_of_the_same_rows_gives_the_same_files(adapter: IsolationForestAdapter, tmp_path: Path) -> None:
    """A new transaction over the same rows is no new model; the version's provenance records the transaction."""
    data, statistics = training_rows()
    again = train(data.assign(snapshot_id="tx-10"), statistics.assign(snapshot_id="tx-10"), PROFILE)
    written = []
    for name, one in (("first", adapter), ("again", again)):
        (tmp_path / name).mkdir()
        one.save(ModelStateWriter(tmp_path / name))
        files = sorted(f for f in (tmp_path / name).rglob("*") if f.is_file())
        written.append({str(f.relative_to(tmp_path / name)): f.read_bytes() for f in files})
    assert len(written[0]) >= 2
    assert written[0] == written[1]


@pytest.mark.case("MTR-HP-02")
def test_threshold_flags_the_declared_share_of_training_rows(adapter: IsolationForestAdapter) -> None:
    data, _ = training_rows()
    table = pd.DataFrame(np.vstack(data["feature_vector"].tolist()), columns=NAMES)
    found = adapter.predict(table)
    assert found["anomaly_flag"].mean() == pytest.approx(0.05, abs=0.003)
    assert found["anomaly_score"].min() == 0.0
    assert found["anomaly_score"].max() == 1.0
    assert adapter.constants["training_rows"] == 400
    assert 0.3 < found["anomaly_score"].skew() < 2.0  # a tail of odd windows on the right


def test_a_row_scores_the_same_alone_and_in_any_company(adapter: IsolationForestAdapter) -> None:
    rows = frame(*[(x, 10.0 + x, -5.0, 1.0) for x in np.linspace(-4, 4, 41)])
    together = adapter.predict(rows)
    alone = pd.concat([adapter.predict(rows.iloc[[n]]) for n in range(len(rows))])
    pd.testing.assert_frame_equal(together, alone, check_exact=True)
    extreme = adapter.predict(pd.concat([rows, frame((1e6, -1e6, 1e6, 1e6))], ignore_index=True))
    assert extreme["anomaly_score"].iloc[:41].tolist() == together["anomaly_score"].tolist()
    assert extreme["anomaly_score"].iloc[41] == 1.0  # clipped, not stretched


@pytest.mark.case("SRV-DI-01")
def test_a_row_scores_alone_as_among_a_thousand(adapter: IsolationForestAdapter) -> None:
    many = frame(*np.random.default_rng(8).normal([0.0, 10.0, -5.0, 1.0], 3.0, size=(1000, 4)).tolist())
    together = adapter.predict(many)
    for place in (0, 417, 999):
        pd.testing.assert_frame_equal(adapter.predict(many.iloc[[place]]), together.iloc[[place]], check_exact=True)


@pytest.mark.case("SRV-DI-03")
def test_other_rows_change_no_contributor(adapter: IsolationForestAdapter) -> None:
    rows = frame((3.0, 9.0, -5.0, 1.0), (0.0, 10.0, -4.0, 2.0), (0.0, 10.0, -5.0, 1.0))
    before = adapter.predict(rows).iloc[0]
    after = adapter.predict(rows.assign(b=[9.0, 1e9, -1e9], c=[-5.0, None, 77.0])).iloc[0]
    assert len(before["top_contributors"]) >= 3
    assert after["top_contributors"] == before["top_contributors"]
    assert after["contributor_scores"] == before["contributor_scores"]


def test_a_score_at_the_threshold_is_no_flag(adapter: IsolationForestAdapter) -> None:
    probe = frame((0.5, 9.0, -5.2, 1.0))
    score = float(adapter.predict(probe)["anomaly_score"].iloc[0])
    at, below = (
        IsolationForestAdapter(adapter.forest, {**adapter.constants, "threshold": limit})
        for limit in (score, float(np.nextafter(score, 0.0)))
    )
    assert [bool(one.predict(probe)["anomaly_flag"].iloc[0]) for one in (at, below)] == [False, True]


@pytest.mark.case("SRV-EC-06")
def test_scores_beyond_the_training_extremes_are_clipped(adapter: IsolationForestAdapter) -> None:
    assert normalised(np.array([-0.4, -0.2, 0.0, 0.3, 9.0]), -0.2, 0.2).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    narrow = {**adapter.constants, "raw_min": -0.01, "raw_max": 0.01}
    calm, odd = (0.0, 10.0, -5.0, 1.0), (9.0, 1.0, 0.0, 3.0)
    found = IsolationForestAdapter(adapter.forest, narrow).predict(frame(calm, odd))["anomaly_score"]
    assert found.tolist() == [0.0, 1.0]


@pytest.mark.case("SRV-EC-07")
def test_a_batch_of_one_has_a_finite_score_inside_the_scale(adapter: IsolationForestAdapter) -> None:
    (score,) = adapter.predict(frame((0.4, 10.5, -5.1, 1.0)))["anomaly_score"]
    assert 0.0 < score < 1.0  # scaling by the batch would give 0, 1 or NaN


@pytest.mark.case("MTR-EC-02")
def test_a_constant_feature_divides_nothing_by_zero(adapter: IsolationForestAdapter) -> None:
    found = adapter.predict(frame((0.0, 10.0, -5.0, 1.0), (0.0, 10.0, -5.0, 4.0)))
    assert dict(zip(found["top_contributors"][1], found["contributor_scores"][1], strict=True))["still"] == 3.0
    assert "still" not in (found["top_contributors"][0] or ())
    still = np.full(500, 7.0)
    trained = np.array(bin_counts(still, bin_edges(still)), dtype=float)
    assert distances(trained, trained) == (0.0, 0.0)
    moved = np.array(bin_counts(still + 1.0, bin_edges(still)), dtype=float)
    assert np.isfinite(distances(moved, trained)).all()


def test_missing_values_become_training_medians(adapter: IsolationForestAdapter) -> None:
    medians = adapter.constants["medians"]
    found = adapter.predict(frame((None, None, None, None), tuple(medians)))
    assert found["anomaly_score"].nunique() == 1
    assert found["imputed_feature_count"].tolist() == [4, 0]
    assert found["top_contributors"].tolist() == [None, None]  # nothing deviates


def test_contributors_are_the_farthest_features_in_robust_spreads(adapter: IsolationForestAdapter) -> None:
    medians, scales = adapter.constants["medians"], adapter.constants["scales"]
    row = tuple(m + k * s for m, k, s in zip(medians, (2.0, -7.0, 0.5, 3.0), scales, strict=True))
    found = adapter.predict(frame(row)).iloc[0]
    assert found["top_contributors"] == ["b", "still", "a", "c"]
    assert found["contributor_scores"] == pytest.approx([7.0, 3.0, 2.0, 0.5])
    assert scales[3] == 1.0  # a feature that never moved counts in its own unit


def test_undeclared_columns_survive_and_missing_features_are_named(adapter: IsolationForestAdapter) -> None:
    assert adapter.predict(frame((0.0, 10.0, -5.0, 1.0)))["label"].tolist() == ["kept"]
    with pytest.raises(FeatureMismatchError) as caught:
        adapter.predict(frame((0.0, 10.0, -5.0, 1.0)).drop(columns=["b", "still"]))
    assert "isolation_forest_v1: the frame lacks the feature columns b, still" in str(caught.value)
    assert "null where unknown" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made


def test_a_published_version_scores_like_the_trained_one(adapter: IsolationForestAdapter, tmp_path: Path) -> None:
    adapter.save(ModelStateWriter(tmp_path))
    loaded = IsolationForestAdapter.load(ModelStateReader(tmp_path))
    probe = frame((0.3, 9.0, -5.2, 1.0), (None, 20.0, -5.0, 1.0))
    pd.testing.assert_frame_equal(loaded.predict(probe), adapter.predict(probe), check_exact=True)
    assert loaded.constants == adapter.constants


def test_empty_frame(adapter: IsolationForestAdapter) -> None:
    assert adapter.predict(frame()).empty


def test_training_rows_that_are_all_alike_score_zero() -> None:
    assert normalised(np.array([0.3, 0.4]), 0.3, 0.3).tolist() == [0.0, 0.0]


def test_too_few_rows_are_refused_with_the_way_out() -> None:
    data, statistics = training_rows(40)
    with pytest.raises(NotEnoughTrainingRowsError) as caught:
        train(data, statistics, PROFILE)
    assert "'refrigeration': 40 training windows, 256 are needed" in str(caught.value)
    assert "model.training_days" in str(caught.value)


def test_what_trees_cannot_compare_is_refused(adapter: IsolationForestAdapter) -> None:
    with pytest.raises(TooLargeForTreesError) as caught:
        adapter.predict(frame((0.0, 10.0, -5.0, 1.0), (0.0, -1e39, -5.0, 1.0)))
    assert str(caught.value).startswith("isolation_forest_v1: values beyond 3.4e38 in b (1 rows), which trees cannot")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made
