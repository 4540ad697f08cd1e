"""CloudSSO in the accounts: what a principal gets there, and the access configurations that stand there for it.

An account has the policies of a configuration as they were when it was last provisioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import (
    SSO_ACCESS,
    SSO_ASSIGNMENT,
    SSO_DIRECTORY,
    SSO_GROUP,
    SSO_PROVISIONING,
    SSO_TASK,
)
from emulators.alicloud.resources import shown, status
from emulators.alicloud.tables import table
from emulators.store import Document

_sso = product("CloudSso")
_LAST = "DeprovisionForLastAccessAssignmentOnAccount"
_FILTERS = ("AccessConfigurationId", "PrincipalId", "PrincipalType", "TargetId", "TargetType")


@_sso("CreateAccessAssignment")
def create_assignment(call: Call) -> Answer:
    place, access, group = _place(call), SSO_ACCESS.named(call, "AccessConfigurationId"), _principal(call)
    fields = place | {"PrincipalType": "Group", "PrincipalId": group["id"]}
    if SSO_ASSIGNMENT.all(call, **fields):
        raise ApiError("EntityAlreadyExists.AccessAssignment", name=access["AccessConfigurationName"])
    named = {"AccessConfigurationName": access["AccessConfigurationName"], "PrincipalName": group["GroupName"]}
    SSO_ASSIGNMENT.create(call, **fields, **named, CreateTime=call.stamp)
    _provision(call, access, place)
    return {"Task": _task(call, **fields)}


@_sso("ListAccessAssignments")
def list_assignments(call: Call) -> Answer:
    directory = SSO_DIRECTORY.named(call, "DirectoryId")["id"]
    wanted = {name: call.get(name) for name in _FILTERS if call.get(name)}
    found = [shown(made) for made in SSO_ASSIGNMENT.all(call, DirectoryId=directory, **wanted)]
    return {"AccessAssignments": found, "TotalCounts": len(found), "IsTruncated": False}


@_sso("DeleteAccessAssignment")
def delete_assignment(call: Call) -> Answer:
    place = _place(call)
    fields = place | {name: call.need(name) for name in ("PrincipalType", "PrincipalId")}
    found = SSO_ASSIGNMENT.all(call, **fields)
    if not found:
        raise ApiError("EntityNotExists.AccessAssignment", id=fields["PrincipalId"])
    SSO_ASSIGNMENT.delete(call, found[0])
    kept = call.choice("DeprovisionStrategy", _LAST, "None", default=_LAST) == "None"
    if not kept and not SSO_ASSIGNMENT.all(call, **place):
        for provisioned in SSO_PROVISIONING.all(call, **place):
            SSO_PROVISIONING.delete(call, provisioned)
    return {"Task": _task(call, **fields)}


@_sso("ProvisionAccessConfiguration")
def provision(call: Call) -> Answer:
    place, access = _place(call), SSO_ACCESS.named(call, "AccessConfigurationId")
    _provision(call, access, place)
    return {"Tasks": [_task(call, **place)]}


@_sso("ListAccessConfigurationProvisionings")
def list_provisionings(call: Call) -> Answer:
    directory = SSO_DIRECTORY.named(call, "DirectoryId")["id"]
    wanted = {name: call.get(name) for name in _FILTERS if call.get(name)}
    found = [
        shown(made) | {"Status": "Provisioned"} for made in SSO_PROVISIONING.all(call, DirectoryId=directory, **wanted)
    ]
    return {"AccessConfigurationProvisionings": found, "TotalCounts": len(found), "IsTruncated": False}


@_sso("GetTaskStatus")
def get_task_status(call: Call) -> Answer:
    SSO_DIRECTORY.named(call, "DirectoryId")
    task = SSO_TASK.named(call, "TaskId")
    return {"TaskStatus": _shown(call, task)}


def _place(call: Call) -> dict[str, str]:
    """Return what says where something is given: directory, access configuration and account."""
    target = call.need("TargetId")
    call.choice("TargetType", "RD-Account")
    if target not in table("cloudsso")["accounts"]:
        raise ApiError("EntityNotExists.Target", id=target)
    return {
        "DirectoryId": SSO_DIRECTORY.named(call, "DirectoryId")["id"],
        "AccessConfigurationId": call.need("AccessConfigurationId"),
        "TargetType": "RD-Account",
        "TargetId": target,
    }


def _principal(call: Call) -> Document:
    if call.choice("PrincipalType", "Group", "User") == "User":
        raise ApiError("EntityNotExists.User", id=call.need("PrincipalId"))
    return SSO_GROUP.named(call, "PrincipalId")


def _provision(call: Call, access: Document, place: Mapping[str, Any]) -> None:
    found = SSO_PROVISIONING.all(call, **place)
    made = found[0] if found else SSO_PROVISIONING.create(call, **place, CreateTime=call.stamp)
    named = {"AccessConfigurationName": access["AccessConfigurationName"], "UpdateTime": call.stamp}
    SSO_PROVISIONING.save(call, made | named | {"policies": access["policies"]})


def _task(call: Call, **fields: Any) -> Answer:
    return _shown(call, SSO_TASK.create(call, TaskType=call.action, **fields))


def _shown(call: Call, task: Document) -> Answer:
    return shown(task) | {"TaskId": task["id"], "Status": status(call, task, "InProgress", "Success")}
