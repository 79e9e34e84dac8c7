"""The same thirty checks in other libraries, inside their own environment: ``python _checks_peers.py NAME FOLDER``.

Prints ``ready`` once the session stands; then judges the whole dataset once per line on stdin and answers ``done``.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._checks_data import DEVICE, HIGH, KEY, LOW, MOST_NULLS, NULL_SHARES, PRESENT, SENSORS, STATES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Run = Callable[[], None]


def cuallee(spark: SparkSession, frame: DataFrame) -> Run:
    from cuallee import Check, CheckLevel

    def run() -> None:
        check = Check(CheckLevel.WARNING, "telemetry")
        for name in PRESENT:
            check.is_complete(name)
        for name in SENSORS:
            check.is_between(name, (LOW, HIGH), pct=0.9)
        check.is_contained_in("status", STATES).has_pattern("device_id", DEVICE).is_unique(KEY)
        for name in NULL_SHARES:
            check.is_complete(name, pct=1 - MOST_NULLS)
        check.validate(frame).collect()

    return run


def pandera(spark: SparkSession, frame: DataFrame) -> Run:
    import pandera.pyspark as pa
    from pandera.config import ValidationDepth, config_context

    nulls = set(PRESENT)
    columns: dict[str, Any] = {}
    for field in frame.schema.fields:
        tests = []
        if field.name in SENSORS:
            tests = [pa.Check.greater_than_or_equal_to(LOW), pa.Check.less_than_or_equal_to(HIGH)]
        elif field.name == "status":
            tests = [pa.Check.isin(list(STATES))]
        elif field.name == "device_id":
            tests = [pa.Check.str_startswith("device-")]
        columns[field.name] = pa.Column(field.dataType, checks=tests, nullable=field.name not in nulls)
    schema = pa.DataFrameSchema(columns, unique=[KEY])

    def run() -> None:
        with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame)

    return run


def great_expectations(spark: SparkSession, frame: DataFrame, tuned: bool = False) -> Run:
    import great_expectations as gx
    from great_expectations import expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_spark("spark", persist=not tuned)
    batch_definition = source.add_dataframe_asset("telemetry").add_batch_definition_whole_dataframe("all")
    wanted = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in PRESENT]
    wanted += [gxe.ExpectColumnValuesToBeBetween(column=n, min_value=LOW, max_value=HIGH) for n in SENSORS]
    wanted += [
        gxe.ExpectColumnValuesToBeInSet(column="status", value_set=list(STATES)),
        gxe.ExpectColumnValuesToMatchRegex(column="device_id", regex=DEVICE),
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectColumnValuesToBeUnique(column=KEY),
    ]
    wanted += [gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=1 - MOST_NULLS) for name in NULL_SHARES[1:]]
    suite = gx.ExpectationSuite(name="telemetry", expectations=wanted)

    def run() -> None:
        batch = batch_definition.get_batch(batch_parameters={"dataframe": frame})
        batch.validate(suite, result_format="BOOLEAN_ONLY" if tuned else "BASIC")

    return run


def dqx(spark: SparkSession, frame: DataFrame) -> Run:
    from unittest.mock import create_autospec

    from databricks.labs.dqx import check_funcs
    from databricks.labs.dqx.engine import DQEngine
    from databricks.labs.dqx.rule import DQDatasetRule, DQRowRule
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import functions as F

    # the engine asks a vendor's workspace for its version; nothing else of it is used
    engine = DQEngine(create_autospec(WorkspaceClient), spark)
    rules: list[Any] = [DQRowRule(check_func=check_funcs.is_not_null, column=name) for name in PRESENT]
    limits = {"min_limit": LOW, "max_limit": HIGH}
    rules += [DQRowRule(check_func=check_funcs.is_in_range, column=n, check_func_kwargs=limits) for n in SENSORS]
    allowed = {"allowed": [F.lit(state) for state in STATES]}
    rules.append(DQRowRule(check_func=check_funcs.is_in_list, column="status", check_func_kwargs=allowed))
    regex = {"regex": DEVICE}
    rules.append(DQRowRule(check_func=check_funcs.regex_match, column="device_id", check_func_kwargs=regex))
    rules.append(DQDatasetRule(check_func=check_funcs.is_unique, columns=[KEY]))

    def run() -> None:
        checked = engine.apply_checks(frame, rules)
        checked.agg(F.count("_errors"), F.count("_warnings")).collect()

    return run


PEERS: dict[str, Callable[[Any, Any], Run]] = {
    "cuallee": cuallee,
    "pandera": pandera,
    "great_expectations": great_expectations,
    "great_expectations_tuned": lambda spark, frame: great_expectations(spark, frame, tuned=True),
    "dqx": dqx,
}


def main(name: str, folder: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from mirror.spark import start_session

    # what the libraries print must not reach the protocol
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    spark = start_session(app_name=name)
    run = PEERS[name](spark, spark.read.parquet(folder))
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        run()
        print("done", file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
