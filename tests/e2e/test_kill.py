"""A promote that is killed (SIGKILL) at any step is finished by the same command, and nothing is deployed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from emulators.testing import Running
from tests.e2e.released import ROOT

pytestmark = pytest.mark.e2e


def test_a_run_killed_before_anything_that_it_does_is_finished_with_exactly_one_deployment(empty: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.killing"],
        cwd=ROOT,
        env={**os.environ, **empty.environment},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *found, problems = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [each["step"] for each in found]
    for step in ("put orgs", "put heads", "put snapshots", "put indexes", "retrieve", "deploy", "wait", "quick_deploy"):
        assert step in steps
    assert steps.count("put orgs") == 4, "started, validating, deploying, succeeded"
    for number, each in enumerate(found, 3):
        assert each == {"step": each["step"], "deployed": number, "there": True, "empty": True}
    assert problems == [], "an entry that breaks the chain stays in it: once at the end is as good as after each run"
