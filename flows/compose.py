"""Layers → one bundle for one org: headquarters' core, the edition's overlay, the org's own; later ones win."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.convert import Converted, convert, convert_files
from flows.source.project import PROJECT_FILE, Project, read_project
from kit.problems import Place, Problem, Refused, refuse_if_any, relative

if TYPE_CHECKING:
    from orgs.federation import Federation, Org

CORE, ORGS = "core", "orgs"
REMOVE_FILE = "remove.yml"


@dataclass(frozen=True, slots=True)
class Removal:
    """A component that an overlay leaves out of what earlier layers hold, with the reason, and where it says so."""

    key: ComponentKey
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its name ("core", "china", "orgs/china-uat"), its components, what it removes from earlier
    ones, the files in its folder that are no metadata (paths from the project's root), and its patches:
    components that hold only the elements that it changes in those of earlier layers."""

    name: str
    components: tuple[Component, ...]
    removals: tuple[Removal, ...] = ()
    skipped: tuple[str, ...] = ()
    patches: tuple[Component, ...] = ()


def compose(layers: Iterable[Layer]) -> dict[ComponentKey, Component]:
    """Return what the layers come to, in their order: a later component replaces an earlier of the same key, a
    patch changes elements of it.

    Removing a container removes its children. Raises `Refused` for every removal and every patch of a component
    that no earlier layer holds, and for patches that don't fit their component.
    """
    from flows.patch import patched

    composed: dict[ComponentKey, Component] = {}
    problems = []
    for layer in layers:
        for removal in layer.removals:
            gone = [key for key, component in composed.items() if removal.key in (key, component.parent)]
            if not gone:
                problems.append(_nothing_there(removal.key, "removed", REMOVE_FILE, removal.place, composed))
            for key in gone:
                del composed[key]
        for patch in layer.patches:
            base = composed.get(patch.key)
            if base is None:
                problems.append(_nothing_there(patch.key, "patched", "a patch", patch.source, composed))
            else:
                composed[patch.key], found = patched(base, patch)
                problems += found
        composed |= {component.key: component for component in layer.components}
    refuse_if_any(problems, "the layers don't fit")
    return dict(sorted(composed.items()))


def compose_for(federation: Federation, org: str | Org, project_root: Path) -> Bundle:
    """Return the bundle of one org: what the layers that the federation gives it come to.

    Raises `Refused` for layers of no org, or with all problems of all layers, see `read_layers`.
    """
    member = federation.org(org) if isinstance(org, str) else org
    project = read_project(project_root)
    refuse_strange_layers(project, federation)
    layers = read_layers(project, member.overlays)
    return build_bundle(compose(layers).values(), project.api_version)


def read_layers(project: Project, names: Sequence[str]) -> list[Layer]:
    """Return the layers of these names, converted from the project's folders; an absent overlay is left out.

    The folder of the layer `core` is a package directory of the project; the other layers lie beside it
    ("metadata/core", "metadata/china", "metadata/orgs/china-uat"). Raises `Refused` with all problems of all.
    """
    # What reads YAML and patches takes longer to load than a project without layers to convert.
    from flows.patch import is_patch, read_patches
    from flows.removals import read_removals

    layers: list[Layer] = []
    problems: list[Problem] = []
    for name in names:
        directory = layer_directory(project, name)
        if not (project.root / directory).is_dir():
            continue
        files = list(project.files(directory))
        converted = convert_files(project, [file for file in files if not is_patch(file)], name)
        patches = read_patches(project, [file for file in files if is_patch(file)], name)
        problems.extend([*converted.problems, *patches.problems, *_twice(converted.components, patches.components)])
        removals: tuple[Removal, ...] = ()
        file = f"{directory}/{REMOVE_FILE}"
        try:
            removals = read_removals(project.root / file)
        except Refused as refused:
            problems.extend(refused.problems)
        skipped = tuple(skipped for skipped in converted.skipped if skipped != file)
        layers.append(Layer(name, converted.components, removals, skipped, patches.components))
    refuse_if_any(problems, "the metadata can't be converted")
    return layers


def refuse_strange_layers(project: Project, federation: Federation) -> None:
    """Raise `Refused` for each folder of `orgs/` that is named for no org: nobody would get what lies in it."""
    from kit.spoken import nearest  # what converts alone does without

    names = [org.name for org in federation.orgs]
    directory = layer_directory(project, ORGS)
    folder = project.root / directory
    found = sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    refuse_if_any(
        Problem(
            f"{directory}/{name} is the layer of no org",
            f"what lies in {directory}/NAME goes to the org of that name in orgs/federation.yml, and to no other",
            f"rename it, or remove it{nearest(name, names)}",
            Place(relative(folder / name)),
            "",
            f"{directory}/{name} 不属于任何组织",
            "请改为 orgs/federation.yml 中的组织名,或删除该目录",
        )
        for name in found
        if name not in names and not name.startswith(".")
    )


def layer_directory(project: Project, name: str) -> str:
    """Return the folder of a layer, from the project's root, whether it exists or not. Raises `Refused`."""
    return (Path(_core_directory(project)).parent / name).as_posix()


def compose_project(project: Project) -> tuple[Bundle, Converted]:
    """Return the bundle of any SFDX project, its package directories being one layer, and how it was converted.

    Raises `Refused` with all problems.
    """
    converted = convert(project, project.package_directories, "source")
    refuse_if_any(converted.problems, f"{relative(project.root)} can't be converted")
    return build_bundle(converted.components, project.api_version), converted


def _core_directory(project: Project) -> str:
    for directory in project.package_directories:
        if Path(directory).name == CORE:
            return directory
    place = Place(relative(project.root / PROJECT_FILE))
    rule = f"the package directory named {CORE} holds what every org gets"
    fix = 'add {"path": "metadata/core"}, or bundle a project without layers by leaving out --org'
    raise Refused(Problem(f"no package directory is named {CORE}", rule, fix, place))


def _twice(components: Iterable[Component], patches: Iterable[Component]) -> list[Problem]:
    """Return a problem for each component that a layer both replaces and patches."""
    whole = {component.key: component.source for component in components}
    return [
        Problem(
            f"{patch.key} is patched in the layer that holds the whole of it: {whole[patch.key]}",
            "a layer replaces a component, or changes elements of an earlier layer's; not both",
            "write the change into the whole component",
            patch.source,
        )
        for patch in patches
        if patch.key in whole
    ]


def _nothing_there(
    key: ComponentKey, what: str, by: str, place: Place, composed: Mapping[ComponentKey, Component]
) -> Problem:
    known: Sequence[str] = [str(each) for each in composed if each.type == key.type] or list(map(str, composed))
    near = difflib.get_close_matches(str(key), known, 1)
    return Problem(
        f"{key} is to be {what}, but no earlier layer holds it",
        f"{by} is about components of earlier layers",
        f"did you mean {near[0]}?" if near else "remove the entry",
        place,
    )
