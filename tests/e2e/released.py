"""A copy of the project over emulated orgs; the buckets stand ready, as a landing zone leaves them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from emulators.salesforce.metadata import deploys, retrieves
from emulators.testing import Running, running
from orgs.federation import load_federation
from pipelines.approvers import make_keys
from tests.e2e.forked import PROGRAMS, forks
from tests.landed import OUTPUTS, make_buckets

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKING_DAY = "2026-11-18T10:00:00+08:00"
PARTS = ("cumulusci.yml", "sfdx-project.json", "metadata", "orgs")


@dataclass
class Project:
    """A copy of the project that a test may change, and the environment that leads its commands to the emulators."""

    root: Path
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run one of the project's commands to its end."""
        if command[0] in PROGRAMS:
            return forks().run(command, self.root, self.environment)
        program = str(BIN / command[0])
        return subprocess.run(
            [program, *command[1:]], cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=900
        )

    def ok(self, *command: str) -> str:
        """Run a command that has to succeed, and return what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def approve(self, plan: Path, *names: str, emergency: str = "") -> None:
        """Have approvers sign a plan, each with their throw-away key."""
        for name in names:
            command = ("sfoa", "approve", "--plan", str(plan), "--key", str(self.keys / name), "--name", name)
            self.ok(*command, *(("--emergency", emergency) if emergency else ()))

    @property
    def keys(self) -> Path:
        """Where the approvers' private keys lie."""
        return Path(self.environment["SFOA_APPROVERS"]).with_suffix("")

    def promote(self, org: str = "china-uat") -> str:
        """Promote and return what was printed."""
        return self.ok("cci", "flow", "run", "promote", "--org", org)

    def data(self, *command: str) -> dict[str, Any]:
        """Return what a command that has to succeed printed to stdout as JSON."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        data: dict[str, Any] = json.loads(done.stdout)
        return data

    def plan(self, org: str = "china-uat") -> tuple[list[str], list[str], list[str]]:
        """Return what a plan for an org creates, changes and deletes."""
        plan = self.data("sfoa", "plan", "--org", org, "--json")["result"]
        return plan["creates"], plan["changes"], plan["deletes"]

    def retrieved(self, *types: str) -> dict[str, bytes]:
        """Return what the org holds of some types, by path."""
        folder = self.root / "retrieved"
        shutil.rmtree(folder, ignore_errors=True)
        self.ok(
            "cci", "task", "run", "retrieve", "--org", "china-uat", "--types", ",".join(types), "--path", str(folder)
        )
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def at_once() -> Iterator[None]:
    """Have the emulated orgs answer at once: what a test proves doesn't hang on how long a deployment seems to take."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((deploys, "QUEUED_SECONDS"), (deploys, "BASE_SECONDS"), (retrieves, "_SECONDS")):
            patch.setattr(module, name, 0.001)
        yield


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run the emulators with the federation's orgs in them, which answer at once."""
    with at_once(), running(tmp_path_factory.mktemp("clouds")) as clouds:
        runner = clouds.emulators.home / "runner"
        _sfoa("federation", "runner-key", "--out", str(runner))
        world = _sfoa("federation", "world", "--certificate", str(runner / "runner.crt"))
        requests.post(f"http://127.0.0.1:{clouds.port}/seed", data=world.encode(), timeout=60).raise_for_status()
        yield clouds


@pytest.fixture(scope="module")
def approvers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of throw-away public keys of all approvers; the private ones lie beside it."""
    names = [one.name for one in load_federation().approvers]
    return make_keys(tmp_path_factory.mktemp("keys") / "approvers", names)


@pytest.fixture
def empty(clouds: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Return the emulators with orgs as they were seeded, and empty buckets."""
    requests.post(f"http://127.0.0.1:{clouds.port}/reset", timeout=60).raise_for_status()
    for name, value in clouds.environment.items():
        monkeypatch.setenv(name, value)
    make_buckets()
    return clouds


def _sfoa(*arguments: str) -> str:
    done = subprocess.run([str(BIN / "sfoa"), *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def project(empty: Running, tmp_path: Path, approvers: Path) -> Project:
    """Return a project over orgs that nobody deployed to and a ledger without entries.

    Its sandboxes are all in ring 1, so that a test of one org needn't promote to others first; its clock stands still
    on a working day.
    """
    made = ringed(empty, tmp_path, approvers)
    file = made.root / "orgs" / "federation.yml"
    text = re.sub(r"ring: [123]$", "ring: 1", file.read_text(), flags=re.MULTILINE)
    text = text.replace("ring: 4\n", "ring: 2\n").replace("ring: 5\n", "ring: 3\n")
    file.write_text(text.replace("{1: 0, 2: 0, 3: 0, 4: 0}", "{1: 0, 2: 0}"))
    return made


@pytest.fixture
def rings(empty: Running, tmp_path: Path, approvers: Path) -> Project:
    """Return a project as `project` does, with the federation's own rings."""
    return ringed(empty, tmp_path, approvers)


def ringed(clouds: Running, tmp_path: Path, approvers: Path) -> Project:
    """Copy the project into a folder of its own, over emulators."""
    root = tmp_path / "project"
    root.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / part)
    home = tmp_path / "user"
    (home / ".cumulusci").mkdir(parents=True)
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()))
    (root / "outputs.json").write_text(json.dumps(OUTPUTS))
    environment = {
        **os.environ,
        **clouds.environment,
        "HOME": str(home),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SFOA_OUTPUTS": str(root / "outputs.json"),
        "SFOA_APPROVERS": str(approvers),
        "SFOA_NOW": WORKING_DAY,
        # A copy of the project is no clone.
        "CUMULUSCI_AUTO_DETECT": "1",
        "CUMULUSCI_REPO_ROOT": str(root),
        "CI": "true",
    }
    return Project(root, environment)


def replace_in(file: Path, old: str, new: str) -> None:
    """Replace text that a file has to hold."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
