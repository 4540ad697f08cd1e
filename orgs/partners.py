"""The partners who may build for China: their China-practice certification and their contract with Alibaba Cloud.

A partner needs both (China Architecture Datasheet of Salesforce on Alibaba Cloud); the list itself comes from the
sales representative. An author is told by the domain of the e-mail address in git.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kit.yamlfile import parse_model, read_yaml

DEFAULT_FILE = Path(__file__).with_name("partners.yml")

Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", examples=["partner.example"])]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Proof(_Entry):
    """A certificate or a contract: its number, and the last day on which it holds."""

    number: str = Field(min_length=1)
    until: date


class Partner(_Entry):
    """A partner and its proofs; one that is left out is unknown."""

    name: str = Field(min_length=1)
    domains: tuple[Domain, ...] = Field(min_length=1)
    china_practice: Proof | None = None
    alibaba_contract: Proof | None = None


class Partners(_Entry):
    """Who writes metadata for China: the company's own people, by domain, and partners."""

    as_of: date
    own_domains: tuple[Domain, ...]
    partners: tuple[Partner, ...] = ()

    def is_own(self, address: str) -> bool:
        """Return whether an e-mail address is the company's own."""
        return _domain(address) in self.own_domains

    def of(self, address: str) -> Partner | None:
        """Return the partner whose e-mail address it is, None for nobody's."""
        return next((one for one in self.partners if _domain(address) in one.domains), None)


def load_partners(path: Path | None) -> Partners:
    """Read a list of partners, by default the one beside this module. Raises `Refused` with every problem."""
    return parse_model(Partners, read_yaml(path or DEFAULT_FILE))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
