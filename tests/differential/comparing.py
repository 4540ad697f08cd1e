"""Two conversions compared as the Metadata API reads them: XML by content, archives by members, manifests as sets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from lxml import etree

from flows import xmltext
from flows.components import ComponentKey
from flows.convert import convert
from flows.direct import package_of
from flows.metadata_types import metadata_types
from flows.package import MANIFEST, assemble
from flows.presets import presets
from flows.source.project import read_project
from flows.unconvert import to_source
from flows.xmltext import MalformedXmlError
from flows.yamljson import json_of_yaml
from tests.differential.salesforce_converter import Answer, files_below
from tests.flows.source_samples import PROJECT, write

# Types that have, or may have by a preset, children in files of their own.
_TAKEN_APART = {kind.name for kind in metadata_types().types if kind.is_decomposed} | {
    kind.name for types in presets().values() for kind in types
}


class Tool(Protocol):
    """A converter of Salesforce's, both ways, as `salesforce_converter` has them."""

    def source(self, project: Path, directories: Sequence[str], out: Path) -> Answer: ...

    def mdapi(self, project: Path, package: Path) -> Answer: ...


def compare(tool: Tool, root: Path, directories: Sequence[str], work: Path) -> frozenset[ComponentKey]:
    """Convert a project both ways with both, assert that only what is meant differs, and return what was compared."""
    compared, package = to_package(tool, root, directories, work / "package")
    back_to_source(tool, package, work / "package", work / "source", PROJECT.replace('"app"', '"."'))
    return compared


def to_package(
    tool: Tool, root: Path, directories: Sequence[str], out: Path
) -> tuple[frozenset[ComponentKey], Mapping[str, bytes]]:
    """Convert a project to a package with both, assert that only what is meant differs; return what was compared, and
    Salesforce's package."""
    project = replace(read_project(root), package_directories=tuple(directories), api_version="64.0")
    result = convert(project, directories, "core")
    assert not result.problems, result.problems
    package = assemble(result.components, "64.0")
    assert package_of(project).zip == package.zip
    ours = package.files
    answer = tool.source(root.resolve(), directories, out)
    assert answer.error == ""
    theirs = files_below(out)
    only_theirs = members(theirs[MANIFEST]) - members(ours[MANIFEST])
    assert {entry for entry in only_theirs if not is_named_by_its_children(entry, ours)} == set()
    only_ours = members(ours[MANIFEST]) - members(theirs[MANIFEST])
    assert {entry for entry in only_ours if not names_a_child_of(entry, theirs)} == set()
    assert differences(without_manifest(ours), without_manifest(theirs)) == []
    return frozenset(component.key for component in result.components), theirs


def back_to_source(
    tool: Tool, package: Mapping[str, bytes], folder: Path, out: Path, project: str
) -> Mapping[str, bytes]:
    """Convert a package, which lies in `folder`, to source with both, for a project of these settings; assert that
    only what is meant differs, and return the kit's. Salesforce's is in `out` then."""
    write(out, {}, project=project)
    types = read_project(out).types
    answer = tool.mdapi(out, folder)
    assert answer.error == ""
    source = {path: data for path, data in files_below(out).items() if path != "sfdx-project.json"}
    mine = to_source(package, types=types)
    empty = {path for path in source.keys() - mine.keys() if is_empty_container(path, source[path])}
    assert differences(mine, {path: data for path, data in source.items() if path not in empty}) == []
    return mine


def without_manifest(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {path: data for path, data in files.items() if path != MANIFEST}


def is_named_by_its_children(entry: tuple[str, str], ours: Mapping[str, bytes]) -> bool:
    """Decision 008: the kit names each label, not also CustomLabels, of which nothing is left without them."""
    kind, name = metadata_types().by_name.get(entry[0]), entry[1]
    if kind is None:
        return False
    children = {child.name for child in kind.splittable.values()}
    of_it = {full for child, full in members(ours[MANIFEST]) if child in children}
    return not kind.is_decomposed and any(kind.fixed_name or full.startswith(f"{name}.") for full in of_it)


def names_a_child_of(entry: tuple[str, str], theirs: Mapping[str, bytes]) -> bool:
    """Decision 035: how labels and alerts are laid out doesn't change what package.xml calls them, here their file."""
    container = metadata_types().container_of.get(entry[0])
    if container is None or container.is_decomposed:
        return False
    name = container.name if container.fixed_name else entry[1].partition(".")[0]
    return (container.name, name) in members(theirs[MANIFEST])


def is_empty_container(path: str, data: bytes) -> bool:
    """Decision 008: an object of which the package only has fields gets no empty file of its own; decision 035: nor do
    workflows and sharing rules that a preset takes apart."""
    ends = tuple(f".{end}-meta.xml" for end in ("object", "workflow", "sharingRules"))
    return path.endswith(ends) and len(etree.fromstring(data)) == 0


def types_of(components: Iterable[ComponentKey]) -> set[str]:
    return {key.type for key in components}


def differences(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> list[str]:
    """Return each difference in a line, sorted; none when both mean the same."""
    found = [f"only ours: {path}" for path in ours.keys() - theirs.keys()]
    found += [f"only theirs: {path}" for path in theirs.keys() - ours.keys()]
    for path in ours.keys() & theirs.keys():
        if ours[path] != theirs[path] and _content(path, ours[path]) != _content(path, theirs[path]):
            found.append(f"differs: {path}")
    return sorted(found)


def members(manifest: bytes) -> set[tuple[str, str]]:
    """Return package.xml as a set of (type, full name)."""
    found: set[tuple[str, str]] = set()
    for types in etree.fromstring(manifest):
        names = [element.text or "" for element in types if xmltext.local_name(element) == "members"]
        found |= {(xmltext.child_text(types, "name"), name) for name in names}
    return found


def _content(path: str, data: bytes) -> object:
    if path == MANIFEST:
        return members(data)
    if path.endswith(".yaml"):
        return json.loads(json_of_yaml(data.decode()))
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    try:
        root = xmltext.parse(data).root
    except MalformedXmlError:
        return data
    if len(root) == 0 and not (root.text or "").strip():
        root.text = None
    if xmltext.local_name(root) in _TAKEN_APART:
        # The order of children that had files of their own carries no meaning.
        root[:] = sorted(root, key=_canonical)
    return _canonical(root)


def _canonical(element: etree._Element) -> bytes:
    """Return an element's content, wherever around it the prefixes that it uses are declared."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)
