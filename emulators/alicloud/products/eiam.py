"""IDaaS EIAM: instances, SAML applications and the provisioning of their users."""

from __future__ import annotations

import json
from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, Handler
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import EIAM_APPLICATION, EIAM_CERTIFICATE, EIAM_INSTANCE, EIAM_POLICY
from emulators.alicloud.resources import identifier, listed, page, pending, shown
from emulators.store import Document

_eiam = product("Eiam")

_DOMAIN = "aliyunidaas.com"


@_eiam("CreateInstance")
def create_instance(call: Call) -> Answer:
    made = EIAM_INSTANCE.create(call, Description=call.get("Description"))
    made |= {"domain": f"{identifier(made['id'], 8)}.{_DOMAIN}", "root": f"ou_{identifier('root ' + made['id'], 26)}"}
    EIAM_INSTANCE.save(call, made)
    return {"InstanceId": made["id"]}


@_eiam("GetInstance")
def get_instance(call: Call) -> Answer:
    return {"Instance": _instance(call, EIAM_INSTANCE.named(call, "InstanceId"))}


@_eiam("ListInstances")
def list_instances(call: Call) -> Answer:
    rows, numbers = page(call, [_instance(call, made) for made in EIAM_INSTANCE.all(call)], most=100)
    return {"Instances": rows, "TotalCount": numbers["TotalCount"]}


@_eiam("UpdateInstanceDescription")
def update_instance_description(call: Call) -> Answer:
    made = EIAM_INSTANCE.named(call, "InstanceId")
    EIAM_INSTANCE.save(call, made | {"Description": call.get("Description")})
    return {}


@_eiam("DeleteInstance")
def delete_instance(call: Call) -> Answer:
    made = EIAM_INSTANCE.named(call, "InstanceId")
    if EIAM_APPLICATION.all(call, InstanceId=made["id"]) or EIAM_POLICY.all(call, InstanceId=made["id"]):
        raise ApiError("OperationDenied.InstanceInUse", id=made["id"])
    EIAM_INSTANCE.delete(call, made)
    return {}


@_eiam("GetRootOrganizationalUnit")
def get_root_organizational_unit(call: Call) -> Answer:
    made = _running(call)
    return {"OrganizationalUnit": {"InstanceId": made["id"], "OrganizationalUnitId": made["root"]}}


@_eiam("CreateApplication")
def create_application(call: Call) -> Answer:
    instance = _running(call)
    made = EIAM_APPLICATION.create(
        call,
        InstanceId=instance["id"],
        ApplicationName=call.need("ApplicationName"),
        ApplicationSourceType=call.choice(
            "ApplicationSourceType", "urn:idaas:app:source:template", "urn:idaas:app:source:standard"
        ),
        SsoType=call.choice("SsoType", "saml2", "oidc"),
        Description=call.get("Description"),
        ApplicationCreationType="user_custom",
        AuthorizationType="authorize_required",
        Status="enabled",
        CreateTime=int(call.now * 1000),
        sso_status="disabled",
        sso={},
        provisioning_status="disabled",
        provisioning={},
    )
    return {"ApplicationId": made["id"]}


@_eiam("GetApplication")
def get_application(call: Call) -> Answer:
    return {"Application": _application(_app(call))}


@_eiam("ListApplications")
def list_applications(call: Call) -> Answer:
    found = EIAM_APPLICATION.all(call, InstanceId=_running(call)["id"])
    # A name finds every application that it begins.
    found = [made for made in found if made["ApplicationName"].startswith(call.get("ApplicationName"))]
    found = listed(call, "SsoType", listed(call, "Status", found, "Status"), "SsoType")
    rows, numbers = page(call, [_application(made) for made in found], most=100)
    return {"Applications": rows, "TotalCount": numbers["TotalCount"]}


@_eiam("UpdateApplicationInfo")
def update_application_info(call: Call) -> Answer:
    made = _app(call)
    EIAM_APPLICATION.save(call, made | {"ApplicationName": call.get("ApplicationName", made["ApplicationName"])})
    return {}


@_eiam("UpdateApplicationDescription")
def update_application_description(call: Call) -> Answer:
    EIAM_APPLICATION.save(call, _app(call) | {"Description": call.get("Description")})
    return {}


@_eiam("DeleteApplication")
def delete_application(call: Call) -> Answer:
    made = _app(call)
    if made["Status"] == "enabled":
        raise ApiError("OperationDenied.EntityEnabled", id=made["id"])
    EIAM_APPLICATION.delete(call, made)
    call.store.delete(EIAM_CERTIFICATE, made["id"])
    return {}


@_eiam("SetApplicationSsoConfig")
def set_application_sso_config(call: Call) -> Answer:
    made = _app(call)
    sent = nested(call, "SamlSsoConfig")
    if made["SsoType"] != "saml2" or not sent:
        raise ApiError("InvalidParameter", name="SamlSsoConfig", rule="of an application of type saml2")
    for name in ("SpEntityId", "SpSsoAcsUrl"):
        if not sent.get(name):
            raise ApiError("MissingParameter", name=f"SamlSsoConfig.{name}")
    EIAM_APPLICATION.save(call, made | {"sso": sent, "init_login": call.get("InitLoginType", "idaas_or_app_init_sso")})
    return {}


@_eiam("GetApplicationSsoConfig")
def get_application_sso_config(call: Call) -> Answer:
    made = _app(call)
    at = f"https://{EIAM_INSTANCE.get(call, made['InstanceId'])['domain']}/api/v2/{made['id']}/saml2"
    return {
        "ApplicationSsoConfig": {
            "SsoStatus": made["sso_status"],
            "InitLoginType": made.get("init_login", "idaas_or_app_init_sso"),
            "SamlSsoConfig": {"IdPEntityId": f"{at}/meta", **made["sso"]},
            "ProtocolEndpointDomain": {
                "SamlMetaEndpoint": f"{at}/meta",
                "SamlSsoEndpoint": f"{at}/sso",
                "SamlSloEndpoint": f"{at}/slo",
            },
        }
    }


@_eiam("SetApplicationProvisioningConfig")
def set_application_provisioning_config(call: Call) -> Answer:
    made = _app(call)
    call.choice("ProvisionProtocolType", "scim2")
    sent = nested(call, "ScimProvisioningConfig")
    if not str(sent.get("ScimBaseUrl", "")).startswith("https://"):
        raise ApiError("InvalidParameter", name="ScimProvisioningConfig.ScimBaseUrl", rule="an https URL")
    EIAM_APPLICATION.save(call, made | {"provisioning": sent})
    return {}


@_eiam("GetApplicationProvisioningConfig")
def get_application_provisioning_config(call: Call) -> Answer:
    made = _app(call)
    config = json.loads(json.dumps(made["provisioning"]))
    # What was sent as a secret never comes back whole.
    param = config.get("AuthnConfiguration", {}).get("AuthnParam", {})
    if "AccessToken" in param:
        param["AccessToken"] = "******"
    return {
        "ApplicationProvisioningConfig": {
            "InstanceId": made["InstanceId"],
            "ApplicationId": made["id"],
            "ProvisionProtocolType": "scim2" if config else None,
            "ScimProvisioningConfig": config or None,
            "Status": made["provisioning_status"],
        }
    }


def _switching(field: str, value: str) -> Handler:
    def switch(call: Call) -> Answer:
        EIAM_APPLICATION.save(call, _app(call) | {field: value})
        return {}

    return switch


for _title, _field in (("", "Status"), ("Sso", "sso_status"), ("Provisioning", "provisioning_status")):
    _eiam(f"EnableApplication{_title}")(_switching(_field, "enabled"))
    _eiam(f"DisableApplication{_title}")(_switching(_field, "disabled"))


def nested(call: Call, name: str) -> dict[str, Any]:
    """Return a structure that was sent flat (`Name.Key`, `Name.Key.1`), with its booleans and lists."""
    found: dict[str, Any] = {}
    for key, value in sorted(call.parameters.items()):
        path = key.split(".")
        if path[0] == name and len(path) > 1:
            place = found
            for part in path[1:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = {"true": True, "false": False}.get(value.lower(), value)
    return {key: _with_lists(item) for key, item in found.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(item) for key, item in value.items()}


def _running(call: Call) -> Document:
    made = EIAM_INSTANCE.named(call, "InstanceId")
    if pending(call, made):
        raise ApiError("OperationDenied.InstanceNotRunning", id=made["id"])
    return made


def _app(call: Call) -> Document:
    instance, made = _running(call), EIAM_APPLICATION.named(call, "ApplicationId")
    if made["InstanceId"] != instance["id"]:
        raise ApiError(EIAM_APPLICATION.missing, id=made["id"])
    return made


def _instance(call: Call, made: Document) -> Answer:
    return {
        "InstanceId": made["id"],
        "Description": made["Description"],
        "Status": "creating" if pending(call, made) else "running",
        "CreateTime": int(made["created"] * 1000),
        "DomainConfig": {"InitDomain": made["domain"], "DefaultDomain": made["domain"]},
    }


def _application(made: Document) -> Answer:
    return {"ApplicationId": made["id"], **shown(made)}
