"""The default test suite, and a record of how it ended that `mirror review` reads: `make test` runs this.

With options for pytest it is not the whole suite, so nothing is recorded.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from mirror.promotion.errors import GitFailedError, NotARepositoryError
from mirror.promotion.git import Repository
from mirror.promotion.suite_record import SuiteRun, content_of, record

ROOT = Path(__file__).resolve().parent.parent


def main(options: list[str]) -> int:
    busy = os.getloadavg()[0]
    started = time.monotonic()
    said = []
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            said.append(line)
    seconds = time.monotonic() - started
    passed = re.findall(r"(\d+) passed", said[-1] if said else "")
    if options or not passed:
        return process.returncode
    try:
        repository = Repository(ROOT)
        record(
            repository,
            SuiteRun(
                content=content_of(repository),
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                outcome="FAIL" if process.returncode else "PASS",
                tests=int(passed[0]),
                seconds=round(seconds, 1),
                busy=round(busy, 1),
                cores=os.cpu_count() or 1,
            ),
        )
    except (NotARepositoryError, GitFailedError) as error:
        sys.stderr.write(f"not recorded for `mirror review`: {error}\n")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
