"""XML as text and as content: where elements stand in the bytes, and the canonical form that digests are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.parsers import expat

if TYPE_CHECKING:
    from lxml import etree

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"

_MISC = rb"(?:\s|<!--.*?-->|<\?.*?\?>)*"
_ATTRIBUTES = rb"""(?P<attributes>(?:[^"'>]|"[^"]*"|'[^']*')*?)"""
_ROOT_START = re.compile(rb"\A" + _MISC + rb"<(?P<name>[^\s/>]+)" + _ATTRIBUTES + rb"(?P<empty>/?)>", re.DOTALL)
_ROOT_END = re.compile(rb"\s*>" + _MISC + rb"\Z", re.DOTALL)
_TAG = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?P<close>/?)(?P<name>[^\s/>]+)" + _ATTRIBUTES + rb"(?P<empty>/?)>",
    re.DOTALL,
)
_DEFAULT_NAMESPACE = re.compile(rb"""\sxmlns\s*=\s*(?:"[^"]*"|'[^']*')""")
# How Salesforce's tools begin a file. No other namespace is declared in it, so no other can be declared wrongly.
_PLAIN_START = re.compile(
    rb'<\?xml version="1\.0" encoding="(?:UTF-8|utf-8)"\?>[ \t\r\n]*'
    rb'<(?P<name>[A-Za-z]\w*) xmlns="%s"(?P<xsi> xmlns:xsi="%s")?>(?P<content>)'
    % (re.escape(NAMESPACE.encode()), re.escape(b"http://www.w3.org/2001/XMLSchema-instance"))
)
# A root of nothing but elements that hold text, and elements of such: it needs no parser to be well-formed.
_TEXT = rb"[^<>&\x00-\x08\x0b-\x1f]*+"
_FLAT_CHILD = (
    rb"<(?P<outer>[A-Za-z]\w*+)>"
    rb"(?:%b|(?:[ \t\n]*+<(?P<inner>[A-Za-z]\w*+)>%b</(?P=inner)>)*+[ \t\n]*+)"
    rb"</(?P=outer)>" % (_TEXT, _TEXT)
)
_FLAT = re.compile(
    _PLAIN_START.pattern + rb"(?P<children>(?:[ \t\n]*+%b)*+)[ \t\n]*+</(?P=name)>[ \t\n]*+\Z" % _FLAT_CHILD
)
# A namespace that isn't one of those two: it may be one that no canonical form can be made of.
_OTHER_NAMESPACE = re.compile(
    rb"""xmlns(?::[^\s=]+)?\s*=\s*(?!["'](?:%s|%s)["'])"""
    % (re.escape(NAMESPACE.encode()), re.escape(b"http://www.w3.org/2001/XMLSchema-instance"))
)
_ENCODING = re.compile(rb"""\A(<\?xml[^>]*?)\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')""")


class MalformedXmlError(ValueError):
    """Bytes that are no well-formed XML document, or one that Salesforce doesn't take. `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Document:
    """A well-formed document: `data` as UTF-8 without a byte order mark.

    The tree of a document that was `checked` is made when it is asked for, and what can be told without it is told
    from the text: most files go over as they are.
    """

    __slots__ = ("_plain", "_root", "data")

    def __init__(self, data: bytes, root: etree._Element | None, plain: re.Match[bytes] | None = None) -> None:
        self.data = data
        self._root = root
        self._plain = plain

    @property
    def root(self) -> etree._Element:
        """The root, without comments."""
        if self._root is None:
            self._root = _tree(self.data)
        return self._root

    @property
    def declares_namespace(self) -> bool:
        """Whether the root is in a namespace."""
        return bool(self._plain) or str(self.root.tag).startswith("{")

    @property
    def name(self) -> str:
        """The root's name without its namespace."""
        return self._plain["name"].decode() if self._plain else local_name(self.root)

    def child_text(self, name: str) -> str:
        """Return the text of the root's first child of that local name, or ""."""
        if self._plain and (first := _first_child(name).match(self.data, self._plain.start("content"))):
            return first[1].decode()
        return child_text(self.root, name)

    def flat_children(self) -> list[tuple[str, bytes]] | None:
        """Return the name and the text, tags included, of each child of a root that is known to hold nothing but
        elements of text and elements of such, and no declaration; None when that isn't known."""
        plain = self._plain
        if not plain or plain.re is not _FLAT or plain["xsi"]:
            return None
        return [
            (child["outer"].decode(), child[0]) for child in _flat_child().finditer(self.data, *plain.span("children"))
        ]

    def may_hold(self, names: Iterable[str]) -> bool:
        """Return False when the text tells that no element has one of these names, but that there is some element."""
        first = self.data.find(b"<", self._plain.start("content")) if self._plain else -1
        if first < 0 or self.data[first + 1] in b"/!?":
            return True
        return any(b"<" + name.encode() in self.data for name in names)

    @property
    def line(self) -> int:
        """The line, from 1, on which the root's content begins."""
        return 1 + self.data.count(b"\n", 0, self._plain.start("content")) if self._plain else root_span(self.data).line

    def as_element(self, name: str) -> bytes:
        """Return the root as an element of another name, line for line, to be put into a container."""
        if self._plain and not self._plain["xsi"]:
            flat = self._plain.re is _FLAT  # then its end tag is the last tag
            end = self.data.rfind(b"</") if flat else _end_of_root(self.data, b"</" + self._plain["name"])
            start = self._plain.start("content")
            return b"<%b>%b</%b>" % (tag := name.encode(), self.data[start:end], tag)
        return element_of(self.data, root_span(self.data), name)


class RootSpan(NamedTuple):
    """Where the root's content stands: `data[start:end]`, from line `line` on.

    `declarations` are the root's attributes but the default namespace, as they must be repeated on a child that
    is taken out. `empty` is a root without end tag.
    """

    start: int
    end: int
    line: int
    declarations: bytes
    empty: bool


class ChildSpan(NamedTuple):
    """Where a child of the root stands: `data[start:end]`, its first line being `line` (from 1)."""

    start: int
    end: int
    line: int


def parse(data: bytes) -> Document:
    """Parse one file. Raises `MalformedXmlError`."""
    from lxml.etree import XMLSyntaxError

    try:
        root = _tree(data)
    except XMLSyntaxError as error:
        message = (error.msg or "no XML").rpartition(", line ")
        raise MalformedXmlError(message[0] or message[2], error.lineno or 1) from error
    about: Any = root.getroottree().docinfo  # the stubs know neither `doctype` nor that it is never None
    if about.doctype:
        raise MalformedXmlError("a document type declaration", 1)
    text = _as_utf8(data, about.encoding or "UTF-8")
    if _OTHER_NAMESPACE.search(text):
        _refuse_relative_namespace(root)
    return Document(text, root)


def checked(data: bytes) -> Document:
    """Return what `parse` does, and raise as it does, but make no tree of a file as Salesforce's tools write it."""
    if (flat := _FLAT.match(data)) and _is_text(data):
        return Document(data, None, flat)
    plain = _PLAIN_START.match(data)
    if plain and data.find(b"xmlns", plain.start("content")) < 0 and b"<!DOCTYPE" not in data and _is_well_formed(data):
        return Document(data, None, plain)
    return parse(data)


def flat_element(data: bytes, root: str, name: str, id_element: str, identity: str) -> bytes:
    """Return a file's root as an element of another `name`, as `Document.as_element` does, where the text alone tells
    that it is well-formed, called `root`, and begins with its `id_element` (or fullName), which says `identity`.

    b"" for all others, which may be right as well.
    """
    flat = _FLAT.match(data)
    if not flat or flat.group("name", "xsi") != (root.encode(), None) or not _is_text(data):
        return b""
    start, said = flat.start("content"), id_element or "fullName"
    if not data.startswith(f"<{said}>{identity}</{said}>".encode(), data.find(b"<", start)):
        return b""
    return b"<%b>%b</%b>" % (tag := name.encode(), data[start : data.rfind(b"</")], tag)


def _is_text(data: bytes) -> bool:
    """Return whether it is UTF-8 without the two characters beyond ASCII that XML 1.0 excludes (its section 2.2)."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\xef\xbf\xbe" not in data and b"\xef\xbf\xbf" not in data


def _refuse_relative_namespace(root: etree._Element) -> None:
    """Raise `MalformedXmlError` for a namespace that is no absolute URI: it has no canonical form (Canonical XML 1.0,
    section 1.3, W3C, 15 March 2001)."""
    from lxml.etree import C14NError, Element

    seen: list[Any] = []  # the stubs know neither a default namespace nor an element's line
    for element in root.iter("*"):
        declared: Any = element.nsmap
        if declared in seen:
            continue
        seen.append(declared)
        try:
            canonical(Element("declares", nsmap=declared))
        except C14NError as error:
            line: Any = element.sourceline
            names = " ".join(sorted(declared.values()))
            raise MalformedXmlError(f"a namespace that is no absolute URI, of {names}", line) from error


def _is_well_formed(data: bytes) -> bool:
    parser = expat.ParserCreate("UTF-8", " ")  # the separator makes it look at namespaces
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def _tree(data: bytes) -> etree._Element:
    from lxml.etree import fromstring

    return fromstring(data, _parser())


@cache
def _parser() -> etree.XMLParser:
    from lxml.etree import XMLParser

    return XMLParser(
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
    )


@cache
def _flat_child() -> re.Pattern[bytes]:
    return re.compile(_FLAT_CHILD)


def text_in(child: bytes, name: str) -> str:
    """Return the text of the first element of that name in one of a document's `flat_children`, or ""."""
    tag = f"<{name}>".encode()
    start = child.find(tag, 1) + len(tag)
    return child[start : child.index(b"<", start)].decode() if start >= len(tag) else ""


@cache
def _first_child(name: str) -> re.Pattern[bytes]:
    """Return what fits a root's content that begins with a child of that name, which holds plain text."""
    tag = re.escape(name.encode())
    return re.compile(rb"[ \t\r\n]*<%s>([^<&\r\s][^<&\r]*)</%s>" % (tag, tag))


def local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child_text(element: etree._Element, name: str) -> str:
    """Return the text of the first child of that local name, or ""."""
    for child in element:
        if local_name(child) == name:
            return child.text or ""
    return ""


def escaped(text: str) -> str:
    """Return text as it stands between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def canonical(element: etree._Element, rename: str = "") -> bytes:
    """Return the element as canonical XML 1.0, without indentation and comments; with another name if asked."""
    from lxml import etree

    if rename:
        namespace = etree.QName(element).namespace
        element.tag = f"{{{namespace}}}{rename}" if namespace else rename
    return etree.tostring(element, method="c14n", with_comments=False, with_tail=False)


def root_span(data: bytes) -> RootSpan:
    """Return where the content of a well-formed document's root stands."""
    match = _ROOT_START.match(data)
    if not match:
        raise MalformedXmlError("no root element", 1)
    declarations = b" ".join(_DEFAULT_NAMESPACE.sub(b"", b" " + match["attributes"]).split())
    line = 1 + data.count(b"\n", 0, match.end())
    if match["empty"]:
        return RootSpan(match.end(), match.end(), line, declarations, True)
    end = _end_of_root(data, b"</" + match["name"])
    if end < match.end():
        raise MalformedXmlError("no end of the root element", line)
    return RootSpan(match.end(), end, line, declarations, False)


def _end_of_root(data: bytes, tag: bytes) -> int:
    """Return where the root's end tag starts: the last one that only white space and comments follow; -1: none."""
    end = data.rfind(tag)
    while end >= 0 and not _ROOT_END.match(data, end + len(tag)):
        end = data.rfind(tag, 0, end)  # that one stood in a comment behind the root
    return end


def in_namespace(document: Document) -> Document:
    """Return the document with the metadata namespace declared on its root, on the same line, if none was."""
    if document.declares_namespace:
        return document
    match = _ROOT_START.match(document.data)
    end = match.end("name") if match else 0
    data = document.data[:end] + f' xmlns="{NAMESPACE}"'.encode() + document.data[end:]
    return Document(data, document.root)


def child_spans(data: bytes, root: RootSpan) -> list[ChildSpan]:
    """Return where each child element of a well-formed document's root stands, in document order."""
    spans: list[ChildSpan] = []
    depth, start, line, counted = 0, 0, root.line, root.start
    for tag in _TAG.finditer(data, root.start, root.end):
        if tag["name"] is None:
            continue
        if tag["close"]:
            depth -= 1
        elif depth == 0:
            start = tag.start()
        if not tag["close"] and not tag["empty"]:
            depth += 1
        if depth == 0:
            line += data.count(b"\n", counted, start)
            counted = start
            spans.append(ChildSpan(start, tag.end(), line))
    return spans


def element_of(data: bytes, root: RootSpan, name: str) -> bytes:
    """Return a document's root as an element of another name, line for line, to be put into a container."""
    return _opening(name, root.declarations) + data[root.start : root.end] + f"</{name}>".encode()


def standalone(data: bytes, span: ChildSpan, root: RootSpan, name: str) -> bytes:
    """Return a child as an element that stands on its own: the root's other declarations are repeated on it."""
    text = data[span.start : span.end]
    if not root.declarations:
        return text
    return _opening(name, root.declarations)[:-1] + text[1 + len(name) :]


def _opening(name: str, declarations: bytes) -> bytes:
    return f"<{name}".encode() + (b" " + declarations if declarations else b"") + b">"


def _as_utf8(data: bytes, encoding: str) -> bytes:
    if encoding.upper() not in ("UTF-8", "US-ASCII", "ASCII"):
        data = data.decode(encoding).encode("utf-8")
        data = _ENCODING.sub(rb'\1 encoding="UTF-8"', data.removeprefix(b"\xef\xbb\xbf"))
    return data.removeprefix(b"\xef\xbb\xbf")
