"""The landing side of the orgs' three modes of integration: UI, data and process."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from infra.audit import Audit
from infra.callback import make_callbacks
from infra.events import PATH, EventWays, make_events
from infra.network import Network
from infra.sections.integration import IntegrationSettings
from infra.serverless import Serverless
from infra.settings import Settings
from infra.shield import shielded, waf_instance
from infra.storage import Storage


class Integration(pulumi.ComponentResource):
    """Origins of embedded pages, events and extracts kept in the mainland, and callbacks of WeChat and WeCom."""

    origins: tuple[str, ...]
    events: EventWays | None
    callbacks: dict[str, pulumi.Output[str]]
    """URL of each channel."""
    pages: str | None
    """Address of pages that the orgs embed."""
    aliases: dict[str, pulumi.Output[str]]
    """For each domain behind WAF, what its CNAME record has to point to."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: IntegrationSettings,
        network: Network,
        storage: Storage,
        audit: Audit | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:integration:Integration", name, None, opts)
        make = Serverless(self, name, settings, audit)
        waf = waf_instance(make, wanted)
        instance = waf.id if waf else wanted.waf or ""
        self.origins = wanted.origins
        self.pages = None
        self.aliases = {}
        if wanted.pages:
            domain = wanted.pages.domain
            self.pages = f"https://{domain.name}"
            self.origins = tuple(dict.fromkeys((*wanted.origins, self.pages)))
            pages = shielded(make, "pages", instance, domain, wanted.pages.backends)
            self.aliases[domain.name] = pages.cname
        self.events = make_events(make, wanted.events, network, storage) if wanted.events else None
        if self.events and wanted.events and wanted.events.domain:
            domain = wanted.events.domain
            gateway = shielded(make, "gateway", instance, domain, [self.events.host])
            self.events = replace(self.events, endpoint=pulumi.Output.from_input(f"https://{domain.name}{PATH}"))
            self.aliases[domain.name] = gateway.cname
        self.callbacks = (
            make_callbacks(make, wanted.callbacks, network, storage.kms_key_id, waf) if wanted.callbacks else {}
        )
        self.register_outputs({"callbacks": self.callbacks})

    @property
    def contract(self) -> dict[str, pulumi.Input[object]]:
        """Return its keys of the contract."""
        contract: dict[str, pulumi.Input[object]] = {
            "integration_origins": list(self.origins),
            "integration_callbacks": self.callbacks,
            "integration_aliases": self.aliases,
        }
        if self.pages:
            contract["integration_pages"] = self.pages
        if self.events:
            contract |= {
                "integration_event_bus": self.events.bus,
                "integration_extracts_bucket": self.events.bucket,
                "integration_endpoints": {"events": self.events.endpoint},
            }
        return contract
