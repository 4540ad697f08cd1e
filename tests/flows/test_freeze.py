"""Which days are frozen for which org."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from flows.freeze import frozen, holiday
from orgs.federation import load_federation
from orgs.freezes import Freezes, load_freezes

FEDERATION = load_federation()
FREEZES = load_freezes(None, FEDERATION)


NOTICE = {
    "New Year": (date(2026, 1, 1), date(2026, 1, 3)),
    "Spring Festival": (date(2026, 2, 15), date(2026, 2, 23)),
    "Qingming": (date(2026, 4, 4), date(2026, 4, 6)),
    "Labour Day": (date(2026, 5, 1), date(2026, 5, 5)),
    "Dragon Boat Festival": (date(2026, 6, 19), date(2026, 6, 21)),
    "Mid-Autumn Festival": (date(2026, 9, 25), date(2026, 9, 27)),
    "National Day": (date(2026, 10, 1), date(2026, 10, 7)),
}
"""国务院办公厅关于2026年部分节假日安排的通知 (国办发明电〔2025〕7号, 2025-11-04), by politics.gmw.cn."""


def why(org: str, day: date, freezes: Freezes = FREEZES) -> list[str]:
    return [problem.what for problem in frozen(FEDERATION.org(org), freezes, day)]


def test_the_days_off_of_2026_are_those_of_the_state_council_s_notice() -> None:
    """The list above was typed from the notice: two sources, one calendar."""
    days = [date(2026, 1, 1) + timedelta(days=each) for each in range(365)]
    notice = {day for day in days for start, end in NOTICE.values() if start <= day <= end}
    assert {day for day in days if holiday(day)[0]} == notice


@pytest.mark.parametrize("day", [date(2026, 2, 14), date(2026, 2, 28), date(2026, 9, 20), date(2026, 10, 10)])
def test_a_substituted_working_day_is_no_holiday_though_it_is_a_weekend(day: date) -> None:
    assert day.weekday() >= 5
    assert why("china-production", day) == []


def test_a_holiday_freezes_production_in_china_and_nothing_else() -> None:
    spring = date(2026, 2, 21)  # a Saturday between two substituted days off
    assert "until 2026-02-23" in why("china-production", spring)[0]
    assert why("china-staging", spring) == []
    assert why("global-production", spring) == []


def test_an_ordinary_weekend_is_free() -> None:
    assert why("china-production", date(2026, 11, 21)) == []


def test_a_year_whose_arrangement_nobody_knows_is_asked_for_in_china_s_production() -> None:
    [problem] = frozen(FEDERATION.org("china-production"), FREEZES, date(2031, 3, 18))
    assert "2031" in problem.what
    assert problem.what_zh
    stated = FREEZES.holidays.model_copy(update={"stated_years": frozenset({2031})})
    assert why("china-production", date(2031, 3, 18), FREEZES.model_copy(update={"holidays": stated})) == []
    assert why("global-production", date(2031, 3, 18)) == []


@pytest.mark.parametrize(
    ("org", "day", "title"),
    [
        ("china-preview", date(2027, 1, 9), "Spring '27 on preview sandboxes"),
        ("china-uat", date(2027, 1, 9), ""),
        ("china-uat", date(2027, 2, 14), "Spring '27 on production"),
        ("china-uat", date(2027, 2, 15), ""),
        ("global-production", date(2026, 12, 29), "Year-end closing"),
        ("global-uat", date(2026, 12, 29), ""),
    ],
)
def test_an_upgrade_freezes_its_instances_and_an_own_freeze_its_orgs(org: str, day: date, title: str) -> None:
    found = why(org, day)
    assert title in found[0] if title else found == []
