"""Which files make up which component: by directory, suffix and `-meta.xml`, as the table of types says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from flows.metadata_types import ChildType, MetadataType, TypeTable, metadata_types
from flows.source.project import Folder, SourceFile
from kit.problems import Place, Problem

META = "-meta.xml"

# Content types of a static resource whose content may lie on disk as a folder.
ARCHIVES = frozenset({"application/zip", "application/x-zip-compressed", "application/jar"})

# Adapters of Salesforce's registry that take a folder under the type's directory as one component.
_FOLDER_ADAPTERS = frozenset({"bundle", "mixedContent", "digitalExperience", "uiBundles"})
_PLAIN_ADAPTERS = frozenset({"", "default", "partiallyDecomposed"})
_SUPPORTED = frozenset({"matchingContentFile", "decomposed"}) | _PLAIN_ADAPTERS | _FOLDER_ADAPTERS


class ChildFile(NamedTuple):
    """A file of its own for a child of a decomposed component: `name` is the child's, without its parent."""

    type: ChildType
    name: str
    file: SourceFile


@dataclass(slots=True)
class Found:
    """The files of one component, or of one container with its children.

    `folder` is the path where its content starts in the package ("lwc/board", "reports/Sales"), "" where the
    type's directory alone says it. `meta` holds the file ending in -meta.xml, `content` all others.
    """

    type: MetadataType
    name: str
    folder: str = ""
    meta: SourceFile | None = None
    content: list[SourceFile] = field(default_factory=list)
    children: list[ChildFile] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files there are."""
        return (self.meta is not None) + len(self.content) + len(self.children)

    @property
    def any_file(self) -> SourceFile:
        files = ([self.meta] if self.meta else []) + self.content + [child.file for child in self.children]
        return files[0]


class Resolution(NamedTuple):
    """What a walk over source files found; `skipped` are files that belong to no metadata type."""

    found: tuple[Found, ...]
    skipped: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


def resolve(files: Iterable[SourceFile], shown: Callable[[str], str], table: TypeTable | None = None) -> Resolution:
    """Return the components that `files` make up, by Salesforce's table of types or by `table`.

    `shown` turns a file's name into what a problem calls it.
    """
    resolver = _Resolver(table or metadata_types(), shown)
    for file in files:
        resolver.take(file)
    return resolver.finish()


class _Above(NamedTuple):
    """The types of the folders above a file, each with the folder's position: those that take whole folders, from
    the outside in, and the inmost one whose components are decomposed; in that one, the component's folder."""

    folders: tuple[tuple[int, MetadataType], ...]
    decomposed: tuple[int, MetadataType] | None
    owner: tuple[str, ...] = ()


class _Resolver:
    def __init__(self, table: TypeTable, shown: Callable[[str], str]) -> None:
        self.table = table
        self.shown = shown
        self.groups: dict[tuple[str, ...], Found] = {}
        self.skipped: list[SourceFile] = []
        self.problems: list[Problem] = []
        self.refused_folders: set[str] = set()
        self.elsewhere: list[tuple[MetadataType, SourceFile]] = []
        self.above: dict[str, _Above] = {}
        self.deeper: list[tuple[Found, str, SourceFile]] = []
        self.holders: dict[int, Found] = {}
        self.children: dict[tuple[str, str], ChildType | None] = {}
        self.partly = [kind for kind in table.types if kind.is_partly_decomposed]

    def take(self, file: SourceFile) -> None:
        """Add one file to the component that it belongs to, or note why it belongs to none."""
        above = self.above.get(file.folder.name) or self.look_above(file.folder)
        for position, kind in above.folders:
            if kind.is_digital_experience:
                self.take_digital_experience(kind, position, file)
                return
            if self.take_in_folder(kind, position, file):
                return
        if above.decomposed:
            position, kind = above.decomposed
            self.take_decomposed(kind, position, above.owner, file)
            return
        if file.base.endswith(META):
            self.take_meta(file)
        else:
            self.take_content(file)

    def look_above(self, folder: Folder) -> _Above:
        """Return what a folder and those above say of the files in it, and keep it."""
        here = [
            (position, kind)
            for position, directory in enumerate(folder.parts)
            for kind in self.table.by_directory.get(directory, ())
        ]
        folders = tuple((position, kind) for position, kind in here if kind.adapter in _FOLDER_ADAPTERS)
        inmost = max((position for position, kind in here if kind.is_decomposed), default=-1)
        decomposed = next((each for each in here if each[0] == inmost and each[1].is_decomposed), None)
        owner = folder.parts[: inmost + 2] if decomposed and len(folder.parts) > inmost + 1 else ()
        self.above[folder.name] = _Above(folders, decomposed, owner)
        return self.above[folder.name]

    def take_in_folder(self, kind: MetadataType, position: int, file: SourceFile) -> bool:
        """Add a file below a bundle's or mixed type's directory; False when it is the meta file of a folder there."""
        start = position + (2 if kind.in_folder else 1)
        below = file.parts[start:]
        if not below:
            return False
        if kind.is_bundle:
            if len(below) == 1:
                self.stray(file, kind, f"a file of a {kind.name} lies in the folder of its component")
                return True
            group = self.group(kind, (*file.parts[:start], below[0]), below[0])
            group.folder = "/".join(file.parts[position : start + 1])
            group.content.append(file)
            if kind.directory in below[1:-1]:
                self.holders[id(group)] = group
            return True
        name = below[0].split(".")[0]
        full_name = f"{file.parts[start - 1]}/{name}" if kind.in_folder else name
        group = self.group(kind, (*file.parts[:start], name), full_name)
        group.folder = "/".join(file.parts[position:start])
        if len(below) == 1 and below[0].endswith(META):
            self.set_meta(group, file)
        else:
            group.content.append(file)
        return True

    def take_digital_experience(self, kind: MetadataType, position: int, file: SourceFile) -> None:
        """Add the description of a site's bundle, or a file of a content: <base>/<bundle>/<content type>/<name>/…"""
        base, bundle, *below = (*file.parts[position + 1 :], "")
        start = position + 3
        if len(below) == 2 and below[0].endswith(f".{kind.suffix}{META}"):
            group = self.group(kind, file.parts[:start], f"{base}/{bundle}")
        elif len(below) > 3:
            content = self.table.by_name[kind.children[0].name]
            start += 2
            group = self.group(content, file.parts[:start], f"{base}/{bundle}.{below[0]}/{below[1]}")
        else:
            rule = f"below {kind.directory}/<kind>/<bundle>/ lie its {META} and folders <content type>/<content>"
            self.problem(file, "a file of no content", rule, "move it into the folder of its content, or remove it")
            return
        group.folder = "/".join(file.parts[position:start])
        group.content.append(file)

    def take_decomposed(self, kind: MetadataType, position: int, owner: tuple[str, ...], file: SourceFile) -> None:
        """Add a file below `objects/` and the like: the container's own, or that of one of its children."""
        name, suffix = _name_and_suffix(file)
        if suffix != kind.suffix and not file.base.endswith(META):
            self.stray(file, kind, f"files below {kind.directory}/ end in {META}")
            return
        group_key = owner or (*file.folder.parts, name)
        child = self.child_of(kind, suffix)
        if suffix in (kind.suffix, kind.legacy_suffix):
            group = self.group(kind, group_key, group_key[-1])
            if len(file.folder.parts) > position + 2:
                self.deeper.append((group, name, file))
                return
            group.name = name
            self.set_meta(group, file)
        elif child:
            self.group(kind, group_key, group_key[-1]).children.append(ChildFile(child, name, file))
        else:
            near = self.table.nearest_suffix(suffix, [kind, *_as_types(kind.children)])
            self.problem(
                file,
                f"no {kind.name} and no child of one has the suffix .{suffix}",
                f"what lies below {kind.directory}/ belongs to a {kind.name}",
                f"did you mean .{near}{META}?" if near else "move the file out of that folder",
            )

    def child_of(self, kind: MetadataType, suffix: str) -> ChildType | None:
        """Return the child type of a suffix, looked for once."""
        asked = kind.name, suffix
        if asked not in self.children:
            self.children[asked] = kind.child_of_suffix(suffix)
        return self.children[asked]

    def take_meta(self, file: SourceFile) -> None:
        """Add a file ending in -meta.xml that its suffix, or the folder type of its directory, assigns to a type."""
        name, suffix = _name_and_suffix(file)
        kind = self.type_of(suffix, file) if suffix else self.folder_type(file)
        if kind is None:
            self.unknown(file, suffix)
        elif kind.adapter not in _SUPPORTED:
            self.refuse_type(kind, file.parts, file)
        elif kind.strict_directory and kind.directory not in file.folder.parts:
            rule = f"a {kind.name} lies below {kind.directory}/"
            self.problem(file, f"a {kind.name} outside of its folder", rule, f"move it below {kind.directory}/")
        elif kind.has_loose_children and kind.name in self.table.container_of:
            container = self.table.container_of[kind.name]
            child = next(child for child in container.children if child.name == kind.name)
            self.group(container, (container.name,), container.name).children.append(ChildFile(child, name, file))
        else:
            self.set_meta(self.named_group(kind, name, file, file.name.removesuffix(META)), file)

    def take_content(self, file: SourceFile) -> None:
        """Add a content file (`A.cls`) or a file in Metadata API form (`tabs/A.tab`); other files are no metadata."""
        stem, _, extension = file.base.rpartition(".")
        for kind in self.table.by_suffix.get(extension, ()) if stem else ():
            if kind.adapter == "matchingContentFile" and kind.directory in file.folder.parts:
                self.named_group(kind, stem, file, file.name).content.append(file)
                return
            if kind.adapter == "matchingContentFile" and not kind.strict_directory:
                self.elsewhere.append((kind, file))
                return
            above = file.folder.parts if kind.in_folder else file.parts[-3:-1]
            if kind.adapter in _PLAIN_ADAPTERS and kind.directory in above:
                self.set_meta(self.named_group(kind, stem, file, file.name), file)
                return
        for kind in self.partly:
            if kind.directory in file.folder.parts and kind.child_of_suffix(extension):
                key = f"{file.name.removesuffix(extension)}{kind.suffix}"
                self.named_group(kind, stem, file, key).content.append(file)
                return
        here = self.table.by_directory.get(file.parts[-2] if len(file.parts) > 1 else "", ())
        near = self.table.nearest_suffix(extension, here) if extension else ""
        if near:
            fix = f"did you mean .{near}? Else move the file or list it in .forceignore"
            self.problem(file, f".{extension} is no suffix of {file.parts[-2]}/", "a type has one suffix", fix)
        else:
            self.skipped.append(file)

    def named_group(self, kind: MetadataType, name: str, file: SourceFile, key: str) -> Found:
        """Return the group of a file type, its full name and folder made as the type's kind of folder asks."""
        nested = "/".join(file.parts[_last(file.parts, kind.directory) + 1 : -1])
        if kind.folder_content_type or kind.in_folder:
            group = self.group(kind, (key,), f"{nested}/{name}" if nested else name)
            group.folder = f"{kind.directory}/{nested}" if nested else kind.directory
            return group
        if kind.folder_type:
            # Territory rules and territories lie in the folder of their model, which is part of their names.
            top = self.table.by_name[kind.folder_type].directory
            path = file.parts[_last(file.parts, top) : -1]
            own_model = kind.folder_type == kind.name
            group = self.group(kind, (key,), name if own_model or len(path) < 2 else f"{path[1]}.{name}")
            group.folder = "/".join(path)
            return group
        return self.group(kind, (key,), name)

    def group(self, kind: MetadataType, key: tuple[str, ...], name: str) -> Found:
        whole = (kind.name, *key)
        if (there := self.groups.get(whole)) is None:
            there = self.groups[whole] = Found(kind, name)
        return there

    def set_meta(self, group: Found, file: SourceFile) -> None:
        if group.meta is None:
            group.meta = file
            return
        rule = "a component has one -meta.xml"
        what = f"a second {META} of {group.type.name}:{group.name}; the other is {self.shown(group.meta.name)}"
        self.problem(file, what, rule, "remove one of the two")

    def type_of(self, suffix: str, file: SourceFile) -> MetadataType | None:
        """Return the type of a suffix; where several share it, the one whose directory is in the path."""
        kinds = self.table.by_suffix.get(suffix, ())
        here = [kind for kind in kinds if kind.directory in file.folder.parts]
        return next(iter(here or kinds), None)

    def folder_type(self, file: SourceFile) -> MetadataType | None:
        for directory in reversed(file.folder.parts):
            for kind in self.table.by_directory.get(directory, ()):
                if kind.folder_content_type:
                    return kind
        return None

    def finish(self) -> Resolution:
        """Check every component for what it misses, and return all that was found."""
        for kind, file in self.elsewhere:
            # Outside of its type's directory only the meta file beside it tells that a file is metadata.
            group = self.groups.get((kind.name, file.name))
            if group:
                group.content.append(file)
            else:
                self.skipped.append(file)
        self.part_folders()
        for file in self.skipped:
            if os.path.islink(file.path) and not os.path.exists(file.path):  # noqa: PTH110, PTH114 — of every file
                fix = "remove the link, or list it in .forceignore"
                self.problem(file, "a symbolic link to nothing", "every file of the source can be read", fix)
        for group in self.groups.values():
            self.check(group)
        return Resolution(tuple(self.groups.values()), tuple(self.skipped), tuple(self.problems))

    def part_folders(self) -> None:
        """Part folders that hold components, where one component was looked for: `objects/<folder>/<object>/…` and
        `lwc/<folder>/lwc/<component>/…`."""
        for group, name, file in sorted(self.deeper, key=lambda each: -len(each[2].parts)):
            own = self.group(group.type, file.folder.parts, name)
            self.set_meta(own, file)
            below = [child for child in group.children if child.file.name.startswith(f"{file.folder.name}/")]
            own.children += below
            group.children = [child for child in group.children if child not in below]
        for group in list(self.holders.values()):
            directory = group.type.directory
            if any(
                f"/{file.folder.name}".endswith(f"/{group.folder}") and file.base.endswith(META)
                for file in group.content
            ):
                continue  # a component with a folder of that name
            files, group.content = group.content, []
            for file in files:
                inmost = _last(file.parts, directory)
                if inmost == file.parts.index(directory) or not self.take_in_folder(group.type, inmost, file):
                    group.content.append(file)
        if self.deeper or self.holders:
            self.groups = {key: group for key, group in self.groups.items() if group.files}

    def check(self, group: Found) -> None:
        kind, file = group.type, group.any_file
        name = f"{kind.name}:{group.name}"
        if kind.adapter in ("matchingContentFile", "mixedContent"):
            if group.meta is None:
                wanted = _meta_name(group, file)
                self.problem(file, f"{name} has no {META}", "content and meta file come together", f"add {wanted}")
            elif not group.content:
                fix = "add its content, or remove the file"
                self.problem(file, f"a {META} without content: {name}", "content and meta file come together", fix)
        elif kind.is_decomposed and group.meta is None and not all(c.type.alone for c in group.children):
            fix = f"add {group.name}.{kind.suffix}{META}"
            self.problem(file, f"{name} has no {META}", "its parts can't be deployed without it", fix)

    def unknown(self, file: SourceFile, suffix: str) -> None:
        near = self.table.nearest_suffix(suffix)
        known = self.table.by_suffix[near][0].name if near else ""
        what = (
            f"unknown metadata type: suffix .{suffix}" if suffix else "a folder's meta file where no type has folders"
        )
        fix = f"did you mean .{near}{META} ({known})?" if near else "list the file in .forceignore, or remove it"
        self.problem(file, what, f"the types are those of {self.table.source}", fix)

    def refuse_type(self, kind: MetadataType, folder: Iterable[str], file: SourceFile) -> None:
        where = "/".join(folder)
        if where in self.refused_folders:
            return
        self.refused_folders.add(where)
        fix = "list the folder in .forceignore and bring these components to the org by hand"
        self.problem(
            file, f"metadata type {kind.name} is not supported by the kit", "nothing is left out silently", fix
        )

    def stray(self, file: SourceFile, kind: MetadataType, rule: str) -> None:
        """Note a file that stands where only components stand: a problem when it claims to be metadata."""
        if file.base.endswith(META):
            self.problem(file, f"an orphan {META} in {kind.directory}/", rule, "move it to its component, or remove it")
        else:
            self.skipped.append(file)

    def problem(self, file: SourceFile, what: str, rule: str, fix: str) -> None:
        self.problems.append(Problem(what, rule, fix, Place(self.shown(file.name))))


def same_name(written: str, file_name: str) -> bool:
    """Return whether a full name in XML is the one that a file name stands for (which may be %-encoded)."""
    return unquote(written).casefold() == unquote(file_name).casefold()


def _name_and_suffix(file: SourceFile) -> tuple[str, str]:
    stem, dot, suffix = file.base.removesuffix(META).rpartition(".")
    return (stem, suffix) if dot else (suffix, "")


def _last(parts: tuple[str, ...], directory: str) -> int:
    """Return the position of the last folder of that name, or of the file's own folder when there is none."""
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] == directory:
            return position
    return len(parts) - 2


def _as_types(children: Iterable[ChildType]) -> list[MetadataType]:
    return [MetadataType(child.name, child.directory, child.suffix) for child in children]


def _meta_name(group: Found, file: SourceFile) -> str:
    if group.type.adapter == "matchingContentFile":
        return file.base + META
    return f"{group.name.rpartition('/')[2]}.{group.type.suffix or 'site'}{META}"
