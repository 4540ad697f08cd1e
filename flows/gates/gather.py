"""Gathers the facts of a project for the gates: register, waivers, partners, history, and what people stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.components import ComponentKey
from flows.compose import Layer, read_layers
from flows.gates.facts import Deviation, Facts, OrgFacts, read_org_facts
from flows.gates.history import Touched, authors_of, history, touched
from flows.gates.waivers import read_waivers
from flows.source.project import Project
from kit.problems import Problem, refuse_if_any, relative
from orgs import checklist, crossborder, partners
from orgs.federation import Federation, Org

REGISTER, PARTNERS, WAIVERS = "cross-border.yml", "partners.yml", "waivers.yml"

_MADE_FROM = {
    REGISTER: "`as_of: <today>` to begin with; the gates then ask for each fact that they need",
    PARTNERS: "`as_of: <today>`, `own_domains: [your.domain]`, and `partners` where others work on the metadata",
}


def gather(project: Project, federation: Federation, org: Org, stated: Path | None) -> Facts:
    """Return the facts of an org's release; `stated` is a file of facts about the org. Raises `Refused`.

    The project's own `orgs/cross-border.yml`, `orgs/partners.yml` and `orgs/waivers.yml` count. Without the first two
    it is refused: those that ship are of a made-up company. Without the third nothing is waived.
    """
    files = {name: project.root / "orgs" / name for name in (REGISTER, PARTNERS, WAIVERS)}
    refuse_if_any(_absent(file) for name, file in files.items() if name in _MADE_FROM and not file.is_file())
    register, file = crossborder.load_register(files[REGISTER], federation)
    layers = read_layers(project, org.overlays)
    past = history(project.root)
    components = [component for layer in layers for component in layer.components]
    return Facts(
        register=register,
        register_file=file,
        org=read_org_facts(stated) if stated else OrgFacts.model_validate({}),
        waivers=read_waivers(files[WAIVERS]) if files[WAIVERS].is_file() else (),
        deviations=deviations(layers, past),
        partners=partners.load_partners(files[PARTNERS]),
        authors=authors_of(components, past) if past else None,
        removals=tuple(removal for layer in layers for removal in layer.removals),
        checklist=checklist.load_checklist(project.root / "orgs" / checklist.FILE, federation),
    )


def deviations(layers: Sequence[Layer], past: Mapping[str, Touched]) -> tuple[Deviation, ...]:
    """Return the components of later layers that replace or patch one of an earlier layer, and since when by git."""
    owner: dict[ComponentKey, str] = {}
    found = []
    for layer in layers:
        for component in (*layer.components, *layer.patches):
            replaced = owner.get(component.key)
            if replaced:
                known = touched(component, past)
                since = known.first if known else None
                found.append(Deviation(component.key, layer.name, replaced, component.source, since))
        owner |= {component.key: layer.name for component in layer.components}
    return tuple(found)


def _absent(file: Path) -> Problem:
    return Problem(
        f"{relative(file)} is missing",
        "a project is judged by its own register and its own partners, never by those of the sample's company",
        f"create it: {_MADE_FROM[file.name]}",
    )
