"""Whether anything may be promoted to an org on a day: public holidays, Salesforce's upgrades, own freezes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from kit.problems import Problem
from orgs.editions import Edition, OrgKind
from orgs.federation import Org
from orgs.freezes import Freezes

if TYPE_CHECKING:
    from holidays import HolidayBase

_RULE = "nothing is promoted on a day of the freeze calendar"
_LONGEST = 31
"""Days in a row off at most: where a search for the end of a holiday gives up."""


def frozen(org: Org, freezes: Freezes, day: date) -> list[Problem]:
    """Return why nothing goes to `org` on `day`, a day in China; nothing when it is free."""
    return [*_holidays(org, freezes, day), *_windows(org, freezes, day)]


def _windows(org: Org, freezes: Freezes, day: date) -> Iterator[Problem]:
    meant = [each for each in freezes.upgrades if org.instance in each.instances]
    for freeze in (*meant, *(each for each in freezes.own if org.name in each.orgs)):
        if freeze.start <= day <= freeze.end:
            yield _problem(org, freeze.title, freeze.zh, freeze.end, freeze.source)


def _holidays(org: Org, freezes: Freezes, day: date) -> Iterator[Problem]:
    if org.edition is not Edition.ALIBABA or org.kind is not OrgKind.PRODUCTION:
        return
    name, last = holiday(day)
    if name:
        yield _problem(org, name, "公共假期", last, freezes.holidays.source)
    elif not arranged(day.year) and day.year not in freezes.holidays.stated_years:
        yield Problem(
            f"{org.name}: the State Council's arrangement of holidays for {day.year} is not known here",
            "an unknown holiday is no working day: orgs/freezes.yml, holidays",
            "upgrade the package holidays; or write the days below own, and the year below stated_years",
            value=day.isoformat(),
            what_zh=f"{org.name}:尚不知 {day.year} 年国务院节假日安排",
            fix_zh="升级 holidays 软件包;或在 orgs/freezes.yml 的 own 中写明日期,并在 stated_years 中写明年份",
        )


def holiday(day: date) -> tuple[str, date]:
    """Return the public holiday of China that `day` belongs to, and its last day; "" for a day that is free.

    Weekends that touch a holiday belong to it, unless the State Council made them working days.
    """
    block = [day] if _off(day) else []
    for step in (timedelta(days=-1), timedelta(days=1)):
        other = day + step
        while block and _off(other) and len(block) < _LONGEST:
            block.append(other)
            other += step
    calendar = _china()
    names = [calendar.get(each) for each in sorted(block) if each in calendar]
    return (str(names[0]), max(block)) if names else ("", day)


def arranged(year: int) -> bool:
    """Return whether the calendar knows the State Council's arrangement of `year`: it moves working days."""
    return any(day.year == year for day in _china().weekend_workdays)


def _off(day: date) -> bool:
    calendar = _china()
    return day in calendar or not calendar.is_working_day(day)


@cache
def _china() -> HolidayBase:
    import holidays  # loaded here: most commands ask for no holiday

    return holidays.country_holidays("CN", language="en_US", years=range(2024, 2032))


def _problem(org: Org, title: str, zh: str, last: date, source: str) -> Problem:
    return Problem(
        f"{org.name} is frozen until {last}, that day included: {title}",
        f"{_RULE}: orgs/freezes.yml ({source})",
        "promote afterwards; an emergency takes a reason and headquarters' signature (option emergency)",
        value=org.name,
        what_zh=f"{org.name} 冻结至 {last}(含当日):{zh}",
        fix_zh="冻结期后再发布;紧急情况需说明理由并由总部签名(选项 emergency)",
    )
