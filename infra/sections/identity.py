"""The section `sfoa:identity`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

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

from infra.saml import parse_metadata
from infra.sections.base import Section
from orgs.editions import Edition
from orgs.federation import load_federation


def _metadata(value: str) -> str:
    """Return the metadata itself, which `value` holds or names (a path from the project's root)."""
    rule = "SAML metadata of an identity provider with a signing certificate that is valid"
    try:
        text = value if value.lstrip().startswith("<") else (_root() / value).read_text(encoding="utf-8")
        parse_metadata(text).contract(datetime.now(UTC))
    except (OSError, ValueError) as error:
        fix = "download the metadata from your identity provider again, and name the file here"
        _wrong(str(error), rule, fix)
    return text


def _org(name: str) -> str:
    known = [org.name for org in load_federation().orgs if org.edition is Edition.ALIBABA]
    if name not in known:
        _wrong(
            "not an org of the alibaba edition",
            "the stack serves orgs of orgs/federation.yml in mainland China",
            f"use some of {', '.join(known)}",
        )
    return name


def _root() -> Path:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        _wrong("an org stands twice", "an org has one application", "name each org once")
    return names


def _token(value: object) -> str:
    """Return a token as the engine hands it over, or, where a file is read without it, the ciphertext."""
    token = str(value.get("secure") or "") if isinstance(value, dict) else str(value or "")
    if not token:
        _wrong("an empty token", "a bearer token", "pulumi config set --path --secret 'sfoa:scim_tokens.ORG'")
    return token


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})


Metadata = Annotated[str, AfterValidator(_metadata), WithJsonSchema({"type": "string", "minLength": 1})]
OrgName = Annotated[str, AfterValidator(_org), WithJsonSchema({"type": "string"})]
Orgs = Annotated[tuple[OrgName, ...], AfterValidator(_distinct)]
InstanceId = Annotated[str, StringConstraints(pattern=r"^idaas_[a-z0-9]+$")]
ApplicationId = Annotated[str, StringConstraints(pattern=r"^app_[a-z0-9]+$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^group_[a-z0-9]+$")]
Token = Annotated[
    SecretStr,
    BeforeValidator(_token),
    WithJsonSchema({"type": "object", "required": ["secure"], "properties": {"secure": {"type": "string"}}}),
]


class ExternalIdentity(Section):
    """`sfoa:identity` with `provider: external`: the identity provider that you have."""

    provider: Literal["external"] = Field(description="Whose identity provider signs users in: one of your own")
    metadata: Metadata = Field(description="Its SAML metadata: a file, from the project's root, or the XML itself")
    orgs: tuple[OrgName, ...] = Field(min_length=1, description="Orgs of the federation that it signs users in to")
    warn_days: int = Field(30, ge=1, le=365, description="How many days before its certificate ends a warning comes")


class Mfa(Section):
    """The second factor. There is no setting that turns it off."""

    administrators: tuple[GroupId, ...] = Field(
        (), description="Groups of administrators, when only they are to be asked; everyone is when absent"
    )
    methods: tuple[Literal["ia_totp", "ia_webauthn"], ...] = Field(
        ("ia_totp", "ia_webauthn"), min_length=1, description="What is taken: one-time passwords of an app, WebAuthn"
    )
    interval_seconds: int = Field(28_800, ge=300, le=86_400, description="After how long someone is asked again")


class EiamIdentity(Section):
    """`sfoa:identity` with `provider: eiam`: IDaaS EIAM of Alibaba Cloud, with an application for each org."""

    provider: Literal["eiam"] = Field(description="Whose identity provider signs users in: IDaaS EIAM")
    orgs: Orgs = Field(min_length=1, description="Orgs of the federation that it signs users in to")
    instance: InstanceId | None = Field(None, description="Id of an instance that you have; one is made when absent")
    adopt: dict[OrgName, ApplicationId] = Field(
        default_factory=dict, description="Ids of applications that you have, by their orgs; the others are made"
    )
    delete_adopted: bool = Field(False, description="Whether adopted applications are deleted with the stack")
    name_id: str = Field("user.username", min_length=1, description="Expression of a user's Federation ID in the orgs")
    mfa: Mfa = Field(Mfa.model_validate({}), description="The second factor")

    @model_validator(mode="after")
    def _adopts_what_it_can(self) -> EiamIdentity:
        strangers = self.adopt.keys() - set(self.orgs)
        if strangers:
            _wrong(
                f"adopt names {', '.join(sorted(strangers))}, which isn't among orgs",
                "an application that is adopted signs users in to an org of the stack",
                "add the org to orgs, or remove it from adopt",
            )
        return self


IdentitySettings = ExternalIdentity | EiamIdentity
TAGS = ("external", "eiam")
