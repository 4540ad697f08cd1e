"""Source format to one package: `sfoa bundle` beside Salesforce's library and its command, each from process start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Row, paired, skipped
from flows import xmltext
from flows.bundle import INDEX
from flows.package import MANIFEST
from tests.clients.node import NotAvailable, modules, node

NODE, MODULES = "SFOA_BENCH_NODE", "SFOA_BENCH_MODULES"
NODE_AT_LEAST = 22  # engines.node of @salesforce/source-deploy-retrieve 13.7.0
SCRIPT = Path(__file__).with_name("convert.mjs")
OURS = "kit.zip"
LIBRARY, COMMAND = "@salesforce/source-deploy-retrieve", "sf project convert source"


class Missing(Exception):
    """The peer is not here; the message says what is missing."""


def measure(project: Path, components: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row of the library; both write their zip into `folder`. Skipped without Node or the packages.

    Raises `AssertionError` when the two packages don't hold the same files: then they did different work.
    """
    theirs = folder / "peer.zip"
    row = Row("conversion", f"convert and bundle an SFDX project of {components:,} components", LIBRARY)

    def command(program: str, packages: Path) -> list[str]:
        return [program, str(SCRIPT), str(packages / LIBRARY), str(project / "force-app"), str(theirs)]

    done = _measure(row, "bundle", command, project, folder, rounds, seconds)
    if not done.skipped:
        names = {name for name in _zipped(theirs) if not name.endswith("/")}  # the peer lists folders too
        assert _zipped(folder / OURS).keys() - {INDEX} == names, "the two packages don't hold the same files"
    return done


def measure_command(project: Path, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row of the command that people run, which writes the package as files; else as `measure`.

    Raises `AssertionError` when a file of the two packages differs in content.
    """
    theirs = folder / "peer"
    files = sum(path.is_file() for path in project.rglob("*"))
    row = Row("conversion by sf", f"convert an SFDX project of {files:,} files", COMMAND, bound=10)

    def command(program: str, packages: Path) -> list[str]:
        cli = packages / "@salesforce/cli/bin/run.js"
        return [program, str(cli), "project", "convert", "source", "--output-dir", str(theirs), "--json"]

    done = _measure(row, "convert", command, project, folder, rounds, seconds)
    if not done.skipped:
        found = {path.relative_to(theirs).as_posix(): path.read_bytes() for path in theirs.rglob("*") if path.is_file()}
        assert _meant(_zipped(folder / OURS)) == _meant(found), "the two packages differ"
    return done


def _measure(
    row: Row,
    word: str,
    command: Callable[[str, Path], Sequence[str]],
    project: Path,
    folder: Path,
    rounds: int,
    seconds: float,
) -> Row:
    try:
        other = command(*_peer())
    except (Missing, NotAvailable) as missing:
        return skipped(row, str(missing))
    sfoa = str(Path(sys.executable).with_name("sfoa"))
    kit = [sfoa, word, "--source", str(project), "--out", str(folder / OURS), "--json"]
    return paired(
        row, lambda: _run(kit, project, folder), lambda: _run(other, project, folder), rounds=rounds, seconds=seconds
    )


def _zipped(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _meant(files: Mapping[str, bytes]) -> dict[str, list[bytes]]:
    """Return what files say: XML by its elements in whatever order, everything else by its bytes; of package.xml, the
    types alone but CustomLabels, which only the peer names beside the labels (docs/decisions/008)."""
    meant = {}
    for name, data in files.items():
        if not data.startswith(b"<"):
            meant[name] = [data]
            continue
        root = xmltext.parse(data).root
        elements = [element for element in root if xmltext.child_text(element, "name") != "CustomLabels"]
        if name == MANIFEST:
            for element in elements:
                element[:] = sorted(element, key=xmltext.canonical)
        meant[name] = [xmltext.local_name(root).encode(), *sorted(map(xmltext.canonical, elements))]
    return meant


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
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),  # an installed kit is compiled: the run beforehand does it
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_LOG_FILE": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, cwd=project, env={**environment, **quiet}, check=True, capture_output=True, timeout=120)
