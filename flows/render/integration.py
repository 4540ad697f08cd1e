"""Integration: what an org needs in order to call the landing zone's endpoints, and to be called back.

No secret is in it: the principal of an external credential gets its own through the org's API, and who may use it by
a permission set. Metadata API reference v67.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from flows.components import Component, ComponentKey
from flows.render.elements import child, whole
from infra.outputs import LandingZoneOutputs
from kit.problems import Place
from orgs.access import OrgAccess
from orgs.domains import hosts
from orgs.federation import Federation, Org

EVENT = ComponentKey("CustomObject", "Sfoa_Callback__e")
PRINCIPAL = "Runner"


def integration(
    federation: Federation, outputs: LandingZoneOutputs, access: OrgAccess, source: Place
) -> Iterator[Component]:
    """Yield what the integration outputs come to in an org, and where it may send its users."""
    for name, url in sorted(outputs.integration_endpoints.items()):
        yield from _endpoint(name, url, source)
    for origin in outputs.integration_origins:
        yield from _origin(origin, source)
    if outputs.integration_callbacks:
        yield from _event(source)
    for name in access.redirects_to:
        yield _redirect(federation.org(name), source)


def api_name(text: str) -> str:
    """Return a text as the API name of a component of ours: letters, digits and single underscores."""
    return "Sfoa_" + re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")


def _endpoint(name: str, url: str, source: Place) -> Iterator[Component]:
    full = api_name(name)
    parts = urlsplit(url)
    label = f"Landing zone: {name}"
    yield whole(
        "RemoteSiteSetting",
        full,
        f"remoteSiteSettings/{full}.remoteSite",
        [
            ("description", label),
            ("disableProtocolSecurity", "false"),
            ("isActive", "true"),
            ("url", f"{parts.scheme}://{parts.netloc}"),
        ],
        source,
    )
    principal = [
        ("parameterGroup", PRINCIPAL),
        ("parameterName", PRINCIPAL),
        ("parameterType", "NamedPrincipal"),
        ("sequenceNumber", "1"),
    ]
    yield whole(
        "ExternalCredential",
        full,
        f"externalCredentials/{full}.externalCredential",
        [("authenticationProtocol", "Custom"), ("externalCredentialParameters", principal), ("label", label)],
        source,
    )
    where = [("parameterName", "Url"), ("parameterType", "Url"), ("parameterValue", url)]
    who = [
        ("externalCredential", full),
        ("parameterName", "ExternalCredential"),
        ("parameterType", "Authentication"),
    ]
    yield whole(
        "NamedCredential",
        full,
        f"namedCredentials/{full}.namedCredential",
        [
            ("allowMergeFieldsInBody", "false"),
            ("allowMergeFieldsInHeader", "true"),
            ("calloutStatus", "Enabled"),
            ("generateAuthorizationHeader", "false"),
            ("label", label),
            ("namedCredentialParameters", where),
            ("namedCredentialParameters", who),
            ("namedCredentialType", "SecuredEndpoint"),
        ],
        source,
    )


def _origin(origin: str, source: Place) -> Iterator[Component]:
    full = api_name(urlsplit(origin).netloc)
    may = {"Connect": True, "Font": False, "Frame": True, "Img": True, "Media": False, "Style": False}
    yield whole(
        "CspTrustedSite",
        full,
        f"cspTrustedSites/{full}.cspTrustedSite",
        [
            ("context", "All"),
            ("description", "Landing zone"),
            ("endpointUrl", origin),
            ("isActive", "true"),
            *((f"isApplicableTo{kind}Src", str(allowed).lower()) for kind, allowed in may.items()),
        ],
        source,
    )
    yield whole(
        "CorsWhitelistOrigin",
        full,
        f"corsWhitelistOrigins/{full}.corsWhitelistOrigin",
        [("urlPattern", origin)],
        source,
    )


def _event(source: Place) -> Iterator[Component]:
    """Yield the platform event that the callbacks publish: which channel, and what came in."""
    path = f"objects/{EVENT.full_name}.object"
    yield whole(
        EVENT.type,
        EVENT.full_name,
        path,
        [
            ("deploymentStatus", "Deployed"),
            ("description", "What a callback of the landing zone took in."),
            ("eventType", "HighVolume"),
            ("label", "Landing zone callback"),
            ("pluralLabel", "Landing zone callbacks"),
            ("publishBehavior", "PublishAfterCommit"),
        ],
        source,
    )
    text = [("label", "Channel"), ("length", "40"), ("required", "true"), ("type", "Text")]
    yield child(EVENT, "CustomField", "Channel__c", path, "fields", text, source)
    body = [("label", "Body"), ("length", "131072"), ("type", "LongTextArea"), ("visibleLines", "3")]
    yield child(EVENT, "CustomField", "Body__c", path, "fields", body, source)


def _redirect(other: Org, source: Place) -> Component:
    """Return another org as a place that users may be sent to: since Summer '24 an org sends them to no other org that
    it doesn't name."""
    full = api_name(other.name)
    path = f"redirectWhitelistUrls/{full}.redirectWhitelistUrl"
    return whole("RedirectWhitelistUrl", full, path, [("url", f"https://{hosts(other).my_domain}")], source)
