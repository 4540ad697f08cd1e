"""The landing side of the orgs' three modes of integration: UI, data and process."""

from __future__ import annotations

import pulumi

from infra.audit import Audit
from infra.callback import make_callbacks
from infra.events import EventWays, make_events
from infra.network import Network
from infra.sections.integration import IntegrationSettings
from infra.serverless import Serverless
from infra.settings import Settings
from infra.storage import Storage


class Integration(pulumi.ComponentResource):
    """Origins of embedded pages, events and extracts kept in the mainland, and callbacks of WeChat and WeCom."""

    origins: tuple[str, ...]
    events: EventWays | None
    callbacks: dict[str, pulumi.Output[str]]
    """URL of each channel."""

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
        self.origins = wanted.origins
        self.events = make_events(make, wanted.events, network, storage) if wanted.events else None
        self.callbacks = make_callbacks(make, wanted.callbacks, network, storage.kms_key_id) if wanted.callbacks else {}
        self.register_outputs({"callbacks": self.callbacks})

    @property
    def contract(self) -> dict[str, pulumi.Input[object]]:
        """Return its keys of the contract."""
        contract: dict[str, pulumi.Input[object]] = {
            "integration_origins": list(self.origins),
            "integration_callbacks": self.callbacks,
        }
        if self.events:
            contract |= {
                "integration_event_bus": self.events.bus,
                "integration_extracts_bucket": self.events.bucket,
                "integration_endpoints": {"events": self.events.endpoint},
            }
        return contract
