"""The typed model of a federation: frozen, strict, every value checked where it stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kit.problems import Problem, Refused
from orgs.editions import Edition, OrgKind, editions, rules_of
from orgs.sshkey import ssh_key_fault

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$", description="Lower case, digits, hyphens.")]
ApiVersion = Annotated[str, Field(pattern=r"^[1-9][0-9]{1,2}\.0$", examples=["62.0"])]


class Power(StrEnum):
    """What a centre of excellence may decide for the orgs that it owns."""

    APPROVE_CORE = "approve-core"
    APPROVE_OVERLAY = "approve-overlay"
    EXCLUDE_COMPONENT = "exclude-component"
    POSTPONE_RELEASE = "postpone-release"
    FREEZE = "freeze"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    BACK_PROMOTE = "back-promote"


class Strategy(StrEnum):
    """How a company spreads over orgs: one for all, a hub with spokes, or a federation of orgs with equal rights."""

    SINGLE = "single"
    HUB = "hub-and-spoke"
    FEDERATED = "federated"


class Approval(StrEnum):
    """Whose signatures over a plan's digest a promote asks for: nobody's, the owning centre's, or two people's, one of
    them of the centre that may approve core."""

    NONE = "none"
    OWNER = "owner"
    TWO_KEYS = "two-keys"


class Part(StrEnum):
    """What the release engine renders into an org from the landing zone's outputs."""

    SSO = "sso"
    NETWORK = "network"
    INTEGRATION = "integration"


class MissingFeatures(StrEnum):
    """What becomes of a component that needs a feature which the org's edition lacks: it stops the release, or is left
    out of it with the reason."""

    STOP = "stop"
    EXCLUDE = "exclude"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Approvals(_Entry):
    """Which signatures a plan needs, by the kind of its org. Production always needs two."""

    sandbox: Approval = Approval.OWNER
    production: Approval = Approval.TWO_KEYS

    @field_validator("production")
    @classmethod
    def _production_takes_two(cls, approval: Approval) -> Approval:
        if approval is not Approval.TWO_KEYS:
            raise _refusal("too little", "two people approve what goes to production", "set two-keys, or leave it out")
        return approval


class Term(_Entry):
    """The days on which a delegation holds, both included."""

    start: date
    end: date

    @field_validator("end")
    @classmethod
    def _ends_after_it_starts(cls, end: date, info: ValidationInfo) -> date:
        start = info.data.get("start")
        if start and end <= start:
            raise _refusal("ends before it starts", "a term ends after it starts", f"set a day after {start}")
        return end


class Centre(_Entry):
    """A centre of excellence: the people who own orgs, and what they may decide."""

    name: Name
    title: str = Field(min_length=1)
    powers: frozenset[Power] = Field(min_length=1)
    delegated_by: Name | None = Field(None, description="The centre whose powers it holds; none for headquarters.")
    term: Term | None = Field(None, validate_default=True, description="How long a delegation holds.")

    @field_validator("term")
    @classmethod
    def _delegation_has_a_term(cls, term: Term | None, info: ValidationInfo) -> Term | None:
        if info.data.get("delegated_by") and term is None:
            raise _refusal("missing", "delegated powers hold for a term", "add term: {start: …, end: …}")
        return term

    def holds(self, power: Power, on: date) -> bool:
        """Return whether the centre may use `power` on that day."""
        return power in self.powers and (self.term is None or self.term.start <= on <= self.term.end)


class Approver(_Entry):
    """A person who signs approvals, and the SSH public key that proves it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.-]*[a-z0-9]$")]
    centre: Name
    public_key: str = Field(description="One line of OpenSSH: type, base64, and a comment if you like.")

    @field_validator("public_key")
    @classmethod
    def _is_an_ssh_key(cls, line: str) -> str:
        fault = ssh_key_fault(line)
        if fault:
            raise _refusal(
                fault,
                "an OpenSSH public key: ssh-ed25519, ecdsa-sha2-nistp256/384/521 or ssh-rsa",
                "paste the one line of the approver's .pub file",
            )
        return line


class Runner(_Entry):
    """Who the release engine logs in as: a user of the org and a connected app that trusts the runner's key."""

    username: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=80)
    client_id: str = Field(pattern=r"^[A-Za-z0-9._]{8,256}$")


class ScratchOrg(_Entry):
    """A scratch-org definition that developers may use."""

    name: Name
    edition: Edition
    definition: str = Field(description="Path of the definition file, from federation.yml.")

    @field_validator("edition")
    @classmethod
    def _edition_has_scratch_orgs(cls, edition: Edition) -> Edition:
        if not rules_of(edition).scratch_orgs:
            raise _refusal(
                "has no scratch orgs",
                f"scratch orgs exist in the global edition only (as of {editions().as_of})",
                "use a sandbox, or set edition: global",
            )
        return edition


class Org(_Entry):
    """One org of the federation. Its host names are derived: see `orgs.domains`."""

    name: Name
    edition: Edition
    kind: OrgKind
    my_domain: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=34, examples=["acme-cn"])
    sandbox: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}$")] | None = Field(None, validate_default=True)
    instance: str = Field(examples=["CHN3S"])
    ring: int = Field(ge=1, description="Orgs of ring 1 get a release first.")
    api_version_floor: ApiVersion = Field(description="The lowest API version that callers of this org use.")
    language: str = Field(examples=["zh_CN"])
    support: str = Field(examples=["alibaba-cloud-ticket"], description="Where a case about this org is opened.")
    coe: Name = Field(description="The centre of excellence that owns the org.")
    approvers: tuple[str, ...] = Field(min_length=1, description="Names from the list of approvers.")
    runner: Runner
    render: tuple[Part, ...] | None = Field(
        None, description="What is rendered from the landing zone's outputs. Left out: all of it for a China org."
    )

    missing_features: MissingFeatures | None = Field(
        None, description="What becomes of a component that needs what the edition lacks. Left out: as the edition's."
    )

    @field_validator("sandbox")
    @classmethod
    def _sandbox_is_named(cls, sandbox: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("kind")
        if kind is OrgKind.SANDBOX and sandbox is None:
            raise _refusal("missing", "a sandbox has a sandbox name", "add sandbox: <its name in Setup>")
        if kind is OrgKind.PRODUCTION and sandbox is not None:
            raise _refusal("not for production", "only a sandbox has a sandbox name", "remove it")
        return sandbox

    @field_validator("instance")
    @classmethod
    def _instance_fits(cls, instance: str, info: ValidationInfo) -> str:
        edition, kind = info.data.get("edition"), info.data.get("kind")
        if edition and kind:
            pattern = rules_of(edition).instances.pattern(kind)
            if not re.fullmatch(pattern, instance):
                raise _refusal(
                    f"no {kind} instance of the {edition} edition",
                    f"it matches {pattern}",
                    "look it up in Setup → Company Information",
                )
        return instance

    @field_validator("api_version_floor")
    @classmethod
    def _floor_is_high_enough(cls, floor: str, info: ValidationInfo) -> str:
        edition = info.data.get("edition")
        if edition:
            lowest = rules_of(edition).api_versions.floor
            if api_number(floor) < api_number(lowest):
                raise _refusal("too low", f"the {edition} edition starts at {lowest}", f"set {lowest} or higher")
        return floor

    @field_validator("language")
    @classmethod
    def _language_is_known(cls, language: str) -> str:
        known = editions().languages
        if language not in known:
            raise _refusal(
                "no language of Salesforce", "one of the codes in orgs/editions.yml", nearest(language, known)
            )
        return language

    @field_validator("support")
    @classmethod
    def _support_fits(cls, support: str, info: ValidationInfo) -> str:
        edition = info.data.get("edition")
        if edition and support not in rules_of(edition).support:
            offered = " or ".join(rules_of(edition).support)
            raise _refusal(f"not who supports the {edition} edition", f"cases go to {offered}", f"set {offered}")
        return support

    @property
    def overlays(self) -> tuple[str, ...]:
        """The folders of `metadata/` that make up this org, the later ones winning."""
        shared = ("core",) if self.edition is Edition.GLOBAL else ("core", "china")
        return (*shared, f"orgs/{self.name}")

    @property
    def parts(self) -> frozenset[Part]:
        """What is rendered for this org, as far as the landing zone has it."""
        if self.render is None:
            return frozenset(Part if self.edition is Edition.ALIBABA else ())
        return frozenset(self.render)

    @property
    def preview(self) -> bool:
        """Whether the org's instance gets a seasonal release before the others."""
        return self.instance in rules_of(self.edition).instances.preview


class Federation(_Entry):
    """All orgs of a company, in the order of the file."""

    company: Name
    api_version: ApiVersion = Field(description="The API version that bundles are deployed with.")
    strategy: Strategy | None = Field(None, description="The org strategy that the company decided on.")
    hub: Name | None = Field(None, description="The production org in the middle, when the strategy is hub-and-spoke.")
    centres: tuple[Centre, ...] = Field(min_length=1)
    approvers: tuple[Approver, ...] = Field(min_length=1)
    orgs: tuple[Org, ...] = Field(min_length=1)
    scratch_orgs: tuple[ScratchOrg, ...] = ()
    approvals: Approvals = Approvals()
    soak_hours: dict[int, Annotated[float, Field(ge=0, le=24 * 90)]] = Field(
        {}, description="By ring: how long its orgs hold a release before the next ring opens. Left out: 0."
    )

    missing_features: dict[Edition, MissingFeatures] = Field(
        {}, description="By edition: what becomes of a component that needs what it lacks. Left out: stop."
    )

    def org(self, name: str) -> Org:
        """Return the org called `name`. Raises `Refused` with the nearest name that exists."""
        return _named(self.orgs, name, "org")

    def centre(self, name: str) -> Centre:
        """Return the centre of excellence called `name`. Raises `Refused` as `org` does."""
        return _named(self.centres, name, "centre of excellence")

    def approvers_of(self, org: Org) -> tuple[Approver, ...]:
        """Return the people who may approve what goes to `org`."""
        return tuple(approver for approver in self.approvers if approver.name in org.approvers)

    def approval_of(self, org: Org) -> Approval:
        """Return which signatures a plan for `org` needs."""
        return self.approvals.production if org.kind is OrgKind.PRODUCTION else self.approvals.sandbox

    def missing_features_of(self, org: Org) -> MissingFeatures:
        """Return what becomes of a component that needs a feature which `org` lacks."""
        return org.missing_features or self.missing_features.get(org.edition, MissingFeatures.STOP)

    def rings(self) -> tuple[tuple[Org, ...], ...]:
        """Return the orgs by ring, first ring first; within a ring as in the file."""
        ordered = sorted(self.orgs, key=lambda org: org.ring)
        return tuple(tuple(ring) for _, ring in groupby(ordered, key=lambda org: org.ring))


def api_number(version: str) -> int:
    """Return "62.0" as 62."""
    return int(version.partition(".")[0])


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the fix for a name that nobody knows: the nearest one that exists, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "use one of: " + ", ".join(names)


Named = TypeVar("Named", Org, Centre)


def _named(entries: Sequence[Named], name: str, what: str) -> Named:
    for entry in entries:
        if entry.name == name:
            return entry
    known = [entry.name for entry in entries]
    raise Refused(Problem(f"no {what} is called {name}", "a name of the federation file", nearest(name, known)))


def _refusal(what: str, rule: str, fix: str) -> PydanticCustomError:
    text = str.maketrans({"{": "(", "}": ")"})  # pydantic would read braces in the message as placeholders
    return PydanticCustomError("federation", what.translate(text), {"rule": rule, "fix": fix})
