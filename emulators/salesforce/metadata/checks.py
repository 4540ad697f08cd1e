"""What an org checks of each component that comes to it: required elements, versions, references, picklist values."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from lxml import etree

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.messages import DeployMessage, error
from emulators.salesforce.metadata.package import Incoming, api_version
from emulators.salesforce.metadata.settings import check_network_access
from emulators.salesforce.metadata.state import OrgState
from emulators.salesforce.metadata.xmlform import column_of, elements, find, line_of, text, walk


def check_alone(coming: Incoming, *, known: bool, ceiling: int) -> Iterator[DeployMessage]:
    """Yield what is wrong with a component by itself. `known`: the org holds it already."""
    if not known and (namespace := _namespace(coming.key)):
        why = (
            f"Cannot create a new component with the namespace: {namespace}. Only components in the same namespace as "
            "the organization can be created through the API"
        )
        yield error(coming.key, coming.path, why, coming.line or 1, 1)
        return
    for name in _required(coming, known=known):
        if coming.element is None or find(coming.element, name) is None:
            yield error(coming.key, coming.path, f"Required field is missing: {name}", coming.line or 1, 1)
    if coming.key == Key("Settings", "Security"):
        yield from check_network_access(coming)
    if coming.element is not None:
        yield from _values_of(coming, coming.element)
        asked = find(coming.element, "apiVersion")
        version = api_version(text(coming.element, "apiVersion")) if asked is not None else None
        if asked is not None and (version is None or version > ceiling):
            yield error(
                coming.key,
                coming.path,
                f"Invalid api version: {asked.text} (this org has {ceiling}.0)",
                line_of(asked),
                column_of(asked, coming.source),
            )


def _namespace(key: Key) -> str:
    """Return the namespace of a component of a managed package, "" for one of the org's own.

    Names of an org's own have two underscores in a row before a suffix only, as in `Area__c`.
    """
    own = key.full_name.rpartition(".")[2]
    if key.type in ("CustomObject", "CustomField"):
        own = own.rpartition("__")[0]
    elif key.type not in _table()["named_without_suffix"]:
        return ""
    return own.partition("__")[0] if "__" in own else ""


def _values_of(coming: Incoming, element: etree._Element) -> Iterator[DeployMessage]:
    """Yield a failure for each value that an element can't have."""
    table, kind = _table(), coming.key.type
    for name, allowed in table["values"].get(kind, {}).items():
        found = find(element, name)
        if found is not None and text(element, name) not in allowed:
            why = f"'{text(element, name)}' is not a valid value for {name}: it is one of {', '.join(allowed)}"
            yield error(coming.key, coming.path, why, line_of(found), column_of(found, coming.source))
    for name, needed in table["required_with"].get(kind, {}).items():
        found = find(element, name)
        if found is not None and not text(element, needed):
            why = f"Required field is missing: {needed}, which {name} needs"
            yield error(coming.key, coming.path, why, line_of(found), 1)
    for name in table["certificates"].get(kind, ()):
        found = find(element, name)
        if found is not None and not _is_certificate(text(element, name)):
            yield error(coming.key, coming.path, f"{name} is not a valid X.509 certificate", line_of(found), 1)


def _is_certificate(value: str) -> bool:
    """Return whether a text is an X.509 certificate, as PEM or as the base64 within one."""
    body = "".join(line.strip() for line in value.splitlines() if not line.startswith("-----"))
    try:
        x509.load_der_x509_certificate(base64.b64decode(body, validate=True))
    except ValueError:
        return False
    return True


def check_references(state: OrgState, coming: Incoming) -> Iterator[DeployMessage]:
    """Yield a failure for each thing that a component names and the org would not hold."""
    for reference in state.references(coming.key):
        if not state.resolves(reference.target):
            spot = reference.element
            column = column_of(spot, coming.source) if spot is not None else reference.column
            yield error(coming.key, coming.path, reference.problem, reference.line, column)
    if coming.key.type == "RecordType" and coming.element is not None:
        yield from _picklist_values(state, coming)


def without_wildcard() -> frozenset[str]:
    """Return the types whose components a retrieve must name one by one."""
    return frozenset(_table()["without_wildcard"])


def _required(coming: Incoming, *, known: bool) -> Iterable[str]:
    table, key, element = _table(), coming.key, coming.element
    name = key.full_name
    if key.type == "CustomObject":
        if "__" not in name or (known and element is not None and not _has_own_content(coming)):
            return ()
        if name.endswith("__c") and element is not None and find(element, "customSettingsType") is None:
            return list(table["custom_object_with_records"])
        return list(table["custom_object"])
    if key.type == "CustomField":
        if not name.endswith("__c") or element is None:
            return ()
        kind = text(element, "type")
        extra = () if find(element, "formula") is not None else table["by_field_type"].get(kind, ())
        return [*table["custom_field"], *extra]
    return list(table["elements"].get(key.type, ()))


def _has_own_content(coming: Incoming) -> bool:
    return any(not data.endswith(b"/>\n") for data in coming.files.values())


def _picklist_values(state: OrgState, coming: Incoming) -> Iterator[DeployMessage]:
    owner = coming.key.full_name.partition(".")[0]
    assert coming.element is not None
    for block in walk(coming.element, "picklistValues"):
        picklist = text(block, "picklist")
        allowed = _values(state, Key("CustomField", f"{owner}.{picklist}"))
        for value in walk(block, "values") if allowed is not None else ():
            named = find(value, "fullName")
            wanted = unquote((named.text or "") if named is not None else "")
            if allowed is not None and wanted not in allowed:
                line = line_of(named if named is not None else value)
                why = f"Picklist value: {wanted} in picklist: {picklist} not found"
                yield error(coming.key, coming.path, why, line, 1)


def _values(state: OrgState, picklist: Key) -> frozenset[str] | None:
    """Return the values of a custom picklist, None when they can't be told (a standard one, or none at all)."""
    if not picklist.full_name.endswith("__c") or not state.holds(picklist):
        return None
    element = state.element(picklist)
    value_set = find(element, "valueSet") if element is not None else None
    if value_set is None:
        return None
    shared = text(value_set, "valueSetName")
    if not shared:
        found = walk(value_set, "valueSetDefinition/value")
        return frozenset(unquote(text(value, "fullName")) for value in found)
    key = Key("GlobalValueSet", shared)
    values = state.element(key) if state.holds(key) else None
    if values is None:
        return None
    return frozenset(unquote(text(value, "fullName")) for value in elements(values) if text(value, "fullName"))


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(files(__package__).joinpath("required.json").read_text("utf-8"))
    return table
