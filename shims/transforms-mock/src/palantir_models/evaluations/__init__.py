"""Evaluations of published model versions."""

from palantir_models.evaluations.classification import ClassificationEvaluatorConfig
from palantir_models.evaluations.evaluate import EvaluationResult, evaluate
from palantir_models.evaluations.evaluation import Evaluation
from palantir_models.evaluations.regression import RegressionEvaluatorConfig

__all__ = ["ClassificationEvaluatorConfig", "Evaluation", "EvaluationResult", "RegressionEvaluatorConfig", "evaluate"]
