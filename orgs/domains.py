"""The host names of an org, derived from edition, My Domain and sandbox: nobody writes them down.

The patterns and their sources are in editions.yml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orgs.editions import Edition, OrgKind, editions, rules_of


class Addressed(Protocol):
    """What an org's host names follow from. `sandbox` is None for a production org."""

    @property
    def edition(self) -> Edition: ...
    @property
    def my_domain(self) -> str: ...
    @property
    def sandbox(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Hosts:
    """Bare host names of one org, and the URLs that follow from them. None: no source proves that host."""

    login: str
    my_domain: str
    lightning: str
    setup: str | None
    visualforce: str | None

    @property
    def jwt_audience(self) -> str:
        """The `aud` of a JWT bearer assertion for this org."""
        return f"https://{self.login}"

    @property
    def token_url(self) -> str:
        """Where an assertion is exchanged for an access token: the My Domain, never another host."""
        return f"https://{self.my_domain}/services/oauth2/token"

    @property
    def saml_entity_id(self) -> str:
        """The entity id that the org has as a SAML service provider."""
        return f"https://{self.my_domain}"

    @property
    def saml_acs_url(self) -> str:
        """Where the identity provider posts its SAML responses."""
        return f"https://{self.my_domain}"

    @property
    def scim_base_url(self) -> str:
        """Where the identity provider provisions users (SCIM 2.0)."""
        return f"https://{self.my_domain}/services/scim/v2/"


def hosts(org: Addressed) -> Hosts:
    """Return the hosts of an org of the federation."""
    return hosts_of(org.edition, org.my_domain, org.sandbox)


def hosts_of(edition: Edition, my_domain: str, sandbox: str | None = None) -> Hosts:
    """Return the hosts of the org that `my_domain` (and `sandbox`, for a sandbox) names in `edition`."""
    kind = OrgKind.PRODUCTION if sandbox is None else OrgKind.SANDBOX
    site = (my_domain if sandbox is None else f"{my_domain}--{sandbox}").lower()
    patterns = rules_of(edition).hosts.of(kind)
    return Hosts(
        login=patterns.login,
        my_domain=patterns.my_domain.format(site=site),
        lightning=patterns.lightning.format(site=site),
        setup=patterns.setup and patterns.setup.format(site=site),
        visualforce=patterns.visualforce and patterns.visualforce.format(site=site),
    )


def edition_of_host(host: str) -> Edition | None:
    """Return the edition that `host` (a bare name, in any case) belongs to, or None: then send it nothing."""
    name = host.lower().removesuffix(".")
    table = editions()
    if any(_within(name, domain) for domain in table.unproven):
        return None
    for edition, rules in table.editions.items():
        if any(_within(name, domain) for domain in rules.domains):
            return edition
    return None


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
