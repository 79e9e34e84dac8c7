"""The tutorial "your first promotion", run as it is written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mirror.promotion.git import clean_environment

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "03-production" / "first-promotion.md"


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_every_command_does_what_the_text_says(tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    command = binaries / "mirror"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from mirror.cli import main; main()" "$@"\n')
    command.chmod(0o755)
    script = "\n".join(["set -e", *blocks]).replace("/tmp/first-promotion.csv", str(tmp_path / "raw.csv"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(
            {
                "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            }
        ),
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    for words in (
        "/fleet/clean.value: type changed from double to string (breaking:",
        "changed /fleet/clean (fleet.clean:clean)",
        "breaks /fleet/clean.value",
        "branch 'release' is protected: nobody moves it by hand.",
        "take over /fleet/clean from staging",
        "release-1",
        "release is without release-1",
    ):
        assert words in said, words
    kinds = [json.loads(line)["kind"] for line in said.splitlines() if line.startswith('{"number"')]
    assert kinds == ["refused", "approved", "promoted", "rebuilt", "promoted", "rebuilt", "rolled back", "rebuilt"]
