"""The release: one immutable file that serves every org of a federation, built once, addressed by its digest.

A zip: `sfoa-release.json` (the manifest: API version, provenance, and the SHA-256 of all else), `components.json`
(every component once, with its layer and source), `orgs/NAME.json` (which of them an org gets), `content/SHA256` (what
orgs share is there once), and `bom.cdx.json` (CycloneDX).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.archive import zip_bytes, zip_files
from flows.bundle import Bundle, build_bundle, differences, parse_bundle, read_file
from flows.components import Component
from flows.compose import Layer, compose, read_layers, refuse_strange_layers
from flows.entries import Entry, component_of, entry_of
from flows.project import MARK
from flows.provenance import Provenance, look, provenance_of
from flows.source.project import Project, read_project
from flows.written import write_file
from kit.problems import Place, Problem, Refused, refuse_if_any, relative
from orgs.federation import Federation
from orgs.model import nearest

MANIFEST = "sfoa-release.json"
COMPONENTS = "components.json"
BOM = "bom.cdx.json"
_FORMAT = 1
_RULE = "a release is not changed after it was built"
_FIX = "build it again: sfoa bundle --federation"


@dataclass(frozen=True, slots=True)
class Release:
    """The bundles of all orgs by name, and where they come from. `files` are those of the zip by path, `bom` is one of
    them. `digest` is the SHA-256 (hex) over the manifest, and so over every byte of content."""

    bundles: Mapping[str, Bundle]
    provenance: Provenance
    digest: str
    files: Mapping[str, bytes] = field(repr=False)

    def for_org(self, name: str) -> Bundle:
        """Return the bundle of one org. Raises `Refused` when the release holds none for it."""
        if name in self.bundles:
            return self.bundles[name]
        what = f"release {self.digest[:12]} holds nothing for {name}"
        fix = f"{nearest(name, self.bundles)}; an org that is new to the federation is in the next release"
        raise Refused(Problem(what, "a release serves the orgs that the federation had when it was built", fix))

    @property
    def bom(self) -> bytes:
        """The CycloneDX list of what the release holds, as JSON."""
        return self.files[BOM]


def compose_release(federation: Federation, project_root: Path) -> Release:
    """Return the release of the federation's orgs. Every layer is read and converted once.

    Raises `Refused` with all problems of all layers and orgs, see `flows.compose.read_layers` and `compose`.
    """
    project = read_project(project_root)
    refuse_strange_layers(project, federation)
    return release_of(federation, project, layers_of(federation, project))


def layers_of(federation: Federation, project: Project) -> list[Layer]:
    """Return the layers of all orgs, each once. Raises `Refused` with all problems of all."""
    names = dict.fromkeys(name for org in federation.orgs for name in org.overlays)
    return read_layers(project, tuple(names))


def release_of(federation: Federation, project: Project, read: Iterable[Layer]) -> Release:
    """Return the release of the federation's orgs out of their layers, as `compose_release` does."""
    bundles = bundles_of(federation, project, read)
    return build_release(bundles, look(federation.company, project.root, _sources(project)))


def bundles_of(federation: Federation, project: Project, read: Iterable[Layer]) -> dict[str, Bundle]:
    """Return the bundle of each of the federation's orgs by name, out of their layers.

    Raises `Refused` with all problems of all orgs.
    """
    layers = {layer.name: layer for layer in read}
    bundles: dict[str, Bundle] = {}
    problems: dict[Problem, None] = {}  # orgs share layers, and so what is wrong with them
    for org in federation.orgs:
        try:
            composed = compose(layers[name] for name in org.overlays if name in layers)
            bundles[org.name] = build_bundle(composed.values(), project.api_version)
        except Refused as refused:
            problems |= dict.fromkeys(refused.problems)
    refuse_if_any(problems, "the layers don't fit")
    return bundles


def build_release(bundles: Mapping[str, Bundle], provenance: Provenance) -> Release:
    """Return the release of these bundles (by org). Raises `ValueError` when their API versions differ."""
    from flows.bom import bill_of_materials  # reading a release needs no library for lists

    versions = {bundle.api_version for bundle in bundles.values()}
    if len(versions) != 1:
        raise ValueError(f"a release has one API version, not {sorted(versions)}")
    files = {**_laid_out(bundles), BOM: bill_of_materials(bundles, provenance)}
    body = {
        "format": _FORMAT,
        "api_version": versions.pop(),
        "provenance": provenance.as_json(),
        "orgs": {name: bundle.digest for name, bundle in bundles.items()},
        "files": {path: _sha256(files[path]) for path in sorted(files)},
    }
    digest = _sha256(_canonical(body))
    return Release(dict(sorted(bundles.items())), provenance, digest, {**files, MANIFEST: _manifest(body, digest)})


def release_bytes(release: Release) -> bytes:
    """Return the release as a zip: the same bytes for the same release, by the same zlib."""
    return zip_bytes(release.files)


def write_release(release: Release, path: Path) -> None:
    """Write the release's zip, whole or not at all. Raises `Refused` when the disk doesn't take it."""
    write_file(release_bytes(release), path)


def read_release(path: Path, digest: str = "") -> Release:
    """Read a release. Raises `Refused` when it isn't one, when a byte in it was altered, a file added or removed or a
    component swapped, or when it hasn't the `digest` that is asked for."""
    return parse_release(read_file(path), relative(path), digest)


def parse_release(data: bytes, name: str, digest: str = "") -> Release:
    """Read a release's bytes, as `read_release` does; `name` is what problems call it."""
    try:
        files = zip_files(data)
        manifest = json.loads(files[MANIFEST])
        body = {key: value for key, value in manifest.items() if key != "digest"}
        own, wanted = manifest["digest"], body["files"]
        version, provenance = body["api_version"], provenance_of(body["provenance"])
        if body["format"] != _FORMAT:
            raise ValueError(f"format {body['format']}, not {_FORMAT}")
        indexes = {org: f"orgs/{org}.json" for org in body["orgs"]}
        missing = sorted({COMPONENTS, BOM, *indexes.values()} - wanted.keys())
        if missing:
            raise ValueError(f"its manifest doesn't name {missing[0]}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"not a release of the kit: {error}"
        raise Refused(Problem(what, f"a zip with {MANIFEST}", _FIX, Place(name))) from error
    problems = list(differences(wanted, {path: data for path, data in files.items() if path != MANIFEST}, name))
    if _manifest(body, _sha256(_canonical(body))) != files[MANIFEST]:
        problems.append(Problem("the manifest was altered", _RULE, _FIX, Place(f"{name}!{MANIFEST}")))
    refuse_if_any(problems, "the release is not as it was built")
    if digest and own != digest:
        what = f"another release: its digest is {own}"
        raise Refused(Problem(what, f"the release {digest} is asked for", "see who put it there", Place(name)))
    try:
        table = [_component(entry, files) for entry in json.loads(files[COMPONENTS])]
        bundles = {
            org: build_bundle((table[place] for place in json.loads(files[path])), version)
            for org, path in indexes.items()
        }
    except (KeyError, TypeError, ValueError, IndexError) as error:
        place = Place(f"{name}!{COMPONENTS}")
        raise Refused(Problem(f"not what a release holds: {error!r}", _RULE, _FIX, place)) from error
    refuse_if_any(_swapped(bundles, body["orgs"], name), "the release is not as it was built")
    return Release(dict(sorted(bundles.items())), provenance, own, dict(sorted(files.items())))


def parse_any(data: bytes, name: str) -> Release | Bundle:
    """Read a release or the bundle of a single org, whichever it is; raises what reading that does."""
    is_release = MANIFEST.encode() in data  # names stand in a zip as they are
    return parse_release(data, name) if is_release else parse_bundle(data, name)


def _laid_out(bundles: Mapping[str, Bundle]) -> dict[str, bytes]:
    """Return content, components and the indexes of the orgs, by path."""
    files: dict[str, bytes] = {}

    def content(data: bytes) -> dict[str, str]:
        ident = _sha256(data)
        files[f"content/{ident}"] = data
        return {"content": ident}

    texts: dict[int, str] = {}  # by identity: orgs share components, and writing one down costs
    for bundle in bundles.values():
        for component in bundle.components.values():
            if id(component) not in texts:
                entry = entry_of(component, lambda part: content(part.xml), lambda file: content(file.data))
                texts[id(component)] = _canonical(entry).decode()
    ordered = sorted(set(texts.values()))
    places = {text: place for place, text in enumerate(ordered)}
    files[COMPONENTS] = f"[{','.join(ordered)}]".encode()
    for name, bundle in bundles.items():
        index = [places[texts[id(component)]] for component in bundle.components.values()]
        files[f"orgs/{name}.json"] = _canonical(index)
    return files


def _component(entry: Entry, files: Mapping[str, bytes]) -> Component:
    def content(about: Entry) -> bytes:
        return files[f"content/{about['content']}"]

    return component_of(entry, content, content)


def _swapped(bundles: Mapping[str, Bundle], digests: Mapping[str, str], name: str) -> Iterable[Problem]:
    for org, bundle in bundles.items():
        if bundle.digest != digests[org]:
            what = f"{org} would get other components: their digest is {bundle.digest}, not {digests[org]}"
            yield Problem(what, _RULE, _FIX, Place(f"{name}!orgs/{org}.json"))


def _sources(project: Project) -> list[str]:
    """Return what a release is built from, as paths below the project's root: what else differs there doesn't count."""
    homes = {Path(directory).parent.as_posix() for directory in project.package_directories}
    return [MARK, ".forceignore", "orgs/federation.yml", *sorted(homes)]


def _manifest(body: Mapping[str, Any], digest: str) -> bytes:
    return _canonical({**body, "digest": digest})


def _canonical(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
