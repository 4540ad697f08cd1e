"""How the kit says what is wrong: a `Problem` a finding, all problems of one input in one `Refused`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple


class Exit(IntEnum):
    """Exit codes of every command of the kit."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    INTERNAL = 3


class Place(NamedTuple):
    """A spot in a file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, by which rule, and what to do about it.

    `what_zh` and `fix_zh` are the Chinese texts where a gate or a support case shows them to users.
    """

    what: str
    rule: str
    fix: str
    place: Place | None = None
    value: str = ""
    what_zh: str = ""
    fix_zh: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        got = f" (got {self.value})" if self.value else ""
        return f"{where}{self.what}{got}\n    rule: {self.rule}\n    fix:  {self.fix}"

    def as_json(self) -> dict[str, object]:
        """Return the problem as plain data; `place` becomes `file` and `line`."""
        data: dict[str, object] = {k: v for k, v in asdict(self).items() if k != "place" and v}
        if self.place:
            data |= {"file": self.place.file, "line": self.place.line}
        return data


class Refused(Exception):
    """An input was refused or a job failed with a reason. Carries every problem found; exit code 1."""

    exit_code = Exit.REFUSED

    def __init__(self, problems: Problem | Sequence[Problem], headline: str = "") -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.headline = headline or _count(self.problems)
        super().__init__("\n".join([self.headline, *map(str, self.problems)]))


class UsageRefused(Refused):
    """A command was called in a way that it does not take; exit code 2."""

    exit_code = Exit.USAGE


def refuse_if_any(problems: Iterable[Problem], headline: str = "") -> None:
    """Raise `Refused` with all of `problems`, or return when there is none."""
    found = tuple(problems)
    if found:
        raise Refused(found, headline)


def relative(path: Path) -> str:
    """Return `path` relative to the working directory where it lies below it: what people can click on."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _count(problems: Sequence[Problem]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
