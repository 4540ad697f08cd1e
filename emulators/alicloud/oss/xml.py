"""XML as OSS writes and reads it: no namespaces, no attributes, text in the leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from lxml import etree

Value: TypeAlias = "str | int | bool | Mapping[str, Value] | Sequence[Value] | None"
"""None leaves the element out, a sequence repeats it."""


def render(root: str, content: Value) -> bytes:
    """Return a document with `root` around `content`."""
    top = etree.Element(root)
    _fill(top, content)
    return document(top)


def document(top: etree._Element) -> bytes:
    """Return an element as a document with its declaration."""
    return etree.tostring(top, xml_declaration=True, encoding="UTF-8")


def parse(body: bytes) -> etree._Element | None:
    """Return the root of a document without namespaces, comments and blank text; None when it is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        top = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    for element in top.iter():
        element.tag = etree.QName(element).localname
        element.tail = None
        if len(element) and not (element.text or "").strip():
            element.text = None
    etree.cleanup_namespaces(top)
    return top


def text(top: etree._Element, path: str) -> str:
    """Return the text at a path below `top`; "" when there is none."""
    return (top.findtext(path) or "").strip()


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as OSS writes times in XML."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _fill(element: etree._Element, content: Value) -> None:
    if isinstance(content, Mapping):
        for name, value in content.items():
            if value is None:
                continue
            many = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            for one in many:
                _fill(etree.SubElement(element, name), one)
    elif isinstance(content, bool):
        element.text = "true" if content else "false"
    elif content is not None:
        element.text = str(content)
