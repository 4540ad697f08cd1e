"""Days on which nothing is promoted: the dated data of `freezes.yml`, typed. `flows.freeze` judges by it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from kit.problems import Problem, refuse_if_any
from kit.yamlfile import parse_model, read_yaml
from orgs.model import Federation, nearest

DEFAULT_FILE = Path(__file__).with_name("freezes.yml")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Freeze(_Entry):
    """Days, both included, on which nothing goes to some orgs; `zh` is the title in Chinese."""

    title: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    start: date
    end: date
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end < self.start:
            context = {"rule": "a freeze ends on or after its first day", "fix": f"set end to {self.start} or later"}
            raise PydanticCustomError("freeze", "ends before it starts", context)
        return self


class Upgrade(Freeze):
    """A seasonal upgrade of Salesforce's: the instances that get it on these days."""

    instances: tuple[str, ...] = Field(min_length=1)


class OwnFreeze(Freeze):
    """A freeze of the company's own: the orgs that it names."""

    orgs: tuple[str, ...] = Field(min_length=1)


class Holidays(_Entry):
    """Where the public holidays come from. `stated_years` are those whose days stand among the company's own."""

    source: str = Field(min_length=1)
    stated_years: frozenset[int] = frozenset()


class Freezes(_Entry):
    """The freeze calendar of a federation."""

    as_of: date
    holidays: Holidays
    upgrades: tuple[Upgrade, ...] = ()
    own: tuple[OwnFreeze, ...] = ()


def load_freezes(path: Path | None, federation: Federation) -> Freezes:
    """Read a freeze calendar, by default the one beside this module. Raises `Refused` with all of its problems."""
    file = read_yaml(path or DEFAULT_FILE)
    freezes = parse_model(Freezes, file)
    known = [org.name for org in federation.orgs]
    refuse_if_any(
        Problem(
            f"own.{at}.orgs: no org is called {name}",
            "the name of an org of the federation",
            nearest(name, known),
            file.place(("own", at, "orgs")),
            repr(name),
        )
        for at, freeze in enumerate(freezes.own)
        for name in freeze.orgs
        if name not in known
    )
    return freezes
