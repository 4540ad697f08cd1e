"""Domains of one's own behind WAF: what the internet reaches is WAF, which alone speaks to what stands behind."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_alicloud as ali

from infra.sections.integration import IntegrationSettings, WebDomain
from infra.serverless import AREA, Serverless

CERTIFICATES_IN = "cn-hangzhou"  # where the SSL Certificates Service keeps those of the Chinese site
STRONG_CIPHERS = 2  # WAF 3.0, CreateDomain, CipherSuite: those with forward secrecy, for TLS 1.2 and later
CONNECT_SECONDS, ANSWER_SECONDS = 5, 120


def waf_instance(make: Serverless, wanted: IntegrationSettings) -> ali.wafv3.Instance | None:
    """Return the account's WAF, where anything stands in public and the account has none yet."""
    if wanted.waf or (wanted.callbacks and wanted.callbacks.adopt_waf):
        return None
    return ali.wafv3.Instance(f"{make.prefix}-waf", opts=make.kept) if wanted.public else None


def shielded(
    make: Serverless,
    part: str,
    instance_id: pulumi.Input[str],
    domain: WebDomain,
    backends: pulumi.Input[Sequence[pulumi.Input[str]]],
) -> ali.wafv3.Domain:
    """Return a domain that takes HTTPS alone and leads to `backends` (addresses or host names), also by HTTPS.

    Its `cname` is what the domain's record has to point to.
    """
    return ali.wafv3.Domain(
        f"{make.prefix}-{part}",
        instance_id=instance_id,
        domain=domain.name,
        access_type="share",
        listen=ali.wafv3.DomainListenArgs(
            https_ports=[443],
            cert_id=_certificate(make, part, domain),
            tls_version="tlsv1.2",
            enable_tlsv3=True,
            cipher_suite=STRONG_CIPHERS,
            http2_enabled=True,
            protection_resource="share",
            xff_header_mode=0,
        ),
        redirect=ali.wafv3.DomainRedirectArgs(
            backends=backends,
            loadbalance="iphash",
            sni_enabled=True,
            sni_host=domain.name,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            keepalive=True,
            retry=True,
            xff_proto=True,
        ),
        tags=make.settings.all_tags,
        opts=make.kept,
    )


def _certificate(make: Serverless, part: str, domain: WebDomain) -> pulumi.Input[str]:
    """Return the id by which WAF knows the certificate: one that is there already, or one that is uploaded."""
    if domain.certificate_id:
        return f"{domain.certificate_id}-{CERTIFICATES_IN}"
    assert domain.certificate is not None
    assert domain.private_key is not None
    made = ali.cas.ServiceCertificate(
        f"{make.prefix}-{part}",
        certificate_name=make.settings.labels.plain(AREA, part),
        cert=domain.certificate,
        key=pulumi.Output.secret(domain.private_key.get_secret_value()),
        tags=make.settings.all_tags,
        opts=make.kept,
    )
    ident: pulumi.Output[str] = made.id.apply(lambda number: f"{number}-{CERTIFICATES_IN}")
    return ident
