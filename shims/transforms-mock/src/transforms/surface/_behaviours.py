"""What no symbol stands for: builds, branches and Spark itself, where Foundry's pages are silent, disagree, or describe
what one machine cannot do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """One choice.

    Attributes:
        area: the section it stands in.
        foundry: what Foundry does, or what its pages leave open.
        here: what happens here, and why.
        test: ``file::function`` that would fail if it did not.
    """

    area: str
    foundry: str
    here: str
    test: str


_BUILDS, _SPARK_4 = "Builds and branches", "Spark 4"
_SCOPE = "tests/builds/test_scope.py"
_SAYS = "tests/builds/test_workspace_says.py"

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        _BUILDS,
        "Every job is a Spark application of its own.",
        "Jobs share one session, because starting one takes seconds. What a transform sets, its temporary views and a"
        " stopped session are put right when it ends; the Hadoop configuration and cached frames stay.",
        "tests/builds/test_sessions.py::test_settings_and_views_of_a_transform_end_with_it",
    ),
    Behaviour(
        _BUILDS,
        "Jobs that run at the same time do not see each other.",
        "With `--jobs` above 1 each gets a copy of the session; `SparkSession.builder.getOrCreate()` inside a transform"
        " then gives the original, without the views that `ctx.spark_session` has.",
        "tests/builds/test_sessions.py::test_settings_stay_apart_when_jobs_run_at_the_same_time",
    ),
    Behaviour(
        _BUILDS,
        "A build takes JobSpecs of its branch, else of the first fallback that has one.",
        "`mirror build` first publishes the repository at hand on its branch; with `--published` it does not, and a"
        " JobSpec that was published from other code than the repository holds makes its job wait.",
        f"{_SCOPE}::test_a_branch_without_jobspecs_builds_those_of_its_fallback",
    ),
    Behaviour(
        _BUILDS,
        "A connecting build needs an unbroken path on its branch. The pages show a second result in which a leg through"
        " another branch is built as well, and no rule for it.",
        "A leg through an input pinned to another branch is no way; a source from which nothing leads to a target is"
        " refused.",
        f"{_SCOPE}::test_a_leg_through_another_branch_is_no_way",
    ),
    Behaviour(
        _BUILDS,
        "External transforms: one page calls them always stale, another judges them like any job.",
        "Judged like any job, and the plan says that what lies outside is not watched; `always_stale` in the file of"
        " the workspace makes every build run what it lists.",
        f"{_SAYS}::test_what_is_always_stale_runs_in_every_build_that_reaches_it",
    ),
    Behaviour(
        _BUILDS,
        "Type classes are free pairs of kind and name.",
        "A type class of the kind or name `sensitive`, or the workspace's file, keeps a column's values out of the"
        " results of checks.",
        f"{_SAYS}::test_columns_are_sensitive_by_type_class_or_by_name",
    ),
    Behaviour(
        _SPARK_4,
        "Foundry runs Spark 3; its sessions have ANSI mode off.",
        "Off on Spark 4 too, where it is on by default, so that casts give the same nulls.",
        "tests/platform/test_spark.py::test_the_session_is_what_tests_are_promised",
    ),
    Behaviour(
        _SPARK_4,
        "Spark 3.5.",
        "Wants Arrow 18 or newer: `make test SPARK=4` uses an environment that differs by these two packages alone.",
        "tests/platform/test_lock.py::test_the_environment_of_spark_4_differs_by_spark_and_arrow_alone",
    ),
    Behaviour(
        _SPARK_4,
        "Spark 3.5.",
        "A Python function that hands a column of NaN where text is declared fails on Spark 4 and gave nulls on 3.5;"
        " None works on both.",
        "tests/fleet_health/ingestion/test_malformed_frames.py::test_what_a_whole_line_leaves_out_is_null_of_its_type",
    ),
)
