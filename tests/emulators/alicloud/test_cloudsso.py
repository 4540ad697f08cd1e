"""CloudSSO: one directory, which goes when it is empty."""

from __future__ import annotations

import pytest
from rpc_cloud import Cloud, Refusal


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
    sent = {"DirectoryId": directory, "AccessConfigurationName": "read", "SessionDuration": 1800}
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
