"""Reads what components hold: their lines with places in the source, their XML, the hosts that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import etree

from flows.bundle import Bundle
from flows.components import Component, MdapiFile, Run
from flows.xmltext import local_name
from kit.problems import Place

URL = re.compile(r"""(?i)\b(?:https?|wss?)://[^\s"'<>)\\]+""")
_COMMENT = re.compile(r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`[^`]*`|/\*.*?\*/|//[^\n]*""", re.DOTALL)
_TEXT = (".cls", ".trigger", ".page", ".component", ".js", ".html", ".cmp", ".app", ".evt", ".css", ".json", ".email")
_CODE = (".cls", ".trigger", ".js")
# Names of XML vocabularies look like addresses; nothing is ever fetched from them.
_VOCABULARY = re.compile(r"""xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")


def components_of(bundle: Bundle, *types: str) -> list[Component]:
    """Return the bundle's components of these types, in their order."""
    wanted = set(types)
    return [component for key, component in bundle.components.items() if key.type in wanted]


def raw(component: Component) -> bytes:
    """Return all text of a component as bytes: what is searched before its lines are told apart."""
    if component.fragment:
        return component.fragment.xml
    return b"\n".join(file.data for file in component.files if _is_text(file))


def xml_of(component: Component) -> etree._Element | None:
    """Return the root of the component's XML, None when it holds none."""
    candidates = [component.fragment.xml] if component.fragment else [file.data for file in component.files]
    for data in candidates:
        if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and (
            len(candidates) == 1 or b"sforce.com" in data[:500]
        ):
            try:
                return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
            except etree.XMLSyntaxError:
                continue
    return None


def values(root: etree._Element | None, name: str) -> list[str]:
    """Return the texts of all elements of that local name, at any depth, in document order."""
    if root is None:
        return []
    return [(element.text or "").strip() for element in root.iter("{*}" + name)]


def value(root: etree._Element | None, name: str) -> str:
    """Return the text of the first element of that local name, or ""."""
    return next(iter(values(root, name)), "")


def is_true(root: etree._Element | None, name: str) -> bool:
    """Return whether the first element of that local name says true."""
    return value(root, name) == "true"


def children(root: etree._Element | None, name: str) -> list[etree._Element]:
    """Return the elements of that local name, at any depth."""
    return [] if root is None else [element for element in root.iter() if _named(element, name)]


def lines_of(component: Component, *, code: bool = False) -> Iterator[tuple[Place, str]]:
    """Yield the component's lines of text with their places in the source; without comments if `code`."""
    if component.fragment:
        yield from _lines(component.fragment.xml, component.source, ())
    for file in component.files:
        if _is_text(file):
            yield from _lines(file.data, component.source, file.runs, strip=code and file.path.endswith(_CODE))


def place_of(component: Component, text: str) -> Place:
    """Return where `text` first stands in the component, or where the component stands."""
    return next((place for place, line in lines_of(component) if text in line), component.source)


def hosts_of(component: Component) -> Iterator[tuple[Place, str, str]]:
    """Yield each host that the component names, with its place and the whole address."""
    for place, line in lines_of(component, code=True):
        for match in URL.finditer(_VOCABULARY.sub("", line)):
            try:
                host = urlsplit(match[0]).hostname
            except ValueError:
                continue
            if host and "." in host:
                yield place, host.lower(), match[0]


def _lines(data: bytes, source: Place, runs: tuple[Run, ...], *, strip: bool = False) -> Iterator[tuple[Place, str]]:
    text = data.decode("utf-8", "replace")
    if strip:
        text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n") if found[0][0] == "/" else found[0], text)
    starts = [(run.line, run.source) for run in runs]
    for number, line in enumerate(text.split("\n"), 1):
        place: Place | None = Place(source.file, source.line + number - 1) if not starts else None
        for start, origin in starts:
            if start <= number:
                place = Place(origin.file, origin.line + number - start) if origin else None
        yield place or source, line


def _is_text(file: MdapiFile) -> bool:
    return file.path.endswith(_TEXT) or file.data[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def _named(element: etree._Element, name: str) -> bool:
    return isinstance(element.tag, str) and local_name(element) == name
