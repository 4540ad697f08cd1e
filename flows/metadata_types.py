"""The metadata types that Salesforce publishes: suffix, directory, children and strategy of each, as a table."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.xmltext import child_text

if TYPE_CHECKING:
    from lxml import etree

TABLE = Path(__file__).with_name("metadata_types.json")


class ChildType(NamedTuple):
    """A type whose components are elements of a container's file in Metadata API format.

    `element` is the element's name there ("fields"), `id_element` the one in it that names it. A `bare_name`
    child has no container in its full name. One that isn't `addressable` can't be named in package.xml. The file of
    one that isn't `alone` counts only beside its container's.
    """

    name: str
    directory: str
    suffix: str
    element: str
    legacy_suffix: str = ""
    id_element: str = ""
    bare_name: bool = False
    addressable: bool = True
    alone: bool = True
    meta_file_suffix: str = ""

    def name_in(self, element: etree._Element) -> str:
        """Return what names a child, by its element in the container's file or the root of its own file, or ""."""
        for name in filter(None, (self.id_element, "fullName", "name")):
            if text := child_text(element, name):
                return text
        return ""


class MetadataType(NamedTuple):
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

    @property
    def has_folder(self) -> bool:
        """Whether all files of a component, and of no other one, lie in a folder of its own in source format."""
        return self.is_bundle or self.transformer == "staticResource" or (self.is_decomposed and not self.splittable)

    def folder_of(self, full_name: str) -> str:
        """Return the folder of a component of a type that has one for each, or of a digital experience:
        of "site/shop.sfdc_cms__view/home" that is "digitalExperiences/site/shop/sfdc_cms__view/home"."""
        return f"{self.directory}/{full_name.replace('.', '/', 1) if self.is_digital_experience else full_name}"

    @property
    def splittable(self) -> Mapping[str, ChildType]:
        """Children by element name, as far as they can be named in package.xml and told apart in the file."""
        if self.is_decomposed:
            return {child.element: child for child in self.children if child.addressable}
        return {child.element: child for child in self.children if child.addressable and child.id_element}

    @property
    def is_split_by_object(self) -> bool:
        """Whether its source files hold what is about one object each, not one child each."""
        return self.transformer == "decomposedPermissionSet"

    @property
    def has_loose_children(self) -> bool:
        """Whether its children have files beside one another, and it has none of its own."""
        return self.transformer == "decomposedLabels"

    @property
    def is_partly_decomposed(self) -> bool:
        """Whether one element of its file has a file of its own, as the text that it holds."""
        return self.adapter == "partiallyDecomposed"

    @property
    def is_laid_out_specially(self) -> bool:
        """Whether a preset takes it apart in a way of its own."""
        return self.is_split_by_object or self.has_loose_children or self.is_partly_decomposed

    def child_of_suffix(self, suffix: str) -> ChildType | None:
        """Return the child type whose source files end in `.suffix-meta.xml`, or None."""
        return next((child for child in self.children if suffix in (child.suffix, child.legacy_suffix)), None)


class TypeTable(NamedTuple):
    """All types, by name, suffix and directory; `source` and `as_of` say where the facts are from.

    `api_version` is that of the Salesforce release of the day. Of types that share a suffix, `suffixes` says which one
    Salesforce means by it.
    """

    source: str
    as_of: str
    api_version: str
    types: tuple[MetadataType, ...]
    suffixes: Mapping[str, str]
    by_name: Mapping[str, MetadataType]
    by_suffix: Mapping[str, tuple[MetadataType, ...]]
    by_directory: Mapping[str, tuple[MetadataType, ...]]
    container_of: Mapping[str, MetadataType]

    def nearest_suffix(self, suffix: str, among: Iterable[MetadataType] | None = None) -> str:
        """Return the known suffix most like `suffix` (of `among`, default: all types), or ""."""
        import difflib  # loaded here: only what is wrong needs it

        known = self.by_suffix if among is None else [t.suffix for t in among if t.suffix]
        return next(iter(difflib.get_close_matches(suffix, known, 1)), "")


@cache
def metadata_types() -> TypeTable:
    """Return the table that ships with the kit, read once."""
    data = json.loads(TABLE.read_text(encoding="utf-8"))
    types = [type_of(entry) for entry in data["types"]]
    return table_of(types, data["suffixes"], data["source"], data["as_of"], data["api_version"])


def table_of(
    types: Sequence[MetadataType], suffixes: Mapping[str, str], source: str, as_of: str, api_version: str
) -> TypeTable:
    """Return the table of these types, with the meaning that `TypeTable` gives to the other facts."""
    # Content of a digital experience is named below its bundle, but is no element of a file of it.
    contents = [
        MetadataType(child.name, child.directory, adapter=kind.adapter, meta_file_suffix=child.meta_file_suffix)
        for kind in types
        if kind.is_digital_experience
        for child in kind.children
    ]
    by_suffix: dict[str, list[MetadataType]] = defaultdict(list)
    by_directory: dict[str, list[MetadataType]] = defaultdict(list)
    for kind in types:
        if kind.alias_for:
            continue  # another name for a type; no file is of it
        by_directory[kind.directory].append(kind)
        for suffix in filter(None, (kind.suffix, kind.legacy_suffix)):
            # Several types can share a suffix: the one that Salesforce means without further hints goes first.
            position = 0 if suffixes.get(suffix) == kind.name else len(by_suffix[suffix])
            by_suffix[suffix].insert(position, kind)
    return TypeTable(
        source=source,
        as_of=as_of,
        api_version=api_version,
        types=tuple(types),
        suffixes=suffixes,
        by_name={kind.name: kind for kind in (*contents, *types)},
        by_suffix={suffix: tuple(found) for suffix, found in by_suffix.items()},
        by_directory={directory: tuple(found) for directory, found in by_directory.items()},
        container_of={child.name: kind for kind in types if not kind.is_digital_experience for child in kind.children},
    )


_TYPE_FIELDS = frozenset(MetadataType._fields) - {"children"}
_CHILD_FIELDS = frozenset(ChildType._fields) - {"element"}


def type_of(entry: Mapping[str, Any]) -> MetadataType:
    """Return the type of an entry of the table, as `flows.registry` makes them."""
    children = tuple(
        ChildType(
            element=child.get("element", child.get("directory", "")),
            alone=child.get("addressable", True),
            **{"directory": "", **{key: value for key, value in child.items() if key in _CHILD_FIELDS}},
        )
        for child in entry.get("children", ())
    )
    return MetadataType(children=children, **{key: value for key, value in entry.items() if key in _TYPE_FIELDS})
