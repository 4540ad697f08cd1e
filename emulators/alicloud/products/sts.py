"""STS: who am I, and temporary AccessKeys for roles: for AccessKeys, OIDC tokens and SAML assertions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulators.alicloud import oidc, saml
from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import OIDC_PROVIDER, ROLE, SAML_PROVIDER
from emulators.alicloud.products.ram.documents import policy_document
from emulators.alicloud.resources import Kind
from emulators.alicloud.sessions import hand_out, trusts
from emulators.store import Document

_sts = product("Sts")


@_sts("GetCallerIdentity")
def get_caller_identity(call: Call) -> Answer:
    caller = call.caller
    answer = {
        "AccountId": ACCOUNT_ID,
        "Arn": caller.arn,
        "IdentityType": caller.kind,
        "PrincipalId": caller.principal_id,
    }
    if caller.role_id:
        return answer | {"RoleId": caller.role_id}
    return answer | {"UserId": caller.user_id}


@_sts("AssumeRole")
def assume_role(call: Call) -> Answer:
    asked = _asked(call)
    principals = {f"acs:ram::{ACCOUNT_ID}:root", call.caller.arn}
    # An AccessKey's call brings no second factor.
    if not trusts(asked.role, "RAM", principals, {"acs:MFAPresent": "false"}):
        raise ApiError("NoPermission", action="sts:AssumeRole")
    return _hand_out(call, asked)


@_sts("AssumeRoleWithOIDC")
def assume_role_with_oidc(call: Call) -> Answer:
    asked, arn = _asked(call), call.need("OIDCProviderArn")
    provider = _provider(call, OIDC_PROVIDER, arn)
    token = oidc.verified(call.store, provider, call.need("OIDCToken"), call.now)
    context = {"oidc:iss": token.issuer, "oidc:aud": token.audience, "oidc:sub": token.subject}
    if not trusts(asked.role, "Federated", {arn}, context):
        raise ApiError("NoPermission", action="sts:AssumeRoleWithOIDC")
    told = {
        "Issuer": token.issuer,
        "ClientIds": token.audience,
        "Subject": token.subject,
        "IssuanceTime": iso(token.issued),
        "ExpirationTime": iso(token.expires),
        "VerificationInfo": "Success",
    }
    return _hand_out(call, asked) | {"OIDCTokenInfo": told}


@_sts("AssumeRoleWithSAML")
def assume_role_with_saml(call: Call) -> Answer:
    arn = call.need("SAMLProviderArn")
    provider = _provider(call, SAML_PROVIDER, arn)
    assertion = saml.verified(provider["EncodedSAMLMetadataDocument"], call.need("SAMLAssertion"), call.now)
    asked = _asked(call, assertion.session)
    granted = (asked.role["Arn"], arn) in assertion.roles
    if not granted or not trusts(asked.role, "Federated", {arn}, {"saml:recipient": assertion.recipient}):
        raise ApiError("NoPermission", action="sts:AssumeRoleWithSAML")
    told = {
        "Issuer": assertion.issuer,
        "Subject": assertion.subject,
        "SubjectType": assertion.subject_type,
        "Recipient": assertion.recipient,
    }
    return _hand_out(call, asked) | {"SAMLAssertionInfo": told}


@dataclass(frozen=True)
class _Asked:
    """Which role is asked for, for which session, and for how long (seconds)."""

    role: Document
    session: str
    seconds: int
    policy: str


def _asked(call: Call, session: str = "") -> _Asked:
    arn, session = call.need("RoleArn"), session or call.need("RoleSessionName")
    found = re.fullmatch(rf"acs:ram::{ACCOUNT_ID}:role/(?P<name>[\w.-]+)", arn, re.ASCII)
    role = ROLE.find(call, found["name"]) if found else None
    if role is None:
        raise ApiError("EntityNotExist.Role", id=arn)
    if not re.fullmatch(r"[\w.@-]{2,64}", session, re.ASCII):
        raise ApiError("InvalidParameter.RoleSessionName")
    seconds = call.number("DurationSeconds", 3600)
    if not 900 <= seconds <= role["MaxSessionDuration"]:
        raise ApiError("InvalidParameter.DurationSeconds", most=role["MaxSessionDuration"])
    policy = policy_document(call, "Policy", "Action") if call.get("Policy") else ""
    return _Asked(role, session, seconds, policy)


def _provider(call: Call, kind: Kind, arn: str) -> Document:
    provider = kind.find(call, arn.rpartition("/")[2])
    if provider is None or provider["Arn"] != arn:
        raise ApiError(kind.missing, id=arn)
    return provider


def _hand_out(call: Call, asked: _Asked) -> Answer:
    return hand_out(call.store, asked.role, asked.session, call.now + asked.seconds, asked.policy)
