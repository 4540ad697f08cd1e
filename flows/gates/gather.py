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
from orgs import crossborder, partners
from orgs.federation import Federation, Org

WAIVERS_FILE = Path(crossborder.__file__).with_name("waivers.yml")


def gather(project: Project, federation: Federation, org: Org, stated: Path | None) -> Facts:
    """Return the facts of an org's release; `stated` is a file of facts about the org. Raises `Refused`.

    The project's own `orgs/cross-border.yml`, `orgs/waivers.yml` and `orgs/partners.yml` count, else those that ship.
    """
    register, file = crossborder.load_register(_own(project, crossborder.DEFAULT_FILE), federation)
    layers = read_layers(project, org.overlays)
    past = history(project.root)
    components = [component for layer in layers for component in layer.components]
    return Facts(
        register=register,
        register_file=file,
        org=read_org_facts(stated) if stated else OrgFacts.model_validate({}),
        waivers=read_waivers(_own(project, WAIVERS_FILE)),
        deviations=deviations(layers, past),
        partners=partners.load_partners(_own(project, partners.DEFAULT_FILE)),
        authors=authors_of(components, past) if past else None,
        removals=tuple(removal for layer in layers for removal in layer.removals),
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


def _own(project: Project, shipped: Path) -> Path:
    own = project.root / "orgs" / shipped.name
    return own if own.is_file() else shipped
