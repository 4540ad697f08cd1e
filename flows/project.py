"""Where the project is that a command works on, and its federation."""

from __future__ import annotations

from pathlib import Path

from kit.problems import Problem, Refused
from orgs.federation import Federation, load_federation

MARK = "sfdx-project.json"


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder from `start` (default: the working directory) upwards that holds a project.

    Raises `Refused` when there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / MARK).is_file():
            return folder
    raise Refused(
        Problem(f"there is no {MARK} in {here} or above", "commands work on a project", "change into the project")
    )


def federation_of(root: Path) -> Federation:
    """Return the federation of the project in `root`: its own `orgs/federation.yml`, else the one that ships."""
    own = root / "orgs" / "federation.yml"
    return load_federation(own if own.is_file() else None)
