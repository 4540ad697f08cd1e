"""Projects of SLS, their tags and their policy."""

from __future__ import annotations

import json
import re
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.sls.desk import JOB_KIND, PROJECT_KIND, STORE_KIND, Desk, body_of
from emulators.alicloud.sls.errors import LogError
from emulators.http import Request

# SLS API reference, CreateProject: unique over all accounts, 3 to 63 characters.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_HIDDEN = ("tags", "policy")
MOST_TAGS = 20


def create(desk: Desk, request: Request, _: dict[str, str]) -> None:
    body = body_of(request)
    name = str(body.get("projectName", ""))
    if not _NAME.fullmatch(name):
        raise LogError("ParameterInvalid", name="projectName", rule="3 to 63 lower-case letters, digits and hyphens")
    if desk.store.get(PROJECT_KIND, name):
        raise LogError("ProjectAlreadyExist", name=name)
    desk.keep_project(
        {
            "projectName": name,
            "description": str(body.get("description") or ""),
            "region": desk.region,
            "status": "Normal",
            "owner": ACCOUNT_ID,
            "createTime": desk.stamp,
            "resourceGroupId": body.get("resourceGroupId") or "rg-acfmemulator",
            "dataRedundancyType": body.get("dataRedundancyType") or "LRS",
            "recycleBinEnabled": False,
            "tags": {},
            "policy": "",
        }
    )


def show_all(desk: Desk, request: Request, _: dict[str, str]) -> Any:
    wanted = request.query.get("projectName", "")
    found = [one for _, one in desk.store.all(PROJECT_KIND) if one["region"] == desk.region]
    named = [_shown(one) for one in found if wanted in one["projectName"]]
    offset, size = int(request.query.get("offset") or 0), int(request.query.get("size") or 100)
    rows = named[offset : offset + size]
    return {"count": len(rows), "total": len(named), "projects": rows}


def show(desk: Desk, _: Request, __: dict[str, str]) -> Any:
    return _shown(desk.project)


def update(desk: Desk, request: Request, _: dict[str, str]) -> None:
    desk.keep_project(desk.project | {"description": str(body_of(request).get("description") or "")})


def delete(desk: Desk, _request: Request, _parts: dict[str, str]) -> None:
    """Delete a project with everything in it, as the service does."""
    name = desk.project["projectName"]
    for kind in (STORE_KIND, JOB_KIND):
        for place, _ in desk.store.all(kind, f"{name}/"):
            desk.store.delete(kind, place)
    desk.store.delete(PROJECT_KIND, name)


def show_policy(desk: Desk, _: Request, __: dict[str, str]) -> str:
    return str(desk.project["policy"])


def put_policy(desk: Desk, request: Request, _: dict[str, str]) -> None:
    policy = body_of(request)
    if not policy.get("Statement"):
        raise LogError("ParameterInvalid", name="policy", rule="a policy with statements")
    desk.keep_project(desk.project | {"policy": request.body.decode()})


def delete_policy(desk: Desk, _: Request, __: dict[str, str]) -> None:
    desk.keep_project(desk.project | {"policy": ""})


def tag(desk: Desk, request: Request, _: dict[str, str]) -> None:
    body = body_of(request)
    added = {str(one["key"]): str(one["value"]) for one in body.get("tags") or []}
    for name in _named(body.get("resourceId")):
        project = desk.find_project(name)
        tags = project["tags"] | added
        if len(tags) > MOST_TAGS:
            raise LogError("ParameterInvalid", name="tags", rule=f"at most {MOST_TAGS}")
        desk.keep_project(project | {"tags": tags})


def untag(desk: Desk, request: Request, _: dict[str, str]) -> None:
    body = body_of(request)
    keys, everything = body.get("tags") or [], bool(body.get("all"))
    for name in _named(body.get("resourceId")):
        project = desk.find_project(name)
        kept = {key: value for key, value in project["tags"].items() if not everything and key not in keys}
        desk.keep_project(project | {"tags": kept})


def show_tags(desk: Desk, request: Request, _: dict[str, str]) -> Any:
    try:
        names = _named(json.loads(request.query.get("resourceId") or "[]"))
    except ValueError:
        raise LogError("ParameterInvalid", name="resourceId", rule="a JSON list") from None
    kind = request.query.get("resourceType") or "project"
    rows = [
        {"resourceType": kind, "resourceId": name, "tagKey": key, "tagValue": value}
        for name in names
        for key, value in desk.find_project(name)["tags"].items()
    ]
    return {"tagResources": rows, "nextToken": ""}


def _named(names: Any) -> list[str]:
    if not isinstance(names, list):
        raise LogError("ParameterInvalid", name="resourceId", rule="a list")
    return [str(name) for name in names]


def _shown(project: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in project.items() if name not in _HIDDEN}
