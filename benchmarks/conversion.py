"""Source format to one package: `sfoa bundle` beside Salesforce's library and its command, each from process start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Row, paired, skipped
from flows.bundle import INDEX
from tests.clients.node import NotAvailable, modules, node

NODE, MODULES = "SFOA_BENCH_NODE", "SFOA_BENCH_MODULES"
NODE_AT_LEAST = 22  # engines.node of @salesforce/source-deploy-retrieve 13.7.0
SCRIPT = Path(__file__).with_name("convert.mjs")
TASK = "convert and bundle an SFDX project of {:,} components"
LIBRARY, COMMAND = "@salesforce/source-deploy-retrieve", "sf project convert source"


class Missing(Exception):
    """The peer is not here; the message says what is missing."""


def measure(project: Path, components: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row of the library; both write their zip into `folder`. Skipped without Node or the packages.

    Raises `AssertionError` when the two packages don't hold the same files: then they did different work.
    """
    theirs = folder / "peer.zip"

    def command(program: str, packages: Path) -> list[str]:
        return [program, str(SCRIPT), str(packages / LIBRARY), str(project / "force-app"), str(theirs)]

    def names() -> set[str]:
        with zipfile.ZipFile(theirs) as archive:
            return {name for name in archive.namelist() if not name.endswith("/")}  # the peer lists folders too

    row = Row("conversion", TASK.format(components), LIBRARY)
    return _measure(row, command, names, project, folder, rounds, seconds)


def measure_command(project: Path, components: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row of the command that people run, which writes the package as files; else as `measure`."""
    theirs = folder / "peer"

    def command(program: str, packages: Path) -> list[str]:
        cli = packages / "@salesforce/cli/bin/run.js"
        return [program, str(cli), "project", "convert", "source", "--output-dir", str(theirs), "--json"]

    def names() -> set[str]:
        return {path.relative_to(theirs).as_posix() for path in theirs.rglob("*") if path.is_file()}

    row = Row("conversion against sf", TASK.format(components), COMMAND)
    return _measure(row, command, names, project, folder, rounds, seconds)


def _measure(
    row: Row,
    command: Callable[[str, Path], Sequence[str]],
    names: Callable[[], set[str]],
    project: Path,
    folder: Path,
    rounds: int,
    seconds: float,
) -> Row:
    try:
        other = command(*_peer())
    except (Missing, NotAvailable) as missing:
        return skipped(row, str(missing))
    ours = folder / "kit.zip"
    kit = [
        str(Path(sys.executable).with_name("sfoa")),
        "bundle",
        "--source",
        str(project),
        "--out",
        str(ours),
        "--json",
    ]
    done = paired(
        row, lambda: _run(kit, project, folder), lambda: _run(other, project, folder), rounds=rounds, seconds=seconds
    )
    with zipfile.ZipFile(ours) as archive:
        assert set(archive.namelist()) - {INDEX} == names(), "the two packages don't hold the same files"
    return done


def _peer() -> tuple[str, Path]:
    """Return Node and the folder node_modules: those that are named, else those that the client matrix installs."""
    program = os.environ.get(NODE) or str(node()[0])
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()
    major = re.match(r"v(\d+)\.", said)
    if not major or int(major[1]) < NODE_AT_LEAST:
        raise Missing(f"{program} is {said or 'no Node'}; {LIBRARY} needs {NODE_AT_LEAST}: name another one in {NODE}")
    packages = Path(os.environ[MODULES]) if MODULES in os.environ else modules() / "node_modules"
    if not (packages / LIBRARY / "package.json").is_file():
        raise Missing(f"no {LIBRARY} in {packages}: name a folder node_modules that holds it in {MODULES}")
    return program, packages.resolve()


def _run(command: Sequence[str], project: Path, folder: Path) -> None:
    quiet = {
        "HOME": str(folder),
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_LOG_FILE": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
    }
    subprocess.run(command, cwd=project, env={**os.environ, **quiet}, check=True, capture_output=True, timeout=120)
