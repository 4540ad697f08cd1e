"""From where and how people sign in to each org: office ranges, break-glass administrators, single sign-on.

What the landing zone can't know; its own addresses and its identity provider come from its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kit.problems import Problem, refuse_if_any
from kit.yamlfile import parse_model, read_yaml
from orgs.model import Federation, nearest

FILE = "access.yml"
LARGEST_RANGE = 2**25
"""Addresses in one IPv4 range at most (Salesforce Help, "Set Trusted IP Ranges for Your Organization", as Celigo's
documentation 18151112514587 repeats it; read 2026-11-21)."""

ProfileName = Annotated[str, Field(pattern=r"^[^\s/][^/]*$", max_length=255, examples=["Custom%3A Sales Profile"])]
Username = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=80)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class OfficeRange(_Entry):
    """Addresses that people of the company work from, first and last included."""

    name: str = Field(min_length=1, max_length=80)
    start: IPv4Address
    end: IPv4Address

    @field_validator("end")
    @classmethod
    def _is_a_range(cls, end: IPv4Address, info: ValidationInfo) -> IPv4Address:
        start = info.data.get("start")
        if start is None:
            return end
        size = int(end) - int(start) + 1
        if not 1 <= size <= LARGEST_RANGE:
            what = "before its start" if size < 1 else f"{size} addresses away from its start"
            rule = f"a range goes up, and holds {LARGEST_RANGE} addresses at most"
            raise PydanticCustomError("range", "{what}", {"what": what, "rule": rule, "fix": "correct start and end"})
        return end


class Identity(StrEnum):
    """By what an assertion names a user of the org."""

    FEDERATION_ID = "FederationId"
    USERNAME = "Username"


class SignOn(_Entry):
    """How the org takes the assertions of its identity provider."""

    identity: Identity = Identity.FEDERATION_ID
    just_in_time: bool = Field(False, description="Whether an assertion for an unknown user makes that user.")

    @field_validator("just_in_time")
    @classmethod
    def _makes_users_by_federation_id(cls, just_in_time: bool, info: ValidationInfo) -> bool:
        if just_in_time and info.data.get("identity") is not Identity.FEDERATION_ID:
            rule = "users are made just in time by their federation id"
            raise PydanticCustomError(
                "just_in_time", "not with user names", {"rule": rule, "fix": "set identity: FederationId"}
            )
        return just_in_time


class LoginFrom(StrEnum):
    """From where the users of a profile may log in at all."""

    TRUSTED = "trusted"
    ANYWHERE = "anywhere"


class OrgAccess(_Entry):
    """What one org needs to know beside the landing zone's outputs."""

    office_ranges: tuple[OfficeRange, ...] = ()
    break_glass: tuple[Username, ...] = Field((), description="Administrators who can log in without SSO.")
    sign_on: SignOn = SignOn.model_validate({})
    profiles: Mapping[ProfileName, LoginFrom] = Field(
        {},
        description="By the API name of a profile: whether its users may log in from the trusted ranges only (the "
        "landing zone's egress and the offices), or from anywhere. A profile that is left out is left alone.",
    )
    redirects_to: tuple[str, ...] = Field(
        (), description="Orgs of the federation that this one may send its users to, such as one of the other edition."
    )

    @field_validator("profiles")
    @classmethod
    def _people_get_in(cls, profiles: Mapping[str, LoginFrom], info: ValidationInfo) -> Mapping[str, LoginFrom]:
        trusted = sorted(name for name, where in profiles.items() if where is LoginFrom.TRUSTED)
        if trusted and not info.data.get("office_ranges"):
            rule = "users of a profile who may log in from trusted ranges only need an office to do so"
            fix = "state office_ranges, or leave the profile out"
            what = f"{', '.join(trusted)}: nobody could log in but from the landing zone"
            raise PydanticCustomError("profiles", "{what}", {"what": what, "rule": rule, "fix": fix})
        return profiles


class Access(_Entry):
    """The whole file; an org that it leaves out has no office ranges and the default sign-on."""

    as_of: date
    orgs: Mapping[str, OrgAccess] = {}

    def of(self, org: str) -> OrgAccess:
        """Return what is stated of an org."""
        return self.orgs.get(org, OrgAccess.model_validate({}))


def load_access(path: Path, federation: Federation) -> Access:
    """Read `access.yml`; without such a file nothing is stated. Raises `Refused` with every problem and its line."""
    if not path.is_file():
        return Access(as_of=date.min)
    file = read_yaml(path)
    access = parse_model(Access, file)
    names = [org.name for org in federation.orgs]
    named = [(name, file.place(("orgs", name))) for name in access.orgs]
    for org, stated in access.orgs.items():
        named += [(name, file.place(("orgs", org, "redirects_to"))) for name in stated.redirects_to]
    refuse_if_any(
        (
            Problem(f"no org is called {name}", "a name of the federation file", nearest(name, names), place)
            for name, place in named
            if name not in names
        ),
        f"{file.name} is not valid",
    )
    return access
