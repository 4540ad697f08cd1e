"""The Go parts of the toolchain pass their own tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("go") is None, reason="without Go nothing of it is ever built here")
def test_the_oss_gateway_passes_its_go_tests() -> None:
    folder = Path("toolchain/plugin/ossgateway")
    environ = {**os.environ, "GOWORK": "off"}
    done = subprocess.run(["go", "test", "./..."], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
