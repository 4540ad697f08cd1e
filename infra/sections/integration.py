"""The section `sfoa:integration`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NoReturn, Self

from cryptography import x509
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from infra.rules import KeptDays
from infra.sections.base import Section
from infra.sections.identity import OrgName

Channel = Literal["official-account", "mini-program", "wecom"]
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HostName = Annotated[str, StringConstraints(pattern=rf"^({_LABEL}\.)+[a-z]{{2,63}}$")]
Origin = Annotated[str, StringConstraints(pattern=rf"^https://({_LABEL}\.)+[a-z]{{2,63}}$")]
EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*__e$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[\w/+=.@-]+$", max_length=64)]
CertificateId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
WafInstanceId = Annotated[str, StringConstraints(pattern=r"^waf[_-][A-Za-z0-9_-]+$")]
Backend = Annotated[
    str, StringConstraints(pattern=rf"^(({_LABEL}\.)+[a-z]{{2,63}}|[0-9]{{1,3}}(\.[0-9]{{1,3}}){{3}})$")
]
LayerArn = Annotated[str, StringConstraints(pattern=r"^acs:fc:[a-z0-9-]+:[\w.-]+:layers/[\w.-]+/versions/[0-9]+$")]


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix}) from None


def _certificate(text: str) -> str:
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        _wrong(
            "no PEM certificate",
            "the certificate of the domain, with those of its issuers after it, as PEM",
            "download it from the SSL Certificates Service for Nginx, and put its .pem here",
        )
    return text


def _encrypted(value: Any) -> Any:
    """Return a secret; what the engine hasn't decrypted (a file read without it) is not known here, and is empty."""
    return "" if isinstance(value, dict) and set(value) == {"secure"} else value


Certificate = Annotated[str, AfterValidator(_certificate)]
_SECURE = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
Secret = Annotated[SecretStr, BeforeValidator(_encrypted), WithJsonSchema({**_SECURE, "additionalProperties": False})]


class Domain(Section):
    """`domain`: a name of your own, whose CNAME record leads to Function Compute, and which has an ICP filing."""

    name: HostName = Field(description="Host name")
    certificate: Certificate = Field(description="PEM certificate and those of its issuers")
    private_key: Secret = Field(description="PEM key of the certificate; `pulumi config set --path --secret`")


class WebDomain(Section):
    """`domain`: a name of your own with an ICP filing, whose CNAME record leads to WAF.

    Its certificate is one that the SSL Certificates Service has (`certificate_id`), or PEM that is uploaded there.
    """

    name: HostName = Field(description="Host name")
    certificate_id: CertificateId | None = Field(
        None, description="Id of the certificate in the SSL Certificates Service"
    )
    certificate: Certificate | None = Field(None, description="PEM certificate and those of its issuers")
    private_key: Secret | None = Field(
        None, description="PEM key of the certificate; `pulumi config set --path --secret`"
    )

    @model_validator(mode="after")
    def _has_one_certificate(self) -> Self:
        uploaded = (self.certificate is not None, self.private_key is not None)
        if uploaded != ((False, False) if self.certificate_id else (True, True)):
            _wrong(
                "not one certificate",
                "a public domain speaks TLS by one certificate",
                "set certificate_id alone, or certificate and private_key",
            )
        return self


class Pages(Section):
    """`pages`: pages of yours that the orgs embed, at a domain of your own behind WAF."""

    domain: WebDomain = Field(description="Where the orgs' users find the pages; it becomes an origin")
    backends: tuple[Backend, ...] = Field(
        min_length=1, max_length=20, description="Addresses or host names of the servers behind WAF, which take HTTPS"
    )


class Callbacks(Section):
    """`callbacks`: what WeChat and WeCom tell, verified, becomes platform events of one org. Secure mode only."""

    channels: tuple[Channel, ...] = Field(min_length=1, description="Platforms that call")
    org: OrgName = Field(description="Org of the federation that gets the events")
    event: EventName = Field("SocialMessage__e", description="Platform event that a message becomes")
    secret: SecretName = Field(
        description="KMS secret, under the key of the buckets, with tokens, EncodingAESKeys and the org's client"
    )
    layer: LayerArn = Field(description="Function Compute layer with the Python package cryptography")
    domain: Domain = Field(description="Where the platforms call")
    adopt_waf: bool = Field(False, description="Whether the account has a WAF 3.0 instance already: it takes one only")


class Events(Section):
    """`events`: change events of the orgs by API gateway, others by an event bus, kept inside the mainland."""

    retention_days: KeptDays = Field(365, description="For how long events and bulk extracts are kept")
    domain: WebDomain | None = Field(
        None, description="Where the orgs call, behind WAF; without it they call the gateway's own address"
    )


class IntegrationSettings(Section):
    """`sfoa:integration`. Each part is off when absent."""

    origins: tuple[Origin, ...] = Field((), description="Origins of pages that embed the orgs, or that they embed")
    callbacks: Callbacks | None = Field(None, description="Inbound callbacks of WeChat and WeCom")
    events: Events | None = Field(None, description="Change events and bulk extracts")
    pages: Pages | None = Field(None, description="Pages of your own that the orgs embed")
    waf: WafInstanceId | None = Field(
        None, description="WAF 3.0 instance that the account has already: it takes one only; made when absent"
    )

    @property
    def domains(self) -> dict[str, WebDomain]:
        """The domains that lead to WAF, by what stands behind them: pages, events."""
        found = {"pages": self.pages.domain if self.pages else None}
        found["events"] = self.events.domain if self.events else None
        return {part: domain for part, domain in found.items() if domain}

    @property
    def public(self) -> bool:
        """Whether anything stands in public by a domain of its own, which WAF has to shield."""
        return bool(self.callbacks or self.domains)

    @model_validator(mode="after")
    def _names_the_waf(self) -> Self:
        if self.domains and self.callbacks and self.callbacks.adopt_waf and not self.waf:
            _wrong(
                "a domain behind a WAF that isn't named",
                "WAF takes a domain by its instance's id",
                "set waf to the id of the account's instance",
            )
        return self
