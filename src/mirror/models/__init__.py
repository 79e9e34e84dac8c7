"""What scores: model versions, the objectives that govern them, and the releases that builds follow.

``ModelBinder`` joins a build (``mirror.builds``), ``Governance`` is what ``mirror models`` drives.
"""

from mirror.models.binder import ModelBinder
from mirror.models.governance import Done, Governance, Governed
from mirror.models.objectives import OBJECTIVES_FILE, Objective, Objectives, load_objectives
from mirror.models.records import PRODUCTION, STAGING, Model, ModelVersion, Outcome, Release, Submission, Verdict
from mirror.models.registry import ModelRegistry

__all__ = [
    "OBJECTIVES_FILE",
    "PRODUCTION",
    "STAGING",
    "Done",
    "Governance",
    "Governed",
    "Model",
    "ModelBinder",
    "ModelRegistry",
    "ModelVersion",
    "Objective",
    "Objectives",
    "Outcome",
    "Release",
    "Submission",
    "Verdict",
    "load_objectives",
]
