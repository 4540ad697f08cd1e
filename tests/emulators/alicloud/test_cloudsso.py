"""CloudSSO: one directory, which goes when it is empty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


@pytest.fixture
def directory(cloud: Cloud) -> str:
    """The account's directory."""
    ident: str = cloud("cloudsso", "CreateDirectory", DirectoryName="acme")["Directory"]["DirectoryId"]
    return ident


def test_an_account_has_one_directory_whose_second_factor_can_be_switched(cloud: Cloud, directory: str) -> None:
    with pytest.raises(Refusal, match=r"LimitExceeded\.Directory"):
        cloud("cloudsso", "CreateDirectory", DirectoryName="other")
    cloud("cloudsso", "SetMFAAuthenticationStatus", DirectoryId=directory, MFAAuthenticationStatus="Disabled")
    shown = cloud("cloudsso", "GetMFAAuthenticationStatus", DirectoryId=directory)
    assert shown["MFAAuthenticationStatus"] == "Disabled"


def test_a_directory_with_a_group_or_an_access_configuration_stays(cloud: Cloud, directory: str) -> None:
    group = cloud("cloudsso", "CreateGroup", DirectoryId=directory, GroupName="auditors")["Group"]["GroupId"]
    sent: Any = {"DirectoryId": directory, "AccessConfigurationName": "read", "SessionDuration": 1800}
    made = cloud("cloudsso", "CreateAccessConfiguration", **sent)["AccessConfiguration"]
    for left, action in (({"GroupId": group}, "DeleteGroup"), ({}, "DeleteAccessConfiguration")):
        with pytest.raises(Refusal, match=r"DeletionConflict\.Directory"):
            cloud("cloudsso", "DeleteDirectory", DirectoryId=directory)
        named = left or {"AccessConfigurationId": made["AccessConfigurationId"]}
        cloud("cloudsso", action, DirectoryId=directory, **named)
    cloud("cloudsso", "DeleteDirectory", DirectoryId=directory)
    with pytest.raises(Refusal, match=r"EntityNotExists\.Directory"):
        cloud("cloudsso", "GetDirectory", DirectoryId=directory)


def test_an_access_configuration_takes_policies_that_there_are(cloud: Cloud, directory: str) -> None:
    sent = {"DirectoryId": directory, "AccessConfigurationName": "read"}
    ident = cloud("cloudsso", "CreateAccessConfiguration", **sent)["AccessConfiguration"]["AccessConfigurationId"]
    place = {"DirectoryId": directory, "AccessConfigurationId": ident}
    policy = {"PermissionPolicyType": "System", "PermissionPolicyName": "ReadOnlyAccess"}
    cloud("cloudsso", "AddPermissionPolicyToAccessConfiguration", **place, **policy)
    unknown = policy | {"PermissionPolicyName": "Nothing"}
    with pytest.raises(Refusal, match=r"EntityNotExist\.Policy"):
        cloud("cloudsso", "AddPermissionPolicyToAccessConfiguration", **place, **unknown)
    assert cloud("cloudsso", "ListPermissionPoliciesInAccessConfiguration", **place)["PermissionPolicies"] == [policy]
    with pytest.raises(Refusal, match=r"DeletionConflict\.AccessConfiguration"):
        cloud("cloudsso", "DeleteAccessConfiguration", **place)
    cloud("cloudsso", "RemovePermissionPolicyFromAccessConfiguration", **place, **policy)
    cloud("cloudsso", "UpdateAccessConfiguration", **place, NewSessionDuration=900)
    assert cloud("cloudsso", "GetAccessConfiguration", **place)["AccessConfiguration"]["SessionDuration"] == 900
    cloud("cloudsso", "DeleteAccessConfiguration", **place)


ACCOUNT = "1234567890123456"


@pytest.fixture
def given(cloud: Cloud, directory: str) -> dict[str, str]:
    """What an assignment of a group's access names."""
    group = cloud("cloudsso", "CreateGroup", DirectoryId=directory, GroupName="auditors")["Group"]["GroupId"]
    sent = {"DirectoryId": directory, "AccessConfigurationName": "read"}
    access = cloud("cloudsso", "CreateAccessConfiguration", **sent)["AccessConfiguration"]["AccessConfigurationId"]
    where = {"TargetType": "RD-Account", "TargetId": ACCOUNT}
    whom = {"PrincipalType": "Group", "PrincipalId": group}
    return {"DirectoryId": directory, "AccessConfigurationId": access, **where, **whom}


def test_an_assignment_takes_its_time_and_holds_group_and_configuration(cloud: Cloud, given: dict[str, str]) -> None:
    place = {"DirectoryId": given["DirectoryId"]}
    task = cloud("cloudsso", "CreateAccessAssignment", **given)["Task"]
    assert task["Status"] == "InProgress"
    cloud.wait()
    shown = cloud("cloudsso", "GetTaskStatus", **place, TaskId=task["TaskId"])["TaskStatus"]
    assert (shown["Status"], shown["TaskType"]) == ("Success", "CreateAccessAssignment")
    with pytest.raises(Refusal, match=r"EntityAlreadyExists\.AccessAssignment"):
        cloud("cloudsso", "CreateAccessAssignment", **given)
    (assigned,) = cloud("cloudsso", "ListAccessAssignments", **given)["AccessAssignments"]
    assert (assigned["PrincipalName"], assigned["TargetId"]) == ("auditors", ACCOUNT)
    with pytest.raises(Refusal, match=r"DeletionConflict\.Group"):
        cloud("cloudsso", "DeleteGroup", **place, GroupId=given["PrincipalId"])
    access = {"AccessConfigurationId": given["AccessConfigurationId"]}
    with pytest.raises(Refusal, match=r"DeletionConflict\.AccessConfiguration\.AccessAssignment"):
        cloud("cloudsso", "DeleteAccessConfiguration", **place, **access)
    cloud("cloudsso", "DeleteAccessAssignment", **given, DeprovisionStrategy="None")
    with pytest.raises(Refusal, match=r"DeletionConflict\.AccessConfiguration\.Provisioning"):
        cloud("cloudsso", "DeleteAccessConfiguration", **place, **access)
    cloud("cloudsso", "CreateAccessAssignment", **given)
    cloud("cloudsso", "DeleteAccessAssignment", **given)
    assert cloud("cloudsso", "ListAccessConfigurationProvisionings", **place)["AccessConfigurationProvisionings"] == []
    cloud("cloudsso", "DeleteAccessConfiguration", **place, **access)
    with pytest.raises(Refusal, match=r"EntityNotExists\.AccessAssignment"):
        cloud("cloudsso", "DeleteAccessAssignment", **given)


def test_an_account_has_the_policies_that_were_provisioned_last(cloud: Cloud, given: dict[str, str]) -> None:
    def provisioned() -> list[str]:
        (document,) = (each for _, each in cloud.store.all("alicloud.sso_provisioning"))
        return [policy["PermissionPolicyName"] for policy in document["policies"]]

    place = {name: given[name] for name in ("DirectoryId", "AccessConfigurationId")}
    cloud("cloudsso", "CreateAccessAssignment", **given)
    policy = {"PermissionPolicyType": "System", "PermissionPolicyName": "ReadOnlyAccess"}
    cloud("cloudsso", "AddPermissionPolicyToAccessConfiguration", **place, **policy)
    assert provisioned() == []
    where = {"TargetType": "RD-Account", "TargetId": ACCOUNT}
    assert len(cloud("cloudsso", "ProvisionAccessConfiguration", **place, **where)["Tasks"]) == 1
    assert provisioned() == ["ReadOnlyAccess"]


def test_an_assignment_is_of_an_account_and_a_group_that_there_are(cloud: Cloud, given: dict[str, str]) -> None:
    wrong = {
        "EntityNotExists.Target": {"TargetId": "9999999999999999"},
        "EntityNotExists.Group": {"PrincipalId": "g-none"},
        "EntityNotExists.User": {"PrincipalType": "User", "PrincipalId": "u-none"},
        "EntityNotExists.AccessConfiguration": {"AccessConfigurationId": "ac-none"},
    }
    for code, change in wrong.items():
        with pytest.raises(Refusal, match=code):
            cloud("cloudsso", "CreateAccessAssignment", **given | change)
    names = [each["DirectoryName"] for each in cloud("cloudsso", "ListDirectories")["Directories"]]
    assert names == ["acme"]
