"""An IPsec connection to headquarters or on-premises: two tunnels by IKEv2, to be joined to a transit router."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_alicloud as ali

from infra.sections.ipsec import End, Tunnel
from infra.sections.ipsec import Ipsec as Wanted
from infra.settings import Settings

AREA = "link"
ANYWHERE = "0.0.0.0/0"
LIFETIME_SECONDS = 86_400
CIPHER, DIGEST, GROUP = "aes256", "sha256", "group14"
"""The strongest that both phases take (terraform-provider-alicloud 1.285.0); what SM4 would want, it doesn't offer."""


class Ipsec(pulumi.ComponentResource):
    """A customer gateway for each device, and the connection to both ends. It is bound to no gateway.

    Its tunnels are secret as a whole in the state, because the provider reads the pre-shared keys back.
    """

    vpn_id: pulumi.Output[str]
    """Id of the connection."""

    addresses: pulumi.Output[list[str]]
    """Public addresses of this side, in the order of the tunnels: what the devices have to be told."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: Wanted,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:network:Ipsec", name, None, opts)
        self._name, self._settings, self._wanted, self._tags = name, settings, wanted, tags
        # Not protected in production either: a new key is a new connection, and nothing is kept in one.
        self._opts = pulumi.ResourceOptions(parent=self)
        devices = {end.address: self._device(end) for end in wanted.ends.values()}
        made = ali.vpn.GatewayVpnAttachment(
            name,
            vpn_attachment_name=settings.labels.vpc(AREA, "ipsec"),
            network_type="public",
            local_subnet=ANYWHERE if wanted.bgp else settings.network.cidr,
            remote_subnet=ANYWHERE if wanted.bgp else ",".join(wanted.remote_ranges),
            effect_immediately=True,
            enable_tunnels_bgp=wanted.bgp,
            tunnel_options_specifications=[
                self._tunnel(number, tunnel, end, devices[end.address].id)
                for number, (tunnel, end) in enumerate(wanted.ends.items(), 1)
            ],
            tags=tags,
            opts=pulumi.ResourceOptions.merge(
                self._opts,
                pulumi.ResourceOptions(
                    additional_secret_outputs=["tunnelOptionsSpecifications"],
                    replacement_trigger=self._inside(),
                    delete_before_replace=True,  # two connections can't have the same ranges inside their tunnels
                ),
            ),
        )
        self.vpn_id = made.id
        self.addresses = pulumi.Output.unsecret(made.tunnel_options_specifications.apply(_addresses))
        self.register_outputs({"vpn_id": self.vpn_id})

    def _inside(self) -> str:
        """Return a digest of what the provider takes for no change of a tunnel: all but its number and its device.

        It stands in the state in plain, and so is slow to guess keys by (scrypt, RFC 7914).
        """
        wanted, keys = self._wanted, self._settings.tunnel_keys
        inside = [[end.remote_id, end.inside, keys[name].get_secret_value()] for name, end in wanted.ends.items()]
        text = json.dumps([wanted.bgp, wanted.local_asn, inside])
        return hashlib.scrypt(text.encode(), salt=self._name.encode(), n=2**14, r=8, p=1, dklen=16).hex()

    def _device(self, end: End) -> ali.vpn.CustomerGateway:
        return ali.vpn.CustomerGateway(
            f"{self._name}-{end.address}",
            customer_gateway_name=self._settings.labels.vpc(AREA, end.address.replace(".", "-")),
            ip_address=end.address,
            asn=None if end.asn is None else str(end.asn),
            tags=self._tags,
            opts=self._opts,
        )

    def _tunnel(
        self, number: int, tunnel: Tunnel, end: End, device: pulumi.Input[str]
    ) -> ali.vpn.GatewayVpnAttachmentTunnelOptionsSpecificationArgs:
        """Return a tunnel with everything said: what is left out comes back as a default, and would be a change."""
        routing = None
        if end.inside:
            routing = ali.vpn.GatewayVpnAttachmentTunnelOptionsSpecificationTunnelBgpConfigArgs(
                local_asn=self._wanted.local_asn, local_bgp_ip=end.bgp_address, tunnel_cidr=end.inside
            )
        return ali.vpn.GatewayVpnAttachmentTunnelOptionsSpecificationArgs(
            customer_gateway_id=device,
            tunnel_index=number,
            role="master",
            enable_dpd=True,
            enable_nat_traversal=True,
            tunnel_bgp_config=routing,
            tunnel_ike_config=ali.vpn.GatewayVpnAttachmentTunnelOptionsSpecificationTunnelIkeConfigArgs(
                ike_version="ikev2",
                ike_mode="main",
                ike_enc_alg=CIPHER,
                ike_auth_alg=DIGEST,
                ike_pfs=GROUP,
                ike_lifetime=LIFETIME_SECONDS,
                local_id=self._settings.labels.vpc(AREA, tunnel),
                remote_id=end.remote_id or end.address,
                psk=pulumi.Output.secret(self._settings.tunnel_keys[tunnel].get_secret_value()),
            ),
            tunnel_ipsec_config=ali.vpn.GatewayVpnAttachmentTunnelOptionsSpecificationTunnelIpsecConfigArgs(
                ipsec_enc_alg=CIPHER, ipsec_auth_alg=DIGEST, ipsec_pfs=GROUP, ipsec_lifetime=LIFETIME_SECONDS
            ),
        )


def _addresses(tunnels: list[Any] | None) -> list[str]:
    ordered = sorted(tunnels or (), key=lambda tunnel: int(tunnel.tunnel_index))
    return [str(tunnel.internet_ip) for tunnel in ordered if tunnel.internet_ip]
