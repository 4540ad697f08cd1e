"""Two conversions compared as the Metadata API reads them: XML by content, archives by members, manifests as sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lxml import etree
from salesforce_converter import Answer, files_below
from source_samples import PROJECT, write

from flows import xmltext
from flows.components import ComponentKey
from flows.convert import convert
from flows.metadata_types import metadata_types
from flows.package import MANIFEST, assemble
from flows.source.project import read_project
from flows.unconvert import to_source
from flows.xmltext import MalformedXmlError


class Tool(Protocol):
    """A converter of Salesforce's, both ways, as `salesforce_converter` has them."""

    def source(self, project: Path, directories: Sequence[str], out: Path) -> Answer: ...

    def mdapi(self, project: Path, package: Path) -> Answer: ...


def compare(tool: Tool, root: Path, directories: Sequence[str], work: Path) -> frozenset[ComponentKey]:
    """Convert a project both ways with both, assert that only what is meant differs, and return what was compared."""
    result = convert(read_project(root), directories, "core")
    assert not result.problems, result.problems
    ours = assemble(result.components, "64.0").files
    answer = tool.source(root.resolve(), directories, work / "package")
    assert answer.error == ""
    theirs = files_below(work / "package")
    only_theirs = members(theirs[MANIFEST]) - members(ours[MANIFEST])
    assert {entry for entry in only_theirs if not is_named_by_its_children(entry, ours)} == set()
    assert members(ours[MANIFEST]) - members(theirs[MANIFEST]) == set()
    assert differences(without_manifest(ours), without_manifest(theirs)) == []

    write(work / "source", {}, project=PROJECT.replace('"app"', '"."'))
    answer = tool.mdapi(work / "source", work / "package")
    assert answer.error == ""
    source = {path: data for path, data in files_below(work / "source").items() if path != "sfdx-project.json"}
    mine = to_source(theirs)
    empty = {path for path in source.keys() - mine.keys() if is_empty_object(path, source[path])}
    assert differences(mine, {path: data for path, data in source.items() if path not in empty}) == []
    return frozenset(component.key for component in result.components)


def without_manifest(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {path: data for path, data in files.items() if path != MANIFEST}


def is_named_by_its_children(entry: tuple[str, str], ours: Mapping[str, bytes]) -> bool:
    """Decision 008: the kit names each label, not also CustomLabels, of which nothing is left without them."""
    kind, name = metadata_types().by_name[entry[0]], entry[1]
    children = {child.name for child in kind.splittable.values()}
    of_it = {full for child, full in members(ours[MANIFEST]) if child in children}
    return not kind.is_decomposed and any(kind.fixed_name or full.startswith(f"{name}.") for full in of_it)


def is_empty_object(path: str, data: bytes) -> bool:
    """Decision 008: an object of which the package only has fields gets no empty file of its own."""
    return path.endswith(".object-meta.xml") and len(etree.fromstring(data)) == 0


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
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    try:
        root = xmltext.parse(data).root
    except MalformedXmlError:
        return data
    kind = metadata_types().by_name.get(xmltext.local_name(root))
    if kind and kind.is_decomposed:
        # The order of children that had files of their own carries no meaning.
        root[:] = sorted(root, key=xmltext.canonical)
    return xmltext.canonical(root)
