"""The stage of the matrix: emulated orgs of both editions, a small project to deploy, and the way to both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.testing import running
from flows.tokens import Session, mint
from orgs.domains import hosts
from orgs.federation import Org, load_federation

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
ORGS = ("global-production", "global-uat", "china-production", "china-uat")
"""Production and a sandbox of each edition: the columns of the matrix."""

_PACKAGE = {"namespace": "parts", "name": "Parts", "version": "1.2", "version_id": "04t5g0000000001AAA"}
"""A managed package that every org can install."""


@dataclass(frozen=True)
class Column:
    """An org of the matrix, with a session of its release runner; `audience` is what a JWT for it is meant for."""

    org: Org
    session: Session
    audience: str
    key_file: Path

    @property
    def name(self) -> str:
        return self.org.name

    @property
    def is_sandbox(self) -> bool:
        return str(self.org.kind) == "sandbox"


@dataclass(frozen=True)
class Stage:
    """A folder to work in, and the orgs. While it stands, the process's own environment leads to the emulators."""

    folder: Path
    columns: tuple[Column, ...]
    world: dict[str, Any]
    seed: Callable[[dict[str, Any]], None]

    def deploys_take(self, column: Column, seconds: float) -> None:
        """Let the deploys of an org take at least so long."""
        org = next(org for org in self.world["orgs"] if org["name"] == column.name)
        if org.get("deploy_seconds", 0.0) != seconds:
            org["deploy_seconds"] = seconds
            self.seed({"orgs": [org]})

    def project(self, client: str, column: Column) -> Path:
        """Return a copy of the project that one client may change while it works with one org."""
        root = self.folder / client / column.name
        if not root.exists():
            shutil.copytree(HERE / "project", root)
            shutil.copytree(ROOT / "orgs", root / "orgs", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
        return root


@contextmanager
def stage(folder: Path, names: tuple[str, ...] = ORGS) -> Iterator[Stage]:
    """Set the stage below an empty folder, until the block ends."""
    home = folder / "user"
    (home / ".cumulusci").mkdir(parents=True)
    # CumulusCI looks for a newer release of itself, save when it did so within the hour.
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()))
    before = dict(os.environ)
    with running(folder / "clouds") as clouds:
        runner = clouds.emulators.home / "runner"
        _sfoa("federation", "runner-key", "--out", str(runner))
        world = json.loads(_sfoa("federation", "world", "--certificate", str(runner / "runner.crt")))
        for org in world["orgs"]:
            org["packages"] = [_PACKAGE]
        clouds.emulators.seed(world)
        os.environ.update(clouds.environment)
        os.environ.update({"HOME": str(home), "CI": "true", "PATH": f"{BIN}{os.pathsep}{before['PATH']}"})
        try:
            federation = load_federation(ROOT / "orgs" / "federation.yml")
            chosen = {org.name: org for org in federation.orgs}
            columns = tuple(
                Column(chosen[name], mint(chosen[name]), hosts(chosen[name]).jwt_audience, runner / "runner.key")
                for name in names
            )
            yield Stage(folder, columns, world, clouds.emulators.seed)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _sfoa(*arguments: str) -> str:
    done = subprocess.run([str(BIN / "sfoa"), *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
