"""A group of source files → its components in Metadata API form, as the adapter of its type says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows import xmltext
from flows.archive import zip_bytes
from flows.components import Component, ComponentKey, Fragment, MdapiFile, Run
from flows.containers import own_content, put_together
from flows.contents import digest_of
from flows.metadata_types import ChildType, MetadataType
from flows.source.content import content_of
from flows.source.project import Project, SourceFile
from flows.source.resolve import ARCHIVES, META, ChildFile, Found, same_name
from flows.ui_bundle import DESCRIPTOR, wrong_in
from flows.xmltext import MalformedXmlError
from kit.problems import Place, Problem

if TYPE_CHECKING:
    from lxml import etree

_WELL_FORMED = "well-formed XML in UTF-8 without a document type"


@dataclass(slots=True)
class Converter:
    """Makes the components of one layer out of its groups of files, one after the other, and notes what is wrong."""

    project: Project
    layer: str
    problems: list[Problem]
    components: dict[ComponentKey, Component] = field(default_factory=dict)

    def take(self, found: Found) -> None:
        """Make the components of one group of files."""
        kind = found.type
        if kind.is_bundle or kind.is_digital_experience:
            self.take_bundle(found)
        elif kind.adapter == "mixedContent":
            self.take_mixed(found)
        elif kind.adapter == "matchingContentFile":
            self.take_with_content(found)
        elif kind.is_decomposed and not kind.splittable:
            self.take_merged(found)
        elif kind.is_partly_decomposed:
            self.take_with_schema(found)
        elif kind.splittable:
            self.take_container(found)
        elif found.meta:
            self.take_single(found, found.meta)

    def take_single(self, found: Found, meta: SourceFile) -> None:
        """A component that is one XML file."""
        document = self.xml(meta)
        if document is None:
            return
        kind = found.type
        name = meta.base.removesuffix(META)
        if kind.folder_content_type:
            # The folder of a folder type: "Sales.reportFolder-meta.xml" in source, "Sales-meta.xml" in the package.
            name = name.removesuffix(f".{kind.suffix}") + META
        elif kind.legacy_suffix and name.endswith(f".{kind.legacy_suffix}"):
            name = f"{name.removesuffix(kind.legacy_suffix)}{kind.suffix}"
        path = f"{found.folder or kind.directory}/{name}"
        file = MdapiFile(path, document.data, _one_to_one(meta))
        self.add_files(found, Place(meta.name), [(file, self.canonical(document))])

    def take_with_content(self, found: Found) -> None:
        """A component that is a content file with a meta file beside it."""
        if not (found.meta and found.content):
            return
        document = self.xml(found.meta)
        if document is None:
            return
        folder = found.folder or found.type.directory
        content = found.content[0]
        self.add_files(
            found,
            Place(content.name),
            [
                self.as_is(content, f"{folder}/{content.base}"),
                self.meta_beside(found.meta, f"{folder}/{content.base}{META}", document),
            ],
        )

    def take_bundle(self, found: Found) -> None:
        """A component that is a folder of files."""
        files = []
        for file in found.content:
            path = found.folder + file.name[f"/{file.name}".index(f"/{found.folder}/") + len(found.folder) :]
            if not file.base.endswith(META):
                files.append(self.as_is(file, path))
            elif (document := self.xml(file)) is not None:
                files.append(self.meta_beside(file, path, document))
        root = found.any_file.name.partition(f"{found.folder}/")[0] + found.folder
        wanted = _needed_in_bundle(found)
        if wanted and not any(f"/{file.name}".endswith(f"/{found.folder}/{wanted}") for file in found.content):
            rule = f"a {found.type.name} is described by {wanted}"
            self.problem(Place(root), f"{found.name} has no {wanted}", rule, f"add {wanted}")
        if found.type.adapter == "uiBundles":
            self.check_descriptor(found, Place(f"{root}/{DESCRIPTOR}"), [file for file, _ in files])
        self.add_files(found, Place(root), files)

    def check_descriptor(self, found: Found, place: Place, files: Iterable[MdapiFile]) -> None:
        below = {file.path.removeprefix(f"{found.folder}/"): file.data for file in files}
        if DESCRIPTOR in below:
            for what in wrong_in(below[DESCRIPTOR], below):
                self.problem(place, what, f"{DESCRIPTOR} is checked before a deploy", "mend it, or remove the file")

    def take_mixed(self, found: Found) -> None:
        """A component that is one file of any extension, or a whole folder, with a meta file beside it."""
        if not (found.meta and found.content):
            return
        document = self.xml(found.meta)
        if document is None:
            return
        kind, meta = found.type, found.meta
        base = f"{meta.folder.name}/{found.name.rpartition('/')[2]}/"
        in_folder = all(file.name.startswith(base) for file in found.content)
        if kind.transformer == "staticResource":
            self.take_static_resource(found, document, in_folder)
        elif in_folder:
            # An experience bundle: its folder goes over as it is.
            files = [self.as_is(file, f"{found.folder}{file.name[len(meta.folder.name) :]}") for file in found.content]
            files.append(self.meta_beside(meta, f"{found.folder}/{meta.base}", document))
            self.add_files(found, Place(meta.name), files)
        elif self.one_content(found):
            content = found.content[0]
            path = f"{found.folder}/{content.base}"
            files = [self.as_is(content, path), self.meta_beside(meta, path + META, document)]
            self.add_files(found, Place(content.name), files)

    def take_static_resource(self, found: Found, document: xmltext.Document, in_folder: bool) -> None:
        meta = found.meta
        if meta is None or not (in_folder or self.one_content(found)):
            return
        path = f"{found.type.directory}/{found.name}.{found.type.suffix}"
        if in_folder:
            content_type = document.child_text("contentType")
            if content_type not in ARCHIVES:
                rule = f"a static resource that is a folder has one of the content types {', '.join(sorted(ARCHIVES))}"
                what = f"{found.name} is a folder, but its content type is {content_type or 'missing'}"
                self.problem(Place(meta.name), what, rule, "set contentType to application/zip")
                return
            start = len(meta.folder.name) + len(found.name) + 2
            members = {file.name[start:]: self.read(file) for file in found.content}
            # The digest is made of the members: the zip's bytes depend on the compressor's version.
            content = (MdapiFile(path, zip_bytes(members, level=9)), _members(members))
        else:
            content = self.as_is(found.content[0], path)
        self.add_files(found, Place(meta.name), [content, self.meta_beside(meta, path + META, document)])

    def take_merged(self, found: Found) -> None:
        """A decomposed type whose parts can't be deployed alone (translations of an object): one file again."""
        from flows.decomposed import Part, put_together_from

        if found.meta is None:
            return
        sources = [(found.meta, None), *((part.file, part.type) for part in sorted(found.children, key=_name))]
        documents = [(file, self.xml(file), child) for file, child in sources]
        parts = [Part(file.name, document, child) for file, document, child in documents if document]
        if len(parts) == len(documents):
            self.add_put_together(
                found, Place(found.meta.name), lambda: put_together_from(found.type, found.name, parts)
            )

    def take_with_schema(self, found: Found) -> None:
        """An external service whose schema has a file of its own."""
        from flows.decomposed import Part, with_schema

        document = self.xml(found.meta) if found.meta else None
        if found.meta is None or not found.content:
            there = found.any_file
            what = f"{found.type.name}:{found.name} has no {META if found.content else 'schema'}"
            missing = f"{found.name}.{found.type.suffix}{META}" if found.content else f"{found.name}.yaml"
            self.problem(Place(there.name), what, "the schema lies beside its meta file", f"add {missing}")
        elif document is not None:
            own, schema = Part(found.meta.name, document), found.content[0]
            data = self.read(schema)
            self.add_put_together(
                found, Place(own.file), lambda: with_schema(found.type, found.name, own, schema.name, data)
            )

    def add_put_together(self, found: Found, place: Place, make: Callable[[], tuple[MdapiFile, bytes]]) -> None:
        from flows.decomposed import WrongPartError  # with what writes XML, which few projects need

        try:
            self.add_files(found, place, [make()])
        except WrongPartError as error:
            self.problem(error.place, str(error), error.rule, "mend the file")

    def take_container(self, found: Found) -> None:
        """A container: each child becomes a component of its own, what is left of the container another."""
        kind = found.type
        parent = ComponentKey(kind.name, kind.name if kind.fixed_name else found.name)
        path = f"{kind.directory}/{parent.full_name}.{kind.suffix}"
        for child in found.children:
            part = self.child_element(child)
            if part:
                name, xml, place, content = part
                if name != child.name and not same_name(name, child.name):
                    what = f"fullName is {name or 'missing'}, but the file is named {child.name}"
                    rule = "a child's fullName is its file's name"
                    self.problem(place, what, rule, "correct fullName, or rename the file")
                    continue
                self.add_child(kind, parent, path, child.type, child.name, xml, place, content)
        document = self.xml(found.meta) if found.meta else None
        if document is not None and found.meta is not None:
            self.take_container_file(found.meta, kind, parent, path, document)

    def take_container_file(
        self, meta: SourceFile, kind: MetadataType, parent: ComponentKey, path: str, document: xmltext.Document
    ) -> None:
        document = xmltext.in_namespace(document)
        data = document.data
        if document.name != kind.name:
            what = f"the root element is {document.name}"
            rule = f"the root of a .{kind.suffix} file is {kind.name}"
            self.problem(Place(meta.name, 1), what, rule, f"name it {kind.name}")
            return
        splittable = kind.splittable
        span = xmltext.root_span(data)
        elements = list(document.root) if document.may_hold(splittable) else None
        split = [element for element in elements or () if xmltext.local_name(element) in splittable]
        spans = xmltext.child_spans(data, span) if split else []
        taken = []
        for element, where in zip(elements or (), spans, strict=False):
            child = splittable.get(xmltext.local_name(element))
            if child:
                taken.append(where)
                self.take_inline(meta, kind, parent, path, child, element, where, data, span)
        if elements is not None and len(split) == len(elements) and (split or kind.is_decomposed or kind.fixed_name):
            return
        for element in split:
            document.root.remove(element)
        if span.empty:
            whole = put_together(kind.name, None, ())
            own = MdapiFile(path, whole.data, whole.runs)
        else:
            content, runs = own_content(data, span.end, taken, kind.name, meta.name)
            own = MdapiFile(path, content, runs)
        self.add_own(parent, own, Place(meta.name, span.line), document)

    def take_inline(
        self,
        meta: SourceFile,
        kind: MetadataType,
        parent: ComponentKey,
        path: str,
        child: ChildType,
        element: etree._Element,
        where: xmltext.ChildSpan,
        data: bytes,
        span: xmltext.RootSpan,
    ) -> None:
        id_element = child.id_element or "fullName"
        name = xmltext.child_text(element, id_element)
        place = Place(meta.name, where.line)
        if not name:
            rule = f"each {child.name} is named by its {id_element}"
            self.problem(place, f"a {child.element} element has no {id_element}", rule, f"add {id_element}")
            return
        xml = xmltext.standalone(data, where, span, child.element)
        self.add_child(kind, parent, path, child, name, xml, place, self.canonical(element))

    def add_child(
        self,
        kind: MetadataType,
        parent: ComponentKey,
        path: str,
        child: ChildType,
        name: str,
        xml: bytes,
        place: Place,
        content: bytes,
    ) -> None:
        full_name = name if child.bare_name else f"{parent.full_name}.{name}"
        fragment = Fragment(path, kind.name, child.element, xml)
        key = ComponentKey(child.name, full_name)
        self.add(Component(key, digest_of([content]), self.layer, place, parent, fragment=fragment))

    def add_own(self, key: ComponentKey, file: MdapiFile, source: Place, document: xmltext.Document) -> None:
        """Add what is left of a container without its children."""
        self.add(Component(key, digest_of([self.canonical(document)]), self.layer, source, files=(file,)))

    def child_element(self, child: ChildFile) -> tuple[str, bytes, Place, bytes] | None:
        """Return a child's name by its XML, its element for the container, where that starts, and its content."""
        document = self.xml(child.file)
        if document is None:
            return None
        if not document.declares_namespace:  # a label's own file, as Salesforce's tool writes it
            document = xmltext.parse(xmltext.in_namespace(document).data)
        if document.name != child.type.name:
            what = f"the root element is {document.name}"
            rule = f"the root of a .{child.type.suffix} file is {child.type.name}"
            self.problem(Place(child.file.name, document.line), what, rule, f"name it {child.type.name}")
            return None
        name = document.child_text(child.type.id_element or "fullName")
        xml = document.as_element(child.type.element)
        content = self.canonical(document, rename=child.type.element)
        return name, xml, Place(child.file.name, document.line), content

    def one_content(self, found: Found) -> bool:
        if len(found.content) == 1:
            return True
        names = ", ".join(self.project.shown(file.name) for file in found.content)
        what = f"{found.type.name}:{found.name} has more than one content: {names}"
        self.problem(Place(found.content[1].name), what, "one content for a meta file", "keep one of them")
        return False

    def as_is(self, file: SourceFile, path: str) -> tuple[MdapiFile, bytes]:
        data = self.read(file)
        return MdapiFile(path, data, _one_to_one(file)), data

    def meta_beside(self, file: SourceFile, path: str, document: xmltext.Document) -> tuple[MdapiFile, bytes]:
        return MdapiFile(path, document.data, _one_to_one(file)), self.canonical(document)

    def canonical(self, document: xmltext.Document | etree._Element, rename: str = "") -> bytes:
        """Return what a document or an element counts for in a digest."""
        return xmltext.canonical(document.root if isinstance(document, xmltext.Document) else document, rename)

    def parse(self, data: bytes) -> xmltext.Document:
        return xmltext.parse(data)

    def read(self, file: SourceFile) -> bytes:
        """Read a file; one that can't be read is noted as a problem, and taken as empty."""
        try:
            data = content_of(file.path)
        except OSError as error:
            what = f"cannot read the file: {error.strerror}"
            self.problem(Place(file.name), what, "every file of the source can be read", "mend or remove it")
            return b""
        return self.with_replacements(file, data) if self.project.replacements else data

    def with_replacements(self, file: SourceFile, data: bytes) -> bytes:
        from flows.source import replacements  # most projects have none

        try:
            return replacements.replaced(data, file.path, self.project.replacements)
        except replacements.ReplacementError as error:
            self.problem(Place(file.name), str(error), replacements.RULE, "set it, or allow it to be unset")
            return b""

    def xml(self, file: SourceFile) -> xmltext.Document | None:
        """Read and parse a file; a malformed one is noted as a problem."""
        unreadable = len(self.problems)
        data = self.read(file)
        if len(self.problems) > unreadable:
            return None
        try:
            return self.parse(data)
        except MalformedXmlError as error:
            self.problem(Place(file.name, error.line), f"malformed XML: {error}", _WELL_FORMED, "mend the XML")
            return None

    def add_files(self, found: Found, source: Place, files: list[tuple[MdapiFile, bytes]]) -> None:
        """Add a component of whole files, each with the canonical content that counts for the digest."""
        if not files:
            return
        files.sort(key=lambda pair: pair[0].path)
        digest = digest_of(part for file, content in files for part in (file.path.encode(), content))
        key = ComponentKey(found.type.name, found.name)
        self.add(Component(key, digest, self.layer, source, files=tuple(file for file, _ in files)))

    def add(self, component: Component) -> None:
        other = self.components.get(component.key)
        if other is None:
            self.components[component.key] = component
            return
        first = Place(self.project.shown(other.source.file), other.source.line)
        self.problem(
            component.source,
            f"{component.key} stands twice; the other is {first}",
            "a layer holds a component once",
            "remove one; an overlay may replace it where layers are composed for an org (--org NAME)",
        )

    def problem(self, place: Place, what: str, rule: str, fix: str) -> None:
        self.problems.append(Problem(what, rule, fix, Place(self.project.shown(place.file), place.line)))


def _needed_in_bundle(found: Found) -> str:
    """Return the file without which a bundle is none, or ""."""
    suffix = found.type.meta_file_suffix
    if found.type.adapter == "uiBundles":
        suffix = found.type.suffix + META
    elif found.type.name == "LightningComponentBundle":
        suffix = "js" + META
    return f"{found.name}.{suffix}" if suffix.endswith(META) else suffix


def _name(child: ChildFile) -> str:
    return child.name


def _one_to_one(file: SourceFile) -> tuple[Run, ...]:
    return (Run(1, Place(file.name, 1)),)


def _members(members: dict[str, bytes]) -> bytes:
    return digest_of(part for name in sorted(members) for part in (name.encode(), members[name])).encode()
