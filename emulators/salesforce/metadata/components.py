"""The components that an org holds, found by type and full name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from emulators.salesforce import ids
from emulators.salesforce.metadata.types import type_table
from emulators.salesforce.metadata.xmlform import canonical, parse
from emulators.store import Document, Store

_KIND = "salesforce.component"
_SEEDED = "salesforce.seeded"


class Key(NamedTuple):
    """What a component is called: `CustomField`, `Account.Tier__c`."""

    type: str
    full_name: str


@dataclass(frozen=True)
class OrgComponent:
    """A component as an org holds it.

    `files` maps a path in a package to the digest of its bytes. A child of another component (`parent`) has one
    entry: the path of its parent's file and the digest of its own element. `references` are the components
    that its content names; `tests` the test methods of an Apex class; times are seconds since the epoch.
    """

    key: Key
    files: Mapping[str, str]
    parent: Key | None = None
    references: tuple[Key, ...] = ()
    tests: tuple[str, ...] = ()
    standard: bool = False
    id: str = ""
    created: float = 0.0
    created_by: str = ""
    modified: float = 0.0
    modified_by: str = ""

    @property
    def file_name(self) -> str:
        """The path of its first file, which is what the Metadata API calls the component's `fileName`."""
        return next(iter(self.files))


@dataclass(frozen=True)
class Standard:
    """What every org has from the start; see `standard.json`."""

    objects: Mapping[str, tuple[str, ...]]
    fields_of_any_object: frozenset[str]
    components: Mapping[str, Mapping[str, str]]


@cache
def standard() -> Standard:
    """Return the table of what every org has from the start."""
    data = json.loads(files(__package__).joinpath("standard.json").read_text("utf-8"))
    return Standard(
        objects={name: tuple(row) for name, row in data["objects"].items()},
        fields_of_any_object=frozenset(data["fields_of_any_object"]),
        components=data["components"],
    )


class OrgComponents:
    """The components of one org. The first look at an org fills it with what every org has."""

    def __init__(self, store: Store, org_id: str) -> None:
        self._store = store
        self._org = org_id
        self._kind = f"{_KIND}.{org_id}"
        if store.get(_SEEDED, org_id) is None:
            with store.transaction():
                store.put(_SEEDED, org_id, {})
                self._seed()

    def names(self, type_name: str) -> list[str]:
        """Return the full names of a type's components, sorted."""
        return sorted(ident.partition("/")[2] for ident, _ in self._store.all(self._kind, f"{type_name}/"))

    def get(self, type_name: str, full_name: str) -> OrgComponent | None:
        """Return a component, or None."""
        document = self._store.get(self._kind, f"{type_name}/{full_name}")
        return _read(document) if document else None

    def __iter__(self) -> Iterator[OrgComponent]:
        return (_read(document) for _, document in self._store.all(self._kind))

    def of_type(self, type_name: str) -> list[OrgComponent]:
        """Return the components of a type, sorted by full name."""
        found = (_read(document) for _, document in self._store.all(self._kind, f"{type_name}/"))
        return sorted(found, key=lambda component: component.key)

    def children(self, parent: Key) -> list[OrgComponent]:
        """Return the components that lie in the file of `parent`, by type and name."""
        kind = type_table().types.get(parent.type)
        found = []
        for child in sorted(kind.children.values()) if kind else ():
            prefix = f"{child}/" if kind and kind.children_named_alone else f"{child}/{parent.full_name}."
            found += [_read(document) for _, document in self._store.all(self._kind, prefix)]
        return sorted(found, key=lambda component: component.key)

    def put(self, component: OrgComponent) -> OrgComponent:
        """Create or replace a component; a new one gets its id. Return it as it is kept."""
        kept = component if component.id else replace(component, id=self.id_of(component.key))
        self._store.put(self._kind, "/".join(kept.key), vars(kept))
        return kept

    def delete(self, key: Key) -> bool:
        """Delete a component; return whether there was one."""
        return self._store.delete(self._kind, "/".join(key))

    def content(self, component: OrgComponent, path: str = "") -> bytes:
        """Return the bytes of one of a component's files, of the first one when no path is given."""
        return self._store.blob(component.files[path or component.file_name])

    def keep(self, content: bytes) -> str:
        """Keep bytes and return the digest by which a component's `files` name them."""
        return self._store.put_blob(content)

    def id_of(self, key: Key) -> str:
        """Return the record id of a component of this org: the same in every run."""
        return ids.derived(_key_prefixes().get(key.type, "0aK"), self._org, *key)

    def _seed(self) -> None:
        table, start = type_table(), standard()

        def add(key: Key, path: str, xml: str, parent: Key | None = None) -> None:
            self.put(OrgComponent(key, {path: self.keep(xml.encode())}, parent, standard=True))

        for name, fields in start.objects.items():
            parent, path = Key("CustomObject", name), f"objects/{name}.object"
            add(parent, path, "<CustomObject/>")
            for own in fields:
                xml = f"<fields><fullName>{own}</fullName></fields>"
                add(Key("CustomField", f"{name}.{own}"), path, xml, parent)
        for type_name, rows in start.components.items():
            kind = table.types[type_name]
            for name, inner in rows.items():
                path = f"{kind.directory}/{name}.{kind.suffix}"
                root = f"{name}Settings" if type_name == "Settings" else type_name
                xml = f"<{root}>{inner}</{root}>"
                add(Key(type_name, name), path, xml if kind.children else canonical(parse(xml.encode())).decode())


@cache
def _key_prefixes() -> Mapping[str, str]:
    data = json.loads(files(__package__).joinpath("standard.json").read_text("utf-8"))
    prefixes: Mapping[str, str] = data["key_prefixes"]
    return prefixes


def _read(document: Document) -> OrgComponent:
    return OrgComponent(
        **{
            **document,
            "key": Key(*document["key"]),
            "parent": Key(*document["parent"]) if document["parent"] else None,
            "references": tuple(Key(*pair) for pair in document["references"]),
            "tests": tuple(document["tests"]),
        }
    )
