"""Single sign-on: one SamlSsoConfig for each certificate of the org's identity provider, and the settings around it.

A certificate is rolled over in two promotes: while the landing zone names a next certificate, both have a
configuration; once the next one is the only one, the old configuration is deleted. Metadata API reference v67,
SamlSsoConfig and SecuritySettings. Which services stand on the login page is no metadata: setup, My Domain,
Authentication Configuration.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import date

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from flows.components import Component
from flows.render.elements import Value, root_of, whole
from flows.xmltext import NAMESPACE, child_text
from infra.outputs import SamlProvider
from kit.problems import Place, Problem, Refused
from orgs.access import SignOn
from orgs.domains import hosts
from orgs.federation import Org

CONFIG = "SamlSsoConfig"


def sso_configs(org: Org, provider: SamlProvider, sign_on: SignOn, source: Place) -> list[Component]:
    """Return the SAML configurations of an org. Raises `Refused` when a certificate is none."""
    pems = [provider.certificate, *([provider.next_certificate] if provider.next_certificate else [])]
    return [_config(org, provider, sign_on, certificate_of(pem, org, source), source) for pem in dict.fromkeys(pems)]


def sso_settings(provider: SamlProvider, sign_on: SignOn) -> list[tuple[str, Value]]:
    """Return what the security settings say about single sign-on."""
    several = [("enableMultipleSamlConfigs", "true")] if provider.next_certificate else []
    jit = [("enableSamlJitProvisioning", "true")] if sign_on.just_in_time else []
    return [("singleSignOnSettings", [*several, *jit, ("enableSamlLogin", "true")])]


def config_name(certificate: x509.Certificate) -> str:
    """Return the full name of the configuration of a certificate: the same for the same certificate, whatever else
    changes, so that the one in use stays as it is while another comes or goes."""
    return f"Sfoa_{hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()[:12]}"


def certificate_of(pem: str, org: Org, source: Place) -> x509.Certificate:
    """Return a parsed certificate. Raises `Refused`."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        rule = "identity_saml holds the certificate that the identity provider signs with, in PEM"
        fix = "see that the provider's metadata is whole, then `pulumi up`"
        raise Refused(
            Problem(f"the certificate of {org.name}'s identity provider is none", rule, fix, source)
        ) from error


def good_until(config: Component) -> date:
    """Return the last day (UTC) of a configuration's certificate; the first day there is, when it is none."""
    root = root_of(config)
    body = "" if root is None else child_text(root, "validationCert")
    lines = (line for line in body.splitlines() if "-----" not in line)
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(lines))).not_valid_after_utc.date()
    except (ValueError, binascii.Error):
        return date.min


def passwords_off(security: Component) -> bool:
    """Return whether security settings let nobody in with a password."""
    return _is_on(security, "isLoginWithSalesforceCredentialsDisabled")


def several_configs(security: Component) -> bool:
    """Return whether security settings allow for several SAML configurations."""
    return _is_on(security, "enableMultipleSamlConfigs")


def _is_on(security: Component, name: str) -> bool:
    root = root_of(security)
    path = f"{{{NAMESPACE}}}singleSignOnSettings/{{{NAMESPACE}}}{name}"
    return root is not None and (root.findtext(path) or "").strip() == "true"


def _config(
    org: Org, provider: SamlProvider, sign_on: SignOn, certificate: x509.Certificate, source: Place
) -> Component:
    name = config_name(certificate)
    body = "".join(certificate.public_bytes(Encoding.PEM).decode().splitlines()[1:-1])
    elements: dict[str, str] = {
        "identityLocation": "SubjectNameId",
        "identityMapping": sign_on.identity.value,
        "issuer": provider.issuer,
        "loginUrl": provider.sso_url,
        "name": name,
        "redirectBinding": "false",
        "requestSignatureMethod": "RSA-SHA256",
        "samlEntityId": hosts(org).saml_entity_id,
        "samlVersion": "SAML2_0",
        "userProvisioning": str(sign_on.just_in_time).lower(),
        "validationCert": body,
    }
    if provider.logout_url:
        elements |= {"logoutUrl": provider.logout_url}
    return whole(CONFIG, name, f"samlssoconfigs/{name}.samlssoconfig", sorted(elements.items()), source)
