"""Reads the hand-over from the cloud: the outputs of the landing zone's stack, from a file or from Pulumi."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.outputs import LandingZoneOutputs, parse_outputs
from kit.problems import Place, Problem, Refused

OUTPUTS_FILE = "SFOA_OUTPUTS"
STACK = "SFOA_STACK"
TIMEOUT_SECONDS = 120


def read_outputs(stack: str | None = None, project: Path | None = None) -> LandingZoneOutputs:
    """Return the outputs of the landing zone.

    They come from the JSON file that $SFOA_OUTPUTS names (what CI hands over, with no Pulumi at hand), else from
    `pulumi stack output` of `stack` (default: $SFOA_STACK) of the Pulumi project in `project` (default: the
    working directory). Raises `Refused` when there are none, or none that this release of the kit reads.
    """
    file = os.environ.get(OUTPUTS_FILE)
    if file and stack is None:
        return parse_outputs(_read(Path(file)), file)
    name = stack or os.environ.get(STACK)
    if not name:
        raise Refused(
            Problem(
                "no stack is named",
                "bundles and ledger live in the buckets that a stack's outputs name",
                f"set {STACK} to the stack's name, or {OUTPUTS_FILE} to a file with the output of "
                "`pulumi stack output --json`; on this machine's emulators, run it under `sfoa emulators run --`",
            )
        )
    printed = pulumi(["stack", "output", "--json", "--stack", name], project)
    return parse_outputs(_parsed(printed, f"stack {name}"), f"stack {name}")


def engine_path() -> str | None:
    """Return the Pulumi command: of PATH, else the one beside the Python that runs us, where `make up` puts it."""
    return shutil.which("pulumi") or shutil.which("pulumi", path=str(Path(sys.executable).parent))


def pulumi(arguments: list[str], project: Path | None = None) -> str:
    """Run Pulumi in `project` and return what it printed. Raises `Refused` with its own words when it fails."""
    engine = engine_path()
    if engine is None:
        raise Refused(
            Problem(
                "the Pulumi engine is not here",
                "the outputs of a stack are read with the Pulumi engine",
                f"run `sfoa toolchain ensure`, or set {OUTPUTS_FILE}",
            )
        )
    command = [engine, *arguments, "--non-interactive"]
    try:
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Refused(
            Problem(
                f"`pulumi {' '.join(arguments)}` gave no answer in {TIMEOUT_SECONDS} seconds",
                "the state backend answers",
                "see that PULUMI_BACKEND_URL names a backend that can be reached from here",
            )
        ) from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Refused(
            Problem(
                f"`pulumi {' '.join(arguments)}` failed: {words[-1] if words else 'it said nothing'}",
                "the stack exists in the backend that PULUMI_BACKEND_URL names",
                "run `make up`, or `pulumi stack ls` to see which stacks there are",
            )
        )
    return done.stdout


def _read(path: Path) -> Mapping[str, object]:
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise Refused(
            Problem(
                f"cannot read the outputs: {error.strerror}",
                f"{OUTPUTS_FILE} names a readable file",
                f"write it with `pulumi stack output --json > {path}`",
                Place(str(path)),
            )
        ) from error


def _parsed(text: str, source: str) -> Mapping[str, object]:
    try:
        data = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise Refused(
            Problem(
                f"no JSON: {error.msg}",
                "outputs are what `pulumi stack output --json` prints",
                "write them again",
                Place(source, error.lineno),
            )
        ) from error
    if not isinstance(data, dict):
        raise Refused(
            Problem(
                "not a JSON object",
                "outputs are what `pulumi stack output --json` prints",
                "write them again",
                Place(source),
            )
        )
    return data
