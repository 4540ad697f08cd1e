"""A read-only answer: which orgs there are. `sfoa federation show` beside `cci org list`, from process start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Row, paired

ROOT = Path(__file__).parents[1]
ROW = Row("federation", "list the federation's orgs as JSON", "cci org list, with the project's keychain")


def measure(folder: Path, *, rounds: int, seconds: float) -> Row:
    """Return the row; `folder` becomes the home of both commands."""
    environment = _environment(folder)

    def command(*words: str) -> None:
        program = Path(sys.executable).with_name(words[0])
        subprocess.run(
            [str(program), *words[1:]], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60
        )

    return paired(
        ROW,
        lambda: command("sfoa", "federation", "show", "--json"),
        lambda: command("cci", "org", "list", "--json"),
        rounds=rounds,
        seconds=seconds,
    )


def _environment(folder: Path) -> dict[str, str]:
    # cci looks for a newer cci once an hour: what it would wait for is no part of the answer.
    stamp = folder / ".cumulusci" / "cumulus_timestamp"
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(str(time.time()))
    told = {"CUMULUSCI_AUTO_DETECT": "1", "CUMULUSCI_REPO_ROOT": str(ROOT)}
    return {**os.environ, **told, "HOME": str(folder)}
