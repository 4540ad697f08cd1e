"""A Metadata API package of any selection of components, and the way back from its lines to the source."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from flows.archive import zip_bytes
from flows.components import Component, ComponentKey, Run, by_key, names_by_type
from flows.containers import put_together
from flows.metadata_types import metadata_types
from flows.xmltext import NAMESPACE, escaped
from kit.problems import Place

MANIFEST = "package.xml"
DESTRUCTIVE_PRE = "destructiveChangesPre.xml"
DESTRUCTIVE_POST = "destructiveChangesPost.xml"

# Folder types that the Metadata API tells from their content by a slash at the name's end.
_SLASH_NAMED = frozenset({"ReportFolder", "DashboardFolder", "EmailTemplateFolder"})


class LineMap(NamedTuple):
    """Leads a line of a file in a package back to the source file that it came from."""

    runs: Mapping[str, tuple[Run, ...]]
    files: Mapping[str, Place]

    def source(self, file: str, line: int) -> Place | None:
        """Return the source place of `line` (from 1) of `file`; a line of 0 asks for the file as a whole.

        None for files and lines that the kit wrote itself. A file without lines of its own (a zipped folder)
        leads to its component's source.
        """
        runs = self.runs.get(file, ())
        if not runs or line < 1:
            return self.files.get(file)
        run = runs[max(0, bisect_right(runs, line, key=lambda run: run.line) - 1)]
        return run.source and Place(run.source.file, run.source.line + line - run.line)


@dataclass(frozen=True)
class Package:
    """A deployable package: its `files` (path → content, package.xml among them) and the way back to the source."""

    files: Mapping[str, bytes]
    lines: LineMap

    @cached_property
    def zip(self) -> bytes:
        """The package as a zip: the same bytes for the same components, by the same zlib."""
        return zip_bytes(self.files)


class Layout(NamedTuple):
    """Components laid out as files: `files` and `runs` by path, `spans` of fragments (start, length) by key,
    and for containers with content of their own, how many bytes of the file that is."""

    files: Mapping[str, bytes]
    runs: Mapping[str, tuple[Run, ...]]
    sources: Mapping[str, Place]
    spans: Mapping[ComponentKey, tuple[int, int]]
    own_lengths: Mapping[str, int]


def assemble(
    components: Iterable[Component],
    api_version: str,
    *,
    destructive_post: Iterable[ComponentKey] = (),
    destructive_pre: Iterable[ComponentKey] = (),
) -> Package:
    """Return the package of exactly these components, and of the deletions before and after them.

    A child of a container (a field) goes without the rest of it: package.xml then names the child alone.
    """
    chosen = by_key(components)
    layout = lay_out(chosen)
    files = dict(layout.files)
    files[MANIFEST] = manifest((component.key for component in chosen), api_version)
    for path, keys in ((DESTRUCTIVE_PRE, tuple(destructive_pre)), (DESTRUCTIVE_POST, tuple(destructive_post))):
        if keys:
            files[path] = manifest(keys, api_version)
    return Package({path: files[path] for path in sorted(files)}, LineMap(layout.runs, layout.sources))


def lay_out(components: Iterable[Component]) -> Layout:
    """Return the files that the components make up, without package.xml."""
    files: dict[str, bytes] = {}
    runs: dict[str, tuple[Run, ...]] = {}
    sources: dict[str, Place] = {}
    fragments: dict[str, list[Component]] = defaultdict(list)
    for component in components:
        if component.fragment:
            fragments[component.fragment.path].append(component)
            sources.setdefault(component.fragment.path, component.source)
        for file in component.files:
            files[file.path], runs[file.path] = file.data, file.runs
            sources[file.path] = component.source
    spans: dict[ComponentKey, tuple[int, int]] = {}
    own_lengths: dict[str, int] = {}
    for path, children in fragments.items():
        ordered = sorted(children, key=lambda child: (child.fragment.tag if child.fragment else "", child.key))
        parts = [(child.fragment.xml, child.lines) for child in ordered if child.fragment]
        own = (files[path], runs[path]) if path in files else None
        root = next(child.fragment.root for child in ordered if child.fragment)
        whole = put_together(root, own, parts)
        files[path], runs[path] = whole.data, whole.runs
        own_lengths[path] = whole.own_length
        spans |= {child.key: span for child, span in zip(ordered, whole.spans, strict=True)}
    return Layout(files, runs, sources, spans, own_lengths)


def manifest(keys: Iterable[ComponentKey], api_version: str) -> bytes:
    """Return package.xml (or a destructive changes file) that names `keys`, types and members sorted."""
    return manifest_naming(names_by_type(keys), api_version)


def manifest_naming(names: Mapping[str, Iterable[str]], api_version: str) -> bytes:
    """Return package.xml that names components, full names by their types; both become sorted."""
    members: dict[str, set[str]] = defaultdict(set)
    for kind_name, of_kind in names.items():
        kind = metadata_types().by_name.get(kind_name)
        content_type = kind.folder_content_type if kind else ""
        members[content_type or kind_name].update(
            (name + "/" for name in of_kind) if kind_name in _SLASH_NAMED else of_kind
        )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<Package xmlns="{NAMESPACE}">']
    for name in sorted(members):
        lines.append("    <types>")
        lines += [f"        <members>{escaped(member)}</members>" for member in sorted(members[name])]
        lines += [f"        <name>{escaped(name)}</name>", "    </types>"]
    lines += [f"    <version>{escaped(api_version)}</version>", "</Package>", ""]
    return "\n".join(lines).encode()
