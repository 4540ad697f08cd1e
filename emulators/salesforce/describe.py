"""Objects as `describe` and `describeGlobal` print them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from emulators.salesforce.schema import FieldType, ObjectType, Schema

Json = dict[str, Any]

_MASTER_RECORD_TYPE = "012000000000000AAA"


def describe_global(schema: Schema, base: str, api: str) -> Json:
    """Return the objects that `api` sees; `base` is the path before `/sobjects`."""
    seen = [summary(obj, base) for obj in schema.objects.values() if api in obj.apis]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sorted(seen, key=lambda row: row["name"])}


def summary(obj: ObjectType, base: str) -> Json:
    """Return an object as describeGlobal lists it."""
    here = f"{base}/sobjects/{obj.name}"
    return {
        "activateable": False,
        "createable": "create" in obj.dml,
        "custom": obj.custom,
        "customSetting": False,
        "deletable": "delete" in obj.dml,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": obj.prefix,
        "label": obj.label,
        "labelPlural": obj.label_plural,
        "layoutable": bool(obj.dml),
        "mergeable": obj.name in ("Account", "Contact", "Lead", "Case"),
        "mruEnabled": bool(obj.dml),
        "name": obj.name,
        "queryable": True,
        "replicateable": bool(obj.dml),
        "retrieveable": True,
        "searchable": bool(obj.dml),
        "triggerable": bool(obj.dml),
        "undeletable": "delete" in obj.dml,
        "updateable": "update" in obj.dml,
        "urls": {
            "sobject": here,
            "describe": f"{here}/describe",
            "rowTemplate": f"{here}/{{ID}}",
            "layouts": f"{here}/describe/layouts",
        },
    }


def describe(schema: Schema, obj: ObjectType, base: str, record_types: list[Mapping[str, Any]]) -> Json:
    """Return the whole description of an object. `record_types` are the org's RecordType rows for it."""
    return summary(obj, base) | {
        "fields": [_field(f, obj) for f in obj.fields.values()],
        "childRelationships": [
            {
                "childSObject": child.name,
                "field": f.name,
                "relationshipName": name,
                "cascadeDelete": f.custom and f.required,
                "deprecatedAndHidden": False,
                "restrictedDelete": False,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
            }
            for name, child, f in schema.children(obj)
        ],
        "recordTypeInfos": _record_types(obj, base, record_types),
        "supportedScopes": [{"label": "All " + obj.label_plural, "name": "everything"}],
        "namedLayoutInfos": [],
        "actionOverrides": [],
        "compactLayoutable": bool(obj.dml),
        "searchLayoutable": bool(obj.dml),
        "networkScopeFieldName": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "sobjectDescribeOption": "FULL",
    }


def _record_types(obj: ObjectType, base: str, rows: list[Mapping[str, Any]]) -> list[Json]:
    def info(ident: str, name: str, developer_name: str, master: bool, active: bool) -> Json:
        url = f"{base}/sobjects/{obj.name}/describe/layouts/{ident}"
        return {
            "active": active,
            "available": active,
            "defaultRecordTypeMapping": master,
            "developerName": developer_name,
            "master": master,
            "name": name,
            "recordTypeId": ident,
            "urls": {"layout": url},
        }

    own = [info(row["Id"], row["Name"], row["DeveloperName"], False, bool(row["IsActive"])) for row in rows]
    return [*own, info(_MASTER_RECORD_TYPE, "Master", "Master", True, True)]


def _field(f: FieldType, obj: ObjectType) -> Json:
    text = f.type in ("string", "textarea", "email", "phone", "url", "encryptedstring", "picklist", "id", "reference")
    number = f.type in ("double", "currency", "percent")
    length = f.length or (255 if text else 0)
    return {
        "aggregatable": f.type != "textarea",
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": length * 3,
        "calculated": f.calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": f.createable and "create" in obj.dml,
        "custom": f.custom,
        "defaultValue": f.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": f.default is not None or f.name in ("OwnerId", "RecordTypeId") or f.type == "boolean",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if f.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": f.type == "encryptedstring",
        "externalId": f.external_id,
        "extraTypeInfo": None,
        "filterable": f.type not in ("textarea", "complexvalue"),
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": text and f.type != "textarea",
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": f.type == "id" or f.external_id or f.is_name,
        "inlineHelpText": f.help_text or None,
        "label": f.label,
        "length": length if text else 0,
        "mask": None,
        "maskType": None,
        "name": f.name,
        "nameField": f.is_name,
        "namePointing": len(f.references) > 1,
        "nillable": not f.required and f.type != "boolean" and f.name not in ("Id", "OwnerId") and f.default is None,
        "permissionable": f.custom and not f.required,
        "picklistValues": [
            {"active": True, "defaultValue": value == f.default, "label": value, "validFor": None, "value": value}
            for value in f.values
        ],
        "polymorphicForeignKey": len(f.references) > 1,
        "precision": 18 if number else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(f.references),
        "relationshipName": f.relationship or None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": False,
        "scale": 2 if number else 0,
        "searchPrefilterable": False,
        "soapType": _soap_types().get(f.type, "xsd:string"),
        "sortable": f.type not in ("textarea", "complexvalue"),
        "type": f.type,
        "unique": f.unique,
        "updateable": f.updateable and "update" in obj.dml,
        "writeRequiresMasterRead": False,
    }


@cache
def _soap_types() -> dict[str, str]:
    text = resources.files("emulators.salesforce").joinpath("field_types.json").read_text(encoding="utf-8")
    types: dict[str, str] = json.loads(text)["soap"]
    return types
