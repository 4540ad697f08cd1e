"""`python -m benchmarks.landing_zone`: how long `pulumi up` of the whole local stack takes, beside what it waits for.

No engine is faster than the longest chain of creations that wait for one another. The chain is of the time that the
provider itself took for each creation, nearly all of it the provider's own waits. What `up` takes beyond it is ours,
the engine's, or the machine's: run this on a quiet one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from emulators.environment import environment
from emulators.lifecycle import start, stop
from kit.console import people
from tests.e2e.chain import Landing, Watched, landing_of, watching

ROOT = Path(__file__).parents[1]
STACK = "local"
MOST = 1.15  # of the chain, issue 4


def land(folder: Path) -> tuple[float, Landing]:
    """Return the seconds that `pulumi up` of the local stack took on emulators of its own, and what they went into.

    It writes to `folder` alone.
    """
    (folder / "infra").mkdir()
    for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml", "infra/__main__.py"):
        shutil.copy(ROOT / name, folder / name)
    home, log, watched = folder / "home", folder / "events.ndjson", Watched()
    instance, _ = start(home, 0)
    try:
        (home / "pulumi-state").mkdir(exist_ok=True)
        environ = environment(home, instance.port, os.environ)
        spied = {"PYTHONPATH": str(ROOT), "PULUMI_DEBUG_COMMANDS": "true", "PULUMI_OPTION_EVENT_LOG": str(log)}
        _pulumi(folder, environ, "stack", "init", STACK)
        with watching(log, watched):
            began = time.monotonic()
            _pulumi(folder, {**environ, **spied}, "up", "--yes", "--skip-preview", "--stack", STACK)
            ended = time.monotonic()
        state = json.loads(_pulumi(folder, environ, "stack", "export", "--stack", STACK))
    finally:
        stop(home)
    return ended - began, landing_of(watched, state["deployment"]["resources"])


def _pulumi(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    program = Path(sys.executable).with_name("pulumi")
    path = {"PATH": f"{program.parent}{os.pathsep}{environ['PATH']}"}
    command = [str(program), *arguments, "--non-interactive"]
    done = subprocess.run(command, cwd=folder, env={**environ, **path}, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def table(landing: Landing) -> Table:
    """Return the longest chain as a table for people."""
    shown = Table(box=box.SIMPLE, title="The longest chain", title_justify="left")
    shown.add_column("Creation")
    for column in ("Idle before", "Took"):
        shown.add_column(column, justify="right")
    for link in landing.links:
        shown.add_row(link.name, f"{link.idle:.2f} s", f"{link.took:.2f} s")
    return shown


def main() -> int:
    """Measure once and print. Returns the exit code: 1 when the building took more than 1.15 of the chain."""
    load = os.getloadavg()[0]
    with people().status("pulumi up on emulators of its own"), tempfile.TemporaryDirectory(prefix="sfoa-up-") as folder:
        command, landing = land(Path(folder))
    console = Console()
    console.print(table(landing))
    console.print(
        f"pulumi up, as a command: {command:.1f} s; {landing.start:.1f} s of engine and program before it creates"
    )
    console.print(f"{landing.resources} resources, from the first creation to the last: {landing.building:.1f} s")
    console.print(f"longest chain of the provider's own waits: {landing.chain:.1f} s")
    console.print(f"ratio: {landing.ratio:.2f} (at most {MOST}; load of the machine before: {load:.1f})")
    return int(landing.ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
