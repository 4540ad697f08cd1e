"""The bundle: what one release carries, built once and promoted many times. Immutable, with index and digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.apexuse import is_test
from flows.archive import zip_bytes, zip_files
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.containers import closing
from flows.entries import Entry, component_of, entry_of
from flows.package import MANIFEST, Layout, lay_out, manifest
from flows.written import write_file
from kit.problems import Place, Problem, Refused, refuse_if_any, relative

INDEX = "sfoa-bundle.json"
_FORMAT = 2
_RULE = "a bundle is not changed after it was built"


@dataclass(frozen=True)
class Bundle:
    """Components by key (sorted), for one API version. `digest` is the SHA-256 (hex) over the version and every
    component's key, digest and content: equal digests mean the same files, wherever and whenever built. So who
    approves or names a digest means these bytes, and no others of which the same is claimed."""

    components: Mapping[ComponentKey, Component]
    api_version: str
    digest: str

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """The names of the Apex test classes, sorted: found once, however many orgs are planned for."""
        return tuple(sorted(each.key.full_name for each in self.components.values() if is_test(each)))


def build_bundle(components: Iterable[Component], api_version: str) -> Bundle:
    """Return the bundle of these components. Raises `ValueError` when a key comes twice."""
    ordered: dict[ComponentKey, Component] = {}
    for component in sorted(components, key=lambda component: component.key):
        if component.key in ordered:
            raise ValueError(f"{component.key} comes twice")
        ordered[component.key] = component
    return Bundle(ordered, api_version, _digest(ordered.values(), api_version))


def bundle_bytes(bundle: Bundle) -> bytes:
    """Return the bundle as a zip: a complete Metadata API package, and beside it the index."""
    layout = lay_out(bundle.components.values())
    files = {**layout.files, MANIFEST: manifest(bundle.components, bundle.api_version)}
    index = {
        "format": _FORMAT,
        "digest": bundle.digest,
        "api_version": bundle.api_version,
        "files": {path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)},
        "components": [_entry(component, layout) for component in bundle.components.values()],
    }
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return zip_bytes({**files, INDEX: text.encode()})


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Write the bundle's zip, whole or not at all. Raises `Refused` when the disk doesn't take it."""
    write_file(bundle_bytes(bundle), path)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle. Raises `Refused` when it isn't one, or when a file in it was altered, added or removed."""
    return parse_bundle(read_file(path), relative(path))


def read_file(path: Path) -> bytes:
    """Return a bundle's or release's bytes. Raises `Refused` when there is no such file."""
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"cannot read the bundle: {error.strerror}"
        raise Refused(Problem(what, "the file exists", "build it: sfoa bundle", Place(relative(path)))) from error


def parse_bundle(data: bytes, name: str) -> Bundle:
    """Read a bundle's bytes, as `read_bundle` does; `name` is what problems call it."""
    try:
        files = zip_files(data)
        index = json.loads(files.pop(INDEX))
    except (KeyError, ValueError) as error:
        what = f"not a bundle of the kit: {error}"
        raise Refused(Problem(what, f"a zip with {INDEX}", "build it again: sfoa bundle", Place(name))) from error
    if not isinstance(index, dict) or index.get("format") != _FORMAT:
        raise Refused(Problem("a bundle of another format", f"format {_FORMAT}", "build it again", Place(name)))
    refuse_if_any(differences(index["files"], files, name), "the bundle is not as it was built")
    components = [_component(entry, files) for entry in index["components"]]
    bundle = build_bundle(components, index["api_version"])
    if bundle.digest != index["digest"]:
        raise Refused(Problem("the index doesn't give the digest", _RULE, "build it again", Place(f"{name}!{INDEX}")))
    return bundle


def _digest(components: Iterable[Component], api_version: str) -> str:
    total = hashlib.sha256(f"{api_version}\n".encode())
    for component in components:
        total.update(f"{json.dumps([*component.key, component.digest, _content(component)])}\n".encode())
    return total.hexdigest()


def _content(component: Component) -> list[str]:
    if component.fragment:
        fragment = component.fragment
        return [fragment.path, fragment.root, fragment.tag, hashlib.sha256(fragment.xml).hexdigest()]
    return [part for file in component.files for part in (file.path, _file_digest(file))]


def _file_digest(file: MdapiFile) -> str:
    total = hashlib.sha256()
    if file.path.endswith(".resource") and file.data.startswith(b"PK"):
        # A zip that the kit made of a folder: its bytes depend on the compressor's version, its members don't.
        with suppress(ValueError):
            members = zip_files(file.data)
            for name in members:
                total.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(members[name]).digest())
            return total.hexdigest()
    total.update(file.data)
    return total.hexdigest()


def differences(expected: Mapping[str, str], files: Mapping[str, bytes], name: str) -> list[Problem]:
    """Return a problem for each file that is missing, was added, or hasn't its SHA-256 of `expected` (hex, by path)."""
    problems = []
    for path in sorted({*expected, *files}):
        if path not in files:
            what = "a file is missing in the bundle"
        elif path not in expected:
            what = "a file was added to the bundle"
        elif hashlib.sha256(files[path]).hexdigest() != expected[path]:
            what = "a file in the bundle was altered"
        else:
            continue
        problems.append(Problem(what, _RULE, "build it again from the source", Place(f"{name}!{path}")))
    return problems


def _entry(component: Component, layout: Layout) -> dict[str, Any]:
    def span(_fragment: Fragment) -> dict[str, Any]:
        return {"span": list(layout.spans[component.key])}

    def own(file: MdapiFile) -> dict[str, Any]:
        # The file may hold children too: this much of it is the container's own.
        length = layout.own_lengths.get(file.path)
        return {} if length is None else {"own": [length, component.key.type]}

    return entry_of(component, span, own)


def _component(entry: Entry, files: Mapping[str, bytes]) -> Component:
    def xml(about: Entry) -> bytes:
        start, length = about["span"]
        return files[about["path"]][start : start + length]

    def data(about: Entry) -> bytes:
        whole = files[about["path"]]
        if "own" not in about:
            return whole
        length, root = about["own"]
        return whole[:length] + closing(root)

    return component_of(entry, xml, data)
