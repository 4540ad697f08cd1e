"""The section `sfoa:identity`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
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
        raise PydanticCustomError("setting", "{what}", {"what": str(error), "rule": rule, "fix": fix}) from None
    return text


def _org(name: str) -> str:
    known = [org.name for org in load_federation().orgs if org.edition is Edition.ALIBABA]
    if name not in known:
        raise PydanticCustomError(
            "setting",
            "{what}",
            {
                "what": "not an org of the alibaba edition",
                "rule": "the stack serves orgs of orgs/federation.yml in mainland China",
                "fix": f"use some of {', '.join(known)}",
            },
        )
    return name


def _root() -> Path:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)


Metadata = Annotated[str, AfterValidator(_metadata), WithJsonSchema({"type": "string", "minLength": 1})]
OrgName = Annotated[str, AfterValidator(_org), WithJsonSchema({"type": "string"})]


class IdentitySettings(Section):
    """`sfoa:identity`: the identity provider that you have."""

    provider: Literal["external"] = Field(description="Whose identity provider signs users in: one of your own")
    metadata: Metadata = Field(description="Its SAML metadata: a file, from the project's root, or the XML itself")
    orgs: tuple[OrgName, ...] = Field(min_length=1, description="Orgs of the federation that it signs users in to")
    warn_days: int = Field(30, ge=1, le=365, description="How many days before its certificate ends a warning comes")
