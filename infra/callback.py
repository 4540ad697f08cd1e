"""The public callback of WeChat and WeCom: a domain of one's own behind WAF, and the function that verifies."""

from __future__ import annotations

import json

import pulumi
import pulumi_alicloud as ali

from infra.network import Network
from infra.sections.integration import Callbacks
from infra.serverless import AREA, NETWORK_POLICY, Serverless
from infra.servicerole import allow
from orgs.domains import hosts
from orgs.federation import load_federation

METHODS = ("GET", "POST")
TIMEOUT_SECONDS = 15  # of the function: the secret, a token and the event, each within four


def make_callbacks(
    make: Serverless,
    wanted: Callbacks,
    network: Network,
    key_id: pulumi.Input[str],
    waf: pulumi.Resource | None,
) -> dict[str, pulumi.Output[str]]:
    """Return the URL of each channel, behind which the function stands.

    It leaves by the VPC, so by the addresses that the orgs trust. Only its own domain leads to it.
    """
    settings, part = make.settings, "callback"
    account, region = settings.account_id, settings.region
    rights = pulumi.Output.from_input(key_id).apply(
        lambda key: [
            allow(["kms:GetSecretValue"], f"acs:kms:{region}:{account}:secret/{wanted.secret}"),
            allow(["kms:Decrypt"], f"acs:kms:{region}:{account}:key/{key}"),
            *make.logging(),
        ]
    )
    role = make.role(part, "fc.aliyuncs.com", rights, [NETWORK_POLICY])
    function = make.function(
        part,
        role,
        _environment(wanted, region),
        timeout=TIMEOUT_SECONDS,
        layers=[wanted.layer],
        vpc_config=make.inside(network),
    )
    config = {"authType": "anonymous", "methods": list(METHODS), "disableURLInternet": True}
    trigger = ali.fc.V3Trigger(
        f"{make.prefix}-{part}",
        function_name=function.function_name,
        trigger_name="http",
        trigger_type="http",
        trigger_config=json.dumps(config),
        qualifier="LATEST",
        opts=make.kept,
    )
    after = [trigger, waf] if waf else [trigger]
    domain = ali.fc.V3CustomDomain(
        f"{make.prefix}-{part}",
        custom_domain_name=wanted.domain.name,
        protocol="HTTPS",
        cert_config=ali.fc.V3CustomDomainCertConfigArgs(
            cert_name=settings.labels.plain(AREA, part),
            certificate=wanted.domain.certificate,
            private_key=pulumi.Output.secret(wanted.domain.private_key.get_secret_value()),
        ),
        tls_config=ali.fc.V3CustomDomainTlsConfigArgs(
            min_version="TLSv1.2",
            max_version="TLSv1.3",
            cipher_suites=list(CIPHERS),
        ),
        waf_config=ali.fc.V3CustomDomainWafConfigArgs(enable_waf=True),
        route_config=ali.fc.V3CustomDomainRouteConfigArgs(
            routes=[
                ali.fc.V3CustomDomainRouteConfigRouteArgs(
                    path=f"/{channel}", function_name=function.function_name, qualifier="LATEST", methods=list(METHODS)
                )
                for channel in wanted.channels
            ]
        ),
        opts=pulumi.ResourceOptions.merge(make.kept, pulumi.ResourceOptions(depends_on=after)),
    )
    return {channel: _url(domain, channel) for channel in wanted.channels}


# Function Compute, "Configure custom domain names", cipher suites of TLS 1.2 with forward secrecy; from knowledge.
CIPHERS = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
)


def _url(domain: ali.fc.V3CustomDomain, channel: str) -> pulumi.Output[str]:
    url: pulumi.Output[str] = domain.custom_domain_name.apply(lambda name: f"https://{name}/{channel}")
    return url


def _environment(wanted: Callbacks, region: str) -> dict[str, pulumi.Input[str]]:
    """Return the function's environment: names and addresses, no secret."""
    federation = load_federation()
    org = next(org for org in federation.orgs if org.name == wanted.org)
    known = hosts(org)
    return {
        "CHANNELS": ",".join(wanted.channels),
        "REGION": region,
        "SECRET_NAME": wanted.secret,
        "SALESFORCE_URL": f"https://{known.my_domain}",
        "SALESFORCE_AUDIENCE": known.jwt_audience,
        "SALESFORCE_API_VERSION": federation.api_version,
        "SALESFORCE_EVENT": wanted.event,
    }
