"""Functions, their triggers and their tags."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import zipfile
import zlib
from typing import Any

from emulators.alicloud.fc.desk import CODE, FUNCTION, TRIGGER, Desk
from emulators.alicloud.fc.errors import FunctionError, missing, wrong
from emulators.alicloud.resources import identifier
from emulators.store import Document

_NAME = re.compile(r"[A-Za-z_][\w-]{0,63}")
_KEPT = ("code", "Tags")
_DEFAULTS: Document = {
    "cpu": 0.35,
    "description": "",
    "diskSize": 512,
    "environmentVariables": {},
    "instanceConcurrency": 1,
    "internetAccess": True,
    "layers": [],
    "memorySize": 512,
    "role": "",
    "timeout": 3,
}
Named = dict[str, str]


def create(desk: Desk, _: Named) -> Any:
    """Answer CreateFunction."""
    sent = desk.body()
    name = str(sent.get("functionName", ""))
    if not _NAME.fullmatch(name):
        raise wrong("functionName has 1 to 64 letters, digits, _ and -")
    if desk.find(FUNCTION, name):
        raise FunctionError(409, "FunctionAlreadyExists", f"function {name!r} exists already")
    if not sent.get("runtime") or not sent.get("handler"):
        raise wrong("runtime and handler are required")
    made = {
        **_DEFAULTS,
        "functionArn": desk.arn(f"functions/{name}"),
        "functionId": identifier(f"function {name}", 32),
        "createdTime": desk.stamp,
        "lastModifiedTime": desk.stamp,
        "lastUpdateStatus": "Successful",
        "state": "Active",
        "tags": [],
    }
    return desk.save(FUNCTION, name, made | _fields(desk, name, sent))


def show(desk: Desk, named: Named) -> Any:
    """Answer GetFunction."""
    return _function(desk, named["function"])


def show_all(desk: Desk, _: Named) -> Any:
    """Answer ListFunctions: one page of them."""
    most = int(desk.request.query.get("limit") or 20)
    return {"functions": [function for _, function in desk.store.all(FUNCTION, f"{desk.region}/")][:most]}


def update(desk: Desk, named: Named) -> Any:
    """Answer UpdateFunction."""
    function = _function(desk, named["function"])
    fields = _fields(desk, named["function"], desk.body()) | {"lastModifiedTime": desk.stamp}
    return desk.save(FUNCTION, named["function"], function | fields)


def delete(desk: Desk, named: Named) -> None:
    """Answer DeleteFunction."""
    name = named["function"]
    _function(desk, name)
    if desk.store.all(TRIGGER, f"{desk.region}/{name}/"):
        raise FunctionError(403, "FunctionHasTriggers", f"function {name!r} has triggers")
    desk.delete(FUNCTION, name)
    desk.delete(CODE, name)


def create_trigger(desk: Desk, named: Named) -> Any:
    """Answer CreateTrigger."""
    function, sent = _function(desk, named["function"]), desk.body()
    name = str(sent.get("triggerName", ""))
    if not _NAME.fullmatch(name):
        raise wrong("triggerName has 1 to 64 letters, digits, _ and -")
    place = f"{named['function']}/{name}"
    if desk.find(TRIGGER, place):
        raise FunctionError(409, "TriggerAlreadyExists", f"trigger {name!r} exists already")
    _check_config(sent)
    made = {
        "description": "",
        "invocationRole": "",
        "sourceArn": "",
        **sent,
        "triggerId": identifier(f"trigger {place}", 32),
        "status": "",
        "targetArn": function["functionArn"],
        "createdTime": desk.stamp,
        "lastModifiedTime": desk.stamp,
    }
    if sent.get("triggerType") == "http":
        host = f"{named['function'].lower()}-{identifier(place, 10)}.{desk.region}"
        made["httpTrigger"] = {
            "urlInternet": f"https://{host}.fcapp.run",
            "urlIntranet": f"https://{host}-vpc.fcapp.run",
        }
    return desk.save(TRIGGER, place, made)


def show_trigger(desk: Desk, named: Named) -> Any:
    """Answer GetTrigger."""
    return _trigger(desk, named)


def update_trigger(desk: Desk, named: Named) -> Any:
    """Answer UpdateTrigger."""
    changed = _trigger(desk, named) | desk.body() | {"lastModifiedTime": desk.stamp}
    _check_config(changed)
    return desk.save(TRIGGER, f"{named['function']}/{named['trigger']}", changed)


def delete_trigger(desk: Desk, named: Named) -> None:
    """Answer DeleteTrigger."""
    _trigger(desk, named)
    desk.delete(TRIGGER, f"{named['function']}/{named['trigger']}")


def tag(desk: Desk, _: Named) -> Any:
    """Answer TagResources."""
    sent = desk.body()
    tags = {str(row["Key"]): str(row["Value"]) for row in sent.get("Tag") or []}
    for name in _tagged(desk, sent.get("ResourceType"), sent.get("ResourceId")):
        _retag(desk, name, _tags_of(_function(desk, name)) | tags)
    return {}


def untag(desk: Desk, _: Named) -> Any:
    """Answer UntagResources."""
    query = desk.request.query
    keys = json.loads(query.get("TagKey", "[]"))
    for name in _tagged(desk, query.get("ResourceType"), json.loads(query.get("ResourceId", "[]"))):
        _retag(desk, name, {k: v for k, v in _tags_of(_function(desk, name)).items() if k not in keys})
    return {}


def _function(desk: Desk, name: str) -> Document:
    found = desk.find(FUNCTION, name)
    if found is None:
        raise missing("Function", name)
    return found


def _trigger(desk: Desk, named: Named) -> Document:
    found = desk.find(TRIGGER, f"{named['function']}/{named['trigger']}")
    if found is None:
        raise missing("Trigger", named["trigger"])
    return found


def _check_config(trigger: Document) -> None:
    try:
        config = json.loads(trigger.get("triggerConfig") or "{}")
    except ValueError:
        raise wrong("triggerConfig is no JSON") from None
    if trigger.get("triggerType") == "http" and not {"authType", "methods"} <= set(config):
        raise wrong("the config of an HTTP trigger has authType and methods")


def _fields(desk: Desk, name: str, sent: Document) -> Document:
    """Return what a call says of a function, and keep its code, which must be a whole zip, where nobody is shown it."""
    fields = {key: value for key, value in sent.items() if key not in _KEPT}
    zipped = (sent.get("code") or {}).get("zipFile")
    if zipped:
        try:
            raw = base64.b64decode(zipped, validate=True)
            broken = zipfile.ZipFile(io.BytesIO(raw)).testzip()
        except (binascii.Error, zipfile.BadZipFile):
            broken = "zipFile"
        if broken:
            raise wrong("code.zipFile is no whole zip file in Base64")
        fields |= {"codeSize": len(raw), "codeChecksum": str(zlib.crc32(raw))}
        desk.save(CODE, name, {"zipFile": zipped})
    return fields


def _tagged(desk: Desk, kind: object, idents: object) -> list[str]:
    prefix = desk.arn("functions/")
    if kind != "function" or not isinstance(idents, list):
        raise wrong("ResourceType is function, ResourceId a list")
    return [str(ident).removeprefix(prefix) for ident in idents]


def _tags_of(function: Document) -> dict[str, str]:
    return {row["key"]: row["value"] for row in function["tags"]}


def _retag(desk: Desk, name: str, tags: dict[str, str]) -> None:
    rows = [{"key": key, "value": value} for key, value in tags.items()]
    desk.save(FUNCTION, name, _function(desk, name) | {"tags": rows})
