"""API gateway (CloudAPI): groups, APIs and their stages, apps and what they may call. Calls go through `gateway.py`."""

from __future__ import annotations

import json
import re
from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind, change, identifier, page, shown
from emulators.store import Document

_gateway = product("CloudAPI")

GROUP = Kind("api_group", "", "NotFoundApiGroup")
API = Kind("api", "", "NotFoundApi")
APP = Kind("api_app", "", "NotFoundApp")
_NAME = re.compile(r"[A-Za-z一-龥][\w一-龥]{3,49}")
_STAGES = ("RELEASE", "PRE", "TEST")
_AUTH = ("APP", "ANONYMOUS", "APPOPENID")
_MAPPINGS = ("RequestParameters", "ServiceParameters", "ServiceParametersMap")


@_gateway("CreateApiGroup")
def create_api_group(call: Call) -> Answer:
    name = _name(call, "GroupName")
    if GROUP.all(call, GroupName=name):
        raise ApiError("DuplicateResource", name=name)
    ident = identifier(f"api group {call.store.next('alicloud.api_group')}", 32)
    group = GROUP.create(
        call,
        ident=ident,
        GroupName=name,
        Description=call.get("Description"),
        BasePath=call.get("BasePath", "/"),
        SubDomain=f"{ident}-{call.region}.alicloudapi.com",
        InstanceId=call.get("InstanceId", f"api-shared-vpc-{call.region}"),
        InstanceType="VPC_SHARED",
        VpcDomain="",
        HttpsPolicy="HTTPS2_TLS1_0",
        Status="NORMAL",
        BillingStatus="NORMAL",
        UserLogConfig="",
        CreatedTime=call.stamp,
        ModifiedTime=call.stamp,
    )
    return _group(group)


@_gateway("DescribeApiGroup")
def describe_api_group(call: Call) -> Answer:
    return _group(GROUP.named(call, "GroupId"))


@_gateway("DescribeApiGroups")
def describe_api_groups(call: Call) -> Answer:
    rows, counts = page(call, [_group(group) for group in GROUP.all(call)], most=100)
    return {"ApiGroupAttributes": {"ApiGroupAttribute": list(rows)}, **counts}


@_gateway("ModifyApiGroup")
def modify_api_group(call: Call) -> Answer:
    group = GROUP.named(call, "GroupId")
    fields = ("GroupName", "Description", "BasePath", "UserLogConfig")
    change(call, group, **{field: field for field in fields if call.get(field)})
    GROUP.save(call, group | {"ModifiedTime": call.stamp})
    return _group(group)


@_gateway("DeleteApiGroup")
def delete_api_group(call: Call) -> Answer:
    group = GROUP.named(call, "GroupId")
    for api in API.all(call, GroupId=group["id"]):
        API.delete(call, api)
    GROUP.delete(call, group)
    return {}


@_gateway("CreateApi")
def create_api(call: Call) -> Answer:
    group = GROUP.named(call, "GroupId")
    if API.all(call, GroupId=group["id"], ApiName=_name(call, "ApiName")):
        raise ApiError("DuplicateResource", name=call.get("ApiName"))
    ident = identifier(f"api {call.store.next('alicloud.api')}", 32)
    API.create(
        call,
        ident=ident,
        **_api_fields(call),
        GroupId=group["id"],
        GroupName=group["GroupName"],
        ApiId=ident,
        CreatedTime=call.stamp,
        ModifiedTime=call.stamp,
        stages=[],
        apps=[],
    )
    return {"ApiId": ident}


@_gateway("ModifyApi")
def modify_api(call: Call) -> Answer:
    API.save(call, _api(call) | _api_fields(call) | {"ModifiedTime": call.stamp})
    return {}


@_gateway("DescribeApi")
def describe_api(call: Call) -> Answer:
    return {"RegionId": call.region, **shown(_api(call))}


@_gateway("DeployApi")
def deploy_api(call: Call) -> Answer:
    api, stage = _api(call), call.choice("StageName", *_STAGES)
    API.save(call, api | {"stages": sorted({*api["stages"], stage})})
    return {}


@_gateway("DescribeDeployedApi")
def describe_deployed_api(call: Call) -> Answer:
    api, stage = _deployed(call)
    return {"RegionId": call.region, "StageName": stage, "DeployedTime": api["ModifiedTime"], **shown(api)}


@_gateway("AbolishApi")
def abolish_api(call: Call) -> Answer:
    api, stage = _deployed(call)
    API.save(call, api | {"stages": [other for other in api["stages"] if other != stage]})
    return {}


@_gateway("DeleteApi")
def delete_api(call: Call) -> Answer:
    API.delete(call, _api(call))
    return {}


@_gateway("CreateApp")
def create_app(call: Call) -> Answer:
    number = call.store.next("alicloud.api_app.number")
    app = APP.create(
        call,
        call.tags(),
        ident=str(110_000_000 + number),
        AppName=_name(call, "AppName"),
        Description=call.get("Description"),
        CreatedTime=call.stamp,
        ModifiedTime=call.stamp,
        key=call.get("AppKey", str(203_000_000 + number)),
        secret=call.get("AppSecret", identifier(f"app secret {number}", 32)),
        code=call.get("AppCode", identifier(f"app code {number}", 32)),
    )
    return {"AppId": int(app["id"])}


@_gateway("DescribeApp")
def describe_app(call: Call) -> Answer:
    return _app(APP.named(call, "AppId"))


@_gateway("DescribeAppSecurity")
def describe_app_security(call: Call) -> Answer:
    app = APP.named(call, "AppId")
    return {
        "AppKey": app["key"],
        "AppSecret": app["secret"],
        "AppCode": app["code"],
        "CreatedTime": app["CreatedTime"],
        "ModifiedTime": app["ModifiedTime"],
    }


@_gateway("ModifyApp")
def modify_app(call: Call) -> Answer:
    app = APP.named(call, "AppId")
    change(call, app, AppName="AppName", Description="Description")
    APP.save(call, app | {"ModifiedTime": call.stamp})
    return {}


@_gateway("DeleteApp")
def delete_app(call: Call) -> Answer:
    app = APP.named(call, "AppId")
    for api in API.all(call):
        API.save(call, api | {"apps": [pair for pair in api["apps"] if pair[0] != app["id"]]})
    APP.delete(call, app)
    return {}


@_gateway("TagResources")
def tag_resources(call: Call) -> Answer:
    tags = call.tags()
    for app in _tagged(call):
        APP.save(call, app | {"tags": app["tags"] | tags})
    return {}


@_gateway("UntagResources")
def untag_resources(call: Call) -> Answer:
    keys = call.strings("TagKey")
    for app in _tagged(call):
        APP.save(call, app | {"tags": {key: value for key, value in app["tags"].items() if key not in keys}})
    return {}


@_gateway("ListTagResources")
def list_tag_resources(call: Call) -> Answer:
    rows = [
        {"ResourceType": call.get("ResourceType"), "ResourceId": app["id"], "TagKey": key, "TagValue": value}
        for app in _tagged(call)
        for key, value in app["tags"].items()
    ]
    return {"TagResources": {"TagResource": rows}, "NextToken": ""}


@_gateway("SetAppsAuthorities")
def set_apps_authorities(call: Call) -> Answer:
    api, stage = _deployed(call)
    new = [[APP.get(call, ident)["id"], stage] for ident in call.need("AppIds").split(",")]
    API.save(call, api | {"apps": [*api["apps"], *(pair for pair in new if pair not in api["apps"])]})
    return {}


@_gateway("RemoveAppsAuthorities")
def remove_apps_authorities(call: Call) -> Answer:
    api, stage = _api(call), call.choice("StageName", *_STAGES)
    gone = [[ident, stage] for ident in call.need("AppIds").split(",")]
    if any(pair not in api["apps"] for pair in gone):
        raise ApiError("NotFoundAuthorization", id=call.get("AppIds"))
    API.save(call, api | {"apps": [pair for pair in api["apps"] if pair not in gone]})
    return {}


@_gateway("DescribeAuthorizedApps")
def describe_authorized_apps(call: Call) -> Answer:
    api, stage = _api(call), call.choice("StageName", *_STAGES)
    apps = [APP.get(call, ident) for ident, where in api["apps"] if where == stage]
    views = [
        {
            "AppId": int(app["id"]),
            "AppName": app["AppName"],
            "StageName": stage,
            "AuthorizationSource": "CONSOLE",
            "Operator": "PROVIDER",
        }
        for app in apps
    ]
    rows, counts = page(call, views, most=100)
    return {"AuthorizedApps": {"AuthorizedApp": rows}, **counts}


def _group(group: Document) -> Answer:
    custom: Answer = {"CustomDomains": {"DomainItem": []}, "StageItems": {"StageInfo": []}}
    return {**shown(group), **custom, "GroupId": group["id"], "RegionId": group["region"]}


def _app(app: Document) -> Answer:
    return shown(app) | {"AppId": int(app["id"])}


def _api(call: Call) -> Document:
    api = API.named(call, "ApiId")
    if call.get("GroupId", api["GroupId"]) != api["GroupId"]:
        raise ApiError(API.missing, id=api["id"])
    return api


def _deployed(call: Call) -> tuple[Document, str]:
    api, stage = _api(call), call.choice("StageName", *_STAGES)
    if stage not in api["stages"]:
        raise ApiError("NotFoundStage", id=api["id"], stage=stage)
    return api, stage


def _api_fields(call: Call) -> Document:
    """Return what a call says of an API. Raises `ApiError` for what the emulator doesn't keep."""
    if any(call.get(name, "[]") not in ("[]", "null") for name in _MAPPINGS):
        raise ApiError("UnsupportedOperation.ApiParameters")
    sent: dict[str, Any] = call.data("RequestConfig")
    service: dict[str, Any] = call.data("ServiceConfig")
    function = dict(service.pop("functionComputeConfig", None) or {})
    if "fcRegionId" in function:
        function["regionId"] = function.pop("fcRegionId")
    return {
        "ApiName": _name(call, "ApiName"),
        "Description": call.get("Description"),
        "Visibility": call.choice("Visibility", "PUBLIC", "PRIVATE", default="PRIVATE"),
        "AuthType": call.choice("AuthType", *_AUTH, default="ANONYMOUS"),
        "ForceNonceCheck": call.flag("ForceNonceCheck"),
        "ResultType": call.get("ResultType"),
        "ResultSample": call.get("ResultSample"),
        "AllowSignatureMethod": call.get("AllowSignatureMethod"),
        "WebSocketApiType": call.get("WebSocketApiType"),
        "BackendEnable": call.flag("BackendEnable"),
        "RequestConfig": _titled(sent),
        "ServiceConfig": _titled(service) | {"FunctionComputeConfig": _titled(function)},
    }


def _titled(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what came as camelCase JSON with the names that answers have."""
    return {key[0].upper() + key[1:]: value for key, value in json.loads(json.dumps(fields)).items()}


def _tagged(call: Call) -> list[Document]:
    if call.get("ResourceType").lower() != "app":
        raise ApiError("InvalidResourceType.NotFound", kind=call.get("ResourceType"))
    return [APP.get(call, ident) for ident in call.strings("ResourceId")]


def _name(call: Call, parameter: str) -> str:
    name = call.need(parameter)
    if not _NAME.fullmatch(name):
        raise ApiError("InvalidParameter", name=parameter, rule="4 to 50 letters, digits and _, a letter first")
    return name
