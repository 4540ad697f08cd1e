"""Whether anything may be promoted to an org on a day: public holidays, Salesforce's upgrades, own freezes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Frozen:
    """Days on which nothing is promoted, and the last of them. `zh` is the title in Chinese."""

    title: str
    zh: str
    end: date
    source: str


def frozen(org: Org, freezes: Freezes, day: date) -> list[Problem]:
    """Return why nothing goes to `org` on `day`, a day in China; nothing when it is free."""
    problems = [_problem(org, each) for each in freezes_on(org, freezes, day)]
    return problems if arranged_for(org, freezes, day) else [_not_arranged(org, day), *problems]


def freezes_on(org: Org, freezes: Freezes, day: date) -> list[Frozen]:
    """Return what of the calendar freezes `org` on `day`: a public holiday, Salesforce's upgrades, own freezes."""
    upgrades = [each for each in freezes.upgrades if org.instance in each.instances]
    windows = (*upgrades, *(each for each in freezes.own if org.name in each.orgs))
    found = [Frozen(each.title, each.zh, each.end, each.source) for each in windows if each.start <= day <= each.end]
    name, last = holiday(day) if _keeps_holidays(org) else ("", day)
    return [Frozen(name, "公共假期", last, freezes.holidays.source), *found] if name else found


def arranged_for(org: Org, freezes: Freezes, day: date) -> bool:
    """Return whether it is known if `day` is a holiday, as far as that matters to `org`."""
    if not _keeps_holidays(org) or holiday(day)[0]:
        return True
    return arranged(day.year) or day.year in freezes.holidays.stated_years


def _keeps_holidays(org: Org) -> bool:
    return org.edition is Edition.ALIBABA and org.kind is OrgKind.PRODUCTION


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


def _problem(org: Org, freeze: Frozen) -> Problem:
    return Problem(
        f"{org.name} is frozen until {freeze.end}, that day included: {freeze.title}",
        f"{_RULE}: orgs/freezes.yml ({freeze.source})",
        "promote afterwards; an emergency takes a reason and headquarters' signature (option emergency)",
        value=org.name,
        what_zh=f"{org.name} 冻结至 {freeze.end}(含当日):{freeze.zh}",
        fix_zh="冻结期后再发布;紧急情况需说明理由并由总部签名(选项 emergency)",
    )


def _not_arranged(org: Org, day: date) -> Problem:
    return Problem(
        f"{org.name}: the State Council's arrangement of holidays for {day.year} is not known here",
        "an unknown holiday is no working day: orgs/freezes.yml, holidays",
        "upgrade the package holidays; or write the days below own, and the year below stated_years",
        value=day.isoformat(),
        what_zh=f"{org.name}:尚不知 {day.year} 年国务院节假日安排",
        fix_zh="升级 holidays 软件包;或在 orgs/freezes.yml 的 own 中写明日期,并在 stated_years 中写明年份",
    )
