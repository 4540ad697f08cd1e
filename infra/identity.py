"""The identity provider that signs users in to the orgs: one that the customer has, or IDaaS EIAM."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pulumi

from infra.eiam import build_eiam
from infra.saml import parse_metadata
from infra.sections.identity import EiamIdentity, ExternalIdentity
from infra.settings import Settings


class Identity(pulumi.ComponentResource):
    """What the orgs must know of the identity provider. One of the customer's makes nothing in the cloud.

    `saml` holds, for each org, the keys of `infra.outputs.SamlProvider`.
    """

    provider: str
    saml: Mapping[str, pulumi.Input[Mapping[str, str]]]

    def __init__(
        self,
        name: str,
        settings: Settings,
        identity: ExternalIdentity | EiamIdentity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:identity:Identity", name, None, opts)
        self.provider = identity.provider
        if isinstance(identity, EiamIdentity):
            self.saml = build_eiam(name, settings, identity, self)
        else:
            self.saml = self._external(identity)
        self.register_outputs({"provider": self.provider, "saml": self.saml})

    def _external(self, identity: ExternalIdentity) -> dict[str, dict[str, str]]:
        now = datetime.now(UTC)
        described = parse_metadata(identity.metadata)
        last = described.certificates[-1].until
        if last - now < timedelta(days=identity.warn_days):
            pulumi.log.warn(
                f"the last signing certificate of {described.issuer} ends on {last:%Y-%m-%d}: renew it, and replace "
                "the metadata while both certificates are valid",
                self,
            )
        return dict.fromkeys(identity.orgs, described.contract(now).model_dump(exclude_none=True))
