"""Signatures: the published examples, what the gateway refuses, and temporary keys."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.alicloud.signature import headers_to_sign, parameters_to_sign, sign_parameters
from emulators.http import Request
from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal, sign

TRUST = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"RAM": ["acs:ram::1234567890123456:root"]},
            }
        ],
    }
)


def test_the_published_example_of_signature_version_one() -> None:
    """Alibaba Cloud SDK, "Request structure and signature V1.0" (RPC style), the DescribeRegions example."""
    parameters = {
        "Timestamp": "2016-02-23T12:46:24Z",
        "Format": "XML",
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "Version": "2014-05-26",
        "SignatureVersion": "1.0",
    }
    text = parameters_to_sign("GET", parameters)
    assert sign_parameters(text, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_the_published_example_of_signature_version_three() -> None:
    """Alibaba Cloud SDK, "Request structure and signature V3", the RunInstances example."""
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": empty,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    target = "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    request = Request("POST", headers["host"], target, headers)
    text = headers_to_sign(request, list(headers), empty)
    expected = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    assert hmac.new(b"YourAccessKeySecret", text.encode(), hashlib.sha256).hexdigest() == expected


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=6))
def test_any_parameters_are_signed_as_an_independent_signer_does(parameters: dict[str, str]) -> None:
    parameters = {key: value for key, value in parameters.items() if key != "Signature"}
    assert sign_parameters(parameters_to_sign("POST", parameters), "s") == sign("POST", parameters, "s")


def test_a_wrong_secret_gets_the_gateway_s_own_error(cloud: Cloud) -> None:
    cloud.secret = "not it"
    with pytest.raises(Refusal) as refused:
        cloud("sts", "GetCallerIdentity")
    assert (refused.value.status, refused.value.code) == (400, "SignatureDoesNotMatch")
    assert "server string to sign is:POST&%2F&" in refused.value.message
    assert set(refused.value.body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert refused.value.body["HostId"] == "sts.cn-shanghai.aliyuncs.com"


def test_an_unknown_access_key_is_not_found(cloud: Cloud) -> None:
    cloud.key = "LTAInobody"
    with pytest.raises(Refusal) as refused:
        cloud("sts", "GetCallerIdentity")
    assert (refused.value.status, refused.value.code) == (404, "InvalidAccessKeyId.NotFound")


@pytest.mark.parametrize("missing", ["Signature", "SignatureNonce", "Timestamp", "SignatureVersion"])
def test_a_signature_with_a_part_missing_is_incomplete(cloud: Cloud, missing: str) -> None:
    parameters = cloud.parameters("sts", "GetCallerIdentity", {})
    parameters["Signature"] = sign("GET", parameters, ACCESS_KEY_SECRET)
    del parameters[missing]
    answer = cloud.api.handle(Request("GET", "sts.aliyuncs.com", f"/?{urlencode(parameters)}"))
    assert json.loads(answer.body)["Code"] == "IncompleteSignature"


def test_a_request_is_taken_once_and_only_while_it_is_fresh(cloud: Cloud) -> None:
    parameters = cloud.parameters("sts", "GetCallerIdentity", {})
    parameters["Signature"] = sign("GET", parameters, ACCESS_KEY_SECRET)
    request = Request("GET", "sts.aliyuncs.com", f"/?{urlencode(parameters)}")
    assert cloud.api.handle(request).status == 200
    assert json.loads(cloud.api.handle(request).body)["Code"] == "SignatureNonceUsed"
    cloud.wait(901)
    assert json.loads(cloud.api.handle(request).body)["Code"] == "InvalidTimeStamp.Expired"


def test_header_signatures_open_the_account_too_and_cover_the_body(cloud: Cloud) -> None:
    body = urlencode({"RegionId": "cn-shanghai", "PageSize": "50"}).encode()
    headers = {
        "host": "vpc.cn-shanghai.aliyuncs.com",
        "x-acs-action": "DescribeVpcs",
        "x-acs-version": "2016-04-28",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": datetime.fromtimestamp(cloud.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": "acs3-1",
        "content-type": "application/x-www-form-urlencoded",
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\nVpcName={quote('网络 1')}\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(ACCESS_KEY_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={ACCESS_KEY_ID},SignedHeaders={names},Signature={signature}"
    )
    request = Request("POST", headers["host"], f"/?VpcName={quote('网络 1')}", headers, body)
    answer = cloud.api.handle(request)
    assert json.loads(answer.body)["PageSize"] == 50
    changed = Request("POST", headers["host"], request.target, headers, body + b"0")
    assert json.loads(cloud.api.handle(changed).body)["Code"] == "IncompleteSignature"


def test_temporary_keys_of_a_role_work_with_their_token_until_they_expire(cloud: Cloud) -> None:
    cloud("ram", "CreateRole", RoleName="deployer", AssumeRolePolicyDocument=TRUST)
    arn = "acs:ram::1234567890123456:role/deployer"
    answer = cloud("sts", "AssumeRole", RoleArn=arn, RoleSessionName="release-7", DurationSeconds=900)
    keys = answer["Credentials"]
    cloud.key, cloud.secret = keys["AccessKeyId"], keys["AccessKeySecret"]
    with pytest.raises(Refusal, match="MissingSecurityToken"):
        cloud("sts", "GetCallerIdentity")
    cloud.token = "another"
    with pytest.raises(Refusal, match="MismatchWithAccessKey"):
        cloud("sts", "GetCallerIdentity")
    cloud.token = keys["SecurityToken"]
    who = cloud("sts", "GetCallerIdentity")
    assert who["IdentityType"] == "AssumedRoleUser"
    assert who["Arn"] == "acs:ram::1234567890123456:assumed-role/deployer/release-7"
    cloud.wait(901)
    with pytest.raises(Refusal, match=r"InvalidSecurityToken\.Expired"):
        cloud("sts", "GetCallerIdentity")


def test_a_role_that_trusts_only_a_service_lets_nobody_in(cloud: Cloud) -> None:
    trust = TRUST.replace('"RAM": ["acs:ram::1234567890123456:root"]', '"Service": ["ecs.aliyuncs.com"]')
    cloud("ram", "CreateRole", RoleName="service", AssumeRolePolicyDocument=trust)
    with pytest.raises(Refusal, match="NoPermission"):
        cloud("sts", "AssumeRole", RoleArn="acs:ram::1234567890123456:role/service", RoleSessionName="me")


def test_a_user_s_access_key_works_until_it_is_disabled(cloud: Cloud) -> None:
    cloud("ram", "CreateUser", UserName="ci")
    made = cloud("ram", "CreateAccessKey", UserName="ci")["AccessKey"]
    own = cloud.key, cloud.secret
    cloud.key, cloud.secret = made["AccessKeyId"], made["AccessKeySecret"]
    assert cloud("sts", "GetCallerIdentity")["Arn"] == "acs:ram::1234567890123456:user/ci"
    mine, (cloud.key, cloud.secret) = (cloud.key, cloud.secret), own
    cloud("ram", "UpdateAccessKey", UserName="ci", UserAccessKeyId=mine[0], Status="Inactive")
    cloud.key, cloud.secret = mine
    with pytest.raises(Refusal, match=r"InvalidAccessKeyId\.Inactive"):
        cloud("sts", "GetCallerIdentity")
