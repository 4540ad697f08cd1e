"""The link to headquarters and on-premises: a transit router, what hangs on it, and routes between all of it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_alicloud as ali

from infra.ipsec import Ipsec
from infra.sections.link import Link as Wanted
from infra.settings import Settings

AREA = "link"
BASIS = "legal-basis"
FAR_END = "far-end"


class Link(pulumi.ComponentResource):
    """CEN instance and transit router (made, or joined by id), one route table, and an attachment for each way.

    Every part that takes tags says in `legal-basis` why data may leave by it, where the config names a basis. What
    leads out of the cloud says in `far-end` in which country it ends.
    """

    tunnels: pulumi.Output[list[str]] | None
    """Public addresses of this side's tunnels, where there is an IPsec connection of the kit's own."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: Wanted,
        vpc_id: pulumi.Input[str],
        switches: Sequence[ali.vpc.Switch],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:network:Link", name, None, opts)
        self._name, self._settings = name, settings
        self._opts = pulumi.ResourceOptions(parent=self, protect=settings.production)
        self._tags = settings.all_tags | ({BASIS: wanted.legal_basis.tag} if wanted.legal_basis else {})
        self.tunnels: pulumi.Output[list[str]] | None = None
        self._cen = wanted.cen_id or self._instance()
        self._router = wanted.transit_router_id or self._transit_router()
        self._table = ali.cen.TransitRouterRouteTable(
            name,
            transit_router_id=self._router,
            transit_router_route_table_name=self._label("routes"),
            tags=self._tags,
            opts=self._opts,
        )
        self._attach_vpc(vpc_id, switches)
        self._attach_premises(wanted)
        self._attach_headquarters(wanted)
        self.register_outputs({"cen_id": self._cen, "transit_router_id": self._router})

    def _instance(self) -> pulumi.Output[str]:
        made = ali.cen.Instance(self._name, cen_instance_name=self._label("cen"), tags=self._tags, opts=self._opts)
        ident: pulumi.Output[str] = made.id
        return ident

    def _transit_router(self) -> pulumi.Output[str]:
        made = ali.cen.TransitRouter(
            self._name,
            cen_id=self._cen,
            transit_router_name=self._label("router"),
            tags=self._tags,
            opts=self._opts,
        )
        ident: pulumi.Output[str] = made.transit_router_id
        return ident

    def _attach_vpc(self, vpc_id: pulumi.Input[str], switches: Sequence[ali.vpc.Switch]) -> None:
        attached = ali.cen.TransitRouterVpcAttachment(
            f"{self._name}-vpc",
            cen_id=self._cen,
            transit_router_id=self._router,
            vpc_id=vpc_id,
            transit_router_vpc_attachment_name=self._label("vpc"),
            auto_publish_route_enabled=True,
            zone_mappings=[
                ali.cen.TransitRouterVpcAttachmentZoneMappingArgs(zone_id=zone, vswitch_id=switch.id)
                for zone, switch in zip(self._settings.network.zones, switches, strict=True)
            ],
            tags=self._tags,
            opts=self._opts,
        )
        self._route("vpc", attached.transit_router_attachment_id)

    def _attach_premises(self, wanted: Wanted) -> None:
        if wanted.vpn:
            self._attach_vpn("vpn", wanted.vpn.id, self._ending(wanted.vpn.country), self._opts)
        if wanted.ipsec:
            tags = self._ending(wanted.ipsec.country)
            made = Ipsec(f"{self._name}-ipsec", self._settings, wanted.ipsec, tags, pulumi.ResourceOptions(parent=self))
            self.tunnels = made.addresses
            self._attach_vpn("ipsec", made.vpn_id, tags, pulumi.ResourceOptions(parent=self))  # replaced along with it
        if wanted.vbr:
            vbr = ali.cen.TransitRouterVbrAttachment(
                f"{self._name}-vbr",
                cen_id=self._cen,
                transit_router_id=self._router,
                vbr_id=wanted.vbr.id,
                transit_router_attachment_name=self._label("vbr"),
                auto_publish_route_enabled=True,
                tags=self._ending(wanted.vbr.country),
                opts=self._opts,
            )
            self._route("vbr", vbr.transit_router_attachment_id)

    def _attach_vpn(
        self, part: str, vpn_id: pulumi.Input[str], tags: dict[str, str], opts: pulumi.ResourceOptions
    ) -> None:
        attached = ali.cen.TransitRouterVpnAttachment(
            f"{self._name}-{part}",
            cen_id=self._cen,
            transit_router_id=self._router,
            vpn_id=vpn_id,
            transit_router_vpn_attachment_name=self._label(part),
            auto_publish_route_enabled=True,
            tags=tags,
            opts=opts,
        )
        self._route(part, attached.id, opts)

    def _ending(self, country: str) -> dict[str, str]:
        return self._tags | {FAR_END: country}

    def _attach_headquarters(self, wanted: Wanted) -> None:
        if not wanted.headquarters:
            return
        package = wanted.headquarters.bandwidth_package_id
        peered = ali.cen.TransitRouterPeerAttachment(
            f"{self._name}-headquarters",
            cen_id=self._cen,
            transit_router_id=self._router,
            peer_transit_router_id=wanted.headquarters.transit_router_id,
            peer_transit_router_region_id=wanted.headquarters.region,
            bandwidth=wanted.headquarters.bandwidth_mbps,
            bandwidth_type="BandwidthPackage" if package else "DataTransfer",
            cen_bandwidth_package_id=package,
            transit_router_peer_attachment_name=self._label("headquarters"),
            auto_publish_route_enabled=True,
            tags=self._tags,
            opts=self._opts,
        )
        self._route("headquarters", peered.transit_router_attachment_id)

    def _route(self, part: str, attachment_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        """Let an attachment look its routes up in the one table, and make its own known there."""
        for kind in (ali.cen.TransitRouterRouteTableAssociation, ali.cen.TransitRouterRouteTablePropagation):
            kind(
                f"{self._name}-{part}",
                transit_router_attachment_id=attachment_id,
                transit_router_route_table_id=self._table.transit_router_route_table_id,
                opts=opts or self._opts,
            )

    def _label(self, part: str) -> str:
        return self._settings.labels.vpc(AREA, part)
