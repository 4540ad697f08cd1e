"""The identity provider that signs users in to the orgs: one that the customer has already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pulumi

from infra.saml import parse_metadata
from infra.sections.identity import IdentitySettings


class Identity(pulumi.ComponentResource):
    """What the orgs must know of the identity provider. It makes nothing in the cloud."""

    provider: str
    saml: dict[str, dict[str, str]]

    def __init__(self, name: str, settings: IdentitySettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sfoa:identity:Identity", name, None, opts)
        now = datetime.now(UTC)
        described = parse_metadata(settings.metadata)
        last = described.certificates[-1].until
        if last - now < timedelta(days=settings.warn_days):
            pulumi.log.warn(
                f"the last signing certificate of {described.issuer} ends on {last:%Y-%m-%d}: renew it, and replace "
                "the metadata while both certificates are valid",
                self,
            )
        contract = described.contract(now).model_dump(exclude_none=True)
        self.provider = settings.provider
        self.saml = dict.fromkeys(settings.orgs, contract)
        self.register_outputs({"provider": self.provider, "saml": self.saml})
