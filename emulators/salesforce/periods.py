"""SOQL's named periods: TODAY, LAST_MONTH, NEXT_N_DAYS:7 …"""

from __future__ import annotations

from datetime import date, timedelta


def period(literal: str, today: date) -> tuple[date, date]:
    """Return the first day of a period and the first day after it.

    `literal` is upper case. Weeks begin on Sunday, as in the en_US locale that SOQL counts in; days are UTC's.
    Source: SOQL and SOSL Reference, "Date Formats and Date Literals". Raises `ValueError` for another literal.
    """
    name, _, count = literal.partition(":")
    number = int(count or 0)
    day = timedelta(days=1)
    match name:
        case "YESTERDAY":
            return today - day, today
        case "TODAY":
            return today, today + day
        case "TOMORROW":
            return today + day, today + 2 * day
        case "LAST_90_DAYS":
            return today - 90 * day, today + day
        case "NEXT_90_DAYS":
            return today + day, today + 91 * day
        case "LAST_N_DAYS":
            return today - number * day, today + day
        case "NEXT_N_DAYS":
            return today + day, today + (number + 1) * day
        case "N_DAYS_AGO":
            return today - number * day, today - (number - 1) * day
    direction, _, unit = name.partition("_")
    if unit.startswith("N_"):
        unit = unit.removeprefix("N_").removesuffix("S")
        return (
            (_start(unit, today, -number), _start(unit, today, 0))
            if direction == "LAST"
            else (_start(unit, today, 1), _start(unit, today, number + 1))
        )
    offset = {"LAST": -1, "THIS": 0, "NEXT": 1}[direction]
    return _start(unit, today, offset), _start(unit, today, offset + 1)


def _start(unit: str, today: date, offset: int) -> date:
    """Return the first day of the unit that lies `offset` units from the one that holds `today`."""
    match unit:
        case "WEEK":
            return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=offset)
        case "MONTH":
            return _month(today.year, today.month - 1 + offset)
        case "QUARTER":
            return _month(today.year, (today.month - 1) // 3 * 3 + 3 * offset)
        case "YEAR":
            return date(today.year + offset, 1, 1)
    raise ValueError(f"SOQL has no period {unit}")


def _month(year: int, months: int) -> date:
    return date(year + months // 12, months % 12 + 1, 1)
