"""RAM and IMS: roles, policies, users, groups, account settings."""

from __future__ import annotations

import json

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal

TRUST = json.dumps(
    {
        "Version": "1",
        "Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": ["oss.aliyuncs.com"]}}],
    }
)
POLICY = json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["oss:*"], "Resource": ["*"]}]})


@pytest.fixture
def role(cloud: Cloud) -> str:
    """A role."""
    cloud("ram", "CreateRole", RoleName="Shipper", AssumeRolePolicyDocument=TRUST)
    return "Shipper"


@pytest.fixture
def policy(cloud: Cloud) -> str:
    """A custom policy with one version."""
    cloud("ram", "CreatePolicy", PolicyName="Ship", PolicyDocument=POLICY)
    return "Ship"


def test_a_role_s_name_is_taken_whatever_its_letter_case(cloud: Cloud, role: str) -> None:
    with pytest.raises(Refusal) as refused:
        cloud("ram", "CreateRole", RoleName="shipper", AssumeRolePolicyDocument=TRUST)
    assert (refused.value.status, refused.value.code) == (409, "EntityAlreadyExists.Role")


def test_a_role_is_shown_changed_and_tagged_as_the_provider_sends_it(cloud: Cloud, role: str) -> None:
    shown = cloud("ram", "GetRole", RoleName=role)["Role"]
    assert shown["Arn"] == "acs:ram::1234567890123456:role/Shipper"
    assert (shown["AssumeRolePolicyDocument"], shown["MaxSessionDuration"]) == (TRUST, 3600)
    cloud("ram", "UpdateRole", RoleName=role, NewDescription="ships", NewMaxSessionDuration=7200)
    tags = json.dumps([{"Key": "team", "Value": "crm"}])
    cloud("ram", "TagResources", ResourceType="role", ResourceNames='["Shipper"]', Tag=tags)
    rows = cloud("ram", "ListTagResources", ResourceType="role", ResourceNames='["Shipper"]')["TagResources"]
    assert [(row["TagKey"], row["TagValue"]) for row in rows] == [("team", "crm")]
    cloud("ram", "UntagResources", ResourceType="role", ResourceNames='["Shipper"]', TagKeys='["team"]')
    assert cloud("ram", "ListTagResources", ResourceType="role")["TagResources"] == []
    assert cloud("ram", "GetRole", RoleName=role)["Role"]["Description"] == "ships"


@pytest.mark.parametrize("document", ["{}", "[]", "no", '{"Version": "1", "Statement": [{"Effect": "Allow"}]}'])
def test_what_is_no_policy_document_is_refused(cloud: Cloud, document: str) -> None:
    with pytest.raises(Refusal, match="MalformedPolicyDocument"):
        cloud("ram", "CreatePolicy", PolicyName="p", PolicyDocument=document)
    with pytest.raises(Refusal, match="MalformedPolicyDocument"):
        cloud("ram", "CreateRole", RoleName="r", AssumeRolePolicyDocument=document)


def test_a_policy_keeps_five_versions_and_rotates_the_oldest(cloud: Cloud, policy: str) -> None:
    for _ in range(4):
        cloud("ram", "CreatePolicyVersion", PolicyName=policy, PolicyDocument=POLICY)
    sent = {"PolicyName": policy, "PolicyDocument": POLICY.replace("oss:*", "oss:Get*"), "SetAsDefault": "true"}
    with pytest.raises(Refusal, match=r"LimitExceeded\.Policy\.Version"):
        cloud("ram", "CreatePolicyVersion", **sent)
    strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
    cloud("ram", "CreatePolicyVersion", RotateStrategy=strategy, **sent)
    rows = cloud("ram", "ListPolicyVersions", PolicyName=policy)["PolicyVersions"]["PolicyVersion"]
    assert [(row["VersionId"], row["IsDefaultVersion"]) for row in rows] == [
        ("v1", False),
        ("v3", False),
        ("v4", False),
        ("v5", False),
        ("v6", True),
    ]
    shown = cloud("ram", "GetPolicy", PolicyName=policy, PolicyType="Custom")
    assert "oss:Get*" in shown["DefaultPolicyVersion"]["PolicyDocument"]
    with pytest.raises(Refusal, match=r"DeleteConflict\.Policy\.Version\.Default"):
        cloud("ram", "DeletePolicyVersion", PolicyName=policy, VersionId="v6")


def test_an_attachment_holds_role_and_policy(cloud: Cloud, role: str, policy: str) -> None:
    sent = {"RoleName": role, "PolicyName": policy, "PolicyType": "Custom"}
    cloud("ram", "AttachPolicyToRole", **sent)
    with pytest.raises(Refusal, match=r"EntityAlreadyExists\.Role\.Policy"):
        cloud("ram", "AttachPolicyToRole", **sent)
    with pytest.raises(Refusal, match=r"DeleteConflict\.Role\.Policy"):
        cloud("ram", "DeleteRole", RoleName=role)
    with pytest.raises(Refusal, match=r"DeleteConflict\.Policy\.Role"):
        cloud("ram", "DeletePolicy", PolicyName=policy)
    rows = cloud("ram", "ListPoliciesForRole", RoleName=role)["Policies"]["Policy"]
    assert [(row["PolicyName"], row["PolicyType"]) for row in rows] == [("Ship", "Custom")]
    entities = cloud("ram", "ListEntitiesForPolicy", PolicyName=policy, PolicyType="Custom")
    assert [row["RoleName"] for row in entities["Roles"]["Role"]] == [role]
    assert cloud("ram", "GetPolicy", PolicyName=policy, PolicyType="Custom")["Policy"]["AttachmentCount"] == 1
    cloud("ram", "DetachPolicyFromRole", **sent)
    with pytest.raises(Refusal, match=r"EntityNotExist\.Role\.Policy"):
        cloud("ram", "DetachPolicyFromRole", **sent)
    cloud("ram", "DeleteRole", RoleName=role)
    cloud("ram", "DeletePolicy", PolicyName=policy)


def test_a_cascading_delete_detaches_first(cloud: Cloud, role: str, policy: str) -> None:
    cloud("ram", "AttachPolicyToRole", RoleName=role, PolicyName=policy, PolicyType="Custom")
    cloud("ram", "DeletePolicy", PolicyName=policy, CascadingDelete="true")
    assert cloud("ram", "ListPoliciesForRole", RoleName=role)["Policies"]["Policy"] == []


def test_system_policies_are_there_to_be_attached_and_others_are_not(cloud: Cloud, role: str) -> None:
    sent = {"RoleName": role, "PolicyType": "System"}
    cloud("ram", "AttachPolicyToRole", PolicyName="AliyunOSSReadOnlyAccess", **sent)
    with pytest.raises(Refusal, match=r"EntityNotExist\.Policy"):
        cloud("ram", "AttachPolicyToRole", PolicyName="AliyunMagicFullAccess", **sent)


def test_users_and_groups_hold_each_other(cloud: Cloud) -> None:
    cloud("ram", "CreateUser", UserName="li.lei", DisplayName="李雷")
    cloud("ram", "CreateGroup", GroupName="ops")
    cloud("ram", "AddUserToGroup", UserName="li.lei", GroupName="ops")
    for action, name, value, code in (
        ("DeleteUser", "UserName", "li.lei", "DeleteConflict.User.Group"),
        ("DeleteGroup", "GroupName", "ops", "DeleteConflict.Group.User"),
    ):
        with pytest.raises(Refusal) as refused:
            cloud("ram", action, **{name: value})
        assert refused.value.code == code
    rows = cloud("ram", "ListUsersForGroup", GroupName="ops")["Users"]["User"]
    assert [row["DisplayName"] for row in rows] == ["李雷"]
    cloud("ram", "RemoveUserFromGroup", UserName="li.lei", GroupName="ops")
    cloud("ram", "DeleteGroup", GroupName="ops")
    cloud("ram", "DeleteUser", UserName="li.lei")


def test_lists_are_cut_by_marker(cloud: Cloud) -> None:
    for number in range(3):
        cloud("ram", "CreateUser", UserName=f"u{number}")
    first = cloud("ram", "ListUsers", MaxItems=2)
    assert first["IsTruncated"] is True
    second = cloud("ram", "ListUsers", MaxItems=2, Marker=first["Marker"])
    assert second["IsTruncated"] is False
    assert [user["UserName"] for user in second["Users"]["User"]] == ["u2"]


def test_account_settings_start_at_their_defaults_and_keep_what_is_set(cloud: Cloud) -> None:
    cloud("ims", "SetSecurityPreference", MFAOperationForLogin="mandatory", LoginSessionDuration=4)
    shown = cloud("ims", "GetSecurityPreference")["SecurityPreference"]["LoginProfilePreference"]
    assert (shown["MFAOperationForLogin"], shown["LoginSessionDuration"]) == ("mandatory", 4)
    assert shown["AllowUserToChangePassword"] is True
    cloud("ims", "SetPasswordPolicy", MinimumPasswordLength=14, RequireNumbers="false")
    policy = cloud("ims", "GetPasswordPolicy")["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireNumbers"]) == (14, False)
    cloud("ram", "SetPasswordPolicy", HardExpiry="true")
    assert cloud("ims", "GetPasswordPolicy")["PasswordPolicy"]["HardExpire"] is True
    cloud("ram", "SetPasswordPolicy", MinimumPasswordLength=12, RequireNumbers="true", HardExpiry="false")
    assert cloud.store.get("alicloud.account_settings", "password_policy") is None
    assert cloud("ram", "GetAccountAlias")["AccountAlias"] == "1234567890123456"
    cloud("ram", "SetAccountAlias", AccountAlias="acme-cn")
    assert cloud("ram", "GetAccountAlias")["AccountAlias"] == "acme-cn"
