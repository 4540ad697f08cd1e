"""The dated table of what follows from an edition: hosts, instances, API versions, support, scratch orgs."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from kit.yamlfile import parse_model, read_yaml

TABLE = Path(__file__).with_name("editions.yml")


class Edition(StrEnum):
    """Who runs the org: Salesforce, or Alibaba Cloud in mainland China."""

    GLOBAL = "global"
    ALIBABA = "alibaba"


class OrgKind(StrEnum):
    """What an org is for. Scratch orgs are made and thrown away, so the federation doesn't list them as orgs."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostPatterns(_Row):
    """Host names with `{site}` in them; None where no source proves the host."""

    login: str
    my_domain: str
    lightning: str
    setup: str | None = None
    visualforce: str | None = None


class HostPatternsByKind(_Row):
    """The host patterns of an edition."""

    production: HostPatterns
    sandbox: HostPatterns

    def of(self, kind: OrgKind) -> HostPatterns:
        """Return the patterns for one kind of org."""
        return self.production if kind is OrgKind.PRODUCTION else self.sandbox


class Instances(_Row):
    """Regular expressions (full match) of instance names, and the names of preview instances."""

    production: str
    sandbox: str
    preview: frozenset[str]

    def pattern(self, kind: OrgKind) -> str:
        """Return the expression for one kind of org."""
        return self.production if kind is OrgKind.PRODUCTION else self.sandbox


class ApiVersions(_Row):
    """The lowest and the highest API version that orgs of an edition answer to, as "31.0"."""

    floor: str
    ceiling: str


class EditionRules(_Row):
    """All that follows from one edition."""

    domains: tuple[str, ...]
    hosts: HostPatternsByKind
    instances: Instances
    api_versions: ApiVersions
    support: tuple[str, ...]
    scratch_orgs: bool


class Editions(_Row):
    """The whole table, with where it comes from and how old it is."""

    as_of: date
    source: str
    editions: dict[Edition, EditionRules]
    unproven: tuple[str, ...]
    languages: frozenset[str]


@cache
def editions() -> Editions:
    """Return the table of editions.yml. Raises `Refused` when the file is damaged."""
    return parse_model(Editions, read_yaml(TABLE))


def rules_of(edition: Edition) -> EditionRules:
    """Return what follows from `edition`."""
    return editions().editions[edition]
