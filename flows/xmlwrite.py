"""Elements → the text of a metadata file, as Salesforce writes it: four spaces a level, quotes escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from flows.xmltext import NAMESPACE, local_name

# A carriage return that isn't written as a reference is read as the end of a line (XML 1.0, section 2.11).
_QUOTES = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}
_IN_ATTRIBUTES = {**_QUOTES, "\n": "&#10;", "\t": "&#9;"}
_XML_PREFIX = "{http://www.w3.org/XML/1998/namespace}"


def rendered(name: str, element: etree._Element, children: Iterable[etree._Element] | None = None) -> bytes:
    """Return a metadata file of root `name` with the element's children (or those given)."""
    inside = list(element) if children is None else list(children)
    prefixes = prefixes_of(element)
    head = opening(name, element, prefixes)
    if not inside:
        return f"{head}/>\n".encode()
    body = "".join(f"{line}\n" for child in inside for line, _ in lines(child, 1, prefixes))
    return f"{head}>\n{body}</{name}>\n".encode()


def opening(name: str, element: etree._Element, prefixes: Mapping[str, str]) -> str:
    """Return a file's declaration and the start tag of its root, without the tag's end."""
    used = {uri for node in element.iter() for uri in _uris(node)} & prefixes.keys()
    declared = "".join(f' xmlns:{prefixes[uri]}="{_attribute(uri)}"' for uri in sorted(used))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}"{declared}'


def prefixes_of(element: etree._Element) -> dict[str, str]:
    """Return the prefixes declared in and around the element, by namespace."""
    return {uri: prefix for node in element.iter() for prefix, uri in node.nsmap.items() if prefix}


def lines(element: etree._Element, depth: int, prefixes: Mapping[str, str]) -> Iterator[tuple[str, etree._Element]]:
    """Yield the text of an element, each piece on lines of its own, with the element that the piece is of."""
    indent, name = "    " * depth, local_name(element)
    given = [(str(key), str(value)) for key, value in element.attrib.items()]
    attributes = "".join(f' {_name(key, prefixes)}="{_attribute(value)}"' for key, value in given)
    tag: Any = element.tag  # the stubs don't know that a comment has none
    if not isinstance(tag, str):
        yield f"{indent}<!--{element.text}-->", element
    elif any(isinstance(child.tag, str) for child in element):
        yield f"{indent}<{name}{attributes}>", element
        for child in element:
            yield from lines(child, depth + 1, prefixes)
        yield f"{indent}</{name}>", element
    elif len(element):
        # A translation that is still missing holds what is to be translated as a comment.
        inside = "".join(f"<!--{child.text}-->{escape(child.tail or '', _QUOTES)}" for child in element)
        yield f"{indent}<{name}{attributes}>{escape(element.text or '', _QUOTES)}{inside}</{name}>", element
    elif element.text is None:
        yield f"{indent}<{name}{attributes}/>", element
    else:
        yield f"{indent}<{name}{attributes}>{escape(element.text, _QUOTES)}</{name}>", element


def _name(key: str, prefixes: Mapping[str, str]) -> str:
    uri, brace, local = key.rpartition("}")
    if not brace:
        return key
    return f"xml:{local}" if f"{uri}}}" == _XML_PREFIX else f"{prefixes[uri[1:]]}:{local}"


def _uris(element: etree._Element) -> set[str]:
    return {str(key)[1:].partition("}")[0] for key in element.attrib if str(key).startswith("{")}


def _attribute(text: str) -> str:
    return escape(text, _IN_ATTRIBUTES)
