"""Paired rounds: the kit and its peer take turns on the same input, so that a busy machine slows both.

Beside the clock's time stands the processors': it says what the work costs where others have the processors too.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

Work = Callable[[], object]


class Took(NamedTuple):
    """What one run took, in seconds: by the clock, and of all processors, child processes included."""

    clock: float
    processors: float


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `kit` and `other` are what each round took, pairwise; empty when it was skipped, and `skipped`
    says why. `bound` is how many times as long the peer has to take by the clock, 0 where nothing is promised."""

    name: str
    task: str
    peer: str
    kit: tuple[Took, ...] = ()
    other: tuple[Took, ...] = ()
    skipped: str = ""
    bound: float = 0

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as long as the kit the peer took, round by round; above 1 the kit is the faster one."""
        return tuple(other.clock / kit.clock for kit, other in zip(self.kit, self.other, strict=True))

    @property
    def verdict(self) -> str:
        """Whether the bound is met, by the median; "" where there is none."""
        if not self.bound or self.skipped:
            return ""
        return f"{self.bound:g}: {'met' if statistics.median(self.ratios) >= self.bound else 'not met'}"

    def as_json(self) -> dict[str, object]:
        """Return the row as plain data, medians and spread included."""
        about: dict[str, object] = {"name": self.name, "task": self.task, "peer": self.peer}
        if self.skipped:
            return {**about, "skipped": self.skipped}
        return {
            **about,
            "rounds": len(self.kit),
            "kit_seconds": _spread([took.clock for took in self.kit]),
            "peer_seconds": _spread([took.clock for took in self.other]),
            "kit_processor_seconds": _spread([took.processors for took in self.kit]),
            "peer_processor_seconds": _spread([took.processors for took in self.other]),
            "peer_over_kit": _spread(self.ratios),
            **({"bound": self.verdict} if self.bound else {}),
        }


def paired(row: Row, kit: Work, other: Work, *, rounds: int, seconds: float) -> Row:
    """Return `row` with the times of up to `rounds` rounds; no new round begins after `seconds`.

    Each side runs once beforehand, unmeasured, so that neither pays for cold files.
    """
    kit(), other()
    times: tuple[list[Took], list[Took]] = ([], [])
    began = time.perf_counter()
    for number in range(rounds):
        if number and time.perf_counter() - began > seconds:
            break
        sides = [(kit, times[0]), (other, times[1])]
        for work, into in sides if number % 2 == 0 else reversed(sides):
            into.append(_timed(work))
    return replace(row, kit=tuple(times[0]), other=tuple(times[1]))


def skipped(row: Row, reason: str) -> Row:
    """Return `row` as one that could not be measured here."""
    return replace(row, skipped=reason)


def _timed(work: Work) -> Took:
    began, busy = time.perf_counter(), _processors()
    work()
    return Took(time.perf_counter() - began, _processors() - busy)


def _processors() -> float:
    times = os.times()  # children count once they are waited for
    return times.user + times.system + times.children_user + times.children_system


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }
