"""What objects and fields an org has: the standard ones, and those that were deployed to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from emulators.salesforce import ids
from emulators.salesforce.metadata.components import OrgComponent, OrgComponents

NUMBERS = frozenset({"int", "double", "currency", "percent"})
TEXTS = frozenset(
    {
        *("string", "textarea", "picklist", "multipicklist", "email", "phone", "url", "encryptedstring"),
        *("id", "reference"),
    }
)


@dataclass(frozen=True)
class FieldType:
    """A field. `type` is the REST describe's; `references` are the objects that it may point to, by which
    `relationship` names the parent and `children` the list on the parent."""

    name: str
    type: str
    label: str
    length: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    references: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    values: tuple[str, ...] = ()
    default: Any = None
    unique: bool = False
    external_id: bool = False
    custom: bool = False
    calculated: bool = False
    is_name: bool = False
    is_key: bool = False
    help_text: str = ""


@dataclass(frozen=True)
class ObjectType:
    """An object. `fields` are keyed by lower-case name; `apis` says whether data and tooling calls see it."""

    name: str
    label: str
    label_plural: str
    prefix: str
    fields: Mapping[str, FieldType]
    apis: frozenset[str] = frozenset({"data"})
    dml: frozenset[str] = frozenset({"create", "update", "delete"})
    custom: bool = False
    sharing: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> FieldType | None:
        """Return a field by name, whose case does not count."""
        return self.fields.get(name.lower())

    def parent(self, relationship: str) -> FieldType | None:
        """Return the field behind a relationship such as `Owner` or `Store__r`, or None."""
        wanted = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship.lower() == wanted), None)

    @property
    def name_field(self) -> FieldType | None:
        """The field that holds a record's name."""
        return next((f for f in self.fields.values() if f.is_name), None)

    @property
    def key_field(self) -> str:
        """The field that references to this object hold: `Id`, save for definitions."""
        return next((f.name for f in self.fields.values() if f.is_key), "Id")


@dataclass(frozen=True)
class Schema:
    """The objects of an org, keyed by lower-case name."""

    objects: Mapping[str, ObjectType]

    def object(self, name: str, api: str = "data") -> ObjectType | None:
        """Return an object that `api` ("data" or "tooling") sees, by name, whose case does not count."""
        found = self.objects.get(name.lower())
        return found if found and api in found.apis else None

    def children(self, parent: ObjectType) -> list[tuple[str, ObjectType, FieldType]]:
        """Return (relationship name, child object, field of the child) of everything that points to `parent`."""
        return [
            (f.children, child, f)
            for child in self.objects.values()
            for f in child.fields.values()
            if f.children and parent.name in f.references
        ]

    def of_id(self, ident: str) -> ObjectType | None:
        """Return the object that an id belongs to by its key prefix."""
        return next((o for o in self.objects.values() if o.prefix == ident[:3]), None)


# Fields by name and digest of their XML: most calls find an org's fields as the call before them did.
_made: dict[tuple[str, str], FieldType] = {}


def schema_of(components: OrgComponents) -> Schema:
    """Return the schema of an org: the standard objects, and what its components add to them."""
    objects = dict(_standard())
    for component in components.of_type("CustomObject"):
        name = component.key.full_name
        xml = parsed(components, component)
        known = objects.get(name.lower())
        if known is None and "__" in name:
            known = _custom_object(name, xml)
        if known is not None:
            sharing = {key: text for key in ("sharingModel", "externalSharingModel") if (text := text_of(xml, key))}
            objects[name.lower()] = replace(known, sharing=sharing)
    added: dict[str, dict[str, FieldType]] = {}
    for component in components.of_type("CustomField"):
        owner, _, name = component.key.full_name.partition(".")
        if name.endswith("__c"):
            digest = component.files[component.file_name]
            made = _made.get((name, digest)) or _custom_field(name, parsed(components, component))
            _made[name, digest] = made
            added.setdefault(owner.lower(), {})[name.lower()] = made
    for owner, fields in added.items():
        if owner in objects:
            objects[owner] = replace(objects[owner], fields={**objects[owner].fields, **fields})
    return Schema(objects)


def parsed(components: OrgComponents, component: OrgComponent) -> etree._Element:
    """Return a component's own XML."""
    return etree.fromstring(components.content(component))


def text_of(xml: etree._Element, name: str) -> str:
    """Return the text of a child element, whatever its namespace; "" when there is none."""
    return next((str(child.text or "") for child in xml.iterchildren(f"{{*}}{name}")), "")


def profile_names() -> Mapping[str, str]:
    """Return the names that people see of standard profiles, by their API names."""
    names: Mapping[str, str] = _data("standard_objects.json")["profile_names"]
    return names


@cache
def _standard() -> Mapping[str, ObjectType]:
    data = _data("standard_objects.json")
    system = data["system_fields"]
    return {
        name.lower(): ObjectType(
            name=name,
            label=spec["label"],
            label_plural=spec["label_plural"],
            prefix=spec["prefix"],
            apis=frozenset(spec["apis"]),
            dml=frozenset(spec["dml"]),
            fields={own.lower(): _standard_field(own, row) for own, row in {**system, **spec["fields"]}.items()},
        )
        for name, spec in data["objects"].items()
    }


def _standard_field(name: str, row: Mapping[str, Any]) -> FieldType:
    read_only = bool(row.get("read_only"))
    return FieldType(
        name=name,
        type=row["type"],
        label=_spaced(name.removesuffix("Id") or name),
        length=row.get("length", 18 if row["type"] in ("id", "reference") else 0),
        required=bool(row.get("required")),
        createable=not read_only,
        updateable=not read_only and not row.get("create_only"),
        references=tuple(row.get("references", ())),
        relationship=row.get("relationship", ""),
        children=row.get("children", ""),
        values=tuple(row.get("values", ())),
        default=row.get("default"),
        is_name=bool(row.get("is_name")),
        is_key=bool(row.get("is_key")),
    )


def _custom_object(name: str, xml: etree._Element) -> ObjectType:
    label = text_of(xml, "label") or name.rpartition("__")[0].replace("_", " ")
    system = {
        own.lower(): _standard_field(own, row) for own, row in _data("standard_objects.json")["system_fields"].items()
    }
    prefix = ("m" if name.endswith("__mdt") else "a") + ids.derived("000", name)[3:5]
    name_field = next(xml.iterchildren("{*}nameField"), None)
    numbered = name_field is not None and text_of(name_field, "type") == "AutoNumber"
    own = [FieldType("Name", "string", "Name", 80, createable=not numbered, updateable=not numbered, is_name=True)]
    if name.endswith("__mdt"):
        own = [
            FieldType("DeveloperName", "string", "Name", 40, createable=False, updateable=False, is_name=True),
            FieldType("MasterLabel", "string", "Label", 40, createable=False, updateable=False),
            FieldType("QualifiedApiName", "string", "API Name", 70, createable=False, updateable=False),
            FieldType("NamespacePrefix", "string", "Namespace", 15, createable=False, updateable=False),
        ]
    elif text_of(xml, "sharingModel") != "ControlledByParent":
        owner = ("User", "Group")
        own.append(FieldType("OwnerId", "reference", "Owner", 18, references=owner, relationship="Owner"))
    return ObjectType(
        name=name,
        label=label,
        label_plural=text_of(xml, "pluralLabel") or label,
        prefix=prefix,
        fields=system | {f.name.lower(): f for f in own},
        dml=frozenset() if name.endswith("__mdt") else frozenset({"create", "update", "delete"}),
        custom=True,
    )


def _custom_field(name: str, xml: etree._Element) -> FieldType:
    declared = text_of(xml, "type")
    kind = _data("field_types.json")["custom"].get(declared, "string")
    formula = any(True for _ in xml.iterchildren("{*}formula"))
    written = not formula and declared not in ("AutoNumber", "Summary")
    target = text_of(xml, "referenceTo")
    default = text_of(xml, "defaultValue")
    return FieldType(
        name=name,
        type="double" if kind == "double" else kind,
        label=text_of(xml, "label") or _spaced(name.removesuffix("__c")),
        length=int(text_of(xml, "length") or (18 if kind == "reference" else 0)),
        required=text_of(xml, "required") == "true" or declared == "MasterDetail",
        createable=written,
        updateable=written,
        references=(target,) if target else (),
        relationship=f"{name.removesuffix('__c')}__r" if target else "",
        children=f"{rel}__r" if target and (rel := text_of(xml, "relationshipName")) else "",
        values=tuple(
            text_of(value, "fullName")
            for value in xml.iterfind("{*}valueSet/{*}valueSetDefinition/{*}value")
            if text_of(value, "isActive") != "false"
        ),
        default=default == "true" if kind == "boolean" else None,
        unique=text_of(xml, "unique") == "true",
        external_id=text_of(xml, "externalId") == "true",
        custom=True,
        calculated=formula,
        help_text=text_of(xml, "inlineHelpText"),
    )


@cache
def _data(name: str) -> dict[str, Any]:
    text = resources.files("emulators.salesforce").joinpath(name).read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _spaced(name: str) -> str:
    words = "".join(f" {c}" if c.isupper() and i and name[i - 1].islower() else c for i, c in enumerate(name))
    return words.replace("_", " ").strip()
