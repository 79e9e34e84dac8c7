"""Training of the density clusters: per cohort z-scores, principal components, and the eps with the best silhouette."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet_health.profiles.families import DbscanCohort
from fleet_health.profiles.model import Profile
from model_adapters.arrays import digest
from model_adapters.dbscan_cohort import DbscanCohortAdapter, nearest, projected
from model_training.cohorts import members, own_cohorts
from model_training.errors import NoClustersError
from model_training.frozen import Reference, frozen, threshold_of
from model_training.rows import Floats, LearningRows
from model_training.statistical_baseline import SCALE

CANDIDATES = (0.80, 0.90, 0.95, 0.98, 1.0)
"""Percentiles of the distance to the ``min_samples``-th neighbour that are tried as eps."""
DIGITS = 9
"""Components are rounded to these, because linear algebra differs between processors in the last ones."""
_SILHOUETTE_ROWS = 2_000


@dataclass(frozen=True)
class Clusters:
    """The cores of one cohort, and what the choice of ``eps`` gave."""

    cores: Floats
    eps: float
    noise: float
    silhouette: float


def fit_dbscan_cohort(
    rows: LearningRows, reference: Reference, model: DbscanCohort, profile: Profile
) -> tuple[DbscanCohortAdapter, int]:
    """The adapter to publish; it takes out no rows, noise is what it finds by itself.

    Raises:
        NotEnoughTrainingRowsError: fewer rows than clusters need.
        NoClustersError: every eps leaves more noise than the profile allows.
    """
    rows_min = int(model.rows_per_cohort_min.value)
    cohorts = own_cohorts(rows, rows_min)
    arrays: dict[str, Floats] = {}
    found: dict[str, dict[str, float]] = {}
    for member, cohort, vectors in members(rows, cohorts, rows_min, profile.profile):
        centre, std = vectors.mean(axis=0), vectors.std(axis=0)
        spread = np.where(std > 0.0, std, 1.0)
        part = {"centre": centre, "spread": spread, "components": _components((vectors - centre) / spread, model)}
        points = projected(vectors, **part)
        made = _clusters(_some(points, model), cohort, model)
        scale = np.quantile(nearest(points, made.cores), SCALE)
        arrays |= {f"{member}/{name}": value for name, value in {**part, "cores": made.cores, "scale": scale}.items()}
        told = {"eps": made.eps, "noise_share": made.noise, "silhouette": made.silhouette}
        found[cohort or "fleet"] = told
    constants = frozen(
        model,
        profile,
        rows,
        reference,
        fitted_sha256=digest(reference.names, arrays),
        threshold=0.0,
        cohort_ids=cohorts,
        hyperparameters={
            "min_samples": model.min_samples,
            "variance_kept": model.variance_kept,
            "rows_max": model.rows_max,
            "flagged_share": model.flagged_share.value,
            "clusters": found,
        },
    )
    scores = DbscanCohortAdapter(arrays, constants).scores(rows.train.vectors, rows.train.cohorts)
    constants["threshold"] = threshold_of(scores, model)
    return DbscanCohortAdapter(arrays, constants), 0


def _components(standard: Floats, model: DbscanCohort) -> Floats:
    """Features by components: as many as keep the declared share of the variance, each with a fixed sign."""
    from threadpoolctl import threadpool_limits  # slow to import, and discovery imports this module

    with threadpool_limits(1):
        values, vectors = np.linalg.eigh(np.cov(standard, rowvar=False))
    order = np.argsort(-values, kind="stable")
    share = np.cumsum(values[order]) / values.sum() if values.sum() > 0.0 else np.ones(len(values))
    chosen = vectors[:, order[: int(np.searchsorted(share, model.variance_kept - 1e-12)) + 1]]
    largest = np.abs(chosen).argmax(axis=0)
    signs = np.sign(chosen[largest, np.arange(chosen.shape[1])])
    return np.ascontiguousarray(np.round(chosen * signs, DIGITS))


def _some(points: Floats, model: DbscanCohort) -> Floats:
    """At most ``rows_max`` points, drawn with the recorded seed: the cost grows with the square of their number."""
    if len(points) <= model.rows_max:
        return points
    chosen = np.random.default_rng(model.seed).choice(len(points), model.rows_max, replace=False)
    return points[np.sort(chosen)]


def _clusters(points: Floats, cohort: str | None, model: DbscanCohort) -> Clusters:
    from scipy.spatial import cKDTree  # slow to import, and discovery imports this module
    from sklearn.cluster import DBSCAN  # slow to import, and discovery imports this module

    k = min(model.min_samples, len(points))
    reach = np.atleast_2d(cKDTree(points).query(points, k=[k], workers=1)[0].T)[0]
    made, noises = [], []
    for eps in dict.fromkeys(float(one) for one in np.quantile(reach, CANDIDATES) if one > 0.0):
        labels = DBSCAN(eps=eps, min_samples=model.min_samples, n_jobs=1).fit(points)
        noise = float((labels.labels_ < 0).mean())
        noises.append(noise)
        if noise <= model.noise_share_max.value and len(labels.core_sample_indices_):
            cores = points[labels.core_sample_indices_]
            made.append(Clusters(cores, eps, noise, _silhouette(points, labels.labels_, model.seed)))
    if not made:
        raise NoClustersError(model.model_id, cohort, min(noises, default=1.0))
    # of equal silhouettes the smaller eps: it tells more apart
    return max(made, key=lambda one: (one.silhouette, -one.eps))


def _silhouette(points: Floats, labels: object, seed: int) -> float:
    """-1 (worst) to 1; 0 where there is one cluster, which is neither well nor badly apart from another."""
    from sklearn.metrics import silhouette_score  # slow to import, and discovery imports this module

    named = np.asarray(labels)
    inside = named >= 0
    if len(set(named[inside].tolist())) < 2:
        return 0.0
    size = min(_SILHOUETTE_ROWS, int(inside.sum()))
    return float(silhouette_score(points[inside], named[inside], sample_size=size, random_state=seed))
