"""Brings what was changed in an org home: into source format, in the layer where it belongs, scanned on its way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lxml import etree

from flows import xmltext
from flows.components import Component, ComponentKey
from flows.compose import compose, layer_directory, read_layers
from flows.contents import metadata_root
from flows.metadata_types import MetadataType, metadata_types
from flows.outbound import Finding, scan
from flows.package import lay_out
from flows.snapshot import components_of
from flows.source.project import Project
from flows.source.resolve import META
from flows.substitute import names_again
from flows.unconvert import DEFAULT_FOLDER, homes_in, to_source
from flows.xmltext import MalformedXmlError, canonical, child_text, local_name
from flows.xmlwrite import lines, prefixes_of, rendered
from infra.outputs import LandingZoneOutputs
from kit.problems import Problem, Refused
from orgs.editions import Edition
from orgs.federation import Org


@dataclass(frozen=True, slots=True)
class Brought:
    """A component that comes home: into which layer, the files that it changes, and what was found in them."""

    key: ComponentKey
    layer: str
    why: str
    files: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Homecoming:
    """What comes home. `files` are those to write, by their path from the project's root; `removed` are parts of
    components that the org has without them; `same` stand there already as the org has them; `absent` are not in it."""

    brought: tuple[Brought, ...]
    files: Mapping[str, bytes]
    removed: tuple[str, ...]
    same: tuple[ComponentKey, ...]
    absent: tuple[ComponentKey, ...]


def bring_home(
    project: Project,
    org: Org,
    keys: Iterable[ComponentKey],
    retrieved: Mapping[str, bytes],
    *,
    layer: str = "",
    outputs: LandingZoneOutputs | None = None,
) -> Homecoming:
    """Return what the `retrieved` files of an org come to at home, for the components `keys`.

    A component goes into the layer that the org has it from; a new one, or one that a later layer patches, into the
    org's own layer; with `layer`, all go into that one. Reads the project, writes nothing. Raises `Refused`.
    """
    if layer and layer not in org.overlays:
        rule = f"the layers of {org.name} are {', '.join(org.overlays)}"
        raise Refused(Problem(f"{org.name} gets no layer {layer}", rule, f"name one of {', '.join(org.overlays)}"))
    composed = compose(read_layers(project, org.overlays))
    wanted = sorted(set(keys))
    components = components_of(retrieved, wanted)
    home = _Home(project, outputs)
    brought, same = [], []
    for key, component in components.items():
        where, why = (layer, "--layer") if layer else _layer_of(composed.get(key), org)
        files = home.take(component, composed.get(key), where)
        if files:
            brought.append((key, where, why, files))
        else:
            same.append(key)
    done = tuple(
        Brought(key, where, why, tuple(files), tuple(home.findings(files) if org.edition is Edition.ALIBABA else ()))
        for key, where, why, files in brought
    )
    absent = tuple(key for key in wanted if key not in components)
    return Homecoming(done, dict(sorted(home.files.items())), tuple(sorted(home.removed)), tuple(same), absent)


def refuse_data(homecoming: Homecoming, accepted: frozenset[ComponentKey]) -> None:
    """Raise `Refused` with every finding of a component that wasn't accepted by name. What was found isn't shown."""
    problems = [
        Problem(
            f"{each.key} holds a {finding.kind} ({finding.hint})",
            "personal and reference data of a China org leaves it only when somebody says so by name",
            f"take it out in the org, or accept it: -o back_promote__accept {each.key}",
            finding.place,
        )
        for each in homecoming.brought
        if each.key not in accepted
        for finding in each.findings
    ]
    if problems:
        raise Refused(problems, "what would come home holds data")


@dataclass(slots=True)
class _Home:
    """The project with what came home so far: `files` stand in for those on disk, `removed` are there no more."""

    project: Project
    outputs: LandingZoneOutputs | None
    files: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    homes: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def take(self, component: Component, known: Component | None, layer: str) -> list[str]:
        """Write one component into a layer; return the files that it changes."""
        directory = layer_directory(self.project, layer)
        homes = self.homes_of(directory)
        types = metadata_types()
        container = types.container_of.get(component.key.type)
        if component.fragment and container:
            usual = f"{DEFAULT_FOLDER}/{container.directory}/{_container_file(component, container)}"
            file = f"{directory}/{homes.get(usual, usual)}"
            inline = known is not None and known.source.file == file
            if (inline or not container.is_decomposed) and self.here(file):
                child = names_again(component.fragment.xml, known, self.outputs)
                part = replace(component, fragment=replace(component.fragment, xml=child))
                return self.write(file, _with_child(self.here(file), part))
        changed = []
        source = to_source(lay_out([component]).files, homes, self.project.types)
        for path, given in source.items():
            file, data = f"{directory}/{path}", names_again(given, known, self.outputs)
            kind = types.by_name.get(component.key.type)
            if kind and kind.splittable and not component.fragment:
                changed += self.write(file, _with_children_of(self.here(file), data, kind))
            else:
                changed += self.write(file, data)
        return changed + self.remove_parts(component, directory, source.keys())

    def remove_parts(self, component: Component, directory: str, source: Collection[str]) -> list[str]:
        """Remove a component's files of a layer that aren't in its `source`; return them."""
        kind = self.project.types.by_name.get(component.key.type)
        if component.fragment or not kind or not kind.has_folder:
            return []
        folder = f"{DEFAULT_FOLDER}/{kind.folder_of(component.key.full_name)}/"
        here = {home for usual, home in self.homes_of(directory).items() if usual.startswith(folder)}
        gone = [f"{directory}/{path}" for path in here - set(source) if self.on_disk_is_file(f"{directory}/{path}")]
        self.removed.update(gone)
        return sorted(gone)

    def on_disk_is_file(self, file: str) -> bool:
        return (self.project.root / file).is_file()

    def write(self, file: str, data: bytes) -> list[str]:
        if _same(self.here(file), data, file):
            return []
        self.files[file] = data
        return [file]

    def here(self, file: str) -> bytes:
        """Return a file as it is, with what came home already; empty when there is none."""
        return self.files[file] if file in self.files else self.on_disk(file)

    def on_disk(self, file: str) -> bytes:
        path = self.project.root / file
        return path.read_bytes() if path.is_file() else b""

    def homes_of(self, directory: str) -> Mapping[str, str]:
        if directory not in self.homes:
            exists = (self.project.root / directory).is_dir()
            self.homes[directory] = homes_in(self.project, directory) if exists else {}
        return self.homes[directory]

    def findings(self, files: Iterable[str]) -> list[Finding]:
        written = [file for file in files if file in self.files]
        return [each for file in written for each in scan(file, self.files[file], self.on_disk(file))]


def summary(org: str, day: str, homecoming: Homecoming, missing: Sequence[ComponentKey] = ()) -> str:
    """Return what came home as Markdown. `missing` are components that somebody deleted in the org."""
    out = [f"# Brought home from {org}, {day}", "", "| component | layer | files |", "|---|---|---|"]
    for each in homecoming.brought:
        files = "<br>".join(f"`{file}`" for file in each.files)
        out.append(f"| `{each.key}` | {each.layer} ({each.why}) | {files} |")
    accepted = [(each, finding) for each in homecoming.brought for finding in each.findings]
    if accepted:
        out += ["", "## Data that was accepted by name", ""]
        out += [f"- `{each.key}`: {finding.kind} ({finding.hint}) at {finding.place}" for each, finding in accepted]
    if homecoming.removed:
        out += ["", "## Removed, since the org doesn't have it", "", *(f"- `{file}`" for file in homecoming.removed)]
    for title, keys in (
        ("Deleted in the org; to leave it out, list it in a layer's remove.yml", missing),
        ("At home already as in the org", homecoming.same),
        ("Not in the org", homecoming.absent),
    ):
        if keys:
            out += ["", f"## {title}", "", *(f"- `{key}`" for key in keys)]
    return "\n".join(out) + "\n"


def _layer_of(known: Component | None, org: Org) -> tuple[str, str]:
    own = org.overlays[-1]
    if known is None:
        return own, "new: the org's own"
    if known.patches:
        return own, f"patched by {known.patches[-1].layer}: whole, for this org alone"
    return known.layer, "where the org has it from"


def _container_file(component: Component, container: MetadataType) -> str:
    path = Path(component.fragment.path if component.fragment else "")
    name = f"{path.name}{META}"
    return f"{path.stem}/{name}" if container.is_decomposed else name


def _with_child(data: bytes, component: Component) -> bytes:
    """Return a container's file with the child in place of the one of its name, or as the last of its kind."""
    fragment = component.fragment
    if fragment is None:
        return data
    document = xmltext.in_namespace(xmltext.parse(data))
    span = xmltext.root_span(document.data)
    new = xmltext.parse(f'<_ xmlns="{xmltext.NAMESPACE}">'.encode() + fragment.xml + b"</_>").root[0]
    text = "\n".join(line for line, _ in lines(new, 1, prefixes_of(new))).encode()
    container = metadata_types().container_of[component.key.type]
    identity = next((child.id_element for child in container.children if child.element == fragment.tag), "")
    name = child_text(new, identity or "fullName")
    spans = xmltext.child_spans(document.data, span)
    alike = [
        (child, where) for child, where in zip(document.root, spans, strict=True) if local_name(child) == fragment.tag
    ]
    for child, where in alike:
        if child_text(child, identity or "fullName") == name:
            if canonical(child) == canonical(new):
                return data
            return document.data[: where.start] + text.lstrip() + document.data[where.end :]
    if span.empty:
        return rendered(local_name(document.root), document.root, [new])
    after = alike[-1][1].end if alike else spans[-1].end if spans else span.start
    return document.data[:after] + b"\n" + text + document.data[after:]


def _with_children_of(before: bytes, data: bytes, kind: MetadataType) -> bytes:
    """Return a container's file with the children that it holds at home: the org gave back the rest of it."""
    old, new = metadata_root(before), metadata_root(data)
    if old is None or new is None:
        return data
    children = [child for child in old if local_name(child) in kind.splittable]
    if not children:
        return data
    elements: list[etree._Element] = [child for child in new if local_name(child) not in kind.splittable]
    return rendered(local_name(new), new, [*elements, *children])


def _in_namespace(data: bytes) -> bytes:
    """Return a file with its namespace, which Salesforce's tool leaves out of parts of permission sets."""
    try:
        return xmltext.in_namespace(xmltext.parse(data)).data
    except MalformedXmlError:
        return data


def _same(before: bytes, after: bytes, file: str) -> bool:
    if before == after:
        return True
    given = (before, after) if not file.endswith(META) else (_in_namespace(before), _in_namespace(after))
    one, other = (metadata_root(data) for data in given)
    return one is not None and other is not None and canonical(one) == canonical(other)
