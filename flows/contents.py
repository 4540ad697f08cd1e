"""The content of a component that was changed after it was converted, and the digest that it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from flows import xmltext
from flows.components import Component, Fragment, MdapiFile
from flows.xmltext import NAMESPACE, MalformedXmlError

if TYPE_CHECKING:
    from lxml import etree


def digest_of(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 over the parts, each with its length so that no two lists of parts are alike."""
    from hashlib import sha256  # loaded here: who only converts needs no digests

    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def with_files(component: Component, files: Iterable[MdapiFile]) -> Component:
    """Return the component with other files, and the digest of their content."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    parts = (part for file in ordered for part in (file.path.encode(), _content(file.data)))
    return replace(component, files=ordered, digest=digest_of(parts))


def with_fragment(component: Component, fragment: Fragment) -> Component:
    """Return the component with another fragment, and the digest of its content."""
    return replace(component, fragment=fragment, digest=digest_of([xmltext.canonical(element_of(fragment))]))


def element_of(fragment: Fragment) -> etree._Element:
    """Return the fragment's element, in the metadata namespace and without comments."""
    return xmltext.parse(f'<_ xmlns="{NAMESPACE}">'.encode() + fragment.xml + b"</_>").root[0]


def metadata_root(data: bytes) -> etree._Element | None:
    """Return the root of a metadata file, None when the file is none (code, a page, an image)."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return None
    try:
        root = xmltext.parse(data).root
    except MalformedXmlError:
        return None
    return root if str(root.tag).startswith(f"{{{NAMESPACE}}}") else None


def _content(data: bytes) -> bytes:
    root = metadata_root(data)
    return data if root is None else xmltext.canonical(root)
