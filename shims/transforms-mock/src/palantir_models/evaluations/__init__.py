"""Evaluations of published model versions."""

from palantir_models.evaluations.evaluation import Evaluation

__all__ = ["Evaluation"]
