"""The order in which the test processes take the suite's files names files that are there."""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def test_the_longest_files_exist(pytestconfig: pytest.Config) -> None:
    suite = pytestconfig.pluginmanager.get_plugin(str(TESTS / "conftest.py"))
    assert suite is not None
    assert [name for name in suite._LONGEST if not (TESTS.parent / name).exists()] == []
    assert len(set(suite._LONGEST)) == len(suite._LONGEST)
