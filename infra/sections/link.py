"""The section `sfoa:network.link`: ways to headquarters and on-premises, and why data may cross the border by them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, NoReturn

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from infra.limits import limits
from infra.sections.base import Section
from infra.sections.ipsec import Ipsec
from kit.problems import Refused
from kit.yamlfile import parse_model, read_yaml
from orgs import crossborder
from orgs.crossborder import ImportantData, Mechanism, MechanismKind, Register, Transfer
from orgs.federation import own_file

MAINLAND = "CN"
BEIJING = timezone(timedelta(hours=8))  # where the dates of filings count

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
CenId = Annotated[str, StringConstraints(pattern=r"^cen-[a-z0-9]+$")]
RouterId = Annotated[str, StringConstraints(pattern=r"^tr-[a-z0-9]+$")]
VbrId = Annotated[str, StringConstraints(pattern=r"^vbr-[a-z0-9]+$")]
VpnId = Annotated[str, StringConstraints(pattern=r"^vco-[a-z0-9]+$")]
PackageId = Annotated[str, StringConstraints(pattern=r"^cenbwp-[a-z0-9]+$")]
AnyRegion = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z0-9-]+$")]

_COUNTRY = "Country in which the other end stands, by ISO 3166; any but CN crosses the border (HK, MO and TW too)"


class Filed(StrEnum):
    """The mechanisms of PIPL Art. 38 that an authority or a certifier gives a number to."""

    CONTRACT = MechanismKind.CONTRACT.value
    CERTIFICATION = MechanismKind.CERTIFICATION.value
    ASSESSMENT = MechanismKind.ASSESSMENT.value


class LegalBasis(Section):
    """`legal_basis`: a transfer of the cross-border register, or the number of a filing that is in force."""

    entry: Text | None = Field(None, description="Id of a transfer in orgs/cross-border.yml")
    kind: Filed | None = Field(None, description="Mechanism that the company went through; with number and valid_until")
    number: Text | None = Field(None, description="Number of the filing, certificate or assessment")
    valid_until: date | None = Field(None, description="Last day on which it holds")

    @property
    def tag(self) -> str:
        """Return what the tag `legal-basis` says."""
        return self.entry or f"{self.kind}/{self.number}"


class Vpn(Section):
    """`vpn`: an IPsec connection that stands already and isn't bound to a gateway. Its key stays with who made it."""

    id: VpnId = Field(description="Id of the IPsec connection")
    country: Country = Field(description=_COUNTRY)


class Vbr(Section):
    """`vbr`: a leased line's end."""

    id: VbrId = Field(description="Id of the virtual border router")
    country: Country = Field(description=_COUNTRY)


class Headquarters(Section):
    """`headquarters`: a transit router of another region, in the same CEN instance."""

    region: AnyRegion = Field(description="Region of the other router; one off the mainland crosses the border")
    transit_router_id: RouterId = Field(description="Id of the other router")
    bandwidth_mbps: int = Field(10, ge=2, le=10000, description="Bandwidth between the regions, in Mbit/s")
    bandwidth_package_id: PackageId | None = Field(
        None, description="Bandwidth package that is drawn on; without one, traffic is paid by volume"
    )


class Link(Section):
    """`link`: the landing zone in the company's network."""

    cen_id: CenId | None = Field(None, description="CEN instance to join; one is made when absent")
    transit_router_id: RouterId | None = Field(
        None, description="The instance's router in this region; one is made when absent"
    )
    vpn: Vpn | None = Field(None, description="On-premises by an IPsec connection that stands already")
    ipsec: Ipsec | None = Field(None, description="On-premises by an IPsec connection that is made")
    vbr: Vbr | None = Field(None, description="On-premises by leased line")
    headquarters: Headquarters | None = Field(None, description="Another region of the company's network")
    legal_basis: LegalBasis | None = Field(
        None, validate_default=True, description="Why data may leave by it; demanded once the link crosses the border"
    )

    @field_validator("legal_basis", mode="after")
    @classmethod
    def _named(cls, basis: LegalBasis | None, info: ValidationInfo) -> LegalBasis | None:
        ends = crossings(*(info.data.get(way) for way in ("vpn", "ipsec", "vbr", "headquarters")))
        if basis is None and ends:
            _wrong(
                f"the link crosses the border ({', '.join(ends)}) and names no legal basis",
                "data leaves the mainland by a named mechanism only: PIPL Art. 38; CBDF Arts. 7, 8 (R02, R11-R14)",
                "name a transfer of orgs/cross-border.yml: legal_basis: {entry: …}, or the filing in force: "
                "legal_basis: {kind: standard-contract, number: …, valid_until: …}; or keep the link in the mainland",
            )
        if basis is not None:
            _check(basis, datetime.now(BEIJING).date())
        return basis

    @field_validator("headquarters", mode="after")
    @classmethod
    def _joined(cls, headquarters: Headquarters | None, info: ValidationInfo) -> Headquarters | None:
        if headquarters and info.data.get("cen_id") is None:
            _wrong(
                "headquarters without a CEN instance",
                "routers of two regions are peered inside one CEN instance",
                "set link.cen_id to the instance that the other router belongs to",
            )
        return headquarters


def crossings(vpn: Vpn | None, ipsec: Ipsec | None, vbr: Vbr | None, headquarters: Headquarters | None) -> list[str]:
    """Return the ways of a link that leave the mainland, in words."""
    ends = (("vpn", vpn), ("ipsec", ipsec), ("vbr", vbr))
    found = [f"{name} to {end.country}" for name, end in ends if end and end.country != MAINLAND]
    if headquarters and headquarters.region not in limits().regions.mainland:
        found.append(f"headquarters in {headquarters.region}")
    return found


def _check(basis: LegalBasis, today: date) -> None:
    filed = (basis.kind, basis.number, basis.valid_until)
    if (basis.entry is None) != all(filed) or (basis.entry and any(filed)):
        _wrong(
            "neither a transfer nor a whole filing",
            "either entry, or kind, number and valid_until together",
            "name one of the two",
        )
    if basis.entry is None:
        _in_force(f"{basis.kind} {basis.number}", basis.valid_until, today)
        return
    try:
        register = parse_model(Register, read_yaml(own_file(crossborder.DEFAULT_FILE.name)))
    except Refused as refused:
        first = refused.problems[0]
        _wrong(f"orgs/cross-border.yml can't be read: {first.place}: {first.what}", first.rule, first.fix)
    known = {transfer.id: transfer for transfer in register.transfers}
    transfer = known.get(basis.entry)
    if transfer is None:
        _wrong(
            f"orgs/cross-border.yml has no transfer {basis.entry}",
            "a basis that is named is one that stands in the register",
            f"use one of {', '.join(sorted(known))}, or add it there" if known else "add it there",
        )
    _check_transfer(transfer, today)


def _check_transfer(transfer: Transfer, today: date) -> None:
    mechanism = transfer.mechanism
    if not transfer.leaves_mainland:
        _wrong(
            f"{transfer.id} isn't declared to leave the mainland",
            "what is no transfer abroad is no basis for one (R01, CBDF Art. 2)",
            "name a transfer with leaves_mainland: true",
        )
    if mechanism is None:
        _wrong(
            f"{transfer.id} names no mechanism",
            "a transfer that a line is laid for says how it is lawful: PIPL Art. 38",
            "state its mechanism in orgs/cross-border.yml",
        )
    if transfer.important_data is ImportantData.NOTIFIED and mechanism.kind is not MechanismKind.ASSESSMENT:
        _wrong(
            f"{transfer.id} carries important data by {mechanism.kind}",
            "important data leaves by security assessment alone (R02: CBDF Art. 7, DSL Art. 31)",
            "name a transfer that has been assessed",
        )
    if mechanism.kind is not MechanismKind.EXEMPT:
        _in_force(_words(transfer.id, mechanism), mechanism.valid_until, today)


def _words(ident: str, mechanism: Mechanism) -> str:
    return f"the {mechanism.kind} {mechanism.number} of {ident}".replace("  ", " ")


def _in_force(what: str, until: date | None, today: date) -> None:
    if until is None or until < today:
        _wrong(
            f"{what} has no date until which it holds" if until is None else f"{what} ended on {until}",
            "a mechanism is in force on the day on which the link is laid (R12, R13: three years)",
            "renew it, and state its new date",
        )


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})
