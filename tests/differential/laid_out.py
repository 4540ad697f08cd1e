"""A package of the types that presets lay out in other files, with every kind of entry that they know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.flows.source_samples import container

Files = Mapping[str, str | bytes]

_SCHEMA = {
    "openapi": "3.0.1",
    "info": {"title": "Rates & more", "version": "1.0", "description": "two\nlines: yes"},
    "paths": {
        "/rates": {
            "get": {"operationId": "rates", "responses": {"default": {}, "404": {}, "200": {"description": "on"}}}
        }
    },
    "x-big": 12345678901,
    "x-part": 0.25,
    "x-none": None,
    "x-text": ["1.0", "null", "2020-01-01", "~", "", "0x1F", "是"],
}
_YAML = "openapi: 3.0.1\ninfo:\n  title: 'a <b> & c'\n  version: \"1.0\"\npaths: {}\n"


def _entry(element: str, **values: str) -> str:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<{element}>{inside}</{element}>"


def permission_set() -> str:
    """Return a permission set with each kind of entry, about three objects and none."""
    return container(
        "PermissionSet",
        _entry("applicationVisibilities", application="Service", visible="true"),
        _entry("applicationVisibilities", application="standard__Sales", visible="true"),
        _entry("classAccesses", apexClass="A", enabled="true"),
        _entry("classAccesses", apexClass="B", enabled="false"),
        _entry("customMetadataTypeAccesses", enabled="true", name="Region__mdt"),
        _entry("customPermissions", enabled="true", name="Override"),
        _entry("customSettingAccesses", enabled="true", name="Switch__c"),
        "<description>Reads &amp; writes 票</description>",
        _entry("externalCredentialPrincipalAccesses", enabled="true", externalCredentialPrincipal="Erp - Main"),
        _entry("externalDataSourceAccesses", enabled="true", externalDataSource="Erp"),
        _entry("fieldPermissions", editable="true", field="Account.Tier__c", readable="true"),
        _entry("fieldPermissions", editable="false", field="Ticket__c.Status__c", readable="true"),
        _entry("fieldPermissions", editable="false", field="Ticket__c.Board__c", readable="true"),
        _entry("flowAccesses", enabled="true", flow="Route"),
        "<hasActivationRequired>false</hasActivationRequired>",
        "<label>Agent</label>",
        _entry("objectPermissions", allowCreate="true", allowRead="true", object="Ticket__c"),
        _entry("objectPermissions", allowCreate="false", allowRead="true", object="Account"),
        _entry("pageAccesses", apexPage="Board", enabled="true"),
        _entry("recordTypeVisibilities", recordType="Ticket__c.Complaint", visible="true"),
        _entry("tabSettings", tab="standard-Account", visibility="Visible"),
        _entry("tabSettings", tab="Ticket__c", visibility="Visible"),
        _entry("userPermissions", enabled="true", name="ApiEnabled"),
        _entry("userPermissions", enabled="true", name="ViewSetup"),
    )


def package() -> dict[str, str | bytes]:
    """Return the files of a package in Metadata API format, package.xml left out."""
    label = "<categories>ui</categories><language>zh_CN</language><protected>true</protected>"
    service = "externalServiceRegistrations"
    workflow = [
        _entry(element, fullName=f"{element}_{number}", protected="false")
        for element in ("alerts", "fieldUpdates", "flowActions", "knowledgePublishes", "outboundMessages", "rules")
        for number in (1, 2)
    ]
    rules = ("sharingCriteriaRules", "sharingGuestRules", "sharingOwnerRules", "sharingTerritoryRules")
    return {
        "permissionsets/Agent.permissionset": permission_set(),
        "permissionsets/Bare.permissionset": container("PermissionSet", "<label>Bare</label>"),
        "permissionsets/Empty.permissionset": container("PermissionSet"),
        "labels/CustomLabels.labels": container(
            "CustomLabels",
            *(
                f"<labels><fullName>L{n}</fullName>{label}<value>{n} &lt; 再&#13;&#10;见</value></labels>"
                for n in (1, 2, 3)
            ),
        ),
        "workflows/Ticket__c.workflow": container(
            "Workflow", *workflow, _entry("send", fullName="s"), _entry("tasks", fullName="t")
        ),
        "sharingRules/Ticket__c.sharingRules": container(
            "SharingRules", *(_entry(each, fullName=f"{each[7:10]}_{n}", label="x") for each in rules for n in (1, 2))
        ),
        f"{service}/Json.externalServiceRegistration": container(
            "ExternalServiceRegistration",
            "<label>Json</label>",
            f"<schema>{_escaped(json.dumps(_SCHEMA, indent=2, ensure_ascii=False))}</schema>",
            "<status>Complete</status>",
        ),
        f"{service}/Yaml.externalServiceRegistration": container(
            "ExternalServiceRegistration",
            "<label>Yaml</label>",
            f"<schema>{_escaped(_YAML)}</schema>",
            "<schemaUploadFileExtension>yaml</schemaUploadFileExtension>",
        ),
    }


# As many presets as go together, some by the setting's older name.
TOGETHER: dict[str, Any] = {
    "registryPresets": ["decomposeCustomLabelsBeta2", "decomposeWorkflowBeta"],
    "sourceBehaviorOptions": [
        "decomposePermissionSetBeta2",
        "decomposeSharingRulesBeta",
        "decomposeExternalServiceRegistrationBeta",
    ],
}

_SERVICES = "app/externalServiceRegistrations"
_SERVICE = container("ExternalServiceRegistration", "<label>A</label>")
# Projects that Salesforce refuses: the presets, and the files of the package directory `app`.
REFUSED: Mapping[str, tuple[Sequence[str], Files]] = {
    "an unknown preset": (["decomposeEverythingBeta"], {"app/tabs/A.tab-meta.xml": container("CustomTab")}),
    "a part of a permission set alone": (
        ["decomposePermissionSetBeta2"],
        {
            "app/permissionsets/A/A.classAccess-meta.xml": container(
                "PermissionSet", _entry("classAccesses", apexClass="A")
            )
        },
    ),
    "an entry of a permission set alone": (
        ["decomposePermissionSetBeta"],
        {
            "app/permissionsets/A/classAccesses/B.classAccess-meta.xml": container(
                "ClassAccess", "<apexClass>B</apexClass>"
            )
        },
    ),
    "a label without its container": (
        ["decomposeCustomLabelsBeta"],
        {"app/labels/CustomLabels/A.label-meta.xml": container("CustomLabel", "<fullName>A</fullName>")},
    ),
    "a label without a name": (
        ["decomposeCustomLabelsBeta2"],
        {"app/labels/A.label-meta.xml": container("CustomLabel", "<value>A</value>")},
    ),
    "a service without its schema": (
        ["decomposeExternalServiceRegistrationBeta"],
        {f"{_SERVICES}/A.externalServiceRegistration-meta.xml": _SERVICE},
    ),
    "a schema without its service": (
        ["decomposeExternalServiceRegistrationBeta"],
        {f"{_SERVICES}/A.yaml": "openapi: 3.0.1"},
    ),
    "a schema that is no YAML": (
        ["decomposeExternalServiceRegistrationBeta"],
        {
            f"{_SERVICES}/A.externalServiceRegistration-meta.xml": container(
                "ExternalServiceRegistration", "<schemaUploadFileExtension>json</schemaUploadFileExtension>"
            ),
            f"{_SERVICES}/A.yaml": "a: [",
        },
    ),
}
# Packages that Salesforce refuses to take apart by a preset.
REFUSED_PACKAGES: Mapping[str, tuple[Sequence[str], Files]] = {
    "a label without a name": (
        ["decomposeCustomLabelsBeta2"],
        {"labels/CustomLabels.labels": container("CustomLabels", "<labels><value>A</value></labels>")},
    ),
    "a field permission without its field": (
        ["decomposePermissionSetBeta2"],
        {"permissionsets/A.permissionset": container("PermissionSet", _entry("fieldPermissions", editable="true"))},
    ),
    "an alert without a name": (
        ["decomposeWorkflowBeta"],
        {"workflows/A.workflow": container("Workflow", _entry("alerts", protected="true"))},
    ),
    "a schema that is no JSON": (
        ["decomposeExternalServiceRegistrationBeta"],
        {
            "externalServiceRegistrations/A.externalServiceRegistration": container(
                "ExternalServiceRegistration", "<schema>{no json</schema>"
            )
        },
    ),
}


# Entries of a project's own registry: a type that the published one doesn't have, one more whose children have files of
# their own, and a published type taken apart by fewer children than its preset has.
CUSTOMIZATIONS = {
    "types": {
        "novelty": {
            "id": "novelty",
            "name": "Novelty",
            "directoryName": "novelties",
            "suffix": "novelty",
            "strategies": {"adapter": "matchingContentFile"},
        },
        "catalog": {
            "id": "catalog",
            "name": "Catalog",
            "directoryName": "catalogs",
            "suffix": "catalog",
            "strictDirectoryName": True,
            "strategies": {"adapter": "decomposed", "decomposition": "folderPerType", "transformer": "decomposed"},
            "children": {
                "types": {
                    "catalogentry": {
                        "id": "catalogentry",
                        "name": "CatalogEntry",
                        "directoryName": "entries",
                        "suffix": "catalogEntry",
                        "uniqueIdElement": "code",
                    }
                },
                "suffixes": {"catalogEntry": "catalogentry"},
                "directories": {"entries": "catalogentry"},
            },
        },
        "permissionset": {
            "id": "permissionset",
            "name": "PermissionSet",
            "directoryName": "permissionsets",
            "suffix": "permissionset",
            "strictDirectoryName": True,
            "strategies": {"adapter": "decomposed", "decomposition": "topLevel", "transformer": "decomposed"},
            "children": {
                "types": {
                    "fieldpermission": {
                        "id": "fieldpermission",
                        "isAddressable": False,
                        "name": "FieldPermission",
                        "directoryName": "fieldPermissions",
                        "suffix": "fieldPermission",
                        "uniqueIdElement": "field",
                    }
                },
                "suffixes": {"fieldPermission": "fieldpermission"},
                "directories": {"fieldPermissions": "fieldpermission"},
            },
        },
    },
    "childTypes": {"catalogentry": "catalog", "fieldpermission": "permissionset"},
    "suffixes": {"novelty": "novelty", "catalog": "catalog"},
    "strictDirectoryNames": {"catalogs": "catalog", "permissionsets": "permissionset"},
}


def customized_package() -> dict[str, str | bytes]:
    """Return a package of the types of CUSTOMIZATIONS."""
    return {
        "novelties/A.novelty": "new",
        "novelties/A.novelty-meta.xml": container("Novelty", "<label>A</label>"),
        "catalogs/Books.catalog": container(
            "Catalog", "<label>Books</label>", _entry("entries", code="a1", title="x"), _entry("entries", code="b2")
        ),
        "permissionsets/Agent.permissionset": permission_set(),
    }


def settings(*presets: str, path: str = ".", **others: object) -> str:
    """Return an sfdx-project.json with one package directory, these presets and these other settings."""
    data = {"packageDirectories": [{"path": path}], "sourceApiVersion": "64.0", **others}
    return json.dumps({"sourceBehaviorOptions": list(presets), **data})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
