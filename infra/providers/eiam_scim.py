"""Where an application of IDaaS EIAM provisions its users: a SCIM 2.0 service, with its bearer token."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi
from pulumi import dynamic

from infra.providers.eiam_client import Eiam, EiamProvider, Missing

ACTIONS = [f"urn:alibaba:idaas:app:scim:User:{action}" for action in ("CREATE", "UPDATE", "DELETE")]


class ScimTargetProvider(EiamProvider):
    """Sets, reads and switches off an application's provisioning. Its id is the application's.

    The service never shows a token again: the state keeps, encrypted, the one that was last set.
    """

    immutable: ClassVar = ("region", "instance_id", "application_id")
    mutable: ClassVar = ("base_url", "token", "enabled")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Set where to provision to, and switch provisioning on."""
        ident = str(props["application_id"])
        return dynamic.CreateResult(ident, self._set(props))

    def state(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return where users are provisioned to, and whether they are."""
        where = {"InstanceId": props["instance_id"], "ApplicationId": ident}
        asked = Eiam(props["region"]).call("GetApplicationProvisioningConfig", **where)
        found = asked["ApplicationProvisioningConfig"]
        return {
            **{name: props.get(name) for name in ("region", "instance_id", "application_id", "token")},
            "base_url": (found.get("ScimProvisioningConfig") or {}).get("ScimBaseUrl"),
            "enabled": found.get("Status") == "enabled",
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Set address and token anew."""
        return dynamic.UpdateResult(self._set(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Switch provisioning off; its settings go with the application."""
        where = {"InstanceId": _props["instance_id"], "ApplicationId": _id}
        try:
            Eiam(_props["region"]).call("DisableApplicationProvisioning", **where)
        except Missing:
            return

    def _set(self, props: dict[str, Any]) -> dict[str, Any]:
        eiam, ident = Eiam(props["region"]), str(props["application_id"])
        where = {"InstanceId": props["instance_id"], "ApplicationId": ident}
        bearer = {"AuthnMode": "oauth2", "GrantType": "bearer_token", "AuthnParam": {"AccessToken": props["token"]}}
        eiam.call(
            "SetApplicationProvisioningConfig",
            **where,
            ProvisionProtocolType="scim2",
            ScimProvisioningConfig={
                "ScimBaseUrl": props["base_url"],
                "ProvisioningActions": ACTIONS,
                "AuthnConfiguration": bearer,
            },
        )
        found = eiam.call("GetApplicationProvisioningConfig", **where)["ApplicationProvisioningConfig"]
        if found.get("Status") != "enabled":
            eiam.call("EnableApplicationProvisioning", **where)
        return self.state(ident, props)


class ScimTarget(dynamic.Resource, module="eiam", name="ScimTarget"):
    """Provisioning of an application's users. `token` has to be a Pulumi secret."""

    def __init__(
        self,
        name: str,
        *,
        region: pulumi.Input[str],
        instance_id: pulumi.Input[str],
        application_id: pulumi.Input[str],
        base_url: str,
        token: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "region": region,
            "instance_id": instance_id,
            "application_id": application_id,
            "base_url": base_url,
            "token": token,
            "enabled": True,
        }
        super().__init__(ScimTargetProvider(), name, props, opts)
