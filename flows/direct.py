"""Source format → one Metadata API package, and nothing beside it: no digests, no index, no way back to the source.

What `sf project convert source` does. A bundle needs more of each file; see `flows.bundle`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from flows import xmltext
from flows.archive import Packed, packed, zip_of
from flows.components import ComponentKey, MdapiFile, names_by_type
from flows.containers import joined
from flows.converter import Converter
from flows.metadata_types import ChildType, MetadataType
from flows.package import MANIFEST, manifest_naming
from flows.parallel import shared_out
from flows.source.content import first_read
from flows.source.project import Project, SourceFile
from flows.source.resolve import ChildFile, Found, resolve
from kit.problems import Place, refuse_if_any, relative

if TYPE_CHECKING:
    from lxml import etree

# Files. A second process costs 0.06 s of the processors: 14,000 files took 0.59 s instead of 0.73 s on two idle ones,
# and 4,000 took 0.28 s instead of 0.31 s (measured 2026-11).
_WORTH_SHARING = 5000


class DirectPackage(NamedTuple):
    """A package as a zip, the full names of its components by their types, and the files that are no metadata."""

    zip: bytes
    names: Mapping[str, Sequence[str]]
    skipped: tuple[str, ...]


def package_of(project: Project) -> DirectPackage:
    """Return the package of all package directories of a project: byte for byte what `convert` and `assemble` give.

    Raises `Refused` with all problems.
    """
    files = project.all_files(project.package_directories)
    shares = _shares(project, files)
    if shares is None:
        return _of_components(project, files)
    names = {kind: sorted(name for share in shares for name in share.names.get(kind, ())) for kind in _types(shares)}
    entries = [entry for share in shares for entry in share.entries]
    entries += packed({MANIFEST: manifest_naming(names, project.api_version)})
    skipped = {name for share in shares for name in share.skipped}
    ordered = (file.name for file in files if file.name in skipped) if skipped else ()
    return DirectPackage(zip_of(entries), names, tuple(ordered))


def _of_components(project: Project, files: Iterable[SourceFile]) -> DirectPackage:
    """Return the package by way of whole components, where what is wrong, or unusual, is told and settled."""
    from flows.convert import convert_files
    from flows.package import assemble

    converted = convert_files(project, files, "source")
    refuse_if_any(converted.problems, f"{relative(project.root)} can't be converted")
    names = names_by_type(component.key for component in converted.components)
    return DirectPackage(assemble(converted.components, project.api_version).zip, names, converted.skipped)


class _Share(NamedTuple):
    """What a process makes: plain tuples and bytes, which another one takes over at little cost."""

    names: Mapping[str, Sequence[str]]
    entries: Sequence[Packed]
    skipped: Sequence[str]


def _shares(project: Project, files: Iterable[SourceFile]) -> list[_Share] | None:
    """Return the shares of all processes, None when something is wrong or two components write the same file."""

    def make(share: Sequence[list[SourceFile]]) -> _Share | None:
        resolution = resolve(chain.from_iterable(share), project.shown, project.types)
        if resolution.problems:
            return None
        made = _Files(project, "", [])
        for found in resolution.found:
            made.take(found)
        if made.problems or made.doubled:
            return None
        names = {kind: sorted(names) for kind, names in made.names.items()}
        return _Share(names, packed(made.laid_out()), [file.name for file in resolution.skipped])

    units = list(_units(files, project.types.by_directory))
    weights = list(map(len, units))
    shares = shared_out(make, units, weights) if sum(weights) > _WORTH_SHARING else [make(units)]
    made = [share for share in shares if share is not None]
    paths = [path for share in made for path, *_ in share.entries]
    return made if len(made) == len(shares) and len(set(paths)) == len(paths) and not _is_doubled(made) else None


def _types(shares: Iterable[_Share]) -> list[str]:
    return sorted({kind for share in shares for kind in share.names})


def _is_doubled(shares: Sequence[_Share]) -> bool:
    """Return whether a name comes twice, be it in other upper and lower case."""
    for kind in _types(shares):
        names = [name.casefold() for share in shares for name in share.names.get(kind, ())]
        if len(set(names)) < len(names):
            return True
    return False


def _units(files: Iterable[SourceFile], directories: Container[str]) -> Iterable[list[SourceFile]]:
    """Return the files in parts that can be converted by themselves: all files of a component are in one part, those of
    the same object in several package directories, and all labels.

    They are what lies below a folder of a type's directory, together with the files beside it that begin with its name.
    Where that isn't so, two parts make the same file, or one lacks what it needs, and both show.
    """
    units: dict[tuple[str, str], list[SourceFile]] = defaultdict(list)
    folders: dict[str, list[SourceFile] | str] = {}
    for file in files:
        into = folders.get(file.folder.name)
        if into is None:
            parts = file.folder.parts
            position = next((position for position, part in enumerate(parts) if part in directories), -1)
            if position < 0:
                into = units["", ""]
            elif position + 1 < len(parts):
                into = units[parts[position], parts[position + 1].partition(".")[0]]
            else:
                into = parts[position]
            folders[file.folder.name] = into
        (into if isinstance(into, list) else units[into, file.base.partition(".")[0]]).append(file)
    return units.values()


@dataclass(slots=True)
class _Files(Converter):
    """Makes files instead of components. `names` are components' by type, `doubled` says that a file came twice."""

    files: dict[str, bytes] = field(default_factory=dict)
    children: dict[tuple[str, str], list[tuple[str, tuple[str, str], bytes]]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
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
            xml = xmltext.flat_element(first_read(file.path), about.name, about.element, about.id_element, name)
        except OSError:
            return False
        if not xml:
            return False
        full_name = name if about.bare_name else f"{owner}.{name}"
        self.names[about.name].append(full_name)
        into.append((about.element, (about.name, full_name), xml))
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
        full_name = name if child.bare_name else f"{parent.full_name}.{name}"
        self.names[child.name].append(full_name)
        self.children.setdefault((path, kind.name), []).append((child.element, (child.name, full_name), xml))

    def add_own(self, key: ComponentKey, file: MdapiFile, source: Place, document: xmltext.Document) -> None:  # noqa: ARG002
        self.names[key.type].append(key.full_name)
        self.put(file)

    def add_files(self, found: Found, source: Place, files: list[tuple[MdapiFile, bytes]]) -> None:  # noqa: ARG002
        if files:
            self.names[found.type.name].append(found.name)
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
