"""The recipe: what a model learns from, takes out and freezes, and that the same rows give the same model."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recipe_fleet import (
    DATA,
    FAMILIES,
    NAMES,
    PROFILE,
    STATISTICS,
    WINDOWS,
    assembled,
    files,
    of_family,
    probe,
)
from scipy.stats import spearmanr

from fleet_health.profiles.families import SelfCleaning
from model_adapters.errors import (
    ArtefactError,
    FeatureMismatchError,
    FeatureOrderError,
    FeatureTypeError,
    InfiniteFeatureError,
)
from model_training.errors import (
    DegenerateModelError,
    MissingValueError,
    NoClustersError,
    NotEnoughTrainingRowsError,
    SelfCleaningError,
)
from model_training.frozen import code_version
from model_training.isolation_forest import cleaned
from model_training.metrics import REQUIRED, VALIDATED
from model_training.training import Trained, fitted, refuse_degenerate, run
from palantir_models.state import ModelStateReader, ModelStateWriter


@pytest.fixture(scope="module")
def models() -> dict[str, Trained]:
    return {family: of_family(family) for family in FAMILIES}


EACH = pytest.mark.parametrize("family", list(FAMILIES))


@EACH
def test_the_same_rows_in_another_order_give_the_same_bytes(
    family: str, models: dict[str, Trained], tmp_path: Path
) -> None:
    """Split over other files and shuffled, as another partitioning would hand them over."""
    turned = pd.concat([part.sample(frac=1.0, random_state=5) for _, part in reversed(list(DATA.groupby("device_id")))])
    again = of_family(family, turned, STATISTICS.sample(frac=1.0, random_state=6))
    assert files(again, tmp_path / "again") == files(models[family], tmp_path / "first")


@EACH
def test_a_loaded_version_scores_to_the_last_bit_and_alone_as_in_company(
    family: str, models: dict[str, Trained], tmp_path: Path
) -> None:
    adapter = models[family].adapter
    adapter.save(ModelStateWriter(tmp_path))
    loaded = type(adapter).load(ModelStateReader(tmp_path))
    rows = probe()
    together = adapter.predict(rows)
    pd.testing.assert_frame_equal(loaded.predict(rows), together, check_exact=True)
    alone = pd.concat([adapter.predict(rows.iloc[[n]]) for n in range(len(rows))])
    pd.testing.assert_frame_equal(alone, together, check_exact=True)
    assert together["anomaly_score"].between(0.0, 1.0).all()
    assert adapter.predict(rows.iloc[:0]).empty


@EACH
def test_each_family_flags_its_declared_share_and_names_what_it_can(family: str, models: dict[str, Trained]) -> None:
    model = models[family]
    scores = model.adapter.scores(model.rows.train.vectors, model.rows.train.cohorts)
    flagged = (scores > model.adapter.constants["threshold"]).mean()
    assert flagged == pytest.approx(FAMILIES[family].flagged_share.value, abs=0.012)
    row = {name: float(DATA[name].mean()) for name in PROFILE.model_features}
    beyond = {name: row[name] + 30.0 for name in NAMES} | {NAMES[0]: row[NAMES[0]] + 200.0}
    found = model.adapter.predict(pd.DataFrame([{**row, **beyond}]).assign(cohort_id="A")).iloc[0]
    assert found["anomaly_flag"]
    if family == "dbscan_cohort":
        assert found["top_contributors"] is None
        return
    assert len(found["top_contributors"]) == len(found["contributor_scores"]) <= 5
    assert found["contributor_scores"] == sorted(found["contributor_scores"], reverse=True)
    if family == "autoencoder":  # it sees values clipped to the training range, so it cannot tell the farthest
        assert set(found["top_contributors"]) & set(NAMES)
    else:
        assert found["top_contributors"][0] == NAMES[0]


@pytest.mark.case("MTR-DI-03")
def test_a_cohort_is_learned_from_its_own_devices(models: dict[str, Trained]) -> None:
    """Other devices may do what they like; the fleet's own member notices."""
    rows = WINDOWS.copy()
    other = (rows["cohort_id"] != "A").to_numpy()
    rows.loc[other, NAMES[2]] += 50.0
    moved = assembled(rows)
    for family in ("autoencoder", "dbscan_cohort"):
        before, after = models[family].adapter, of_family(family, *moved).adapter
        assert before.constants["cohort_ids"] == ["A", "B"]
        own, theirs = ({k: v for k, v in one.fitted_arrays().items() if k[0] == "1"} for one in (before, after))
        assert own
        assert all(np.array_equal(own[key], theirs[key]) for key in own)
        fleets = [one.fitted_arrays()["0/scale"] for one in (before, after)]
        assert not np.array_equal(*fleets)


@pytest.mark.case("MTR-FL-01")
def test_extreme_validation_rows_change_nothing_that_was_frozen(models: dict[str, Trained], tmp_path: Path) -> None:
    rows = WINDOWS.copy()
    judges = (rows["period"] == "validation").to_numpy()
    rows.loc[judges, list(NAMES)] *= 1e6
    data, statistics = assembled(rows)
    pd.testing.assert_frame_equal(statistics, STATISTICS, check_exact=True)
    for family in FAMILIES:
        found = of_family(family, data, statistics)
        first = files(models[family], tmp_path / family / "first")
        assert files(found, tmp_path / family / "found") == first
        assert (found.adapter.scores(found.rows.validation.vectors, found.rows.validation.cohorts) == 1.0).mean() > 0.9


@EACH
def test_a_feature_may_not_go_missing_be_renamed_or_be_infinite(family: str, models: dict[str, Trained]) -> None:
    adapter, rows = models[family].adapter, probe(3)
    names = adapter.constants["feature_names"]
    with pytest.raises(FeatureMismatchError, match=rf"lacks the feature columns {NAMES[0]}\. Was one renamed\?") as e:
        adapter.predict(rows.rename(columns={NAMES[0]: "temp_evaporator_meen"}))
    assert "'temp_evaporator_meen' is like 'temp_evaporator_mean'" in str(e.value)
    assert str(pickle.loads(pickle.dumps(e.value))) == str(e.value)  # noqa: S301 - our own error, just made
    turned = rows[[*reversed(names), "cohort_id", "device_id"]]
    pd.testing.assert_series_equal(adapter.predict(turned)["anomaly_score"], adapter.predict(rows)["anomaly_score"])
    with pytest.raises(FeatureOrderError, match=f"position 0 is {names[-1]}, the model was trained with {names[0]}"):
        adapter.predict(rows.assign(feature_names=[list(reversed(names))] * 3))
    for value in ("warm", [1.0], {"a": 1}):
        with pytest.raises(FeatureTypeError, match=rf"column {NAMES[1]} holds {re.escape(repr(value))}, which is no"):
            adapter.predict(rows.assign(**{NAMES[1]: [1.0, value, None]}))
    with pytest.raises(InfiniteFeatureError, match=rf"infinite values in {NAMES[0]}, {NAMES[2]} \(2 rows\)"):
        adapter.predict(rows.assign(**{NAMES[0]: [np.inf, 1, 1], NAMES[2]: [1, -np.inf, 1]}))


def test_a_null_becomes_the_median_of_its_cohort_and_else_of_the_fleet(models: dict[str, Trained]) -> None:
    adapter = models["isolation_forest"].adapter
    place = adapter.constants["feature_names"].index(NAMES[0])
    known = adapter.constants["cohort_medians"][place]
    filled, _, counts = adapter.vectors(probe(4).assign(**{NAMES[0]: np.nan}))
    fleet = adapter.constants["medians"][place]
    assert filled[:, place].tolist() == [known["A"], known["B"], fleet, fleet]
    assert counts.tolist() == [1, 1, 1, 1]
    assert len({known["A"], known["B"], fleet}) == 3


@EACH
def test_a_fitted_part_of_other_features_or_constants_is_refused(
    family: str, models: dict[str, Trained], tmp_path: Path
) -> None:
    """Names in another order, one feature less, or a changed number: nothing is scored with it."""
    adapter = models[family].adapter
    adapter.save(ModelStateWriter(tmp_path))
    written = tmp_path / "constants" / "config.json"
    constants = json.loads(written.read_text())
    names = constants["feature_names"]
    for changed, told in (
        ({"feature_names": [names[1], names[0], *names[2:]]}, "have the hash"),
        ({"feature_names": names[:-1], "medians": constants["medians"][:-1]}, f"lists {len(names) - 1}|do not run"),
    ):
        written.write_text(json.dumps({**constants, **changed}))
        with pytest.raises(ArtefactError, match=told) as refused:
            type(adapter).load(ModelStateReader(tmp_path))
        assert str(refused.value).startswith(f"{constants['model_id']}: ")
    written.write_text(json.dumps(constants))
    fitted_files = sorted(f for f in tmp_path.rglob("*.npy") if f.stat().st_size > 200)
    if not fitted_files:
        return
    content = bytearray(fitted_files[-1].read_bytes())
    content[-1] ^= 1
    fitted_files[-1].write_bytes(bytes(content))
    with pytest.raises(ArtefactError, match="have the hash"):
        type(adapter).load(ModelStateReader(tmp_path))


def test_the_constants_of_a_version_say_how_it_came_about(models: dict[str, Trained]) -> None:
    constants = models["isolation_forest"].adapter.constants
    assert constants["seed"] == 42
    assert constants["code_version"] == code_version(PROFILE.model)
    assert constants["code_version"] != code_version(PROFILE.model.model_copy(update={"n_estimators": 21}))
    assert set(constants["package_versions"]) == {"numpy", "pandas", "scikit-learn", "scipy"}
    assert constants["imputation"][NAMES[0]] == "forward_fill, then cohort_median, then median"
    assert constants["label_delay_buffer_hours"] == 24
    assert (constants["training_rows"], constants["training_devices"]) == (9 * 34, 9)
    text = json.dumps(constants)
    assert "tx" not in text  # a new transaction over the same rows is no new model
    assert "2026" not in text


def test_self_cleaning_takes_the_oddest_and_keeps_them_out_of_the_scale() -> None:
    raw = np.array([0.1, 0.9, 0.2, 0.8, 0.3] * 20)
    model = PROFILE.model.model_copy(
        update={"self_cleaning": SelfCleaning(passes=2, each=0.04, at_most=0.1, reason="the oddest go first")}
    )
    first = cleaned(raw, np.ones(100, dtype=bool), model)
    assert np.flatnonzero(~first).tolist() == [1, 6, 11, 16]
    second = cleaned(raw, first, model)
    assert np.flatnonzero(~second).tolist() == [1, 6, 11, 16, 21, 26, 31, 36]
    rows = WINDOWS.copy()
    odd = rows.index[(rows["window_duration_minutes"] == 15) & (rows["period"] == "train")][:3]
    rows.loc[odd, list(NAMES)] += 500.0
    found = of_family("isolation_forest", *assembled(rows))
    assert found.removed == round(0.02 * len(found.rows.train))
    scores = found.adapter.scores(found.rows.train.vectors)
    assert (scores[:3] == 1.0).all()


@pytest.mark.case("MTR-EC-03")
def test_self_cleaning_stops_before_it_removes_normal_operation() -> None:
    rule = SelfCleaning(passes=2, each=0.06, at_most=0.1, reason="twelve percent are two too many")
    model = PROFILE.model.model_copy(update={"self_cleaning": rule})
    data = DATA[DATA["window_duration_minutes"] == 15]
    with pytest.raises(
        SelfCleaningError, match=r"would take out 11\.\d% of the training rows, 10\.0% are allowed"
    ) as e:
        fitted(data, STATISTICS, PROFILE, model)
    assert "training.exclude" in str(e.value)


@pytest.mark.case("MTR-BI-03")
def test_a_vector_that_is_no_number_is_refused() -> None:
    for model in PROFILE.every_model:
        broken = DATA[DATA["window_duration_minutes"] == model.window_duration_minutes].reset_index(drop=True)
        vector = broken.at[3, "feature_vector"].copy()
        vector[0] = np.nan
        broken.at[3, "feature_vector"] = vector
        with pytest.raises(MissingValueError, match=f"null, NaN or infinite values in {NAMES[0]}") as e:
            fitted(broken, STATISTICS, PROFILE, model)
        assert "TRN-06" in str(e.value)


@EACH
def test_too_few_rows_are_refused(family: str) -> None:
    model = FAMILIES[family]
    own = DATA[DATA["window_duration_minutes"] == model.window_duration_minutes]
    with pytest.raises(NotEnoughTrainingRowsError, match="0 training windows"):
        fitted(own.iloc[:0], STATISTICS, PROFILE, model)
    with pytest.raises(NotEnoughTrainingRowsError, match="10 training windows"):
        fitted(own[own["period"] == "train"].iloc[:10], STATISTICS, PROFILE, model)


def test_days_without_dense_regions_are_refused() -> None:
    model = FAMILIES["dbscan_cohort"]
    strict = model.noise_share_max.model_copy(update={"value": 0.0})  # type: ignore[union-attr]
    alone = model.model_copy(update={"noise_share_max": strict, "min_samples": 400})
    with pytest.raises(NoClustersError, match=r"at best 100\.0% of its days belong to none"):
        fitted(DATA[DATA["window_duration_minutes"] == 1440], STATISTICS, PROFILE, alone)


class Ticks:
    """A stopwatch on which every look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture(scope="module")
def measured() -> Trained:
    own = DATA[DATA["window_duration_minutes"] == 15]
    return run(own, STATISTICS, PROFILE, PROFILE.model, Ticks())


@pytest.mark.nightly
def test_a_run_is_measured_by_devices_and_days_it_never_saw(measured: Trained) -> None:
    metrics, adapter, rows = measured.metrics, measured.adapter, measured.rows
    scores = adapter.scores(rows.validation.vectors)
    assert len(scores) == 7
    assert metrics["anomaly_rate_validation"] == (scores > adapter.constants["threshold"]).mean()
    assert metrics["score_p95_validation"] == pytest.approx(np.quantile(scores, 0.95))
    assert metrics["score_skewness_validation"] == pytest.approx(pd.Series(scores).skew() * 5 / np.sqrt(42))
    assert metrics["anomaly_rate_train"] == pytest.approx(0.05, abs=0.01)
    # the same devices in both periods; held-out ones are not part of it
    means = [pd.Series(adapter.scores(part.vectors)).groupby(part.devices).mean() for part in (rows.train, rows.later)]
    assert metrics["rank_correlation_train_val"] == pytest.approx(float(spearmanr(*means).statistic))
    assert len(means[1]) == 9
    assert (metrics["training_time_seconds"], metrics["scoring_time_seconds"]) == (1.0, 1.0)
    assert metrics["scoring_latency_p50_ms"] == 1000.0
    fitted_bytes = sum(array.nbytes for array in adapter.fitted_arrays().values())
    assert metrics["model_artifact_size_bytes"] > fitted_bytes
    assert set(REQUIRED) <= set(metrics)


@pytest.mark.nightly
def test_without_validation_nothing_is_said_about_it() -> None:
    own = DATA[(DATA["window_duration_minutes"] == 15) & (DATA["period"] == "train")]
    metrics = run(own, STATISTICS, PROFILE, PROFILE.model, Ticks()).metrics
    assert set(REQUIRED) - set(metrics) == set(VALIDATED)
    refuse_degenerate("isolation_forest_v1", metrics)


@pytest.mark.case("MTR-BI-01")
def test_a_model_that_flags_nothing_or_everything_is_refused() -> None:
    for rate in (0.0, 0.004, 0.21, 0.30):
        told = rf"it flags {rate:.2%} of the validation windows; .*0\.5% to 20%"
        with pytest.raises(DegenerateModelError, match=told):
            refuse_degenerate("isolation_forest_v1", {"anomaly_rate_validation": rate})
    for allowed in (0.005, 0.05, 0.2):
        refuse_degenerate("isolation_forest_v1", {"anomaly_rate_validation": allowed})
