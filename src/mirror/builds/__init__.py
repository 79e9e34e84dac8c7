"""What runs and why: discovery, JobSpecs, plan, run, incremental decisions.

Importing this package imports neither Spark nor the guest.
"""

from mirror.builds.discovery import RepositoryPipeline, discover, publish, published_specs
from mirror.builds.graph import JobGraph
from mirror.builds.incremental import IncrementalDecision, InputNow, Verdict, decide
from mirror.builds.journal import check_history, latest_of
from mirror.builds.plan import BuildPlan, Decision, JobDecision, plan
from mirror.builds.report import BuildReport, CheckEntry, JobResult, JobStatus, OutputEntry
from mirror.builds.resources import ResolvedResource, ResourceBinder, RunningJob
from mirror.builds.run import build, run
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.builds.standing import Standing, standing

__all__ = [
    "BuildPlan",
    "BuildReport",
    "CheckEntry",
    "Decision",
    "IncrementalDecision",
    "InputNow",
    "JobDecision",
    "JobGraph",
    "JobResult",
    "JobSpec",
    "JobStatus",
    "OutputEntry",
    "ParamSpec",
    "RepositoryPipeline",
    "ResolvedResource",
    "ResourceBinder",
    "RunningJob",
    "Standing",
    "Verdict",
    "build",
    "check_history",
    "decide",
    "discover",
    "latest_of",
    "plan",
    "publish",
    "published_specs",
    "run",
    "standing",
]
