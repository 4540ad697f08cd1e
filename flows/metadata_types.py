"""The metadata types that Salesforce publishes: suffix, directory, children and strategy of each, as a table."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("metadata_types.json")


@dataclass(frozen=True, slots=True)
class ChildType:
    """A type whose components are elements of a container's file in Metadata API format.

    `element` is the element's name there ("fields"), `id_element` the one in it that names it. A `bare_name`
    child has no container in its full name. One that isn't `addressable` can't be named in package.xml.
    """

    name: str
    directory: str
    suffix: str
    element: str
    legacy_suffix: str = ""
    id_element: str = ""
    bare_name: bool = False
    addressable: bool = True
    meta_file_suffix: str = ""


@dataclass(frozen=True, slots=True)
class MetadataType:
    """One metadata type. Field meanings are those of Salesforce's registry, see `metadata_types.json`."""

    name: str
    directory: str
    suffix: str = ""
    legacy_suffix: str = ""
    meta_file_suffix: str = ""
    alias_for: str = ""
    strict_directory: bool = False
    in_folder: bool = False
    folder_type: str = ""
    folder_content_type: str = ""
    fixed_name: bool = False
    adapter: str = ""
    transformer: str = ""
    decomposition: str = ""
    recomposition: str = ""
    children: tuple[ChildType, ...] = ()

    @property
    def is_decomposed(self) -> bool:
        """Whether its children have files of their own in source format."""
        return self.adapter == "decomposed"

    @property
    def is_bundle(self) -> bool:
        """Whether a component is a folder of files, and nothing beside it."""
        return self.adapter in ("bundle", "uiBundles") or (self.is_digital_experience and bool(self.meta_file_suffix))

    @property
    def is_digital_experience(self) -> bool:
        """Whether it is a site's or workspace's bundle, which is its description alone, or content in one."""
        return self.adapter == "digitalExperience"

    def folder_of(self, full_name: str) -> str:
        """Return the folder in a package of a component of a type that `is_bundle`, or of a digital experience:
        of "site/shop.sfdc_cms__view/home" that is "digitalExperiences/site/shop/sfdc_cms__view/home"."""
        return f"{self.directory}/{full_name.replace('.', '/', 1) if self.is_digital_experience else full_name}"

    @property
    def splittable(self) -> Mapping[str, ChildType]:
        """Children by element name, as far as they can be named in package.xml and told apart in the file."""
        if self.is_decomposed:
            return {child.element: child for child in self.children if child.addressable}
        return {child.element: child for child in self.children if child.addressable and child.id_element}

    def child_of_suffix(self, suffix: str) -> ChildType | None:
        """Return the child type whose source files end in `.suffix-meta.xml`, or None."""
        return next((child for child in self.children if suffix in (child.suffix, child.legacy_suffix)), None)


@dataclass(frozen=True, slots=True)
class TypeTable:
    """All types, by name, suffix and directory; `source` and `as_of` say where the facts are from.

    `api_version` is that of the Salesforce release of the day.
    """

    source: str
    as_of: str
    api_version: str
    by_name: Mapping[str, MetadataType]
    by_suffix: Mapping[str, tuple[MetadataType, ...]]
    by_directory: Mapping[str, tuple[MetadataType, ...]]
    container_of: Mapping[str, MetadataType]

    def nearest_suffix(self, suffix: str, among: Iterable[MetadataType] | None = None) -> str:
        """Return the known suffix most like `suffix` (of `among`, default: all types), or ""."""
        known = self.by_suffix if among is None else [t.suffix for t in among if t.suffix]
        return next(iter(difflib.get_close_matches(suffix, known, 1)), "")


@cache
def metadata_types() -> TypeTable:
    """Return the table that ships with the kit, read once."""
    data = json.loads(TABLE.read_text(encoding="utf-8"))
    types = [_type(entry) for entry in data["types"]]
    # Content of a digital experience is named below its bundle, but is no element of a file of it.
    contents = [
        MetadataType(child.name, child.directory, adapter=kind.adapter, meta_file_suffix=child.meta_file_suffix)
        for kind in types
        if kind.is_digital_experience
        for child in kind.children
    ]
    chosen: Mapping[str, str] = data["suffixes"]
    by_suffix: dict[str, list[MetadataType]] = defaultdict(list)
    by_directory: dict[str, list[MetadataType]] = defaultdict(list)
    for kind in types:
        if kind.alias_for:
            continue  # another name for a type; no file is of it
        by_directory[kind.directory].append(kind)
        for suffix in filter(None, (kind.suffix, kind.legacy_suffix)):
            # Several types can share a suffix: the one that Salesforce means without further hints goes first.
            position = 0 if chosen.get(suffix) == kind.name else len(by_suffix[suffix])
            by_suffix[suffix].insert(position, kind)
    return TypeTable(
        source=data["source"],
        as_of=data["as_of"],
        api_version=data["api_version"],
        by_name={kind.name: kind for kind in (*contents, *types)},
        by_suffix={suffix: tuple(found) for suffix, found in by_suffix.items()},
        by_directory={directory: tuple(found) for directory, found in by_directory.items()},
        container_of={child.name: kind for kind in types if not kind.is_digital_experience for child in kind.children},
    )


_TYPE_FIELDS = {field.name for field in fields(MetadataType)} - {"children"}
_CHILD_FIELDS = {field.name for field in fields(ChildType)} - {"element"}


def _type(entry: Mapping[str, Any]) -> MetadataType:
    children = tuple(
        ChildType(
            element=child.get("element", child["directory"]),
            **{key: value for key, value in child.items() if key in _CHILD_FIELDS},
        )
        for child in entry.get("children", ())
    )
    return MetadataType(children=children, **{key: value for key, value in entry.items() if key in _TYPE_FIELDS})
