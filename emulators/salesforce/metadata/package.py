"""A package as it comes to an org: a zip with manifests and metadata files, read into components.

Source: Metadata API Developer Guide, "Deleting Components from an Organization" (excerpt read 2026-11-22); the rest
from knowledge of the API.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.messages import DeployMessage, error, manifest_error
from emulators.salesforce.metadata.types import MetadataType, type_table
from emulators.salesforce.metadata.xmlform import (
    Malformed,
    canonical,
    elements,
    find,
    fragment,
    line_of,
    local,
    parse,
    text,
)

# Salesforce Developer Limits and Allocations Quick Reference, Metadata limits (excerpt read 2026-11-22).
MAX_FILES = 10_000
MAX_ZIP_BYTES = 39 * 1024 * 1024
MAX_UNZIPPED_BYTES = 600 * 1024 * 1024

MANIFEST = "package.xml"
DESTRUCTIVE = {
    "destructiveChangesPre.xml": "pre",
    "destructiveChanges.xml": "pre",
    "destructiveChangesPost.xml": "post",
}


class UnusablePackage(Exception):
    """The zip can't be deployed at all. `code` is the API's status code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Member:
    """An entry of a manifest, with the line that it stands on."""

    key: Key
    line: int


@dataclass(frozen=True)
class Manifest:
    """A manifest: what it names, and the API version that it asks for ("" when it names none)."""

    path: str
    version: str
    members: tuple[Member, ...]
    full_name: str = ""

    def names(self, key: Key) -> bool:
        """Return whether the manifest names a component, alone or by a wildcard."""
        return key in self._keys or Key(key.type, "*") in self._keys

    @property
    def _keys(self) -> frozenset[Key]:
        keys: frozenset[Key] | None = self.__dict__.get("_found")
        if keys is None:
            keys = frozenset(member.key for member in self.members)
            object.__setattr__(self, "_found", keys)
        return keys


@dataclass(frozen=True)
class Incoming:
    """A component of a package: its canonical files, and the element that its checks read."""

    key: Key
    path: str
    files: Mapping[str, bytes]
    element: etree._Element | None
    source: bytes
    parent: Key | None = None

    @property
    def line(self) -> int:
        """The line on which the component starts."""
        return line_of(self.element) if self.element is not None and self.parent else 0


@dataclass
class Package:
    """One package of a zip: what it brings, what it takes away, and what is wrong with it."""

    manifest: Manifest
    incoming: dict[Key, Incoming] = field(default_factory=dict)
    destructive: dict[str, list[tuple[str, Member]]] = field(default_factory=lambda: {"pre": [], "post": []})
    problems: list[DeployMessage] = field(default_factory=list)


def parse_manifest(data: bytes, path: str = MANIFEST) -> Manifest:
    """Return a manifest. Raises `Malformed`."""
    return manifest_of(parse(data), path)


def manifest_of(root: etree._Element, path: str = MANIFEST) -> Manifest:
    """Return the manifest that an element (`Package`, or `unpackaged` of a retrieve) holds. Raises `Malformed`."""
    members = []
    for types in elements(root):
        if local(types) != "types":
            continue
        name = find(types, "name")
        if name is None or not (name.text or "").strip():
            raise Malformed("Required field is missing: name", line_of(types), 1)
        members += [
            # Salesforce's own tools write a folder as `Reports/`.
            Member(Key((name.text or "").strip(), (entry.text or "").strip().rstrip("/")), line_of(entry))
            for entry in elements(types)
            if local(entry) == "members"
        ]
    return Manifest(path, text(root, "version"), tuple(members), text(root, "fullName"))


def read_zip(data: bytes, *, single_package: bool) -> list[Package]:
    """Return the packages of a zip: one at its top, or one a top-level directory. Raises `UnusablePackage`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            _check_limits(data, members)
            entries = {info.filename: archive.read(info) for info in members}
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as broken:
        raise UnusablePackage("INVALID_ZIP_FILE", f"Unable to read the zip file: {broken}") from None
    if single_package:
        roots = [""] if MANIFEST in entries else []
    else:
        tops = {path.partition("/")[0] + "/" for path in entries if "/" in path}
        roots = sorted(top for top in tops if top + MANIFEST in entries)
    if not roots:
        raise UnusablePackage("NO_PACKAGE_XML", "No package.xml found")
    return [_read_package(entries, root) for root in roots]


def _check_limits(data: bytes, members: list[zipfile.ZipInfo]) -> None:
    if len(data) > MAX_ZIP_BYTES:
        raise UnusablePackage(
            "LIMIT_EXCEEDED", f"Maximum size of request reached. Maximum size of request is {MAX_ZIP_BYTES} bytes."
        )
    if len(members) > MAX_FILES:
        raise UnusablePackage("LIMIT_EXCEEDED", f"Limit of {MAX_FILES} files reached: the zip holds {len(members)}.")
    unzipped = sum(info.file_size for info in members)
    if unzipped > MAX_UNZIPPED_BYTES:
        raise UnusablePackage(
            "LIMIT_EXCEEDED", f"Limit of {MAX_UNZIPPED_BYTES} unzipped bytes reached: the zip holds {unzipped}."
        )


def _read_package(entries: Mapping[str, bytes], root: str) -> Package:
    try:
        manifest = parse_manifest(entries[root + MANIFEST], root + MANIFEST)
    except Malformed as bad:
        empty = Package(Manifest(root + MANIFEST, "", ()))
        empty.problems.append(manifest_error(root + MANIFEST, bad.message, bad.line, bad.column))
        return empty
    package = Package(manifest)
    by_owner: dict[Key, dict[str, bytes]] = {}
    table = type_table()
    for path, data in sorted(entries.items()):
        if not path.startswith(root) or path == root + MANIFEST:
            continue
        inner = path.removeprefix(root)
        if inner in DESTRUCTIVE:
            try:
                listed = parse_manifest(data, path).members
                package.destructive[DESTRUCTIVE[inner]] += [(path, member) for member in listed]
            except Malformed as bad:
                package.problems.append(manifest_error(path, bad.message, bad.line, bad.column))
            continue
        owner = table.owner(PurePosixPath(inner))
        if owner is None:
            top = inner.partition("/")[0]
            known = top in table.by_directory and "/" in inner
            why = f"Unknown file extension in folder {top}" if known else f"Unknown folder type: {top}"
            package.problems.append(manifest_error(path, why))
            continue
        by_owner.setdefault(Key(*owner), {})[path] = data
    for key, files in by_owner.items():
        _read_component(package, key, files, root)
    return package


def _read_component(package: Package, key: Key, found: Mapping[str, bytes], root: str) -> None:
    table = type_table()
    kind = table.types.get(key.type) or table.folders[key.type]
    own_type = kind.name if key.type in table.types else key.type
    metas = [path for path in found if path.endswith("-meta.xml")]
    body = [path for path in found if path not in metas]
    path = next(iter(body or metas))
    if kind.content == "xml" or own_type != kind.name:
        _read_xml(package, kind, key, path, found[path], root)
        return
    meta = next((p for p in metas if kind.content != "bundle" or p.count("/") == path.count("/")), None)
    if meta is None and kind.content in ("file", "any"):
        why = f"No metadata file found for {path}: {path}-meta.xml is missing"
        package.problems.append(error(key, path, why))
        return
    if not body:
        why = f"No source file found for {path}: {path.removesuffix('-meta.xml')} is missing"
        package.problems.append(error(key, path, why))
        return
    files, element = dict.fromkeys(body, b"") | {p: found[p] for p in body}, None
    for each in metas:
        try:
            parsed = parse(found[each])
        except Malformed as bad:
            package.problems.append(error(key, each, bad.message, bad.line, bad.column))
            return
        files[each] = canonical(parsed)
        element = parsed if each == meta else element
    files = {p.removeprefix(root): data for p, data in files.items()}
    package.incoming[key] = Incoming(key, path, files, element, found[meta] if meta else b"")


def _read_xml(package: Package, kind: MetadataType, key: Key, path: str, data: bytes, root: str) -> None:
    try:
        element = parse(data)
    except Malformed as bad:
        package.problems.append(error(key, path, bad.message, bad.line, bad.column))
        return
    wanted = root_name(key)
    if local(element) not in wanted:
        why = f"Error parsing file: the root element is {local(element)}, but this file must hold {wanted[0]}"
        package.problems.append(error(key, path, why, line_of(element), 1))
        return
    inner = path.removeprefix(root)
    package.incoming[key] = Incoming(key, path, {inner: canonical(element, kind.children)}, element, data)
    for child in elements(element):
        child_type = kind.children.get(local(child))
        if child_type is None:
            continue
        own = text(child, "fullName")
        if not own:
            line = line_of(child)
            package.problems.append(error(Key(child_type, ""), path, "Required field is missing: fullName", line, 1))
            continue
        child_key = Key(child_type, kind.child_name(key.full_name, own))
        if child_key in package.incoming:
            line = line_of(child)
            package.problems.append(error(child_key, path, f"Duplicate value: {own}", line, 1))
            continue
        files = {inner: fragment(child).encode()}
        package.incoming[child_key] = Incoming(child_key, path, files, child, data, key)


def root_name(key: Key) -> tuple[str, ...]:
    """Return the names that the root element of a component's file may have; the first is the usual one."""
    if key.type == "Settings":
        return (f"{key.full_name}Settings",)
    if key.type == "EmailFolder":
        return ("EmailFolder", "EmailTemplateFolder")
    return (key.type,)


def api_version(value: str) -> int | None:
    """Return the whole number of a version such as `64.0`, or None when it is none."""
    found = re.fullmatch(r"(\d{1,3})\.0", value)
    return int(found.group(1)) if found else None
