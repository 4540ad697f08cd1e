"""CloudSSO: a directory with its settings, groups and access configurations. What they get where: cloudsso_access."""

from __future__ import annotations

import re
from typing import Any

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import SSO_ACCESS, SSO_ASSIGNMENT, SSO_DIRECTORY, SSO_GROUP, SSO_PROVISIONING, SSO_TASK
from emulators.alicloud.products.ram.policies import system_policy
from emulators.alicloud.resources import change, shown
from emulators.alicloud.tables import table
from emulators.store import Document

_sso = product("CloudSso")


@_sso("CreateDirectory")
def create_directory(call: Call) -> Answer:
    if SSO_DIRECTORY.all(call):
        raise ApiError("LimitExceeded.Directory")
    name = call.get("DirectoryName")
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]", name):
        raise ApiError("InvalidParameter", name="DirectoryName", rule="2 to 64 lower-case letters, digits and -")
    made = SSO_DIRECTORY.create(
        call,
        DirectoryName=name,
        Region=call.region,
        CreateTime=call.stamp,
        UpdateTime=call.stamp,
        settings=table("cloudsso")["directory"],
    )
    return {"Directory": _directory(made)}


@_sso("GetDirectory")
def get_directory(call: Call) -> Answer:
    return {"Directory": _directory(SSO_DIRECTORY.named(call, "DirectoryId"))}


@_sso("ListDirectories")
def list_directories(call: Call) -> Answer:
    found = [_directory(made) for made in SSO_DIRECTORY.all(call)]
    return {"Directories": found, "TotalCounts": len(found)}


@_sso("UpdateDirectory")
def update_directory(call: Call) -> Answer:
    made = SSO_DIRECTORY.named(call, "DirectoryId")
    change(call, made, DirectoryName="NewDirectoryName")
    SSO_DIRECTORY.save(call, made | {"UpdateTime": call.stamp})
    return {"Directory": _directory(made)}


@_sso("DeleteDirectory")
def delete_directory(call: Call) -> Answer:
    made = SSO_DIRECTORY.named(call, "DirectoryId")
    for kind, what in ((SSO_GROUP, "Group"), (SSO_ACCESS, "AccessConfiguration")):
        if kind.all(call, DirectoryId=made["id"]):
            raise ApiError("DeletionConflict.Directory", what=what)
    for task in SSO_TASK.all(call, DirectoryId=made["id"]):
        SSO_TASK.delete(call, task)
    SSO_DIRECTORY.delete(call, made)
    return {}


@_sso("GetDirectorySAMLServiceProviderInfo")
def get_service_provider(call: Call) -> Answer:
    return {"SAMLServiceProvider": _setting(call, "SAMLServiceProvider")}


@_sso("GetPasswordPolicy")
def get_password_policy(call: Call) -> Answer:
    return {"PasswordPolicy": _setting(call, "PasswordPolicy")}


@_sso("GetExternalSAMLIdentityProvider")
def get_identity_provider(call: Call) -> Answer:
    return {"SAMLIdentityProviderConfiguration": _setting(call, "SAMLIdentityProviderConfiguration")}


@_sso("GetUserProvisioningConfiguration")
def get_provisioning(call: Call) -> Answer:
    return {"UserProvisioningConfiguration": _setting(call, "UserProvisioningConfiguration")}


@_sso("GetMFAAuthenticationSettingInfo")
def get_mfa_settings(call: Call) -> Answer:
    return {"MFAAuthenticationSettingInfo": _setting(call, "MFAAuthenticationSettingInfo")}


@_sso("GetLoginPreference")
def get_login_preference(call: Call) -> Answer:
    return {"LoginPreference": _setting(call, "LoginPreference")}


@_sso("GetSCIMSynchronizationStatus")
def get_scim_status(call: Call) -> Answer:
    return {"SCIMSynchronizationStatus": _setting(call, "SCIMSynchronizationStatus")}


@_sso("GetMFAAuthenticationStatus")
def get_mfa_status(call: Call) -> Answer:
    return {"MFAAuthenticationStatus": _setting(call, "MFAAuthenticationStatus")}


@_sso("GetDirectoryGlobalAccessStatus")
def get_global_access(call: Call) -> Answer:
    return {"GlobalAccessStatus": _setting(call, "GlobalAccessStatus")}


@_sso("SetMFAAuthenticationStatus")
def set_mfa_status(call: Call) -> Answer:
    made = SSO_DIRECTORY.named(call, "DirectoryId")
    status = call.choice("MFAAuthenticationStatus", "Enabled", "Disabled")
    SSO_DIRECTORY.save(call, made | {"settings": made["settings"] | {"MFAAuthenticationStatus": status}})
    return {}


@_sso("CreateGroup")
def create_group(call: Call) -> Answer:
    directory, name = SSO_DIRECTORY.named(call, "DirectoryId"), call.need("GroupName")
    if SSO_GROUP.all(call, DirectoryId=directory["id"], GroupName=name):
        raise ApiError("EntityAlreadyExists.Group", name=name)
    made = SSO_GROUP.create(
        call,
        DirectoryId=directory["id"],
        GroupName=name,
        Description=call.get("Description"),
        CreateTime=call.stamp,
        UpdateTime=call.stamp,
    )
    return {"Group": shown(made) | {"GroupId": made["id"]}}


@_sso("GetGroup")
def get_group(call: Call) -> Answer:
    made = SSO_GROUP.named(call, "GroupId")
    return {"Group": shown(made) | {"GroupId": made["id"]}}


@_sso("UpdateGroup")
def update_group(call: Call) -> Answer:
    made = SSO_GROUP.named(call, "GroupId")
    change(call, made, GroupName="NewGroupName", Description="NewDescription")
    SSO_GROUP.save(call, made | {"UpdateTime": call.stamp})
    return get_group(call)


@_sso("DeleteGroup")
def delete_group(call: Call) -> Answer:
    made = SSO_GROUP.named(call, "GroupId")
    if SSO_ASSIGNMENT.all(call, PrincipalId=made["id"]):
        raise ApiError("DeletionConflict.Group.AccessAssignment", name=made["GroupName"])
    SSO_GROUP.delete(call, made)
    return {}


@_sso("CreateAccessConfiguration")
def create_access(call: Call) -> Answer:
    directory, name = SSO_DIRECTORY.named(call, "DirectoryId"), call.need("AccessConfigurationName")
    if SSO_ACCESS.all(call, DirectoryId=directory["id"], AccessConfigurationName=name):
        raise ApiError("EntityAlreadyExists.AccessConfiguration", name=name)
    made = SSO_ACCESS.create(
        call,
        DirectoryId=directory["id"],
        AccessConfigurationName=name,
        SessionDuration=call.number("SessionDuration", 3600, low=900, high=43200),
        RelayState=call.get("RelayState"),
        Description=call.get("Description"),
        CreateTime=call.stamp,
        UpdateTime=call.stamp,
        policies=[],
    )
    return {"AccessConfiguration": shown(made) | {"AccessConfigurationId": made["id"]}}


@_sso("GetAccessConfiguration")
def get_access(call: Call) -> Answer:
    made = SSO_ACCESS.named(call, "AccessConfigurationId")
    return {"AccessConfiguration": shown(made) | {"AccessConfigurationId": made["id"]}}


@_sso("UpdateAccessConfiguration")
def update_access(call: Call) -> Answer:
    made = SSO_ACCESS.named(call, "AccessConfigurationId")
    change(call, made, Description="NewDescription", RelayState="NewRelayState")
    made["SessionDuration"] = call.number("NewSessionDuration", made["SessionDuration"], low=900, high=43200)
    SSO_ACCESS.save(call, made | {"UpdateTime": call.stamp})
    return get_access(call)


@_sso("DeleteAccessConfiguration")
def delete_access(call: Call) -> Answer:
    made = SSO_ACCESS.named(call, "AccessConfigurationId")
    for kind, what in ((SSO_ASSIGNMENT, "AccessAssignment"), (SSO_PROVISIONING, "Provisioning")):
        if kind.all(call, AccessConfigurationId=made["id"]):
            raise ApiError(f"DeletionConflict.AccessConfiguration.{what}", name=made["AccessConfigurationName"])
    if made["policies"] and not call.flag("ForceRemovePermissionPolicies"):
        raise ApiError("DeletionConflict.AccessConfiguration.PermissionPolicy", name=made["AccessConfigurationName"])
    SSO_ACCESS.delete(call, made)
    return {}


@_sso("AddPermissionPolicyToAccessConfiguration")
def add_policy(call: Call) -> Answer:
    made, policy = _access_policy(call)
    if policy["PermissionPolicyType"] == "System":
        system_policy(policy["PermissionPolicyName"])
    else:
        policy["PermissionPolicyDocument"] = call.need("InlinePolicyDocument")
    SSO_ACCESS.save(call, made | {"policies": [*_others(made, policy), policy]})
    return {}


@_sso("RemovePermissionPolicyFromAccessConfiguration")
def remove_policy(call: Call) -> Answer:
    made, policy = _access_policy(call)
    SSO_ACCESS.save(call, made | {"policies": _others(made, policy)})
    return {}


@_sso("ListPermissionPoliciesInAccessConfiguration")
def list_policies(call: Call) -> Answer:
    policies = SSO_ACCESS.named(call, "AccessConfigurationId")["policies"]
    return {"PermissionPolicies": policies, "TotalCounts": len(policies)}


def _directory(made: Document) -> Answer:
    return shown(made) | {"DirectoryId": made["id"]}


def _setting(call: Call, name: str) -> Any:
    return SSO_DIRECTORY.named(call, "DirectoryId")["settings"][name]


def _access_policy(call: Call) -> tuple[Document, dict[str, str]]:
    made = SSO_ACCESS.named(call, "AccessConfigurationId")
    kind = call.choice("PermissionPolicyType", "System", "Inline")
    return made, {"PermissionPolicyType": kind, "PermissionPolicyName": call.need("PermissionPolicyName")}


def _others(made: Document, policy: dict[str, str]) -> list[dict[str, str]]:
    name = policy["PermissionPolicyName"]
    return [item for item in made["policies"] if item["PermissionPolicyName"] != name]
