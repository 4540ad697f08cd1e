"""IMS: identity providers that RAM roles can trust, by SAML and by OIDC."""

from __future__ import annotations

import base64
import re

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import OIDC_PROVIDER, SAML_PROVIDER
from emulators.alicloud.resources import Kind, change, shown
from emulators.store import Document

_ims = product("Ims")

_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_MOST_FINGERPRINTS = 5


@_ims("CreateSAMLProvider")
def create_saml_provider(call: Call) -> Answer:
    name = _new(call, SAML_PROVIDER, "SAMLProviderName")
    made = SAML_PROVIDER.create(
        call,
        ident=name,
        SAMLProviderName=name,
        Arn=f"acs:ram::{ACCOUNT_ID}:saml-provider/{name}",
        Description=call.get("Description"),
        EncodedSAMLMetadataDocument=_metadata(call, "EncodedSAMLMetadataDocument"),
        CreateDate=call.stamp,
        UpdateDate=call.stamp,
    )
    return {"SAMLProvider": shown(made)}


@_ims("GetSAMLProvider")
def get_saml_provider(call: Call) -> Answer:
    return {"SAMLProvider": shown(SAML_PROVIDER.named(call, "SAMLProviderName"))}


@_ims("UpdateSAMLProvider")
def update_saml_provider(call: Call) -> Answer:
    made = SAML_PROVIDER.named(call, "SAMLProviderName")
    change(call, made, Description="NewDescription")
    if call.has("NewEncodedSAMLMetadataDocument"):
        made["EncodedSAMLMetadataDocument"] = _metadata(call, "NewEncodedSAMLMetadataDocument")
    SAML_PROVIDER.save(call, made | {"UpdateDate": call.stamp})
    return {"SAMLProvider": shown(made)}


@_ims("DeleteSAMLProvider")
def delete_saml_provider(call: Call) -> Answer:
    SAML_PROVIDER.delete(call, SAML_PROVIDER.named(call, "SAMLProviderName"))
    return {}


@_ims("CreateOIDCProvider")
def create_oidc_provider(call: Call) -> Answer:
    name = _new(call, OIDC_PROVIDER, "OIDCProviderName")
    issuer = call.need("IssuerUrl")
    if not issuer.startswith("https://"):
        raise ApiError("InvalidParameter", name="IssuerUrl", rule="an https URL")
    made = OIDC_PROVIDER.create(
        call,
        ident=name,
        OIDCProviderName=name,
        Arn=f"acs:ram::{ACCOUNT_ID}:oidc-provider/{name}",
        IssuerUrl=issuer,
        Description=call.get("Description"),
        ClientIds=call.need("ClientIds"),
        Fingerprints=_fingerprints(call.need("Fingerprints")),
        IssuanceLimitTime=call.number("IssuanceLimitTime", 12, low=1, high=168),
        CreateDate=call.stamp,
        UpdateDate=call.stamp,
    )
    return {"OIDCProvider": shown(made)}


@_ims("GetOIDCProvider")
def get_oidc_provider(call: Call) -> Answer:
    return {"OIDCProvider": shown(OIDC_PROVIDER.named(call, "OIDCProviderName"))}


@_ims("UpdateOIDCProvider")
def update_oidc_provider(call: Call) -> Answer:
    made = OIDC_PROVIDER.named(call, "OIDCProviderName")
    change(call, made, Description="NewDescription", ClientIds="ClientIds")
    made["IssuanceLimitTime"] = call.number("IssuanceLimitTime", made["IssuanceLimitTime"], low=1, high=168)
    OIDC_PROVIDER.save(call, made | {"UpdateDate": call.stamp})
    return {"OIDCProvider": shown(made)}


@_ims("AddFingerprintToOIDCProvider")
def add_fingerprint(call: Call) -> Answer:
    made = OIDC_PROVIDER.named(call, "OIDCProviderName")
    return _with_fingerprints(call, made, [*made["Fingerprints"].split(","), call.need("Fingerprint")])


@_ims("RemoveFingerprintFromOIDCProvider")
def remove_fingerprint(call: Call) -> Answer:
    made = OIDC_PROVIDER.named(call, "OIDCProviderName")
    gone = call.need("Fingerprint")
    return _with_fingerprints(call, made, [item for item in made["Fingerprints"].split(",") if item != gone])


@_ims("DeleteOIDCProvider")
def delete_oidc_provider(call: Call) -> Answer:
    OIDC_PROVIDER.delete(call, OIDC_PROVIDER.named(call, "OIDCProviderName"))
    return {}


def _with_fingerprints(call: Call, made: Document, fingerprints: list[str]) -> Answer:
    made["Fingerprints"] = _fingerprints(",".join(fingerprints))
    OIDC_PROVIDER.save(call, made)
    return {"OIDCProvider": shown(made)}


def _fingerprints(text: str) -> str:
    items = text.split(",") if text else []
    if not 1 <= len(items) <= _MOST_FINGERPRINTS or not all(map(_FINGERPRINT.fullmatch, items)):
        rule = f"1 to {_MOST_FINGERPRINTS} SHA-1 fingerprints of 40 hexadecimal digits"
        raise ApiError("InvalidParameter", name="Fingerprints", rule=rule)
    return text


def _new(call: Call, kind: Kind, parameter: str) -> str:
    name = call.need(parameter)
    if not _NAME.fullmatch(name):
        raise ApiError("InvalidParameter", name=parameter, rule="letters, digits, . _ and -")
    if kind.find(call, name):
        raise ApiError(kind.missing.replace("EntityNotExist", "EntityAlreadyExists"), name=name)
    return name


def _metadata(call: Call, parameter: str) -> str:
    text = call.need(parameter)
    try:
        document = base64.b64decode(text, validate=True)
    except ValueError:
        document = b""
    if b"EntityDescriptor" not in document or b"X509Certificate" not in document:
        raise ApiError("InvalidParameter", name=parameter, rule="Base64 of SAML metadata of an identity provider")
    return text
