"""The section `sfoa:integration`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from infra.rules import KeptDays
from infra.sections.base import Section
from infra.sections.identity import OrgName

Channel = Literal["official-account", "mini-program", "wecom"]
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HostName = Annotated[str, StringConstraints(pattern=rf"^({_LABEL}\.)+[a-z]{{2,63}}$")]
Origin = Annotated[str, StringConstraints(pattern=rf"^https://({_LABEL}\.)+[a-z]{{2,63}}$")]
EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*__e$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[\w/+=.@-]{1,64}$")]
LayerArn = Annotated[str, StringConstraints(pattern=r"^acs:fc:[a-z0-9-]+:[\w.-]+:layers/[\w.-]+/versions/[0-9]+$")]


def _certificate(text: str) -> str:
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise PydanticCustomError(
            "setting",
            "{what}",
            {
                "what": "no PEM certificate",
                "rule": "the certificate of the domain, with those of its issuers after it, as PEM",
                "fix": "download it from the SSL Certificates Service for Nginx, and put its .pem here",
            },
        ) from None
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


class IntegrationSettings(Section):
    """`sfoa:integration`. Each part is off when absent."""

    origins: tuple[Origin, ...] = Field((), description="Origins of pages that embed the orgs, or that they embed")
    callbacks: Callbacks | None = Field(None, description="Inbound callbacks of WeChat and WeCom")
    events: Events | None = Field(None, description="Change events and bulk extracts")
