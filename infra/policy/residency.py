"""Residency: what serves an org of the China edition stays on the mainland, and so does each copy of it."""

from __future__ import annotations

from collections.abc import Iterable

from infra.limits import limits
from infra.policy.model import Resource, Rules, Stack

RULES = Rules("RES")
LAW = (
    "Data Security Law Art. 31, PIPL Art. 38 and 40, CAC Provisions on cross-border data flows (2024-03-22) Art. 7-8; "
    "from knowledge of the articles, which flows/gates/crossborder.yml lists as rules"
)
STAY = ("choose a region of the Chinese mainland", "请选择中国内地地域")


def _abroad(resource: Resource, paths: Iterable[str], also: frozenset[str] = frozenset()) -> str | None:
    for path in paths:
        value = resource.get(path)
        if isinstance(value, str) and value.removeprefix("oss-") not in limits().regions.mainland | dict.fromkeys(also):
            return f"{path}: {value}"
    return None


@RULES.add(
    title=("A resource stands outside the Chinese mainland", "资源位于中国内地以外"),
    fix=STAY,
    source=LAW,
)
def stands_on_the_mainland(resource: Resource, _: Stack) -> str | None:
    """Any resource, and the provider itself, that names its region."""
    ours = resource.type == "pulumi:providers:alicloud" or resource.type.startswith("alicloud:")
    return _abroad(resource, ("region", "regionId")) if ours else None


@RULES.add(
    "oss.BucketReplication",
    title=("A bucket is replicated out of the mainland", "存储空间被复制到中国内地以外"),
    fix=("replicate to another region of the mainland", "请复制到中国内地的其他地域"),
    source=LAW,
)
def replicates_inside(resource: Resource, _: Stack) -> str | None:
    return _abroad(resource, ("destination.location",))


@RULES.add(
    "cen.TransitRouterPeerAttachment",
    "vpc.PeerConnection",
    title=("A private link leaves the mainland without a legal basis", "专有连接出境但没有注明法律依据"),
    fix=(
        "peer with a region of the mainland, or name the assessment, filing or exemption in the tag legal-basis",
        "请连接中国内地地域，或在标签 legal-basis 中注明安全评估、备案或豁免依据",
    ),
    source=LAW,
)
def links_have_a_legal_basis(resource: Resource, _: Stack) -> str | None:
    based = resource.get("tags.legal-basis")
    return None if based else _abroad(resource, ("peerTransitRouterRegionId", "acceptingRegionId"))


@RULES.add(
    "cdn.Domain",
    "cdn.DomainNew",
    "dcdn.Domain",
    title=("Content is served from nodes abroad", "内容由境外节点提供"),
    fix=("set scope: domestic", "请设置 scope: domestic"),
    source=LAW,
)
def content_is_served_from_inside(resource: Resource, _: Stack) -> str | None:
    return resource.when("scope", "global", "overseas")


@RULES.add(
    "ga.IpSet",
    "ga.BasicIpSet",
    "ga.EndpointGroup",
    title=("Global Accelerator takes addresses or endpoints abroad", "全球加速使用了境外地址或终端节点"),
    fix=STAY,
    source=LAW,
)
def accelerates_inside(resource: Resource, _: Stack) -> str | None:
    return _abroad(resource, ("accelerateRegionId", "endpointGroupRegion"))


@RULES.add(
    "cs.RegistryEnterpriseSyncRule",
    "ecs.ImageCopy",
    "rds.RdsInstanceCrossBackupPolicy",
    title=("A copy or backup is sent out of the mainland", "副本或备份被发送到中国内地以外"),
    fix=("copy to another region of the mainland", "请复制到中国内地的其他地域"),
    source=LAW,
)
def copies_stay_inside(resource: Resource, _: Stack) -> str | None:
    return _abroad(resource, ("targetRegionId", "destinationRegionId", "crossBackupRegion"))


@RULES.add(
    "vpn.CustomerGateway",
    "cen.TransitRouterVpnAttachment",
    "cen.TransitRouterVbrAttachment",
    title=(
        "A way out of the cloud ends abroad without a legal basis, or nobody knows where",
        "云外专线或 IPsec 连接通往境外但没有法律依据，或未注明对端所在国家",
    ),
    fix=(
        "say in the tag far-end in which country it ends (CN), and abroad in legal-basis why data may leave",
        "请在标签 far-end 中注明对端所在国家（如 CN）；在境外时，在标签 legal-basis 中注明出境依据",
    ),
    source=LAW,
)
def ways_out_say_where_they_end(resource: Resource, _: Stack) -> str | None:
    """Hong Kong, Macao and Taiwan count as abroad: the provisions are about the mainland."""
    return None if resource.get("tags.legal-basis") else resource.unless("tags.far-end", "CN")
