"""Scans what is about to leave an org of the China edition for data: by the dated table in `outbound.yml`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from kit.problems import Place
from kit.yamlfile import read_yaml

TABLE = Path(__file__).with_name("outbound.yml")


@dataclass(frozen=True, slots=True)
class Finding:
    """Data found in a file. `hint` says which without giving it away: its first character and its length."""

    kind: str
    place: Place
    hint: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    name: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    paths: tuple[str, ...]


def scan(file: str, data: bytes, before: bytes = b"") -> list[Finding]:
    """Return what in a file must not leave, in the order of its lines.

    `before` is the file as it is at home already: what stands in it doesn't leave anew. A file that is no text in
    UTF-8 is a finding as a whole, unless it is the same: nothing can be said of it.
    """
    if data == before:
        return []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [Finding("content that is no text", Place(file), f"{len(data)} bytes")]
    known = {value for _, _, value in _matches(file, before.decode("utf-8", errors="replace"))}
    taken: dict[range, Finding] = {}
    for kind, start, value in _matches(file, text):
        if value in known or any(start in span for span in taken):
            continue
        place = Place(file, 1 + text.count("\n", 0, start))
        taken[range(start, start + len(value))] = Finding(kind.name, place, f"{value[0]}…, {len(value)} characters")
    return [taken[span] for span in sorted(taken, key=lambda span: span.start)]


def is_citizen_id(text: str) -> bool:
    """Return whether 18 characters are a citizen identification number: a date of birth and its check character
    (GB 11643-1999)."""
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * 2 ** (17 - position) for position, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


def is_record_id(text: str) -> bool:
    """Return whether 15 or 18 characters look like a record's id: digits among them, and the right check suffix."""
    if sum(character.isdigit() for character in text[:15]) < 4:
        return False
    return len(text) == 15 or text[15:] == _suffix(text[:15])


def _suffix(ident: str) -> str:
    """Return the three characters that make an id of 15 independent of case: five bits each, set by capitals."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (ident[start : start + 5] for start in (0, 5, 10))
    return "".join(alphabet[sum(1 << bit for bit, each in enumerate(part) if each.isupper())] for part in parts)


def _matches(file: str, text: str) -> Iterator[tuple[Kind, int, str]]:
    for kind in _kinds():
        if not kind.paths or any(fnmatchcase(f"/{file}", path) for path in kind.paths):
            for match in kind.pattern.finditer(text):
                value = match["value"]
                if value.strip() and kind.check(value):
                    yield kind, match.start("value"), value


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "": lambda _: True,
    "citizen_id": is_citizen_id,
    "record_id": is_record_id,
}


@cache
def _kinds() -> tuple[Kind, ...]:
    return tuple(
        Kind(row["name"], re.compile(row["pattern"]), _CHECKS[row.get("check", "")], tuple(row.get("paths", ())))
        for row in read_yaml(TABLE).data["kinds"]
    )
