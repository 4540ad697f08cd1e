"""`describeMetadata` and `listMetadata`: which types there are, and which components of a type."""

from __future__ import annotations

from typing import Any

from emulators.salesforce import ids
from emulators.salesforce.metadata.answers import timestamp
from emulators.salesforce.metadata.components import OrgComponent, OrgComponents
from emulators.salesforce.metadata.types import type_table
from emulators.salesforce.orgs import OrgRecord


def describe(org: OrgRecord) -> dict[str, Any]:
    """Return a DescribeMetadataResult: all types, with the children that a manifest can name."""
    return {
        "metadataObjects": [
            {
                "childXmlNames": sorted(set(kind.children.values())),
                "directoryName": kind.directory,
                "inFolder": bool(kind.folder),
                "metaFile": kind.content in ("file", "any"),
                "suffix": kind.suffix or None,
                "xmlName": kind.name,
            }
            for kind in type_table().types.values()
        ],
        "organizationNamespace": "",
        "partialSaveAllowed": org.is_sandbox,
        "testRequired": not org.is_sandbox,
    }


def list_type(org: OrgRecord, components: OrgComponents, type_name: str, folder: str) -> list[dict[str, Any]]:
    """Return the FileProperties of a type's components, of one folder where the type lies in folders."""
    found = components.of_type(type_name)
    kind = type_table().types.get(type_name)
    if kind and kind.folder:
        found = [c for c in found if c.key.full_name.startswith(f"{folder}/")] if folder else []
    return [file_properties(org, component) for component in found]


def file_properties(org: OrgRecord, component: OrgComponent, root: str = "unpackaged/") -> dict[str, Any]:
    """Return a component's FileProperties, in the order of the API's schema."""

    def who(name: str) -> tuple[str, str]:
        user = org.user(name)
        return (
            (user.id, user.username) if user else (ids.derived("005", org.id, "Automated Process"), "Automated Process")
        )

    created_id, created_name = who(component.created_by)
    modified_id, modified_name = who(component.modified_by)
    return {
        "createdById": created_id,
        "createdByName": created_name,
        "createdDate": timestamp(component.created),
        "fileName": root + component.file_name,
        "fullName": component.key.full_name,
        "id": component.id,
        "lastModifiedById": modified_id,
        "lastModifiedByName": modified_name,
        "lastModifiedDate": timestamp(component.modified),
        "manageableState": "unmanaged",
        "type": component.key.type,
    }
