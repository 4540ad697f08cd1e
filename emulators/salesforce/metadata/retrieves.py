"""Retrieving metadata: what was deployed comes back, in canonical form, with its package.xml.

Wildcards: Migration Guide, "Specifying all Components of a Type" (excerpt read 2026-11-22). Limits: see
`package.py`; how an excess is worded, and the rest, from knowledge.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulators.salesforce import ids
from emulators.salesforce.metadata.access import cut, is_cut
from emulators.salesforce.metadata.checks import without_wildcard
from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents
from emulators.salesforce.metadata.deploys import UnknownDeploy
from emulators.salesforce.metadata.package import (
    MAX_FILES,
    MAX_UNZIPPED_BYTES,
    MAX_ZIP_BYTES,
    Manifest,
    api_version,
    root_name,
)
from emulators.salesforce.metadata.types import type_table
from emulators.salesforce.metadata.xmlform import document, elements, fragment, parse
from emulators.salesforce.orgs import OrgRecord
from emulators.salesforce.packages import TYPE as INSTALLED_PACKAGE
from emulators.salesforce.packages import as_retrieved
from emulators.service import World
from emulators.store import Document

_KIND = "salesforce.retrieve"
_SECONDS = 0.4
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass
class Retrieved:
    """The files of a retrieve, the components in them, and what could not be had (file name, problem)."""

    files: dict[str, bytes] = field(default_factory=dict)
    components: list[OrgComponent] = field(default_factory=list)
    by_wildcard: list[Key] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)


class Retrieves:
    """The retrieves of one org."""

    def __init__(self, world: World, org: OrgRecord) -> None:
        self._store, self._now, self._org = world.store, world.now, org
        self._kind = f"{_KIND}.{org.id}"

    def submit(self, manifest: Manifest, *, single_package: bool) -> Document:
        """Gather what a manifest asks for; the result can be fetched a moment later."""
        components = OrgComponents(self._store, self._org.id)
        got = retrieve(components, manifest)
        _cut_access(components, manifest, got)
        for each in got.components:
            if each.key.type == INSTALLED_PACKAGE:
                got.files[each.file_name] = as_retrieved(got.files[each.file_name])
        root = "" if single_package else f"{manifest.full_name or 'unpackaged'}/"
        members: dict[str, set[str]] = {}
        named = [member.key for member in manifest.members if member.key.full_name != "*"]
        for key in [*named, *got.by_wildcard]:
            members.setdefault(key.type, set()).add(key.full_name)
        zipped = zip_of({root + "package.xml": package_xml(members, manifest.version), **_under(root, got.files)})
        error = _beyond_limits(got.files, zipped)
        if error:
            got, zipped = Retrieved(), b""
        job: Document = {
            "id": ids.numbered("09S", self._store.next("salesforce.retrieve")),
            "created": self._now(),
            "zip": self._store.put_blob(zipped),
            "root": root,
            "components": ["/".join(component.key) for component in got.components],
            "messages": [[root + name, problem] for name, problem in got.messages],
            "error": error,
        }
        self._store.put(self._kind, job["id"], job)
        return job

    def get(self, ident: str) -> Document:
        """Return a retrieve. Raises `UnknownDeploy`."""
        job = self._store.get(self._kind, ids.normal(ident) or ident)
        if job is None:
            raise UnknownDeploy(ident)
        return job

    def is_done(self, job: Document) -> bool:
        """Return whether the zip of a retrieve can be had."""
        return self._now() >= float(job["created"]) + _SECONDS


def retrieve(components: OrgComponents, manifest: Manifest) -> Retrieved:
    """Return what a manifest asks an org for."""
    got = Retrieved()
    children: dict[Key, list[OrgComponent]] = {}
    owners: dict[Key, OrgComponent | None] = {}
    for member in manifest.members:
        key = member.key
        for component in _named(components, key, got):
            got.components.append(component)
            if key.full_name == "*":
                got.by_wildcard.append(component.key)
            if component.parent is not None:
                children.setdefault(component.parent, []).append(component)
                owners.setdefault(component.parent, None)
                continue
            owners[key if component.key == key else component.key] = component
    for key, owner in owners.items():
        kind = type_table().types.get(key.type)
        if owner is not None and not (kind and kind.children):
            got.files |= {path: components.content(owner, path) for path in owner.files}
            continue
        chosen = {child.key: child for child in children.get(key, ())}
        if owner is not None:
            chosen |= {child.key: child for child in components.children(key)}
        path = owner.file_name if owner else next(iter(chosen.values())).file_name
        parts = [components.content(child).decode() for _, child in sorted(chosen.items())]
        if owner is not None:
            own = parse(components.content(owner))
            parts += [fragment(element) for element in elements(own)]
        got.files[path] = document(root_name(key)[0], parts)
    got.components = list({component.key: component for component in got.components}.values())
    return got


def _beyond_limits(found: Mapping[str, bytes], zipped: bytes) -> str:
    """Return why a retrieve is too large to be given, "" when it isn't."""
    if len(found) + 1 > MAX_FILES:
        return f"LIMIT_EXCEEDED: Too many files in retrieve call, limit is: {MAX_FILES}"
    if len(zipped) > MAX_ZIP_BYTES:
        return f"LIMIT_EXCEEDED: The retrieved zip has {len(zipped)} bytes, limit is: {MAX_ZIP_BYTES}"
    if sum(map(len, found.values())) > MAX_UNZIPPED_BYTES:
        return f"LIMIT_EXCEEDED: The retrieved files are too large, limit is: {MAX_UNZIPPED_BYTES} bytes"
    return ""


def _cut_access(components: OrgComponents, manifest: Manifest, got: Retrieved) -> None:
    """Cut profiles (and permission sets of old API versions) to what they say of the components around them."""
    version = api_version(manifest.version)
    found = [each for each in got.components if is_cut(each.key.type, version)]
    if not found:
        return
    together = {member.key for member in manifest.members} | {each.key for each in got.components}
    together |= {child.key for each in got.components for child in components.children(each.key)}
    for each in found:
        got.files[each.file_name] = cut(each.key, parse(components.content(each)), together)


def _named(components: OrgComponents, key: Key, got: Retrieved) -> Iterable[OrgComponent]:
    table = type_table()
    if not table.knows(key.type):
        got.messages.append(("package.xml", f"Entity type: '{key.type}' is unknown"))
        return []
    if key.full_name == "*":
        if key.type in without_wildcard():
            return []
        return [c for c in components.of_type(key.type) if not (key.type == "CustomObject" and c.standard)]
    found = components.get(*key)
    kind = table.types.get(key.type)
    if found is None and kind and kind.folder:
        found = components.get(kind.folder, key.full_name)
    if found is None:
        why = f"Entity of type '{key.type}' named '{key.full_name}' cannot be found"
        got.messages.append(("package.xml", why))
    return [found] if found else []


def package_xml(members: Mapping[str, Iterable[str]], version: str) -> bytes:
    """Return a manifest that names `members` by type."""
    parts = [
        "\n".join(
            [
                "    <types>",
                *(f"        <members>{_escaped(name)}</members>" for name in sorted(names)),
                f"        <name>{kind}</name>",
                "    </types>",
            ]
        )
        for kind, names in sorted(members.items())
    ]
    return document("Package", [*parts, f"    <version>{version}</version>"])


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _ZIP_TIME), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _under(root: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {root + path: data for path, data in files.items()}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
