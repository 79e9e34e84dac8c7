"""Cleansing against technicians' labels: precision and recall of the readings it takes out.

Needs ``--data DIR`` with the files ``SITEYEAR.csv.gz`` of the Logan River Observatory, folder ``LRO_data`` of
github.com/AmberSJones/pyhydroqc; without it there is nothing to report. A reading counts as labelled when its ``_qual``
column is not ``NULL``, and as flagged when cleansing kept no value of what the logger wrote. Labels are read here
alone, after cleansing; the profile takes its limits from the authors' published rules. Years that were provisional are
left out.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks import Bench, Figure

PROFILE = Path(__file__).with_name("logan_river.yaml")
LABELLED = ("*2014.csv.gz", "*2015.csv.gz", "*2019.csv.gz", "FranklinBasin2020.csv.gz")
_NOT_WRITTEN = ("", "NULL")


def run(bench: Bench) -> Iterator[Figure]:
    files = sorted(file for pattern in LABELLED for file in bench.data.glob(pattern)) if bench.data else []
    if not files:
        bench.say(f"quarantine: skipped, because no --data DIR holds {', '.join(LABELLED)}")
        return
    rows = scored(bench.spark(), files)
    counts = rows.groupby("sensor")[["hit", "flagged", "labelled", "readings"]].sum()
    counts.loc["all"] = counts.sum()
    for sensor, count in counts.iterrows():
        bench.say(f"quarantine: {sensor}: " + ", ".join(f"{int(n):,} {name}" for name, n in count.items()))
        for name, whole in (("precision", count["flagged"]), ("recall", count["labelled"])):
            if whole:
                yield bench.share(f"{sensor}.{name}", [count["hit"]], [whole])


def scored(spark: SparkSession, files: list[Path]) -> pd.DataFrame:
    """Counts by file and sensor column: ``readings`` written, ``labelled``, ``flagged``, and both (``hit``)."""
    kept = cleansed(spark, files).toPandas().set_index(["source_file", "line_number"])
    names = _columns()
    counts = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            told = pd.read_csv(stream, dtype=str, keep_default_na=False)
        clean = kept.loc[file.name].reindex(told.index + 2)  # line 1 is the header
        for sensor, column in names.items():
            written = ~told[column].str.strip().isin(_NOT_WRITTEN).to_numpy()
            labelled = written & (told[f"{column}_qual"].str.strip() != "NULL").to_numpy()
            flagged = written & clean[sensor].isna().to_numpy()
            sums = (file.name, column, written.sum(), labelled.sum(), flagged.sum(), (labelled & flagged).sum())
            counts.append(sums)
    return pd.DataFrame(counts, columns=["file", "sensor", "readings", "labelled", "flagged", "hit"])


def cleansed(spark: SparkSession, files: list[Path]) -> DataFrame:
    """What the pipeline keeps of every line: its place and one column per sensor."""
    from fleet_health.ingestion.cleansing import judge
    from fleet_health.ingestion.deserialise import deserialise, readable
    from fleet_health.ingestion.registry import every_device
    from fleet_health.profiles.loader import load_profile

    profile = load_profile(PROFILE)
    where = {file.name: file for file in files}
    listed = spark.createDataFrame(pd.DataFrame({"path": sorted(where)}))
    raw = readable(deserialise(listed, lambda path: where[path].open("rb"), profile), profile).persist()
    judged = judge(raw, every_device(raw, profile), profile).where(F.col("outcome") == "CLEAN")
    return judged.select("source_file", "line_number", *profile.sensor_names)


def _columns() -> dict[str, str]:
    from fleet_health.profiles.loader import load_profile

    profile = load_profile(PROFILE)
    return {c.name: c.aliases[0] for c in profile.source.header if c.name in profile.sensor_names}
