"""Patches: a layer changes some elements of a component that an earlier layer brought, and leaves the others alone.

A patch is a file in source format whose name ends in `-patch.xml` in place of `-meta.xml`. It holds the elements to
add or change; one with the attribute `patch="remove"` is taken out, one with `patch="add"` is added beside others of
its name. Elements are matched by the same keys by which drift compares them (`drift_keys.yml`). Pure but for reading
the files.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from flows.components import Component, MdapiFile, Patch, Run
from flows.contents import element_of, metadata_root, with_files, with_fragment
from flows.convert import Converted, convert_files
from flows.elements import key_of, tables, text_of
from flows.metadata_types import metadata_types
from flows.package import LineMap
from flows.source.project import Project, SourceFile, source_file
from flows.source.resolve import META
from flows.xmltext import local_name
from flows.xmlwrite import lines, opening, prefixes_of
from kit.problems import Place, Problem

SUFFIX = "-patch.xml"
ATTRIBUTE = "patch"
_ADD, _REMOVE = "add", "remove"
_RULE = "a patch changes elements of a component that an earlier layer holds, each named by its key"


def is_patch(file: SourceFile) -> bool:
    """Return whether the file changes elements of a component, and is no component of its own."""
    return file.base.endswith(SUFFIX)


def read_patches(project: Project, files: Iterable[SourceFile], layer: str) -> Converted:
    """Return the patches in `files`: components that hold only what is changed, with all problems."""
    taken: list[SourceFile] = []
    problems: list[Problem] = []
    for file in files:
        if kind := _without_elements(file):
            what = f"{kind} can't be patched: it is not made of elements"
            place = Place(project.shown(file.name))
            problems.append(Problem(what, _RULE, "replace the whole component in this layer", place))
        else:
            taken.append(source_file(file.path, file.name.removesuffix(SUFFIX) + META))
    named = {file.name: file.name.removesuffix(META) + SUFFIX for file in taken}
    named |= {project.shown(name): project.shown(patch) for name, patch in named.items()}
    converted = convert_files(project, taken, layer)
    components = tuple(_renamed(component, named) for component in converted.components)
    for problem in converted.problems:
        here = problem.place and Place(named.get(problem.place.file, problem.place.file), problem.place.line)
        problems.append(replace(problem, place=here))
    for component in components:
        if component.key.type not in tables().keys:
            what = f"{component.key} can't be patched: nothing says by what the elements of its type are told apart"
            fix = f"replace the whole component in this layer, or add {component.key.type} to flows/drift_keys.yml"
            problems.append(Problem(what, _RULE, fix, component.source))
    return Converted(components, tuple(problems), ())


def patched(base: Component, patch: Component) -> tuple[Component, tuple[Problem, ...]]:
    """Return the component with the patch's elements, and the problems of the patch: elements that are to be removed
    and aren't there, elements that nothing tells apart."""
    merge = _Merge(base.key.type)
    root, old = merge.tree(base), merge.tree(patch)
    if root is None or old is None or local_name(root) != local_name(old):
        what = f"{base.key} of the layer {base.layer} is not made of elements"
        return base, (Problem(what, _RULE, "replace the whole component in this layer", patch.source),)
    if old.get(ATTRIBUTE) is not None:
        what = f'{base.key} as a whole has {ATTRIBUTE}="{old.get(ATTRIBUTE)}"'
        fix = "to remove a whole component, list it in remove.yml"
        return base, (Problem(what, "a patch changes elements inside of a component", fix, patch.source),)
    merge.children(root, old)
    changed = replace(base, patches=(*base.patches, Patch(patch.layer, patch.source)))
    text, runs = merge.written(root, whole=base.fragment is None)
    if base.fragment:
        changed = with_fragment(changed, replace(base.fragment, xml=text, runs=runs))
    else:
        changed = with_files(changed, [MdapiFile(base.files[0].path, text, runs)])
    return changed, tuple(merge.problems)


@dataclass(slots=True)
class _Merge:
    """Merges one tree into another. `places` holds on to the elements, so that an element stays the same object."""

    kind: str
    problems: list[Problem] = field(default_factory=list)
    places: dict[etree._Element, Place | None] = field(default_factory=dict)

    def tree(self, component: Component) -> etree._Element | None:
        """Return a component's root, None when it is no single metadata file. Notes where its elements stand."""
        if component.fragment:
            root, runs = element_of(component.fragment), component.lines
        elif len(component.files) == 1 and (found := metadata_root(component.files[0].data)) is not None:
            root, runs = found, component.files[0].runs
        else:
            return None
        origin = LineMap({"": runs}, {})
        self.places |= {element: origin.source("", _line(element)) for element in root.iter()}
        return root

    def children(self, base: etree._Element, patch: etree._Element) -> None:
        """Merge the children of `patch` into those of `base`."""
        paired = self.by_position(base, patch)
        for element in list(patch):
            how = element.get(ATTRIBUTE)
            element.attrib.pop(ATTRIBUTE, "")
            if how not in (None, _ADD, _REMOVE):
                what = f'{local_name(element)} has {ATTRIBUTE}="{how}"'
                fix = f'write {ATTRIBUTE}="{_REMOVE}", {ATTRIBUTE}="{_ADD}", or leave it out'
                self.problem(element, what, fix)
                continue
            siblings = [child for child in base if local_name(child) == local_name(element)]
            same = [] if how == _ADD else paired.get(element) or self.same(siblings, element)
            if same is None:
                continue
            if how == _REMOVE:
                self.remove(base, same, siblings, element)
            elif not same:
                self.add(base, element, siblings)
            elif len(element) or len(same[0]):
                self.children(same[0], element)
            else:
                base.replace(same[0], element)

    def by_position(self, base: etree._Element, patch: etree._Element) -> dict[etree._Element, list[etree._Element]]:
        """Return the elements that nothing names but their position (columns of a layout): as many here as there."""
        found: dict[etree._Element, list[etree._Element]] = {}
        for name in {local_name(element) for element in patch}:
            ours = [child for child in base if local_name(child) == name]
            theirs = [child for child in patch if local_name(child) == name and child.get(ATTRIBUTE) is None]
            unnamed = not any(key_of(self.kind, each) for each in (*ours, *theirs))
            if unnamed and len(ours) == len(theirs) and any(len(each) for each in ours):
                found |= {element: [other] for element, other in zip(theirs, ours, strict=True)}
        return found

    def same(self, siblings: list[etree._Element], element: etree._Element) -> list[etree._Element] | None:
        """Return the element that `element` is about, if it is there; None when nothing tells which it is."""
        if key := key_of(self.kind, element):
            return [child for child in siblings if key_of(self.kind, child) == key][:1]
        if equal := [child for child in siblings if len(child) == len(element) == 0 and _text(child, element)]:
            return equal[:1]
        if len(siblings) == 1:
            return siblings
        if not siblings or len(element) == 0:
            return []
        what = f"nothing tells which of the {len(siblings)} {local_name(element)} is meant"
        keys = " or ".join(map("+".join, tables().keys.get(self.kind, {}).get(local_name(element), tables().any_key)))
        fix = (
            f'name it by its {keys}, write {ATTRIBUTE}="{_ADD}" to add one, or write all {len(siblings)} in their order'
        )
        self.problem(element, what, fix)
        return None

    def remove(
        self,
        base: etree._Element,
        same: list[etree._Element],
        siblings: list[etree._Element],
        element: etree._Element,
    ) -> None:
        if same:
            base.remove(same[0])
            return
        name = key_of(self.kind, element) or text_of(element)
        near = difflib.get_close_matches(name, [key_of(self.kind, each) or text_of(each) for each in siblings], 1)
        what = f"{local_name(element)} {name} is to be removed, but the component doesn't hold it".replace("  ", " ")
        self.problem(element, what, f"did you mean {near[0]}?" if near else "remove the element from the patch")

    def add(self, base: etree._Element, element: etree._Element, siblings: list[etree._Element]) -> None:
        """Add an element: the Metadata API wants those of one name together, and sorts names."""
        for inside in element.iterdescendants():
            if inside.get(ATTRIBUTE) is not None:
                what = f"{local_name(inside)} can't be told apart from others: the {local_name(element)} is new"
                self.problem(inside, what, f"leave out {ATTRIBUTE}, or correct what names the {local_name(element)}")
        if siblings:
            siblings[-1].addnext(element)
            return
        before = [position for position, child in enumerate(base, 1) if local_name(child) <= local_name(element)]
        base.insert(before[-1] if before else 0, element)

    def written(self, root: etree._Element, *, whole: bool) -> tuple[bytes, tuple[Run, ...]]:
        """Return the text of a file or fragment, and its lines' origin."""
        prefixes = prefixes_of(root)
        if whole:
            head = f"{opening(local_name(root), root, prefixes)}>".split("\n")
            pieces: list[tuple[str, Place | None]] = [(line, self.places[root]) for line in head]
            for child in root:
                pieces += self.lines(child, 1, prefixes)
            pieces.append((f"</{local_name(root)}>", None))
        else:
            pieces = list(self.lines(root, 0, prefixes))
        runs, line = [], 1
        for text, place in pieces:
            runs.append(Run(line, place))
            line += 1 + text.count("\n")
        text = "\n".join(text for text, _ in pieces)
        return (f"{text}\n" if whole else text).encode(), tuple(runs)

    def lines(
        self, element: etree._Element, depth: int, prefixes: dict[str, str]
    ) -> Iterator[tuple[str, Place | None]]:
        return ((text, self.places[each]) for text, each in lines(element, depth, prefixes))

    def problem(self, element: etree._Element, what: str, fix: str) -> None:
        self.problems.append(Problem(what, _RULE, fix, self.places[element]))


def _text(one: etree._Element, other: etree._Element) -> bool:
    return text_of(one) == text_of(other)


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline  # the stubs don't know its type
    return int(line or 1)


def _without_elements(file: SourceFile) -> str:
    """Return the type of a patch file if its components hold more than one XML file, else ""."""
    suffix = file.base.removesuffix(SUFFIX).rpartition(".")[2]
    kinds = metadata_types().by_suffix.get(suffix, ())
    adapters = ("matchingContentFile", "bundle", "mixedContent")
    return next((kind.name for kind in kinds if kind.adapter in adapters), "")


def _renamed(component: Component, named: dict[str, str]) -> Component:
    """Return the component with the names of patch files where those of the files they stand for were used."""

    def renamed(place: Place) -> Place:
        return Place(named.get(place.file, place.file), place.line)

    files = tuple(
        file._replace(runs=tuple(Run(run.line, run.source and renamed(run.source)) for run in file.runs))
        for file in component.files
    )
    return replace(component, source=renamed(component.source), files=files)
