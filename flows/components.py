"""The model of what a release carries: components, by type and full name, each with digest, layer and source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kit.problems import Place


class ComponentKey(NamedTuple):
    """What names a component in an org: its metadata type and its full name. Sorts by type, then name.

    Full names are the Metadata API's: `Account.Rating__c` for a CustomField, `Sales/Pipeline` for a Report.
    A folder has its own type (`ReportFolder`); package.xml lists it under its content's type.
    """

    type: str
    full_name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.full_name}"

    @classmethod
    def parse(cls, text: str) -> ComponentKey:
        """Return the key written as `Type:FullName`. Raises `ValueError` when `text` is not of that form."""
        kind, colon, name = text.partition(":")
        if not (kind and colon and name):
            raise ValueError(f"{text!r} is not of the form Type:FullName")
        return cls(kind, name)


class Run(NamedTuple):
    """Lines of a file, from `line` (counted from 1) to the next run, that came one to one from `source` on.

    `source` is None where the lines are made by the kit and stand in no source file.
    """

    line: int
    source: Place | None


class MdapiFile(NamedTuple):
    """One file of a component as the Metadata API wants it.

    `path` is relative to the package's root ("classes/Case.cls"). `runs` leads its lines back to the source;
    it is empty for a file without lines of its own (a zipped folder).
    """

    path: str
    data: bytes
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """A component that is an element of a container's file: a field of an object, a label of CustomLabels.

    `path` is the container's file in the package ("objects/Account.object"), `root` that file's root element
    ("CustomObject"). `xml` is the whole element as UTF-8 ("<fields>…</fields>") without the metadata namespace
    declared. `runs` lead its lines back to the source; empty means that its first line is line
    `Component.source.line` of the source file, and so on line for line.
    """

    path: str
    root: str
    tag: str
    xml: bytes
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a layer changed elements of a component that an earlier layer brought."""

    layer: str
    source: Place


@dataclass(frozen=True, slots=True)
class Component:
    """One piece of metadata: either whole `files`, or one `fragment` of a container's file; never both.

    `digest` is a SHA-256 in hex over the canonical content: indentation, comments and line ends of XML don't
    count. `layer` is where it came from ("core", "china", "orgs/china-uat"), `source` the file and line.
    `parent` is the container's component; the bundle need not hold it (a field added to a standard object).
    `patches` are those of later layers that changed elements of it, in their order.
    """

    key: ComponentKey
    digest: str
    layer: str
    source: Place
    parent: ComponentKey | None = None
    files: tuple[MdapiFile, ...] = ()
    fragment: Fragment | None = None
    patches: tuple[Patch, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.files) == (self.fragment is not None):
            raise ValueError(f"{self.key} must hold either files or a fragment")

    @property
    def lines(self) -> tuple[Run, ...]:
        """The way of a fragment's lines back to the source."""
        return (self.fragment.runs if self.fragment else ()) or (Run(1, self.source),)


def names_by_type(keys: Iterable[ComponentKey]) -> dict[str, list[str]]:
    """Return the full names of components by their types, both in the order in which they come."""
    names: dict[str, list[str]] = {}
    for kind, full_name in keys:
        names.setdefault(kind, []).append(full_name)
    return names


def by_key(components: Iterable[Component]) -> list[Component]:
    """Return the components sorted by type and full name."""
    return sorted(components, key=lambda component: component.key)
