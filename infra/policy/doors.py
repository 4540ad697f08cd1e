"""The public doors: functions and APIs that the internet can call."""

from __future__ import annotations

import json

from infra.policy.model import Resource, Rules, Stack

RULES = Rules("API")
MLPS = "GB/T 22239-2019 (MLPS 2.0), 8.1.3 boundary protection and intrusion prevention; from knowledge"
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
