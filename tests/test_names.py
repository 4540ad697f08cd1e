"""Every worker that shares out the tests must collect the same names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_another_process_collects_the_same_tests_under_the_same_names(request: pytest.FixtureRequest) -> None:
    # A name that holds what was made for the run (a key, a time, the order of a set) stops all workers at once.
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", "tests"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert collected.returncode == 0, collected.stdout[-2000:]
    names = set(collected.stdout.splitlines())
    mine = {_name(item) for item in request.session.items}
    assert mine <= names, sorted(mine - names)[:5]
    assert not [name for name in names if "PRIVATE KEY" in name]


def _name(item: pytest.Item) -> str:
    """The id of a test without the group that pytest-xdist writes behind it in a worker."""
    marker = item.get_closest_marker("xdist_group")
    return item.nodeid.removesuffix(f"@{marker.args[0]}") if marker else item.nodeid
