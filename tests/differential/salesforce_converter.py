"""Salesforce's own converter, driven from Python: its library, one Node process that answers a request a line, and
the command line `sf`. Both come from the one installation that `tests/clients` keeps."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.clients.node import modules, node

HERE = Path(__file__).parent
_COMMAND_SECONDS = 120
_QUIET = {
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
}


@dataclass(frozen=True)
class Answer:
    """What Salesforce's converter did: the components that it saw as (type, full name), or why it refused."""

    components: frozenset[tuple[str, str]]
    error: str


class SalesforceConverter:
    """The library, running. Close it when done. Raises `NotAvailable` when it can't be had."""

    def __init__(self) -> None:
        packages, (program, _) = modules() / "node_modules", node()
        self.home = TemporaryDirectory()
        self.process = subprocess.Popen(
            [program, HERE / "convert.js"],
            cwd=self.home.name,
            env={**os.environ, **_QUIET, "HOME": self.home.name, "NODE_PATH": str(packages)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def source(self, project: Path, directories: Sequence[str], out: Path) -> Answer:
        """Convert package directories of a project to Metadata API format below `out`."""
        return self._ask("metadata", [project / directory for directory in directories], out, project)

    def mdapi(self, project: Path, package: Path) -> Answer:
        """Convert a package in Metadata API format to source format, into the folder `project`."""
        return self._ask("source", [package], project, project)

    def _ask(self, to: str, sources: Sequence[Path], out: Path, project: Path) -> Answer:
        assert self.process.stdin
        assert self.process.stdout
        request = {"to": to, "from": [str(source) for source in sources], "out": str(out), "project": str(project)}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        components = frozenset((kind, name) for kind, name in answer.get("components", ()))
        return Answer(components, answer.get("error", ""))

    def close(self) -> None:
        self.process.communicate(timeout=20)
        self.home.cleanup()


class Sf:
    """The command line. Raises `NotAvailable` when it can't be had."""

    def __init__(self, home: Path) -> None:
        program, _ = node()
        self.command = [str(program), str(modules() / "node_modules/@salesforce/cli/bin/run.js"), "project", "convert"]
        self.home = home

    def source(self, project: Path, directories: Sequence[str], out: Path) -> Answer:
        """Convert package directories of a project to Metadata API format below `out`."""
        folders = [option for directory in directories for option in ("--source-dir", directory)]
        return self._run(["source", *folders, "--output-dir", str(out)], project)

    def mdapi(self, project: Path, package: Path) -> Answer:
        """Convert a package in Metadata API format to source format, into the folder `project`."""
        return self._run(["mdapi", "--root-dir", str(package), "--output-dir", str(project)], project)

    def _run(self, arguments: Sequence[str], folder: Path) -> Answer:
        done = subprocess.run(
            [*self.command, *arguments, "--json"],
            cwd=folder,
            env={**os.environ, **_QUIET, "HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return Answer(frozenset(), f"{answer['name']}: {answer['message']}" if answer["status"] else "")


def files_below(folder: Path) -> Mapping[str, bytes]:
    """Return the files below a folder: path with slashes → content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
