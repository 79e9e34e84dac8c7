"""Files that follow one another in time: finished by their reader, with the rows that an exchange gives."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_health.features.files import CleanFile, read_readings
from fleet_health.features.lateness import MICROS_PER_MINUTE, Due, due
from fleet_health.features.readings import Readings, ordered_blocks, summarised_sensors
from fleet_health.features.sweep import Reach, Sweep, cut_in_time, sweeps, swept
from fleet_health.features.wanted import Wanted
from fleet_health.features.windows import due_versions
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile

HOUR = 60 * MICROS_PER_MINUTE
KEY = ["device_id", "window_start", "window_duration_minutes", "computed_at"]


def without_days() -> Profile:
    whole = shipped_profile("refrigeration")
    late = tuple(part for part in whole.lateness if part.window_minutes < 1440)
    return whole.model_copy(update={"windows_minutes": (15, 60), "lateness": late})


PROFILE = without_days()


class Folder(dict[str, bytes]):
    """Files by path, opened as a dataset's file system opens them."""

    def open(self, path: str, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self[path])


def stored(files: int, hours: int, *, received: bool = True) -> tuple[Folder, list[CleanFile]]:
    """Two days of six devices in the order of receipt; most come at once, some hours late, some too late to count."""
    random = np.random.default_rng(3)
    count = hours * 120
    micros = np.sort(random.integers(0, hours * HOUR, count))
    delay = random.choice([0, 10, 90, 200, 2000], count, p=[0.7, 0.15, 0.08, 0.05, 0.02]) * MICROS_PER_MINUTE
    stamp = micros + delay
    order = np.argsort(stamp, kind="stable")
    instant = pa.timestamp("us", "UTC")
    table: dict[str, Any] = {
        "device_id": random.choice([f"d{n}" for n in range(6)], count),
        "timestamp_utc": pa.array(micros, instant),
        "timestamp_ingested": pa.array(stamp, instant, mask=None if received else random.random(count) < 0.5),
        "quality_flags": pa.array([[]] * count, pa.list_(pa.string())),
        "sensor_null_count": pa.array(np.zeros(count, dtype=np.int32)),
    }
    for name in summarised_sensors(PROFILE):
        table[name] = pa.array(random.normal(20, 5, count), mask=random.random(count) < 0.1)
    rows = pa.table(table).take(pa.array(order))
    folder = Folder()
    for number, part in enumerate(np.array_split(np.arange(count), files)):
        stream = io.BytesIO()
        pq.write_table(rows.take(pa.array(part)), stream)
        folder[f"{number}.parquet"] = stream.getvalue()
    return folder, [CleanFile(path, 10_000_000, True, None) for path in folder]


def rows_of(parts: list[tuple[Readings, np.ndarray | None]], dues: tuple[Due, ...], span: int) -> pd.DataFrame:
    made = [
        part.to_pandas()
        for readings, among in parts
        for rows in ordered_blocks(readings, span, 500, among)
        for part in due_versions(readings, rows, dues, PROFILE)
    ]
    return pd.concat(made).sort_values([*KEY, "reading_count"], ignore_index=True)


@pytest.mark.nightly
@pytest.mark.parametrize("received", [True, False])
def test_finished_by_their_readers_windows_are_those_of_all_readings_together(received: bool) -> None:
    folder, files = stored(files=20, hours=48, received=received)
    dues = due(PROFILE, None, 47 * HOUR)
    span = HOUR
    found = sweeps({True: folder}, files, dues, span, 2)
    whole = Readings.joined(
        [part for file in files for part in read_readings(folder.open(file.path, "rb"), PROFILE, Wanted(), landed=True)]
    )
    if not received:
        # nothing says how far back such files reach, so that each would hold all of the others
        assert found is None
        return
    assert found is not None
    assert len(found) == 2
    assert sum(len(sweep.files) for sweep in found) < 25
    parts = [part for sweep in found for part in swept(sweep, {True: folder}, Wanted(), PROFILE)]
    assert len(parts) > 10
    assert max(len(part) for part, _ in parts) < len(whole) / 4
    pd.testing.assert_frame_equal(rows_of(parts, dues, span), rows_of([(whole, None)], dues, span), check_exact=True)


def reach(number: int, first: int, last: int, size: int = 12_000_000) -> Reach:
    return Reach(CleanFile(f"{number}", size, True, None), first, last)


def test_tasks_read_few_files_twice_and_share_no_reading() -> None:
    hours = [reach(n, n - 1, n + 2) for n in range(40)]
    found = cut_in_time(hours, 2, 4)
    assert found is not None
    assert [(sweep.first, sweep.last) for sweep in found[1:-1]] == [(8, 18), (18, 28)]
    assert [file.path for file in found[1].files] == [f"{n}" for n in range(6, 19)]
    # file 18 reaches back to 17, which lies in the pair of hours from 16 on
    assert found[1].finished[-2:] == (16, 18)


def test_files_that_all_reach_everywhere_are_exchanged() -> None:
    """As those of a day do when a window is a day long: each waits for the last of them."""
    day = [reach(n, 0, 100) for n in range(8)]
    assert cut_in_time(day, 1, 2) is None
    one_task = [reach(n, n, n + 4) for n in range(3)]
    assert cut_in_time(one_task, 100, 1) is not None
    assert cut_in_time([*one_task, *(reach(n, n, n + 4) for n in range(3, 8))], 100, 1) is None


def test_a_little_is_read_by_one_task_without_a_look_at_its_files() -> None:
    files = [CleanFile(f"{n}", 1_000_000, n > 2, n) for n in range(9)]
    unread: dict[bool, Any] = {True: SimpleNamespace(), False: SimpleNamespace()}
    (found,) = sweeps(unread, files, due(PROFILE, None, 0), HOUR, 2) or [Sweep((), (), 0, 0)]
    assert found.files == tuple(files)
    assert set(found.finished[:-1]) == {found.first}
    assert found.finished[-1] == found.last
