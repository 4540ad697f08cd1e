"""STS for tokens and assertions of identity providers: what is proven gets in, everything else doesn't."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pytest

from emulators.alicloud import oidc
from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal
from tests.federated import FINGERPRINT, RECIPIENT, Idp, encoded

ACCOUNT = "acs:ram::1234567890123456"
ROLE, OIDC, SAML = f"{ACCOUNT}:role/ship", f"{ACCOUNT}:oidc-provider/github", f"{ACCOUNT}:saml-provider/idp"
MAIN = "repo:acme/crm:ref:refs/heads/main"


def trust(principal: str, conditions: Mapping[str, object]) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Federated": [principal]},
        "Condition": conditions,
    }
    return json.dumps({"Version": "1", "Statement": [statement]})


@pytest.fixture(scope="module")
def idp() -> Idp:
    return Idp(1_790_000_000.0)


@pytest.fixture
def github(cloud: Cloud, idp: Idp) -> Cloud:
    """An account whose role `ship` trusts the main branch of one repository."""
    oidc.publish(cloud.store, idp.issuer, [idp.jwk()], FINGERPRINT)
    named = {"OIDCProviderName": "github", "IssuerUrl": idp.issuer, "ClientIds": "sts.aliyuncs.com"}
    cloud("ims", "CreateOIDCProvider", Fingerprints=FINGERPRINT, **named)
    conditions = {"StringEquals": {"oidc:iss": idp.issuer, "oidc:aud": "sts.aliyuncs.com", "oidc:sub": MAIN}}
    cloud("ram", "CreateRole", RoleName="ship", AssumeRolePolicyDocument=trust(OIDC, conditions))
    return cloud


def assume(cloud: Cloud, token: str) -> dict[str, object]:
    sent = {"RoleArn": ROLE, "OIDCProviderArn": OIDC, "OIDCToken": token, "RoleSessionName": "release"}
    answer: dict[str, object] = cloud("sts", "AssumeRoleWithOIDC", **sent)
    return answer


def test_a_token_of_the_named_branch_gets_temporary_keys(github: Cloud, idp: Idp) -> None:
    answer = assume(github, idp.token(MAIN))
    assert answer["AssumedRoleUser"]["Arn"] == f"{ACCOUNT}:assumed-role/ship/release"  # type: ignore[index]
    assert answer["OIDCTokenInfo"]["Subject"] == MAIN  # type: ignore[index]


@pytest.mark.parametrize(
    "subject",
    ["repo:acme/crm:ref:refs/heads/feature", "repo:other/crm:ref:refs/heads/main", "repo:acme/crm:pull_request"],
)
def test_another_branch_or_repository_is_denied(github: Cloud, idp: Idp, subject: str) -> None:
    with pytest.raises(Refusal, match="NoPermission"):
        assume(github, idp.token(subject))


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "somebody.else"}, "OIDCToken.Invalid"),
        ({"iss": "https://evil.example.com"}, "OIDCToken.Invalid"),
        ({"exp": 1_789_999_999.0}, "OIDCToken.Expired"),
        ({"iat": 1_789_900_000.0}, "OIDCToken.Expired"),
    ],
)
def test_a_token_for_others_or_out_of_time_is_no_proof(
    github: Cloud, idp: Idp, claims: dict[str, object], code: str
) -> None:
    with pytest.raises(Refusal, match=f"AuthenticationFail.{code}"):
        assume(github, idp.token(MAIN, **claims))


def test_a_token_that_another_key_signed_is_no_proof(github: Cloud) -> None:
    with pytest.raises(Refusal, match=r"OIDCToken\.Invalid"):
        assume(github, Idp(1_790_000_000.0).token(MAIN))


def test_an_issuer_behind_another_certificate_is_not_believed(github: Cloud, idp: Idp) -> None:
    oidc.publish(github.store, idp.issuer, [idp.jwk()], "0" * 40)
    with pytest.raises(Refusal, match=r"IdP\.Fingerprint"):
        assume(github, idp.token(MAIN))


@pytest.fixture
def sso(cloud: Cloud, idp: Idp) -> Cloud:
    """An account whose role `ship` trusts a SAML provider."""
    metadata = base64.b64encode(idp.metadata().encode()).decode()
    cloud("ims", "CreateSAMLProvider", SAMLProviderName="idp", EncodedSAMLMetadataDocument=metadata)
    conditions = {"StringEquals": {"saml:recipient": RECIPIENT}}
    cloud("ram", "CreateRole", RoleName="ship", AssumeRolePolicyDocument=trust(SAML, conditions))
    return cloud


def sign_on(cloud: Cloud, assertion: str) -> dict[str, object]:
    sent = {"RoleArn": ROLE, "SAMLProviderArn": SAML, "SAMLAssertion": assertion}
    answer: dict[str, object] = cloud("sts", "AssumeRoleWithSAML", **sent)
    return answer


def test_a_signed_assertion_gets_temporary_keys_in_its_session_s_name(sso: Cloud, idp: Idp) -> None:
    answer = sign_on(sso, encoded(idp.response(ROLE, SAML)))
    assert answer["AssumedRoleUser"]["Arn"] == f"{ACCOUNT}:assumed-role/ship/li.lei"  # type: ignore[index]
    assert answer["SAMLAssertionInfo"]["Recipient"] == RECIPIENT  # type: ignore[index]


def test_an_assertion_that_was_changed_or_that_another_signed_is_no_proof(sso: Cloud, idp: Idp) -> None:
    changed = idp.response(f"{ACCOUNT}:role/reader", SAML)
    text = encoded(changed)
    forged = base64.b64decode(text).replace(b"role/reader", b"role/ship")
    with pytest.raises(Refusal, match="changed after it was signed"):
        sign_on(sso, base64.b64encode(forged).decode())
    with pytest.raises(Refusal, match="no certificate"):
        sign_on(sso, encoded(Idp(idp.now).response(ROLE, SAML)))


def test_an_assertion_for_another_role_audience_or_time_is_refused(sso: Cloud, idp: Idp) -> None:
    with pytest.raises(Refusal, match="NoPermission"):
        sign_on(sso, encoded(idp.response(f"{ACCOUNT}:role/reader", SAML)))
    with pytest.raises(Refusal, match="it isn't for"):
        sign_on(sso, encoded(idp.response(ROLE, SAML, audience="urn:amazon:webservices")))
    with pytest.raises(Refusal, match="it has ended"):
        sign_on(sso, encoded(idp.response(ROLE, SAML, seconds=-1)))


def test_a_second_factor_that_a_role_demands_is_not_brought_by_an_access_key(cloud: Cloud) -> None:
    principal = {"RAM": [f"{ACCOUNT}:root"]}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    document = {"Version": "1", "Statement": [statement | {"Condition": {"Bool": {"acs:MFAPresent": "true"}}}]}
    cloud("ram", "CreateRole", RoleName="ship", AssumeRolePolicyDocument=json.dumps(document))
    with pytest.raises(Refusal, match="NoPermission"):
        cloud("sts", "AssumeRole", RoleArn=ROLE, RoleSessionName="me")
