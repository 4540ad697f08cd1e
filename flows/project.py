"""Where the project is that a command works on, and its federation."""

from __future__ import annotations

from pathlib import Path

from kit.problems import Problem, Refused, relative
from orgs.federation import Federation, load_federation

MARK = "sfdx-project.json"
FEDERATION = Path("orgs", "federation.yml")


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
    """Return the federation of the project in `root`: `orgs/federation.yml`.

    Raises `Refused` when the project has none: the one that ships is of a made-up company, and no release of another
    company is ever judged, planned or sent by it.
    """
    own = root / FEDERATION
    if not own.is_file():
        raise Refused(
            Problem(
                f"{relative(own)} is missing",
                "a project is released to its own orgs, never to those of the sample's company",
                "create it: company, centres, approvers and orgs; `sfoa federation schema` prints its JSON Schema",
                None,
                "",
                f"缺少 {FEDERATION}:项目只发布到自己的组织",
                f"请创建 {FEDERATION};`sfoa federation schema` 输出其 JSON Schema",
            )
        )
    return load_federation(own)
