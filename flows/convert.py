"""Salesforce source format → components in Metadata API form, driven by the table of types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from flows.components import Component
from flows.converter import Converter
from flows.parallel import shared_out
from flows.source.project import Project, SourceFile
from flows.source.resolve import Found, resolve
from kit.problems import Place, Problem

_WORTH_SHARING = 2000  # files: a second process costs as much time as converting some hundreds (measured 2026-11)


class Converted(NamedTuple):
    """What a folder of source came to. `skipped` are files that are no metadata, as the project names them."""

    components: tuple[Component, ...]
    problems: tuple[Problem, ...]
    skipped: tuple[str, ...]


def convert(project: Project, directories: Iterable[str], layer: str) -> Converted:
    """Convert the package `directories` of a project, together one layer.

    Each file is read once. All problems are returned together: unknown types, orphans, malformed XML, a component
    that stands twice.
    """
    return convert_files(project, project.all_files(directories), layer)


def convert_files(project: Project, files: Iterable[SourceFile], layer: str) -> Converted:
    """Convert some files of a project, as `convert` does all of its package directories."""
    resolution = resolve(files, project.shown, project.types)
    whole = Converter(project, layer, list(resolution.problems))

    def take(share: Sequence[Found]) -> tuple[list[Component], list[Problem]]:
        converter = Converter(project, layer, [])
        for found in share:
            converter.take(found)
        return list(converter.components.values()), converter.problems

    weights = [found.files for found in resolution.found]
    shares = shared_out(take, resolution.found, weights) if sum(weights) > _WORTH_SHARING else [take(resolution.found)]
    for made, problems in shares:
        whole.problems += problems
        for component in made:
            whole.add(component)
    components = tuple(whole.components[key] for key in sorted(whole.components))
    whole.problems += _alike(components, project)
    return Converted(components, tuple(whole.problems), tuple(file.name for file in resolution.skipped))


def _alike(components: Iterable[Component], project: Project) -> Iterator[Problem]:
    """Yield a problem for each component whose name differs from another's in upper and lower case alone."""
    seen: dict[tuple[str, str], Component] = {}
    for component in components:
        other = seen.setdefault((component.key.type, component.key.full_name.casefold()), component)
        if other is not component:
            there, here = (Place(project.shown(each.source.file), each.source.line) for each in (other, component))
            what = f"{component.key} differs from {other.key} ({there}) in upper and lower case alone"
            yield Problem(what, "an org's names don't tell upper from lower case", "rename or remove one", here)
