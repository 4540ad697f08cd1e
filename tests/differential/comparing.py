"""Two conversions compared as the Metadata API reads them: XML by content, archives by members, manifests as sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from lxml import etree

from flows import xmltext
from flows.metadata_types import metadata_types
from flows.xmltext import MalformedXmlError

MANIFEST = "package.xml"


def differences(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> list[str]:
    """Return each difference in a line, sorted; none when both mean the same."""
    found = [f"only ours: {path}" for path in ours.keys() - theirs.keys()]
    found += [f"only theirs: {path}" for path in theirs.keys() - ours.keys()]
    for path in ours.keys() & theirs.keys():
        if ours[path] != theirs[path] and _content(path, ours[path]) != _content(path, theirs[path]):
            found.append(f"differs: {path}")
    return sorted(found)


def members(manifest: bytes) -> set[tuple[str, str]]:
    """Return package.xml as a set of (type, full name)."""
    found: set[tuple[str, str]] = set()
    for types in etree.fromstring(manifest):
        names = [element.text or "" for element in types if xmltext.local_name(element) == "members"]
        found |= {(xmltext.child_text(types, "name"), name) for name in names}
    return found


def _content(path: str, data: bytes) -> object:
    if path == MANIFEST:
        return members(data)
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    try:
        root = xmltext.parse(data).root
    except MalformedXmlError:
        return data
    kind = metadata_types().by_name.get(xmltext.local_name(root))
    if kind and kind.is_decomposed:
        # The order of children that had files of their own carries no meaning.
        root[:] = sorted(root, key=xmltext.canonical)
    return xmltext.canonical(root)
