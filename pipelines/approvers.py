"""Throw-away keys for the federation's approvers, with which the emulated stage signs plans as they would.

`python -m pipelines.approvers FOLDER NAME…` makes a key for each name, if it is absent, and beside the folder the file
that $SFOA_APPROVERS names. Only a stack whose environment is `local` takes those keys.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def make_keys(folder: Path, names: Iterable[str]) -> Path:
    """Make each approver's key pair in `folder`, and return the file of all public keys (JSON: name → key)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / name).exists():
            file = str(folder / name)
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}, throw-away", "-f", file]
            subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    public = folder.with_suffix(".json")
    lines = {file.stem: file.read_text(encoding="utf-8").strip() for file in sorted(folder.glob("*.pub"))}
    public.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return public


if __name__ == "__main__":
    print(make_keys(Path(sys.argv[1]), sys.argv[2:]))
