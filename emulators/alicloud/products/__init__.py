"""The handlers, one file an area. Importing them registers them."""

from __future__ import annotations

import importlib

_AREAS = (
    "actiontrail",
    "apigateway",
    "billing",
    "cas",
    "cbn.attachments",
    "cbn.instances",
    "cbn.route_tables",
    "cloudsso",
    "cloudsso_access",
    "cms.contacts",
    "cms.event_rules",
    "config",
    "ecs.regions",
    "ecs.security_groups",
    "ecs.security_group_rules",
    "eiam",
    "eiam_policies",
    "eventbridge",
    "ims",
    "ims_providers",
    "kms.aliases",
    "kms.ciphers",
    "kms.keys",
    "kms.secrets",
    "location",
    "pvtz",
    "ram.access_keys",
    "ram.account",
    "ram.attachments",
    "ram.groups",
    "ram.policies",
    "ram.roles",
    "ram.users",
    "sts",
    "tags",
    "vpc.eip_addresses",
    "vpc.flow_logs",
    "vpc.forward_entries",
    "vpc.ipv6",
    "vpc.nat_gateways",
    "vpc.network_acls",
    "vpc.networks",
    "vpc.protection",
    "vpc.route_entries",
    "vpc.route_tables",
    "vpc.snat_entries",
    "vpc.tunnels",
    "vpc.vswitches",
    "vpc.zones",
    "waf",
)


def load() -> None:
    """Register every handler. Calling it again does nothing."""
    for area in _AREAS:
        importlib.import_module(f"{__name__}.{area}")
