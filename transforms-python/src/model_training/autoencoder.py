"""Training of the autoencoder with scikit-learn: one network per cohort, in one thread, from one recorded seed.

The network's own output is linear, unlike a sigmoid it does not hide an anomaly of a feature that sits at 0 or 1.
Epochs end when the training loss no longer falls: scikit-learn's early stopping would hold out rows at random.
"""

from __future__ import annotations

import warnings

import numpy as np

from fleet_health.profiles.families import Autoencoder
from fleet_health.profiles.model import Profile
from model_adapters.arrays import digest
from model_adapters.autoencoder import AutoencoderAdapter, scaled
from model_training.cohorts import members, own_cohorts
from model_training.frozen import Reference, frozen, threshold_of
from model_training.rows import Floats, LearningRows
from model_training.statistical_baseline import SCALE

DIGITS = 7
"""Weights are rounded to these. Matrix products differ between processors, by 1e-14 after 17 epochs over 12,000 rows of
45 features, and every kind of machine would publish a model of its own.
"""


def fit_autoencoder(
    rows: LearningRows, reference: Reference, model: Autoencoder, profile: Profile
) -> tuple[AutoencoderAdapter, int]:
    """The adapter to publish; the bottleneck is narrow enough that no row is taken out.

    Raises:
        NotEnoughTrainingRowsError: fewer rows than a network needs.
    """
    rows_min = int(model.rows_per_cohort_min.value)
    cohorts = own_cohorts(rows, rows_min)
    arrays: dict[str, Floats] = {}
    epochs: dict[str, int] = {}
    for member, cohort, vectors in members(rows, cohorts, rows_min, profile.profile):
        low, high = vectors.min(axis=0), vectors.max(axis=0)
        layers, epochs[cohort or "fleet"] = _network(scaled(vectors, low, high), model)
        arrays |= {f"{member}/low": low, f"{member}/high": high}
        for place, (weights, biases) in enumerate(layers):
            arrays |= {f"{member}/weights_{place}": weights, f"{member}/biases_{place}": biases}
        arrays[f"{member}/scale"] = np.zeros(2)
    constants = frozen(
        model,
        profile,
        rows,
        reference,
        fitted_sha256="",
        threshold=0.0,
        cohort_ids=cohorts,
        hyperparameters={
            "hidden_layers": list(model.hidden_layers),
            "activation": "relu",
            "output": "identity",
            "optimizer": "adam",
            "learning_rate": model.learning_rate,
            "batch_size": model.batch_size,
            "epochs_max": model.epochs_max,
            "epochs_used": epochs,
            "patience": model.patience,
            "flagged_share": model.flagged_share.value,
        },
    )
    unscaled = AutoencoderAdapter(arrays, constants)
    for member, _, vectors in members(rows, cohorts, rows_min, profile.profile):
        asked = np.full(len(vectors), cohorts[member - 1] if member else None, dtype=object)
        arrays[f"{member}/scale"] = np.quantile(unscaled.raw(vectors, asked), SCALE)
    scores = unscaled.scores(rows.train.vectors, rows.train.cohorts)
    constants["threshold"] = threshold_of(scores, model)
    constants["fitted_sha256"] = digest(reference.names, arrays)
    return AutoencoderAdapter(arrays, constants), 0


def _network(wanted: Floats, model: Autoencoder) -> tuple[list[tuple[Floats, Floats]], int]:
    """Weights and biases per layer, and the epochs it took."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import, and discovery imports this module
    from sklearn.neural_network import MLPRegressor  # slow to import, and discovery imports this module
    from threadpoolctl import threadpool_limits  # slow to import, and discovery imports this module

    network = MLPRegressor(
        hidden_layer_sizes=model.hidden_layers,
        activation="relu",
        solver="adam",
        learning_rate_init=model.learning_rate,
        batch_size=min(model.batch_size, len(wanted)),
        max_iter=model.epochs_max,
        n_iter_no_change=model.patience,
        random_state=model.seed,
    )
    # sums that several threads add up depend on how many there are
    with threadpool_limits(1), warnings.catch_warnings():
        # the epochs used are recorded, and reaching the declared most of them is no mistake
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(wanted, wanted)
    layers = [
        (np.round(w, DIGITS), np.round(b, DIGITS)) for w, b in zip(network.coefs_, network.intercepts_, strict=True)
    ]
    return layers, int(network.n_iter_)
