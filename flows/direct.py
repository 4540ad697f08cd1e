"""Source format → one Metadata API package, and nothing beside it: no digests, no index, no way back to the source.

What `sf project convert source` does. A bundle needs more of each file; see `flows.bundle`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flows import xmltext
from flows.archive import Packed, packed, zip_of
from flows.components import ComponentKey, MdapiFile
from flows.containers import joined
from flows.convert import convert_files
from flows.converter import Converter
from flows.metadata_types import ChildType, MetadataType
from flows.package import MANIFEST, assemble, manifest
from flows.parallel import shared_out
from flows.source.content import content_of
from flows.source.project import Project, SourceFile
from flows.source.resolve import ChildFile, Found, resolve
from kit.problems import Place, refuse_if_any, relative

if TYPE_CHECKING:
    from lxml import etree

# Files. A second process costs 0.1 s of the processors: 14,000 files took 0.75 s instead of 0.91 s on two idle ones,
# and 0.9 s instead of 0.7 s where others had them (measured 2026-11).
_WORTH_SHARING = 5000


@dataclass(frozen=True, slots=True)
class DirectPackage:
    """A package as a zip, the components that it names, and the files of the source that are no metadata."""

    zip: bytes
    keys: tuple[ComponentKey, ...]
    skipped: tuple[str, ...]


def package_of(project: Project) -> DirectPackage:
    """Return the package of all package directories of a project: byte for byte what `convert` and `assemble` give.

    Raises `Refused` with all problems.
    """
    files = {file.name: file for directory in project.package_directories for file in project.files(directory)}
    resolution = resolve(files.values(), project.shown, project.types)
    shares = None if resolution.problems else _shares(project, resolution.found)
    if shares is None:
        # What is wrong, or unusual, is told and settled where components are whole.
        converted = convert_files(project, files.values(), "source")
        refuse_if_any(converted.problems, f"{relative(project.root)} can't be converted")
        keys = tuple(component.key for component in converted.components)
        return DirectPackage(assemble(converted.components, project.api_version).zip, keys, converted.skipped)
    keys = tuple(map(ComponentKey._make, sorted(key for share in shares for key in share.keys)))
    entries = [entry for share in shares for entry in share.entries]
    entries += packed({MANIFEST: manifest(keys, project.api_version)})
    return DirectPackage(zip_of(entries), keys, tuple(file.name for file in resolution.skipped))


@dataclass(frozen=True, slots=True)
class _Share:
    """What a process makes: plain tuples and bytes, which another one takes over at little cost."""

    keys: Sequence[tuple[str, str]]
    entries: Sequence[Packed]


def _shares(project: Project, found: Iterable[Found]) -> list[_Share] | None:
    """Return the shares of all processes, None when something is wrong or two components write the same file."""

    def make(share: Sequence[list[Found]]) -> _Share | None:
        files = _Files(project, "", [])
        for group in share:
            for one in group:
                files.take(one)
        if files.problems or files.doubled:
            return None
        return _Share(files.keys, packed(files.laid_out()))

    groups = _groups(found)
    weights = [sum(one.files for one in group) for group in groups]
    shares = shared_out(make, groups, weights) if sum(weights) > _WORTH_SHARING else [make(groups)]
    made = [share for share in shares if share is not None]
    paths = [path for share in made for path, *_ in share.entries]
    keys = [(kind, name.casefold()) for share in made for kind, name in share.keys]
    whole = len(made) == len(shares) and len(set(paths)) == len(paths) and len(set(keys)) == len(keys)
    return made if whole else None


def _groups(found: Iterable[Found]) -> list[list[Found]]:
    """Return what goes into one file together: the same object of several package directories, all labels."""
    groups: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for each in found:
        groups[each.type.name, "" if each.type.fixed_name else each.name].append(each)
    return list(groups.values())


@dataclass(slots=True)
class _Files(Converter):
    """Makes files instead of components. `keys` are of components, as plain tuples; `doubled`: a file came twice."""

    files: dict[str, bytes] = field(default_factory=dict)
    children: dict[tuple[str, str], list[tuple[str, tuple[str, str], bytes]]] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)
    doubled: bool = False

    def parse(self, data: bytes) -> xmltext.Document:
        return xmltext.checked(data)

    def canonical(self, document: xmltext.Document | etree._Element, rename: str = "") -> bytes:  # noqa: ARG002
        return b""  # what only digests are made of

    def take_container(self, found: Found) -> None:
        """Take most children at once: those of which nothing is to be told. All others go the usual way."""
        kind = found.type
        path = f"{kind.directory}/{kind.name if kind.fixed_name else found.name}.{kind.suffix}"
        if found.children and not self.project.replacements:
            into = self.children.setdefault((path, kind.name), [])
            children = [child for child in found.children if not self.is_taken(found.name, child, into)]
            found = replace(found, children=children)
        super(_Files, self).take_container(found)

    def is_taken(self, owner: str, child: ChildFile, into: list[tuple[str, tuple[str, str], bytes]]) -> bool:
        about, name, file = child
        try:
            document = xmltext.checked(content_of(file.path))
        except (OSError, xmltext.MalformedXmlError):
            return False
        plain = document.name == about.name and document.declares_namespace
        if not plain or document.child_text(about.id_element or "fullName") != name:
            return False
        key = about.name, name if about.bare_name else f"{owner}.{name}"
        self.keys.append(key)
        into.append((about.element, key, document.as_element(about.element)))
        return True

    def take_container_file(
        self, meta: SourceFile, kind: MetadataType, parent: ComponentKey, path: str, document: xmltext.Document
    ) -> None:
        """Take a file of nothing but children with names, as labels are, by its text. All others go the usual way."""
        split: list[tuple[ChildType, str, bytes]] = []
        splittable = kind.splittable
        for element, xml in (document.flat_children() or ()) if document.name == kind.name else ():
            child = splittable.get(element)
            name = xmltext.text_in(xml, child.id_element or "fullName") if child else ""
            if not child or not name.strip():
                split.clear()
                break
            split.append((child, name, xml))
        for child, name, xml in split:
            self.add_child(kind, parent, path, child, name, xml, Place(meta.name), b"")
        if not split:
            super(_Files, self).take_container_file(meta, kind, parent, path, document)

    def add_child(
        self,
        kind: MetadataType,
        parent: ComponentKey,
        path: str,
        child: ChildType,
        name: str,
        xml: bytes,
        place: Place,  # noqa: ARG002
        content: bytes,  # noqa: ARG002
    ) -> None:
        key = child.name, name if child.bare_name else f"{parent.full_name}.{name}"
        self.keys.append(key)
        self.children.setdefault((path, kind.name), []).append((child.element, key, xml))

    def add_own(self, key: ComponentKey, file: MdapiFile, source: Place, document: xmltext.Document) -> None:  # noqa: ARG002
        self.keys.append((key.type, key.full_name))
        self.put(file)

    def add_files(self, found: Found, source: Place, files: list[tuple[MdapiFile, bytes]]) -> None:  # noqa: ARG002
        if files:
            self.keys.append((found.type.name, found.name))
            for file, _ in files:
                self.put(file)

    def put(self, file: MdapiFile) -> None:
        self.doubled |= file.path in self.files
        self.files[file.path] = file.data

    def laid_out(self) -> dict[str, bytes]:
        """Return all files by path, children in those of their containers."""
        for (path, root), children in self.children.items():
            if not children:
                continue  # none of those that were looked at could be taken
            children.sort()
            self.files[path] = joined(root, self.files.get(path, b""), [xml for _, _, xml in children])
        return self.files
