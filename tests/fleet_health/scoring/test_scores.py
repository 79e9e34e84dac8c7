"""Scores: complete, unique, and the same however the rows were spread and ordered."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fleet_health.ids import natural_key_id_of


def test_every_eligible_window_has_one_score(lbnl: Any) -> None:
    scores = lbnl.frame("model_scores").toPandas()
    features = lbnl.frame("device_features").toPandas()
    windows = features[features["window_duration_minutes"] == 15]
    assert len(scores) == len(windows) == 3_935
    assert scores["score_id"].is_unique
    assert scores["anomaly_score"].between(0.0, 1.0).all()
    assert (scores["anomaly_flag"] == (scores["anomaly_score"] > scores["threshold_used"])).all()
    assert scores["threshold_used"].nunique() == 1
    assert scores["scored_at"].map(str).unique().tolist() == ["2017-09-25 07:45:00"]
    row = scores.iloc[0]
    key = (row["device_id"], row["window_start"].value // 1000, row["window_end"].value // 1000)
    assert row["score_id"] == natural_key_id_of("score", *key, "isolation_forest_v1", "1.0.0", "fleet")


def test_scores_do_not_depend_on_partitions_or_order(lbnl: Any) -> None:
    features = lbnl.frame("device_features").where("window_duration_minutes = 15").toPandas()
    alone = lbnl.model.load().predict(features.sample(frac=1.0, random_state=1))
    keys = ["device_id", "window_start"]
    spread = lbnl.frame("model_scores").toPandas().set_index(keys).sort_index()
    alone = alone.set_index(keys).sort_index()
    pd.testing.assert_series_equal(alone["anomaly_score"], spread["anomaly_score"], rtol=0, atol=1e-12)
    assert [list(a) for a in alone["top_contributors"]] == [list(b) for b in spread["top_contributors"]]


def test_contributors_are_paired_and_fall(lbnl: Any) -> None:
    scores = lbnl.frame("model_scores").toPandas()
    assert (scores["top_contributors"].map(len) == scores["contributor_scores"].map(len)).all()
    assert scores["top_contributors"].map(len).between(1, 5).all()
    assert scores["contributor_scores"].map(lambda s: list(s) == sorted(s, reverse=True)).all()


def test_single_zone_units_are_scored_without_the_sensors_they_lack(lbnl: Any) -> None:
    scores = lbnl.frame("model_scores").toPandas()
    imputed = scores.groupby("device_id")["imputed_feature_count"].min().to_dict()
    assert imputed == {"AHU-ERS-A-MZVAV": 0, "AHU-X3A-CAV-2017S": 4, "AHU-X3A-VAV-2017F": 4}
    for contributors in scores.loc[scores["device_id"] != "AHU-ERS-A-MZVAV", "top_contributors"]:
        assert not {"duct_static_pressure_mean", "return_fan_speed_mean"} & set(contributors)
