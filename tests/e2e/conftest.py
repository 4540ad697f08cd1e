"""One stage for all end-to-end tests: a copy of the project in which `make up` has been run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import Watched, watching
from tests.e2e.released import approvers, clouds, empty, project, rings  # noqa: F401
from toolchain.pins import cache_root

PATIENCE = 900  # seconds that any one command may take
INSIDE = ("sfoa", "emulators", "run", "--")


Up = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Stage:
    """A copy of the project, with emulators and state of its own."""

    project: Path
    home: Path
    landing: Watched = field(default_factory=Watched)
    """What the engine said of itself while it brought the landing zone up."""

    def run(self, *command: str, inside: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; `inside` leads it to the emulators."""
        return subprocess.run(
            [*(INSIDE if inside else ()), *command],
            cwd=self.project,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def result(self, *command: str) -> Any:
        """Return the result of an `sfoa … --json` command that has to succeed."""
        done = self.run("sfoa", *command, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["result"]

    @property
    def environ(self) -> dict[str, str]:
        binaries = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home / "user"),  # cci keeps what it knows of orgs there
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
            "SFOA_HOME": str(self.home),
            "SFOA_EMULATORS_PORT": "0",
            "CI": "true",
        }


def copy_project(to: Path) -> Path:
    """Copy the working tree, as it would be committed, into a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if Path(name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, to / name)
    git = ["git", "-C", str(to), "-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=Copy"], check=True)
    return to


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("stage")
    (root / "home" / "user").mkdir(parents=True)
    made = Stage(copy_project(root / "project"), root / "home")
    try:
        yield made
    finally:
        made.run("sfoa", "emulators", "stop", inside=False)


@pytest.fixture(scope="session")
def up(stage: Stage) -> Up:
    """What `make up` does, on the stage; its output."""
    log = stage.home / "landing.ndjson"
    with watching(log, stage.landing):
        spied = {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_OPTION_EVENT_LOG": str(log)}
        done = stage.run(sys.executable, "-m", "pipelines.local", inside=False, **spied)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    return done
