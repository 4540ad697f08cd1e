"""The metadata types that the emulated org knows: where their files lie and which children they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Literal

Content = Literal["xml", "file", "bundle", "any"]


@dataclass(frozen=True)
class MetadataType:
    """A type whose components have files of their own.

    `content` says what a component's files are: one XML file; a file and its `-meta.xml`; every file under a
    directory of its name; or a file of any suffix and its `-meta.xml` (documents).
    `children` maps an element of the file to the type of the component that it is.
    """

    name: str
    directory: str
    suffix: str = ""
    content: Content = "xml"
    folder: str = ""
    children: Mapping[str, str] = field(default_factory=dict)
    children_named_alone: bool = False

    def child_name(self, parent: str, own: str) -> str:
        """Return the full name of a child: `Account.Tier__c`, or just `Greeting` for a custom label."""
        return own if self.children_named_alone else f"{parent}.{own}"


@dataclass(frozen=True)
class TypeTable:
    """All types, found by name or by the path of a file."""

    types: Mapping[str, MetadataType]
    parents: Mapping[str, MetadataType]
    folders: Mapping[str, MetadataType]
    by_suffix: Mapping[tuple[str, str], MetadataType]
    by_directory: Mapping[str, MetadataType]

    def knows(self, name: str) -> bool:
        """Return whether there is a type, child type or folder type of this name."""
        return name in self.types or name in self.parents or name in self.folders

    def owner(self, path: PurePosixPath) -> tuple[str, str] | None:
        """Return (type, full name) of the component that a file of a package belongs to, or None."""
        directory, *rest = path.parts
        if not rest:
            return None
        kind = self.by_directory.get(directory)
        if kind and kind.content == "bundle":
            return kind.name, rest[0].removesuffix("-meta.xml") if len(rest) == 1 else rest[0]
        inner = "/".join(rest)
        own = inner.removesuffix("-meta.xml")
        kind = self.by_suffix.get((directory, PurePosixPath(own).suffix.removeprefix(".")))
        if kind:
            return kind.name, own.removesuffix(f".{kind.suffix}")
        kind = self.by_directory.get(directory)
        if kind and kind.folder and inner != own and (kind.content != "any" or "." not in rest[-1][:-9]):
            return kind.folder, own
        return (kind.name, own) if kind and kind.content == "any" else None


@cache
def type_table() -> TypeTable:
    """Return the table of `types.json`."""
    rows = json.loads(files(__package__).joinpath("types.json").read_text("utf-8"))["types"]
    types = {name: MetadataType(name, **row) for name, row in rows.items()}
    return TypeTable(
        types=types,
        parents={child: kind for kind in types.values() for child in kind.children.values()},
        folders={kind.folder: kind for kind in types.values() if kind.folder},
        by_suffix={(kind.directory, kind.suffix): kind for kind in types.values() if kind.suffix},
        by_directory={kind.directory: kind for kind in types.values()},
    )
