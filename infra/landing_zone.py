"""The landing zone: every component of one stack, and the contract that it hands over."""

from __future__ import annotations

import pulumi

from infra.audit import Audit
from infra.console import Console
from infra.flowlogs import log_flows
from infra.identity import Identity
from infra.integration import Integration
from infra.network import Network
from infra.outputs import CONTRACT_VERSION
from infra.settings import Settings
from infra.storage import Storage


class LandingZone(pulumi.ComponentResource):
    """All that stands around the orgs of one environment.

    `contract` holds the stack's outputs under the keys of `infra.outputs.LandingZoneOutputs`.
    """

    network: Network
    storage: Storage
    audit: Audit | None
    identity: Identity | None
    console: Console | None
    integration: Integration | None
    contract: dict[str, pulumi.Input[object]]

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sfoa:index:LandingZone", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.storage = Storage("storage", settings, child)
        # The engine is told of resources in this order, and nothing takes as long as the audit's trail.
        self.audit = Audit("audit", settings, settings.audit, self.storage, child) if settings.audit else None
        self.network = Network("network", settings, child)
        named = settings.identity
        self.identity = Identity("identity", settings, named, child) if named else None
        self.console = Console("console", settings, settings.console, self.storage, child) if settings.console else None
        self.integration = self._integrate(settings, child)
        self._log_flows(settings)
        self.contract = {
            "contract_version": CONTRACT_VERSION,
            "stack": pulumi.get_stack(),
            "environment": settings.environment.value,
            "region": settings.region,
            "account_id": settings.account_id,
            "network_vpc_id": self.network.vpc_id,
            "network_vswitch_ids": self.network.app_vswitch_ids,
            "network_egress_ips": self.network.egress_ips,
            "network_security_group_ids": self.network.security_group_ids,
            "storage_endpoint": f"https://oss-{settings.region}.aliyuncs.com",
            "storage_releases_bucket": self.storage.releases,
            "storage_ledger_bucket": self.storage.ledger,
            "storage_backups_bucket": self.storage.backups,
            "storage_logs_bucket": self.storage.logs,
            "storage_kms_key_id": self.storage.kms_key_id,
            "absent": [part for part in ("audit", "identity", "console", "integration") if getattr(self, part) is None],
        }
        if self.storage.state_url is not None:
            self.contract["storage_state_url"] = self.storage.state_url
        if self.audit:
            self.contract |= {
                "audit_trail": self.audit.trail,
                "audit_trail_bucket": self.audit.trail_bucket,
                "audit_log_project": self.audit.log_project,
            }
        if self.identity:
            self.contract |= {"identity_provider": self.identity.provider, "identity_saml": self.identity.saml}
        if self.console:
            self.contract["identity_roles"] = self.console.roles
        if self.integration:
            self.contract |= self.integration.contract
        if self.network.private_zone:
            self.contract["network_private_zone"] = self.network.private_zone
        if self.network.tunnels is not None:
            self.contract["network_tunnels"] = self.network.tunnels
        self.register_outputs(self.contract)

    def _integrate(self, settings: Settings, opts: pulumi.ResourceOptions) -> Integration | None:
        wanted = settings.integration
        if wanted is None:
            return None
        return Integration("integration", settings, wanted, self.network, self.storage, self.audit, opts)

    def _log_flows(self, settings: Settings) -> None:
        wanted = settings.network.flow_logs
        if wanted is None:
            return
        project: pulumi.Input[str] | None = wanted.project
        store: pulumi.Input[str] = wanted.store
        if project is None and self.audit:
            # The store as the audit made it: after that, not after the whole audit, whose trail takes its time.
            project, store = self.audit.log_project, self.audit.log_stores.get(wanted.store, wanted.store)
        if project is not None:
            opts = pulumi.ResourceOptions(parent=self.network)
            log_flows("network-flows", settings, self.network.vpc_id, project, store, opts)
