"""Who gets in to Alibaba Cloud itself: roles, their trust and their rights, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.roles import roles
from infra.settings import read_settings
from kit.problems import Refused
from tests.federated import FINGERPRINT, Idp

ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}
MOST_CHARACTERS = 6144  # of a custom policy: RAM, "Limits"
GITHUB = {"name": "release", "host": "github", "repository": "acme/crm", "branch": "main"}
JOB: dict[str, Any] = GITHUB | {"fingerprints": [FINGERPRINT]}


def section(*jobs: dict[str, Any], **more: Any) -> dict[str, str]:
    return {"sfoa:console": json.dumps({"ci": jobs, **more})}


def statement_of(role: Any) -> dict[str, Any]:
    (statement,) = json.loads(role.inputs["assumeRolePolicyDocument"])["Statement"]
    found: dict[str, Any] = statement
    return found


@pytest.fixture(scope="module")
def signed_on(stand: Any) -> Any:
    """The local stack with SAML, and jobs on each host."""
    gitlab = JOB | {"name": "lab", "host": "gitlab", "repository": "acme/it/crm", "branch": "release/*"}
    flow = {"name": "flow", "host": "yunxiao", "issuer": "https://flow.example.cn", "subject": "pipeline:42"}
    place = {"name": "live", "host": "github", "repository": "acme/crm", "environment": "production"}
    hosts = {"name": "check", "host": "instance", "rights": "validator"}
    jobs = [JOB, gitlab, flow | {"fingerprints": [FINGERPRINT]}, place | {"fingerprints": ["0" * 40]}, hosts]
    return stand("local", section(*jobs, saml=Idp(0).metadata()))


def test_people_come_in_through_the_saml_provider_alone(signed_on: Any) -> None:
    for name in (name for name, rights in roles().items() if rights.people):
        statement = statement_of(signed_on.of("Role")[f"console-{name}"])
        assert statement["Principal"] == {
            "Federated": ["acs:ram::1234567890123456:saml-provider/acme-local-console-saml"]
        }
        assert statement["Condition"] == {"StringEquals": {"saml:recipient": "https://signin.aliyun.com/saml-role/sso"}}


def test_without_a_saml_provider_a_second_factor_is_demanded(stand: Any) -> None:
    statement = statement_of(stand("local").of("Role")["console-platform"])
    assert statement["Principal"] == {"RAM": ["acs:ram::1234567890123456:root"]}
    assert statement["Condition"] == {"Bool": {"acs:MFAPresent": "true"}}


@pytest.mark.parametrize(
    ("name", "operator", "subject"),
    [
        ("release", "StringEquals", "repo:acme/crm:ref:refs/heads/main"),
        ("live", "StringEquals", "repo:acme/crm:environment:production"),
        ("lab", "StringLike", "project_path:acme/it/crm:ref_type:branch:ref:release/*"),
        ("flow", "StringEquals", "pipeline:42"),
    ],
)
def test_jobs_come_in_by_issuer_audience_and_subject(signed_on: Any, name: str, operator: str, subject: str) -> None:
    condition = statement_of(signed_on.of("Role")[f"console-ci-{name}"])["Condition"]
    assert condition[operator]["oidc:sub"] == [subject]
    assert condition["StringEquals"]["oidc:aud"] == ["sts.aliyuncs.com"]
    assert condition["StringEquals"]["oidc:iss"][0].startswith("https://")


def test_jobs_on_instances_come_in_by_the_role_that_the_instance_was_given(signed_on: Any) -> None:
    statement = statement_of(signed_on.of("Role")["console-ci-check"])
    assert statement["Principal"] == {"Service": ["ecs.aliyuncs.com"]}
    assert "Condition" not in statement
    attached = signed_on.of("RolePolicyAttachment")["console-ci-check-validator"].inputs
    assert attached["policyName"] == "acme-local-console-validator"


def test_each_issuer_has_one_provider_with_every_fingerprint(signed_on: Any) -> None:
    providers = signed_on.of("OidcProvider")
    assert set(providers) == {
        "console-token-actions-githubusercontent-com",
        "console-gitlab-com",
        "console-flow-example-cn",
    }
    github = providers["console-token-actions-githubusercontent-com"].inputs
    assert github["fingerprints"] == ["0" * 40, FINGERPRINT]


def test_the_release_runner_names_its_buckets_and_key_and_can_delete_nothing(signed_on: Any) -> None:
    policy = json.loads(signed_on.of("Policy")["console-release-runner"].inputs["policyDocument"])
    allowed = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    resources = " ".join(resource for statement in allowed for resource in statement["Resource"])
    for part in ("releases", "ledger", "backups"):
        assert f"acme-local-{part}-" in resources
    assert "acme-local-logs" not in resources
    assert "key/storage-key-id" in resources
    assert not any("Delete" in action or "*" in action for statement in allowed for action in statement["Action"])


def test_the_validator_of_merge_requests_reads_and_no_person_has_its_role(signed_on: Any) -> None:
    allowed = [action for each in roles()["validator"].statements if each.effect == "Allow" for action in each.actions]
    assert sorted(allowed) == ["kms:Decrypt", "oss:GetObject", "oss:ListObjects"]
    assert "console-validator" not in signed_on.of("Role")


def test_no_role_may_everything_and_every_policy_fits(signed_on: Any) -> None:
    policies = {name: policy for name, policy in signed_on.of("Policy").items() if name.startswith("console-")}
    assert set(policies) == {"console-platform", "console-release-runner", "console-auditor", "console-validator"}
    for policy in policies.values():
        text = policy.inputs["policyDocument"]
        assert len(text) <= MOST_CHARACTERS
        assert "{" not in "".join(item for each in json.loads(text)["Statement"] for item in each["Resource"])
    attached = {item.inputs["policyName"] for item in signed_on.of("RolePolicyAttachment").values()}
    assert attached & {"ReadOnlyAccess", "AliyunSupportFullAccess"}
    assert "AdministratorAccess" not in attached
    assert not signed_on.of("AccessKey")


def test_the_contract_names_every_role(signed_on: Any) -> None:
    named = signed_on.contract["identity_roles"]
    assert named["ci-lab"] == "acs:ram::1234567890123456:role/acme-local-console-ci-lab"
    assert {"platform", "release-runner", "auditor", "support"} <= set(named)
    assert "console" not in signed_on.contract["absent"]


def test_the_security_preference_demands_mfa_and_keeps_keys_out_of_reach(stand: Any) -> None:
    (preference,) = stand("example-production").of("SecurityPreference").values()
    assert preference.inputs["mfaOperationForLogin"] == "mandatory"
    assert preference.inputs["allowUserToManageAccessKeys"] is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repository": "acme/*"}, "a wildcard over repositories"),
        ({"repository": "acme"}, "not a repository"),
        ({"branch": "*"}, "not one branch"),
        ({"branch": None}, "one of branch and environment"),
        ({"environment": "production"}, "one of branch and environment"),
        ({"host": "gitlab", "branch": None, "environment": "production"}, "environment"),
        ({"host": "yunxiao"}, "no issuer for yunxiao"),
        ({"host": "yunxiao", "issuer": "https://flow.example.cn"}, "no subject"),
        ({"subject": "repo:acme/*:ref:refs/heads/main", "repository": None, "branch": None}, "not one subject"),
        ({"subject": "repo:acme/crm"}, "subject beside repository"),
        ({"fingerprints": []}, "no fingerprints"),
        ({"host": "instance"}, "branch, fingerprints, repository beside host: instance"),
    ],
)
def test_a_role_that_more_than_one_repository_could_get_is_refused(
    config: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        read_settings(config("local") | section({k: v for k, v in (JOB | change).items() if v is not None}), ACCOUNT)


def test_two_roles_of_one_name_and_an_administrator_of_every_account_are_refused(config: Any) -> None:
    with pytest.raises(Refused, match="named twice"):
        read_settings(config("local") | section(JOB, JOB), ACCOUNT)
    sso = {"directory": "acme", "access": [{"name": "all", "policies": ["AdministratorAccess"]}]}
    with pytest.raises(Refused, match="everything in every account"):
        read_settings(config("local") | section(cloud_sso=sso), ACCOUNT)


SSO: dict[str, Any] = {
    "directory": "acme-crm",
    "groups": ["auditors", "operators"],
    "access": [{"name": "read", "policies": ["ReadOnlyAccess"]}, {"name": "logs", "policies": ["AliyunLogFullAccess"]}],
    "assignments": [
        {"group": "auditors", "access": "read", "accounts": ["1234567890123456", "1234567890123457"]},
        {"group": "operators", "access": "logs"},
    ],
}


def test_groups_get_access_in_accounts_and_nobody_gets_any_directly(stand: Any) -> None:
    assigned = stand("local", section(cloud_sso=SSO)).of("AccessManagement")
    assert set(assigned) == {
        "console-auditors/read/1234567890123456",
        "console-auditors/read/1234567890123457",
        "console-operators/logs/1234567890123456",
    }
    for name, each in assigned.items():
        assert (each.inputs["principalType"], each.inputs["targetType"]) == ("Group", "RD-Account")
        assert each.inputs["targetId"] == name.rpartition("/")[2]
        assert each.provider == ""


def test_cloud_sso_stands_in_shanghai_wherever_the_stack_does(stand: Any) -> None:
    network = {"cidr": "10.20.0.0/16", "zones": [f"cn-beijing-{zone}" for zone in "fgh"]}
    moved = {"alicloud:region": "cn-beijing", "sfoa:network": json.dumps(network), "sfoa:integration": "null"}
    standing = stand("local", moved | section(cloud_sso=SSO))
    (provider,) = (each for each in standing.resources if each.name == "console-sso")
    assert provider.inputs["region"] == "cn-shanghai"
    made = [each for each in standing.resources if ":cloudsso/" in each.type]
    assert len(made) == 8
    assert all(each.provider.startswith(provider.urn) for each in made)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"groups": ["operators"]}, "no group auditors"),
        ({"access": SSO["access"][:1]}, "no access logs"),
        ({"assignments": [SSO["assignments"][1]] * 2}, "operators and logs stand together twice"),
        (
            {"assignments": [SSO["assignments"][1] | {"accounts": ["1234567890123457"] * 2}]},
            "an account is named twice",
        ),
        ({"assignments": [{"user": "mia", "access": "logs"}]}, "user: not a setting"),
        ({"access": [{"name": "logs", "policies": ["AliyunRAMFullAccess"]}], "assignments": []}, "AliyunRAMFullAccess"),
    ],
)
def test_an_assignment_of_what_there_is_not_or_of_too_much_is_refused(
    config: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_settings(config("local") | section(cloud_sso=SSO | change), ACCOUNT)
    assert said in "; ".join(problem.what for problem in refused.value.problems)
