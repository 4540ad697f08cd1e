"""Gathers the facts of a project for the gates: register, waivers, deviations and what people stated."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from flows.components import ComponentKey
from flows.compose import Layer, read_layers
from flows.gates.facts import Deviation, Facts, OrgFacts, read_org_facts
from flows.gates.waivers import read_waivers
from flows.source.project import Project
from orgs import crossborder
from orgs.federation import Federation, Org

WAIVERS_FILE = Path(crossborder.__file__).with_name("waivers.yml")


def gather(project: Project, federation: Federation, org: Org, stated: Path | None) -> Facts:
    """Return the facts of an org's release; `stated` is a file of facts about the org. Raises `Refused`.

    The project's own `orgs/cross-border.yml` and `orgs/waivers.yml` count, else those that ship.
    """
    register, file = crossborder.load_register(_own(project, crossborder.DEFAULT_FILE), federation)
    layers = read_layers(project, org.overlays)
    return Facts(
        register=register,
        register_file=file,
        org=read_org_facts(stated) if stated else OrgFacts.model_validate({}),
        waivers=read_waivers(_own(project, WAIVERS_FILE)),
        deviations=deviations(layers, first_days(project.root)),
    )


def deviations(layers: Sequence[Layer], since: Mapping[str, date]) -> tuple[Deviation, ...]:
    """Return the components of later layers that replace or patch one of an earlier layer; `since` is by file."""
    owner: dict[ComponentKey, str] = {}
    found = []
    for layer in layers:
        for component in (*layer.components, *layer.patches):
            replaced = owner.get(component.key)
            if replaced:
                day = _first_day(Path(component.source.file).resolve(), since)
                found.append(Deviation(component.key, layer.name, replaced, component.source, day))
        owner |= {component.key: layer.name for component in layer.components}
    return tuple(found)


def first_days(root: Path) -> dict[str, date]:
    """Return the day on which each file came into the repository, by its whole path; empty when there is none."""
    command = ["git", "-C", str(root), "log", "--diff-filter=A", "--no-renames", "--format=//%as", "--name-only"]
    try:
        top = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True)
        log = subprocess.run([*command, "--", "metadata"], capture_output=True, text=True)
    except FileNotFoundError:
        return {}
    if top.returncode or log.returncode:
        return {}
    found: dict[str, date] = {}
    day = date.min
    for line in log.stdout.splitlines():
        if line.startswith("//"):
            day = date.fromisoformat(line[2:])
        elif line:
            found[str(Path(top.stdout.strip(), line).resolve())] = day
    return found


def _first_day(path: Path, since: Mapping[str, date]) -> date | None:
    """Return the day of a file, or for a folder (a component of many files) its first file's."""
    if str(path) in since:
        return since[str(path)]
    return min((day for name, day in since.items() if name.startswith(f"{path}/")), default=None)


def _own(project: Project, shipped: Path) -> Path:
    own = project.root / "orgs" / shipped.name
    return own if own.is_file() else shipped
