"""What people have to do by hand in a China org, for its channels and its sign-on, and what of it is still open.

The items and their sources are in `channels.yml` and `sign-on.yml`; what was done in each org is in `checklist.yml` of
the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kit.problems import Problem, refuse_if_any
from kit.yamlfile import YamlFile, parse_model, read_yaml
from orgs.editions import Edition
from orgs.federation import Federation, Org, Part
from orgs.model import nearest

FILE = "checklist.yml"
ITEMS_FILES = tuple(Path(__file__).with_name(name) for name in ("channels.yml", "sign-on.yml"))

Text = Annotated[str, Field(min_length=1)]


class Channel(StrEnum):
    """A channel by which people in China talk to a company."""

    WECHAT = "wechat"
    WECOM = "wecom"


class Topic(StrEnum):
    """What an item is about: a channel that an org declares, or the sign-on of every org that gets its own."""

    WECHAT = "wechat"
    WECOM = "wecom"
    SIGN_ON = "sign-on"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Item(_Entry):
    """One thing to do by hand: who does it, where, and how it is verified. After `renew_days` it is to do again."""

    id: Text
    topic: Topic
    title: Text
    zh: Text
    who: Text
    where: Text
    verify: Text
    renew_days: int | None = Field(None, gt=0)


class Items(_Entry):
    """Items, with their source."""

    as_of: date
    source: Text
    items: tuple[Item, ...]


class Deed(_Entry):
    """An item that was done in an org. `evidence` says where that can be seen."""

    item: Text
    by: Text = Field(description="An approver of the federation who answers for it.")
    day: date
    evidence: str = Field(min_length=10)


class OrgChannels(_Entry):
    """The channels of one org, and what was done for them."""

    channels: tuple[Channel, ...] = ()
    done: tuple[Deed, ...] = ()


class Checklist(_Entry):
    """The whole file; an org that it leaves out has no such channel, and nothing was done in it."""

    as_of: date
    orgs: Mapping[str, OrgChannels] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """An item of an org: the last deed, None for none, and whether it is open: not done, or due again."""

    item: Item
    deed: Deed | None
    open: bool


@cache
def items() -> Items:
    """Return all items, those of channels first; of the oldest day that one of their files was looked through."""
    files = [parse_model(Items, read_yaml(file)) for file in ITEMS_FILES]
    return Items(
        as_of=min(each.as_of for each in files),
        source="; ".join(each.source for each in files),
        items=tuple(item for each in files for item in each.items),
    )


def load_checklist(path: Path, federation: Federation) -> Checklist:
    """Read a checklist; without such a file no org has a channel. Raises `Refused` with every problem and its line."""
    if not path.is_file():
        return Checklist(as_of=date.min)
    file = read_yaml(path)
    checklist = parse_model(Checklist, file)
    refuse_if_any(_problems(checklist, file, federation), f"{file.name} is not valid")
    return checklist


def standings(checklist: Checklist, org: Org, today: date) -> tuple[Standing, ...]:
    """Return every item of an org's channels, and of its sign-on where that is rendered for it, and how it stands, in
    the order of the tables."""
    stated = checklist.orgs.get(org.name, OrgChannels.model_validate({}))
    topics = {channel.value for channel in stated.channels} | ({Topic.SIGN_ON.value} if _signs_on(org) else set())
    last = {deed.item: deed for deed in sorted(stated.done, key=lambda deed: deed.day)}
    return tuple(
        Standing(item, last.get(item.id), _is_open(item, last.get(item.id), today))
        for item in items().items
        if item.topic.value in topics
    )


def _signs_on(org: Org) -> bool:
    return org.edition is Edition.ALIBABA and Part.SSO in org.parts


def _is_open(item: Item, deed: Deed | None, today: date) -> bool:
    if deed is None or deed.day > today:
        return True
    return item.renew_days is not None and today > deed.day + timedelta(days=item.renew_days)


def _problems(checklist: Checklist, file: YamlFile, federation: Federation) -> Iterator[Problem]:
    orgs = {org.name: org for org in federation.orgs}
    known = {item.id: item for item in items().items}
    people = [one.name for one in federation.approvers]
    for name, stated in checklist.orgs.items():
        place = file.place(("orgs", name))
        if name not in orgs:
            rule = "a name of the federation file"
            yield Problem(f"no org is called {name}", rule, nearest(name, orgs), place)
        elif stated.channels and orgs[name].edition is not Edition.ALIBABA:
            what = f"{name} is no China org"
            yield Problem(what, "WeChat and WeCom are channels of the China edition only", "remove it", place)
        for at, deed in enumerate(stated.done):
            where = file.place(("orgs", name, "done", at))
            if deed.item not in known:
                fix = nearest(deed.item, known)
                yield Problem(f"no item is called {deed.item}", "an id of orgs/channels.yml or sign-on.yml", fix, where)
            if deed.by not in people:
                yield Problem(
                    f"nobody is called {deed.by}", "an approver of the federation", nearest(deed.by, people), where
                )
