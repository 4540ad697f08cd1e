"""Metadata XML: parsed with line numbers, and written in one canonical form in which white space never counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast
from xml.sax.saxutils import escape

from lxml import etree

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_INDENT = "    "
_TAG = re.compile(r"\s*<([\w:.-]+)")


@dataclass(frozen=True)
class Malformed(Exception):
    """A file is no well-formed XML, or not of the type it must be. Line and column count from 1."""

    message: str
    line: int
    column: int


def parse(data: bytes, *, huge: bool = False) -> etree._Element:
    """Return the root element. Raises `Malformed`. Entities other than XML's own five are never expanded.

    `huge` lets a text be longer than libxml2's ten million characters, as the zip in an envelope may be.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, huge_tree=huge
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        message = re.sub(r", line \d+, column \d+$", "", error.msg or "no XML")
        raise Malformed(f"Error parsing file: {message}", line, max(column, 1)) from None


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def line_of(element: etree._Element) -> int:
    """Return the line that an element starts on, 0 when it was read from no file."""
    return cast("int | None", element.sourceline) or 0


def elements(parent: etree._Element) -> Iterator[etree._Element]:
    """Yield the child elements (an unexpanded entity is none)."""
    return parent.iterchildren("*")


def find(parent: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of a name."""
    return next(parent.iterchildren(f"{{*}}{name}"), None)


def text(parent: etree._Element, name: str) -> str:
    """Return the text of the first child of a name, "" when there is none."""
    child = find(parent, name)
    return (child.text or "").strip() if child is not None else ""


def walk(parent: etree._Element, path: str) -> list[etree._Element]:
    """Return the elements at a path of names such as `layoutSections/layoutColumns`, in document order."""
    level = [parent]
    for name in path.split("/"):
        level = [child for element in level for child in element.iterchildren(f"{{*}}{name}")]
    return level


def column_of(element: etree._Element, source: bytes) -> int:
    """Return the column, from 1, at which an element's text starts on its line."""
    lines = source.split(b"\n")
    line = max(line_of(element), 1) - 1
    if line >= len(lines):
        return 1
    tag = f"<{local(element)}>".encode()
    at = lines[line].find(tag)
    return at + len(tag) + 1 if at >= 0 else 1


def fragment(element: etree._Element, depth: int = 1) -> str:
    """Return an element as canonical lines, indented `depth` steps."""
    lines: list[str] = []
    _write(element, depth, lines)
    return "\n".join(lines)


def document(root_name: str, parts: Iterable[str]) -> bytes:
    """Return a canonical document of top-level fragments, ordered by element name (equal names keep theirs)."""
    ordered = sorted(parts, key=_tag)
    used = any("xsi:" in part for part in ordered)
    spaces = f' xmlns:xsi="{_XSI}" xmlns:xsd="{_XSD}"' if used else ""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root_name} xmlns="{NAMESPACE}"{spaces}'
    body = "\n".join(ordered)
    return f"{head}>\n{body}\n</{root_name}>\n".encode() if ordered else f"{head}/>\n".encode()


def canonical(root: etree._Element, leave_out: Iterable[str] = ()) -> bytes:
    """Return a document in canonical form, without the top-level elements named in `leave_out`."""
    left = frozenset(leave_out)
    return document(local(root), (fragment(child) for child in elements(root) if local(child) not in left))


def _tag(part: str) -> str:
    found = _TAG.match(part)
    return found.group(1) if found else ""


def _write(element: etree._Element, depth: int, lines: list[str]) -> None:
    name, pad = local(element), _INDENT * depth
    start = f"{pad}<{name}{_attributes(element) if element.attrib else ''}"
    if len(element):
        lines.append(start + ">")
        for child in elements(element):
            _write(child, depth + 1, lines)
        lines.append(f"{pad}</{name}>")
    elif element.text:
        lines.append(f"{start}>{escape(element.text)}</{name}>")
    else:
        lines.append(start + "/>")


def _attributes(element: etree._Element) -> str:
    written = ""
    for key, raw in sorted(element.attrib.items()):
        value, space, name = str(raw), *_split(str(key))
        if space == _XSI and name == "type":
            prefix, _, own = value.rpartition(":")
            value = f"xsd:{own}" if element.nsmap.get(prefix or None) == _XSD else own
        written += f' {"xsi:" if space == _XSI else ""}{name}="{escape(value, {chr(34): "&quot;"})}"'
    return written


def _split(name: str) -> tuple[str, str]:
    space, _, own = name.rpartition("}")
    return space.removeprefix("{"), own
