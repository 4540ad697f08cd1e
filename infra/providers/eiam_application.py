"""A SAML application of an IDaaS EIAM instance: one service provider whose users it signs in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, ClassVar

import pulumi
from pulumi import dynamic

from infra.account import AUTHORITIES, first_of
from infra.providers.eiam_client import Eiam, EiamProvider, Missing, ours
from infra.saml import parse_metadata

SAML = "saml2"
SOURCE = "urn:idaas:app:source:standard"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
METADATA_SECONDS = 30


class ApplicationProvider(EiamProvider):
    """Makes, adopts, reads, changes and deletes SAML applications.

    `application_id` names one that stands already: it is given the stack's settings, and `keep` says that it outlives
    the stack. `enabled` is always true: an application that someone switched off is a difference.
    """

    mutable: ClassVar = ("name", "description", "entity_id", "acs_url", "name_id", "enabled", "application_id", "keep")

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Return the differences; to adopt another application than the one that stands is a replacement."""
        found = super().diff(_id, _olds, _news)
        if _news.get("application_id") not in (None, _id):
            found.replaces = [*(found.replaces or []), "application_id"]
        return found

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Make an application, or adopt the one named; one that an interrupted run made is taken over.

        Raises `ValueError` when its name is taken by one that the stack didn't make.
        """
        eiam, within = Eiam(props["region"]), {"InstanceId": props["instance_id"]}
        ident = props.get("application_id") or _standing(eiam, props)
        if ident is None:
            made = eiam.call(
                "CreateApplication",
                **within,
                ApplicationName=props["name"],
                Description=props["description"],
                ApplicationSourceType=SOURCE,
                SsoType=SAML,
            )
            ident = made["ApplicationId"]
        _configure(eiam, ident, props)
        return dynamic.CreateResult(ident, self.state(ident, props))

    def state(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return the application's settings, and under `saml` what its metadata says (empty while it is off)."""
        eiam, where = Eiam(props["region"]), {"InstanceId": props["instance_id"], "ApplicationId": ident}
        found = eiam.call("GetApplication", **where)["Application"]
        sso = eiam.call("GetApplicationSsoConfig", **where)["ApplicationSsoConfig"]
        saml = sso.get("SamlSsoConfig") or {}
        enabled = found["Status"] == sso["SsoStatus"] == "enabled"
        return {
            **{name: props.get(name) for name in ("region", "instance_id", "application_id", "keep")},
            "name": found["ApplicationName"],
            "description": found.get("Description"),
            "entity_id": saml.get("SpEntityId"),
            "acs_url": saml.get("SpSsoAcsUrl"),
            "name_id": saml.get("NameIdValueExpression"),
            "enabled": enabled,
            "saml": _described(sso["ProtocolEndpointDomain"]["SamlMetaEndpoint"]) if enabled else {},
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Set everything to what the stack says."""
        _configure(Eiam(_news["region"]), _id, _news)
        return dynamic.UpdateResult(self.state(_id, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the application, unless it was adopted to be kept."""
        if _props.get("keep"):
            return
        eiam, where = Eiam(_props["region"]), {"InstanceId": _props["instance_id"], "ApplicationId": _id}
        try:
            if eiam.call("GetApplication", **where)["Application"]["Status"] == "enabled":
                eiam.call("DisableApplication", **where)
            eiam.call("DeleteApplication", **where)
        except Missing:
            return


class SamlApplication(dynamic.Resource, module="eiam", name="SamlApplication"):
    """A SAML application. Its id is the resource's; `saml` has the keys of `infra.outputs.SamlProvider`."""

    saml: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        region: pulumi.Input[str],
        instance_id: pulumi.Input[str],
        application_name: str,
        description: str,
        entity_id: str,
        acs_url: str,
        name_id: str,
        adopt: str | None = None,
        keep: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "region": region,
            "instance_id": instance_id,
            "name": application_name,
            "description": description,
            "entity_id": entity_id,
            "acs_url": acs_url,
            "name_id": name_id,
            "application_id": adopt,
            "keep": keep,
            "enabled": True,
            "saml": None,
        }
        super().__init__(ApplicationProvider(), name, props, opts)


def _standing(eiam: Eiam, props: dict[str, Any]) -> str | None:
    """Return the id of the application of that name which the stack made, if there is one."""
    name = props["name"]
    rows = eiam.rows("ListApplications", "Applications", InstanceId=props["instance_id"], ApplicationName=name)
    # The service finds every name that begins with the one that is asked for.
    named = next((row for row in rows if row["ApplicationName"] == name), None)
    if named is None:
        return None
    ident = str(named["ApplicationId"])
    where = {"InstanceId": props["instance_id"], "ApplicationId": ident}
    found = eiam.call("GetApplication", **where)["Application"]
    fix = f"adopt it (sfoa:identity.adopt: its org, id {ident}), or rename it"
    ours(found, props["description"], f"application {name!r} ({ident})", fix)
    return ident


def _configure(eiam: Eiam, ident: str, props: dict[str, Any]) -> None:
    where = {"InstanceId": props["instance_id"], "ApplicationId": ident}
    found = eiam.call("GetApplication", **where)["Application"]
    if found["SsoType"] != SAML:
        raise ValueError(f"application {ident} signs in by {found['SsoType']}, not by SAML: name another, or none")
    if found["ApplicationName"] != props["name"]:
        eiam.call("UpdateApplicationInfo", **where, ApplicationName=props["name"])
    if found.get("Description") != props["description"]:
        eiam.call("UpdateApplicationDescription", **where, Description=props["description"])
    saml = {
        "SpEntityId": props["entity_id"],
        "SpSsoAcsUrl": props["acs_url"],
        "NameIdFormat": UNSPECIFIED,
        "NameIdValueExpression": props["name_id"],
        "SignatureAlgorithm": "RSA-SHA256",
        "AssertionSigned": True,
        "ResponseSigned": True,
    }
    eiam.call("SetApplicationSsoConfig", **where, SamlSsoConfig=saml)
    if found["Status"] != "enabled":
        eiam.call("EnableApplication", **where)
    if eiam.call("GetApplicationSsoConfig", **where)["ApplicationSsoConfig"]["SsoStatus"] != "enabled":
        eiam.call("EnableApplicationSso", **where)


def _described(url: str) -> dict[str, str]:
    """Return what the metadata at a portal's address says. Raises `ValueError` when it lets nobody in."""
    import requests

    verify = first_of(os.environ, AUTHORITIES) or True
    answer = requests.get(url, timeout=METADATA_SECONDS, verify=verify)
    answer.raise_for_status()
    described: dict[str, str] = (
        parse_metadata(answer.text).contract(datetime.now(UTC)).model_dump(mode="json", exclude_none=True)
    )
    return described
