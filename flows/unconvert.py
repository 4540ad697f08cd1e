"""Metadata API format → Salesforce source format: the way home of what an org returns, by the same table of types."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from flows import xmltext
from flows.decomposed import WrongPartError, taken_apart
from flows.metadata_types import ChildType, MetadataType, TypeTable, metadata_types
from flows.package import DESTRUCTIVE_POST, DESTRUCTIVE_PRE, MANIFEST
from flows.source.project import Project, SourceFile, source_file
from flows.source.resolve import ARCHIVES, META, Found, resolve
from flows.xmltext import Document, MalformedXmlError
from flows.xmlwrite import rendered
from kit.problems import Place, Problem, Refused, refuse_if_any

CONTENT_TYPES = Path(__file__).with_name("content_types.json")
DEFAULT_FOLDER = "main/default"

# What is taken apart keeps its comments: an org returns what is still to be translated as one.
_KEEPING_COMMENTS = etree.XMLParser(
    remove_blank_text=True, remove_pis=True, strip_cdata=True, resolve_entities=False, no_network=True, huge_tree=True
)
_MANIFESTS = frozenset({MANIFEST, DESTRUCTIVE_PRE, DESTRUCTIVE_POST, "destructiveChanges.xml"})


def to_source(
    files: Mapping[str, bytes], homes: Mapping[str, str] | None = None, types: TypeTable | None = None
) -> Mapping[str, bytes]:
    """Return the files of a Metadata API package (path → content) in source format, sorted by path.

    The package may lie in one folder ("unpackaged/"), as a retrieve returns it. Paths are those below a package
    directory: "main/default/…" as Salesforce's tool names them, or where `homes` (see `homes_in`) has the file or
    its component's folder. An object without anything but fields and the like gets no file of its own.
    `types` is the table of a project that lays types out otherwise (`Project.types`). Raises `Refused` with all
    problems: unknown types, orphans, malformed XML, a broken archive, paths that lead out of the package.
    """
    root = _root_of(files)
    writer = _Writer(dict(homes or {}))
    sources = []
    for name in sorted(files):
        path = name.removeprefix(root)
        if name.endswith("/") or path in _MANIFESTS:
            continue
        if not name.startswith(root) or not _stays_inside(path):
            writer.problem(name, "a path outside of the package", "files lie below the folder of package.xml", "")
            continue
        writer.files[path] = files[name]
        sources.append(source_file(path, path))
    resolution = resolve(sources, str, types)
    writer.problems.extend(resolution.problems)
    for file in resolution.skipped:
        writer.unknown(file)
    for found in resolution.found:
        writer.take(found)
    refuse_if_any(writer.problems, "the package can't be brought into source format")
    return dict(sorted(writer.out.items()))


def read_package(data: bytes, name: str = "package.zip") -> Mapping[str, bytes]:
    """Return the files of a zip in Metadata API format (path → content). Raises `Refused` when it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        what = f"not a zip: {error}"
        raise Refused(Problem(what, "a package is a zip", "retrieve it again", Place(name))) from error


def homes_in(project: Project, directory: str) -> Mapping[str, str]:
    """Return where the components of a package `directory` lie: default path → path below that directory.

    Holds files and the folders of components that have one ("main/default/lwc/board" → "service/lwc/board"), so
    that a new file of a known component is laid beside its others. Paths without trailing slash.
    """
    homes: dict[str, str] = {}
    start = 0 if directory == "." else len(directory) + 1
    for found in resolve(project.files(directory), project.shown, project.types).found:
        folder = _component_folder(found)
        for file in _all_files(found):
            below, usual = file.name[start:], f"{DEFAULT_FOLDER}/{_usual(found, file)}"
            homes.setdefault(usual, below)
            inside = usual.removeprefix(f"{DEFAULT_FOLDER}/{folder}/")
            if folder and inside != usual and below.endswith(f"/{inside}"):
                homes.setdefault(f"{DEFAULT_FOLDER}/{folder}", below.removesuffix(f"/{inside}"))
    return homes


@dataclass(slots=True)
class _Writer:
    homes: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    out: dict[str, bytes] = field(default_factory=dict)

    def take(self, found: Found) -> None:
        """Write one component's files in source format."""
        kind = found.type
        apart = kind.is_decomposed or kind.is_laid_out_specially
        document = self.xml(found.meta, comments=apart) if found.meta else None
        if found.meta and document is None:
            return
        if document is not None and kind.recomposition == "startEmpty" and not len(document.root):
            return  # labels of which there are none
        if found.meta and document is not None and kind.is_laid_out_specially:
            self.take_apart(found, found.meta, document)
        elif kind.is_decomposed and document is not None:
            self.take_decomposed(found, document)
        elif kind.transformer == "staticResource" and document is not None:
            self.take_static_resource(found, document)
        else:
            for file in _all_files(found):
                self.write(_usual(found, file), self.files[file.name], file.name)

    def take_apart(self, found: Found, meta: SourceFile, document: Document) -> None:
        """Write the files into which a preset takes a component apart."""
        try:
            for path, data in taken_apart(found.type, found.name, meta.name, document.root):
                self.write(path, data, meta.name)
        except WrongPartError as error:
            self.problem(error.place.file, str(error), error.rule, "mend the file", error.place.line)

    def take_decomposed(self, found: Found, document: Document) -> None:
        """Write each child to a file of its own, and what is left, unless nothing is, to the container's file."""
        kind, meta = found.type, found.meta
        if meta is None:
            return
        if xmltext.local_name(document.root) != kind.name:
            what = f"the root element is {xmltext.local_name(document.root)}"
            self.problem(meta.name, what, f"the root of a .{kind.suffix} file is {kind.name}", "mend the file", 1)
            return
        elements = {child.element: child for child in kind.children}
        folder = f"{kind.directory}/{found.name}"
        own = []
        for element in document.root:
            child = elements.get(xmltext.local_name(element))
            if child is None:
                own.append(element)
                continue
            name = child.name_in(element)
            if not name:
                rule = f"each {child.name} is named by its {child.id_element or 'fullName'}"
                what = f"a {child.element} element has no name"
                self.problem(meta.name, what, rule, "mend the file", _line(element))
                continue
            self.write(_child_path(kind, folder, child, name), rendered(child.name, element), meta.name)
        written = any(isinstance(element.tag, str) for element in own) or len(own) == len(document.root)
        if written or not any(child.alone for child in kind.children):
            path = f"{folder}/{found.name}.{kind.suffix}{META}"
            self.write(path, rendered(kind.name, document.root, own), meta.name)

    def take_static_resource(self, found: Found, document: Document) -> None:
        """Write a static resource by its content type: an archive as a folder, other content with its extension."""
        if found.meta is None or len(found.content) != 1:
            return
        base = f"{found.type.directory}/{found.name}"
        meta_path = f"{base}.{found.type.suffix}{META}"
        content, content_type = found.content[0], xmltext.child_text(document.root, "contentType")
        if not content_type:
            rule = "a static resource has a content type"
            self.problem(found.meta.name, "contentType is missing", rule, "mend the file")
            return
        self.write(meta_path, self.files[found.meta.name], found.meta.name)
        # A folder stays a folder, a zip in the layer stays a zip.
        usual_zip = f"{DEFAULT_FOLDER}/{base}.{_extension(content_type)}"
        if content_type not in ARCHIVES or usual_zip in self.homes:
            self.write(f"{base}.{_extension(content_type)}", self.files[content.name], content.name)
            return
        try:
            members = read_package(self.files[content.name], content.name)
        except Refused as refused:
            self.problems.extend(refused.problems)
            return
        if not members:
            rule = f"a static resource of type {content_type} holds files"
            self.problem(content.name, "an empty archive", rule, "put a file into it")
        for name, data in members.items():
            if _stays_inside(name):
                self.write(f"{base}/{name}", data, content.name)
            else:
                rule = "an archive's entries lie inside of it"
                self.problem(content.name, f"the entry {name} leads out of the archive", rule, "build the zip anew")

    def write(self, path: str, data: bytes, origin: str) -> None:
        """Take a file for the source; `path` is the usual one below main/default/."""
        home = self.home(f"{DEFAULT_FOLDER}/{path}")
        if self.out.setdefault(home, data) != data:
            self.problem(origin, f"{path} would be written twice, differently", "a component comes once", "remove one")

    def home(self, path: str) -> str:
        """Return where the file belongs: its own home, else its component's folder, else the usual path."""
        for parent in (PurePosixPath(path), *PurePosixPath(path).parents):
            if str(parent) in self.homes:
                return self.homes[str(parent)] + path[len(str(parent)) :]
        return path

    def xml(self, file: SourceFile, *, comments: bool) -> Document | None:
        data = self.files[file.name]
        try:
            document = xmltext.parse(data)
            return Document(document.data, etree.fromstring(data, _KEEPING_COMMENTS)) if comments else document
        except MalformedXmlError as error:
            rule = "well-formed XML in UTF-8 without a document type"
            self.problem(file.name, f"malformed XML: {error}", rule, "mend the XML", error.line)
            return None

    def unknown(self, file: SourceFile) -> None:
        """Refuse a file that no type claims, by the type's name where its XML says it."""
        try:
            name = xmltext.local_name(xmltext.parse(self.files[file.name]).root)
        except MalformedXmlError:
            name = ""
        what = f"metadata type {name} is not known to the kit" if name else "a file of no metadata type"
        rule = f"the types are those of {metadata_types().source}; nothing is left out silently"
        self.problem(file.name, what, rule, "leave it out of the package")

    def problem(self, file: str, what: str, rule: str, fix: str, line: int = 0) -> None:
        self.problems.append(Problem(what, rule, fix or "leave it out of the package", Place(file, line)))


def _root_of(files: Mapping[str, bytes]) -> str:
    """Return the folder that holds package.xml, with a slash, or "" where the package isn't in a folder."""
    manifests = [name for name in files if name.rpartition("/")[2] == MANIFEST and name.count("/") <= 1]
    return min(manifests, key=len).removesuffix(MANIFEST) if manifests else ""


def _stays_inside(path: str) -> bool:
    parts = path.split("/")
    return not (path.startswith("/") or "\\" in path or ":" in parts[0] or {"", ".", ".."} & set(parts))


def _all_files(found: Found) -> list[SourceFile]:
    return [*([found.meta] if found.meta else []), *found.content, *(child.file for child in found.children)]


def _component_folder(found: Found) -> str:
    """Return the folder that is one component's alone, below the type's directory, or ""."""
    kind = found.type
    if kind.is_decomposed or kind.transformer == "staticResource":
        return f"{kind.directory}/{found.name}"
    if kind.is_bundle:
        return found.folder
    if kind.adapter == "mixedContent" and not kind.in_folder:
        return f"{found.folder}/{found.name}"
    return ""


def _child_path(kind: MetadataType, folder: str, child: ChildType, name: str) -> str:
    """Return the path of a child's file: in a folder for its type (objects), or beside the container's (bots)."""
    between = f"{child.directory}/" if kind.decomposition == "folderPerType" else ""
    return f"{folder}/{between}{name}.{child.suffix}{META}"


def _usual(found: Found, file: SourceFile) -> str:
    """Return the usual path, below main/default/, of a file of a component, whichever format it is in."""
    kind, base = found.type, file.base
    for child in found.children:
        if child.file == file and kind.has_loose_children:
            return f"{kind.directory}/{base}"
        if child.file == file and kind.is_split_by_object:
            between = f"{child.type.directory}/" if child.type.directory else ""
            return f"{kind.directory}/{found.name}/{between}{base}"
    if kind.is_partly_decomposed and file is not found.meta:
        return f"{kind.directory}/{base}"
    if kind.is_decomposed:
        folder = f"{kind.directory}/{found.name}"
        for child in found.children:
            if child.file == file:
                return _child_path(kind, folder, child.type, child.name)
        return f"{folder}/{found.name}.{kind.suffix}{META}"
    if file is not found.meta and (kind.is_bundle or kind.is_digital_experience or kind.adapter == "mixedContent"):
        below = f"/{file.name}".partition(f"/{found.folder}/")[2] or base
        return f"{found.folder}/{below}"
    folder = found.folder or kind.directory
    if kind.folder_content_type:
        return f"{folder}/{base.removesuffix(META).removesuffix(f'.{kind.suffix}')}.{kind.suffix}{META}"
    if kind.adapter == "mixedContent" and kind.suffix:
        return f"{folder}/{found.name.rpartition('/')[2]}.{kind.suffix}{META}"
    if kind.adapter in ("matchingContentFile", "mixedContent"):
        return f"{folder}/{base}"
    plain = base.removesuffix(META)
    if kind.legacy_suffix and plain.endswith(f".{kind.legacy_suffix}"):
        plain = plain.removesuffix(kind.legacy_suffix) + kind.suffix
    return f"{folder}/{plain}{META}"


@cache
def _extensions() -> Mapping[str, str]:
    data: dict[str, dict[str, str]] = json.loads(CONTENT_TYPES.read_text(encoding="utf-8"))
    return data["extensions"]


def _extension(content_type: str) -> str:
    """Return the file extension of a content type; parameters and case don't count, an unknown one is "bin"."""
    return _extensions().get(content_type.partition(";")[0].strip().lower(), "bin")


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline  # the stubs don't know it
    return line or 0
