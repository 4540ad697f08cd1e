"""Components that lie in more files in source than in a package: put together from them, and taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from flows import xmltext
from flows.components import MdapiFile, Run
from flows.containers import own_content, put_together
from flows.metadata_types import ChildType, MetadataType
from flows.source.resolve import META
from flows.xmltext import Document, child_text, local_name
from flows.xmlwrite import rendered
from kit.problems import Place

SCHEMA_FORMAT = "schemaUploadFileExtension"


@dataclass(frozen=True, slots=True)
class Part:
    """A source file that holds a part of a component: its name, its content, the child that it is, None for the
    component's own file."""

    file: str
    document: Document
    child: ChildType | None = None


class WrongPartError(ValueError):
    """A part that can't be put together or taken apart; `place` says where it stands."""

    def __init__(self, what: str, rule: str, place: Place) -> None:
        super().__init__(what)
        self.rule = rule
        self.place = place


def put_together_from(kind: MetadataType, name: str, parts: Iterable[Part]) -> tuple[MdapiFile, bytes]:
    """Return a component's one file in the package, and its canonical content.

    Elements of one name stand together, as the Metadata API asks: those of the component's own file first, the
    others in the order of `parts`. Raises `WrongPartError`.
    """
    found: list[tuple[str, bytes, Place]] = []
    for part in parts:
        data, root = part.document.data, part.document.root
        span = xmltext.root_span(data)
        of_child = part.child is not None and local_name(root) == part.child.name
        if part.child is not None and of_child:
            xml = xmltext.element_of(data, span, part.child.element)
            found.append((part.child.element, xml, Place(part.file, span.line)))
            continue
        if local_name(root) != kind.name or (part.child and not kind.is_split_by_object):
            wanted = kind.name if kind.is_split_by_object or not part.child else part.child.name
            what = f"the root element is {local_name(root)}"
            raise WrongPartError(what, f"the root of this file is {wanted}", Place(part.file, span.line))
        for element, where in zip(root, xmltext.child_spans(data, span), strict=True):
            tag = local_name(element)
            found.append((tag, xmltext.standalone(data, where, span, tag), Place(part.file, where.line)))
    found.sort(key=lambda each: each[0])
    whole = put_together(kind.name, None, [(xml, (Run(1, place),)) for _, xml, place in found])
    file = MdapiFile(f"{kind.directory}/{name}.{kind.suffix}", whole.data, whole.runs)
    return file, xmltext.canonical(xmltext.parse(whole.data).root)


def with_schema(kind: MetadataType, name: str, own: Part, schema_file: str, schema: bytes) -> tuple[MdapiFile, bytes]:
    """Return an external service's one file in the package, its schema put in, and its canonical content.

    Raises `WrongPartError` for a schema that is no YAML in UTF-8.
    """
    from flows.yamljson import json_of_yaml  # reads YAML, which few projects need

    data, root = own.document.data, own.document.root
    if local_name(root) != kind.name:
        raise WrongPartError(f"the root element is {local_name(root)}", f"the root is {kind.name}", Place(own.file, 1))
    try:
        text = schema.decode("utf-8-sig")
        if child_text(root, SCHEMA_FORMAT) == "json":
            text = json_of_yaml(text)
            runs = (Run(1, None),)
        else:
            runs = (Run(1, Place(schema_file, 1)),)
    except ValueError as error:
        rule = "the schema lies in the source as YAML in UTF-8"
        raise WrongPartError(f"not YAML: {error}", rule, Place(schema_file, getattr(error, "line", 0))) from error
    span = xmltext.root_span(data)
    inline = [
        where
        for element, where in zip(root, xmltext.child_spans(data, span), strict=True)
        if local_name(element) in {child.element for child in kind.children}
    ]
    kept = None if span.empty else own_content(data, span.end, inline, kind.name, own.file)
    tag = kind.children[0].element
    whole = put_together(kind.name, kept, [(f"<{tag}>{escape(text)}</{tag}>".encode(), runs)])
    file = MdapiFile(f"{kind.directory}/{name}.{kind.suffix}", whole.data, whole.runs)
    return file, xmltext.canonical(xmltext.parse(whole.data).root)


def taken_apart(kind: MetadataType, name: str, file: str, root: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield the source files of a component that a preset lays out by objects, by labels or with its schema apart:
    path below the package directory's main/default, and content. Raises `WrongPartError`."""
    if kind.has_loose_children:
        for element in root.iterchildren(tag=etree.Element):
            child = _child(kind, element, file)
            label = _named(child, element, file)
            yield f"{kind.directory}/{label}.label{META}", _bare(child.name, element)
    elif kind.is_partly_decomposed:
        yield from _schema_apart(kind, name, file, root)
    else:
        yield from _by_object(kind, name, file, root)


def _by_object(kind: MetadataType, name: str, file: str, root: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield a permission set's files: what is about objects by object, the rest by kind of entry, and its own."""
    children = {child.element: child for child in kind.children}
    folder = f"{kind.directory}/{name}"
    files: dict[str, list[etree._Element]] = defaultdict(list)
    own = []
    for element in root:
        child = children.get(local_name(element))
        if child is None:
            own.append(element)
        elif child.directory:
            about = _named(child, element, file).partition(".")[0].removeprefix("standard-")
            files[f"{folder}/{child.directory}/{about}.{child.suffix}{META}"].append(element)
        else:
            files[f"{folder}/{name}.{child.suffix}{META}"].append(element)
    for path, elements in files.items():
        yield path, _bare(kind.name, root, elements)
    yield f"{folder}/{name}.{kind.suffix}{META}", rendered(kind.name, root, own)


def _schema_apart(kind: MetadataType, name: str, file: str, root: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield an external service's file without its schema, and the schema as YAML."""
    from flows.yamljson import yaml_of_json

    child = kind.children[0]
    schema = child_text(root, child.element).strip()
    form = child_text(root, SCHEMA_FORMAT) or ("json" if schema.startswith("{") else "yaml")
    try:
        text = schema if form == "yaml" else yaml_of_json(schema)
    except ValueError as error:
        raise WrongPartError(
            f"{child.element} is no JSON: {error}", "JSON or YAML", Place(file, _line(root))
        ) from error
    own = [element for element in root if local_name(element) != child.element]
    if not child_text(root, SCHEMA_FORMAT):
        own = [element for element in own if local_name(element) != SCHEMA_FORMAT]
        added = etree.SubElement(root, f"{{{xmltext.NAMESPACE}}}{SCHEMA_FORMAT}")
        added.text = form
        own.append(added)
    base = f"{kind.directory}/{name}"
    yield f"{base}.{kind.suffix}{META}", rendered(kind.name, root, own)
    yield f"{base}.{child.suffix}", text.encode()


def _child(kind: MetadataType, element: etree._Element, file: str) -> ChildType:
    for child in kind.children:
        if child.element == local_name(element):
            return child
    rule = f"{kind.name} holds {', '.join(child.element for child in kind.children)}"
    raise WrongPartError(f"an element {local_name(element)}", rule, Place(file, _line(element)))


def _named(child: ChildType, element: etree._Element, file: str) -> str:
    if name := child.name_in(element):
        return name
    rule = f"each {child.name} is named by its {child.id_element or 'fullName'}"
    raise WrongPartError(f"a {child.element} element has no name", rule, Place(file, _line(element)))


def _bare(name: str, element: etree._Element, children: list[etree._Element] | None = None) -> bytes:
    """Return a file as `rendered` does, without the metadata namespace: so Salesforce's tool writes these files."""
    return rendered(name, element, children).replace(f' xmlns="{xmltext.NAMESPACE}"'.encode(), b"", 1)


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline  # the stubs don't know it
    return int(line or 0)
