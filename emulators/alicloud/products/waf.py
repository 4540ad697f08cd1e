"""WAF 3.0: the account's pay-as-you-go instance, and domains that lead to it. Nothing is filtered or led on."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.products.cas import CERTIFICATE
from emulators.alicloud.resources import Kind, identifier, pending
from emulators.store import Document

_waf = product("waf-openapi")

INSTANCE = Kind("waf_instance", "waf_v2_public_cn-", "Waf.Instance.NotFound", regional=False)
DOMAIN = Kind("waf_domain", "", "Waf.Domain.NotFound", regional=False)


@_waf("CreatePostpaidInstance")
def create_postpaid_instance(call: Call) -> Answer:
    if INSTANCE.all(call):
        raise ApiError("Waf.Instance.Exists")
    return {"InstanceId": INSTANCE.create(call)["id"]}


@_waf("DescribeInstance")
def describe_instance(call: Call) -> Answer:
    found = INSTANCE.all(call)
    if not found:
        return {}
    (instance,) = found
    return {
        "InstanceId": instance["id"],
        "Status": 2 if pending(call, instance) else 1,
        "StartTime": int(instance["created"] * 1000),
        "EndTime": 4_102_444_800_000,
        "Edition": "default_version",
        "PayType": "POSTPAY",
        "Region": instance["region"],
        "InDebt": "0",
    }


@_waf("ReleaseInstance")
def release_instance(call: Call) -> Answer:
    INSTANCE.delete(call, INSTANCE.named(call, "InstanceId"))
    return {}


@_waf("CreateDomain")
def create_domain(call: Call) -> Answer:
    instance, name = INSTANCE.named(call, "InstanceId"), call.need("Domain")
    if DOMAIN.find(call, name):
        raise ApiError("Waf.Domain.Exists", id=name)
    number = identifier(f"waf domain {name}", 16)
    fields = {"InstanceId": instance["id"], "Cname": f"{number}.aliyunwaf5.com", "DomainId": f"{name}-waf"}
    DOMAIN.create(call, call.tags(), ident=name, **fields, **_fields(call))
    return {"DomainInfo": {"Domain": name, "Cname": fields["Cname"], "DomainId": fields["DomainId"]}}


@_waf("DescribeDomainDetail")
def describe_domain_detail(call: Call) -> Answer:
    INSTANCE.named(call, "InstanceId")
    domain = DOMAIN.find(call, call.need("Domain"))
    if domain is None:
        return {}
    redirect = dict(domain["Redirect"])
    backends = redirect.pop("Backends", [])
    redirect |= {"BackendList": backends, "BackUpBackendList": redirect.pop("BackupBackends", [])}
    return {
        "Domain": domain["id"],
        "DomainId": domain["DomainId"],
        "Cname": domain["Cname"],
        "Status": 2 if pending(call, domain) else 1,
        "ResourceManagerResourceGroupId": "rg-acfmemulator",
        "Listen": domain["Listen"],
        "Redirect": redirect | {"Backends": [{"Backend": one} for one in backends]},
    }


@_waf("ModifyDomain")
def modify_domain(call: Call) -> Answer:
    domain = DOMAIN.named(call, "Domain")
    DOMAIN.save(call, domain | _fields(call))
    return {"DomainInfo": {"Domain": domain["id"], "Cname": domain["Cname"], "DomainId": domain["DomainId"]}}


@_waf("DeleteDomain")
def delete_domain(call: Call) -> Answer:
    DOMAIN.delete(call, DOMAIN.named(call, "Domain"))
    return {}


@_waf("TagResources")
def tag_resources(call: Call) -> Answer:
    tags = call.tags()
    for ident in call.strings("ResourceId"):
        domain = DOMAIN.get(call, ident)
        DOMAIN.save(call, domain | {"tags": domain["tags"] | tags})
    return {}


@_waf("UntagResources")
def untag_resources(call: Call) -> Answer:
    keys = call.strings("TagKey")
    for ident in call.strings("ResourceId"):
        domain = DOMAIN.get(call, ident)
        DOMAIN.save(call, domain | {"tags": {key: value for key, value in domain["tags"].items() if key not in keys}})
    return {}


@_waf("ListTagResources")
def list_tag_resources(call: Call) -> Answer:
    rows = [
        {"ResourceId": ident, "ResourceType": call.get("ResourceType"), "TagKey": key, "TagValue": value}
        for ident in call.strings("ResourceId")
        for key, value in (DOMAIN.find(call, ident) or {"tags": {}})["tags"].items()
    ]
    return {"TagResources": rows, "NextToken": ""}


def _fields(call: Call) -> Document:
    """Return what a call says of a domain: where it listens, by which certificate, and what stands behind it."""
    listen, redirect = call.data("Listen"), call.data("Redirect")
    if not redirect.get("Backends"):
        raise ApiError("InvalidParameter", name="Redirect.Backends", rule="at least one address or host name")
    if listen.get("HttpsPorts"):
        number, _, region = str(listen.get("CertId") or "").partition("-")
        if region != "cn-hangzhou" or CERTIFICATE.find(call, number) is None:
            raise ApiError("Waf.Certificate.NotFound", id=listen.get("CertId") or "none")
    elif not listen.get("HttpPorts"):
        raise ApiError("InvalidParameter", name="Listen", rule="HttpPorts, HttpsPorts, or both")
    return {"Listen": listen, "Redirect": redirect}
