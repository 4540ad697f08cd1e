"""The public doors: functions and APIs that the internet can call."""

from __future__ import annotations

import json

from infra.policy.model import UNKNOWN, Resource, Rules, Stack

RULES = Rules("API")
MLPS = "GB/T 22239-2019 (MLPS 2.0), 8.1.3 boundary protection and intrusion prevention; from knowledge"
GATEWAY_HOSTS = ".alicloudapi.com"
TLS = "RFC 8996 (2021-03): TLS 1.0 and 1.1 must not be used; from knowledge"


@RULES.add(
    "fc.V3CustomDomain",
    title=("A public domain of functions has no WAF", "函数的公网域名未接入 WAF"),
    fix=("set wafConfig.enableWaf: true", "请设置 wafConfig.enableWaf: true"),
    source=MLPS,
)
def domains_have_waf(resource: Resource, _: Stack) -> str | None:
    return resource.unless("wafConfig.enableWaf", True)


@RULES.add(
    "fc.V3CustomDomain",
    title=("A public domain of functions takes plain HTTP or old TLS", "函数的公网域名允许明文 HTTP 或旧版 TLS"),
    fix=(
        "set protocol: HTTPS and tlsConfig.minVersion: TLSv1.2",
        "请设置 protocol: HTTPS 和 tlsConfig.minVersion: TLSv1.2",
    ),
    source=TLS,
)
def domains_take_new_tls_only(resource: Resource, _: Stack) -> str | None:
    return resource.unless("protocol", "HTTPS") or resource.unless("tlsConfig.minVersion", "TLSv1.2", "TLSv1.3")


@RULES.add(
    "fc.V3Trigger",
    title=("Anybody calls a function at its default address, past WAF", "任何人可绕过 WAF 经默认地址匿名调用函数"),
    fix=(
        "set disableURLInternet: true in triggerConfig, or another authType than anonymous",
        "请在 triggerConfig 中设置 disableURLInternet: true，或更换 anonymous 以外的 authType",
    ),
    source=MLPS,
)
def triggers_have_no_side_door(resource: Resource, _: Stack) -> str | None:
    try:
        config = json.loads(str(resource.get("triggerConfig", "{}")))
    except ValueError:
        return None  # not known before the update
    open_ = config.get("authType") == "anonymous" and config.get("disableURLInternet") is not True
    return "triggerConfig: anonymous, and open to the internet" if open_ else None


@RULES.add(
    "apigateway.Api",
    title=("An API asks its callers for nothing", "API 未对调用方进行认证"),
    fix=("set authType: APP", "请设置 authType: APP"),
    source=MLPS,
)
def apis_know_their_callers(resource: Resource, _: Stack) -> str | None:
    return resource.when("authType", "ANONYMOUS")


@RULES.add(
    "apigateway.Api",
    title=("An API takes plain HTTP", "API 允许明文 HTTP"),
    fix=("set requestConfig.protocol: HTTPS", "请设置 requestConfig.protocol: HTTPS"),
    source=TLS,
)
def apis_take_tls_only(resource: Resource, _: Stack) -> str | None:
    return resource.unless("requestConfig.protocol", "HTTPS")


@RULES.add(
    "wafv3.Domain",
    title=("A domain behind WAF takes plain HTTP or old TLS", "WAF 域名允许明文 HTTP 或旧版 TLS"),
    fix=(
        "set listen.httpsPorts and listen.tlsVersion: tlsv1.2; listen.httpPorts only with focusHttps: true",
        "请设置 listen.httpsPorts 和 listen.tlsVersion: tlsv1.2；仅在 focusHttps: true 时设置 listen.httpPorts",
    ),
    source=TLS,
)
def shielded_domains_take_new_tls_only(resource: Resource, _: Stack) -> str | None:
    plain = resource.get("listen.httpPorts")
    if plain not in (None, [], UNKNOWN) and (found := resource.unless("listen.focusHttps", True)):
        return f"{found}, beside plain HTTP"
    return resource.when("listen.httpsPorts", None, []) or resource.unless("listen.tlsVersion", "tlsv1.2")


@RULES.add(
    "apigateway.Group",
    title=("APIs of production stand in public without WAF", "生产环境的 API 网关未接入 WAF"),
    fix=(
        "add a wafv3.Domain whose redirect.backends has the group's subDomain (sfoa:integration.events.domain)",
        "请添加 redirect.backends 指向该分组 subDomain 的 wafv3.Domain（sfoa:integration.events.domain）",
    ),
    source=MLPS,
    looks_around=True,
)
def gateways_have_waf(resource: Resource, stack: Stack) -> str | None:
    fronts = any(_leads_to_a_gateway(domain, resource) for domain in stack.of("wafv3.Domain"))
    return None if fronts or not stack.production else "no wafv3.Domain before it"


def _leads_to_a_gateway(domain: Resource, group: Resource) -> bool:
    """Whether WAF leads to a group: by reference, or by the name of its host, which the group's inputs don't have."""
    backends = domain.get("redirect.backends")
    if backends is UNKNOWN or group.urn in domain.references.get("redirect", ()):
        return True
    named = backends if isinstance(backends, list) else []
    return any(host is UNKNOWN or str(host).endswith(GATEWAY_HOSTS) for host in named)
