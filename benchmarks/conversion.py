"""Source format to one package: `sfoa bundle` beside Salesforce's own converter, each from process start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.measure import Row, paired, skipped
from flows.bundle import INDEX

NODE, LIBRARY = "SFOA_BENCH_NODE", "SFOA_BENCH_SDR"
NODE_AT_LEAST = 22  # engines.node of @salesforce/source-deploy-retrieve 13.7.0
SCRIPT = Path(__file__).with_name("convert.mjs")
TASK = "convert and bundle an SFDX project of {:,} components"
PEER = "@salesforce/source-deploy-retrieve"


class Missing(Exception):
    """The peer is not here; the message says what is missing."""


def measure(project: Path, components: int, folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row; both write their zip into `folder`. Skipped when there is no Node or no library.

    Raises `AssertionError` when the two packages don't hold the same files: then they did different work.
    """
    row = Row("conversion", TASK.format(components), PEER)
    try:
        node, library = _peer()
    except Missing as missing:
        return skipped(row, str(missing))
    ours, theirs = folder / "kit.zip", folder / "peer.zip"
    sfoa = str(Path(sys.executable).with_name("sfoa"))
    kit = [sfoa, "bundle", "--source", str(project), "--out", str(ours), "--json"]
    other = [node, str(SCRIPT), library, str(project / "force-app"), str(theirs)]
    done = paired(row, lambda: _run(kit), lambda: _run(other), rounds=rounds, seconds=seconds)
    assert _names(ours) - {INDEX} == _names(theirs), "the two packages don't hold the same files"
    return done


def _peer() -> tuple[str, str]:
    node = os.environ.get(NODE) or shutil.which("node")
    if not node:
        raise Missing(f"no Node: put Node {NODE_AT_LEAST} or later on PATH, or name one in {NODE}")
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    major = re.match(r"v(\d+)\.", said)
    if not major or int(major[1]) < NODE_AT_LEAST:
        raise Missing(f"{node} is {said or 'no Node'}; {PEER} needs {NODE_AT_LEAST}: name another one in {NODE}")
    library = os.environ.get(LIBRARY)
    if not library or not (Path(library) / "package.json").is_file():
        raise Missing(f"no {PEER}: install it anywhere with npm, and name its folder in {LIBRARY}")
    return node, str(Path(library).resolve())


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def _names(package: Path) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}  # the peer lists folders too
