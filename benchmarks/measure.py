"""Paired rounds: the kit and its peer take turns on the same input, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `kit` and `other` are seconds, one a round, pairwise; empty when it was skipped, and `skipped`
    says why."""

    name: str
    task: str
    peer: str
    kit: tuple[float, ...] = ()
    other: tuple[float, ...] = ()
    skipped: str = ""

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as long as the kit the peer took, round by round; above 1 the kit is the faster one."""
        return tuple(other / kit for kit, other in zip(self.kit, self.other, strict=True))

    def as_json(self) -> dict[str, object]:
        """Return the row as plain data, medians and spread included."""
        about: dict[str, object] = {"name": self.name, "task": self.task, "peer": self.peer}
        if self.skipped:
            return {**about, "skipped": self.skipped}
        return {
            **about,
            "rounds": len(self.kit),
            "kit_seconds": _spread(self.kit),
            "peer_seconds": _spread(self.other),
            "peer_over_kit": _spread(self.ratios),
        }


def paired(row: Row, kit: Work, other: Work, *, rounds: int, seconds: float) -> Row:
    """Return `row` with the times of up to `rounds` rounds; no new round begins after `seconds`.

    Each side runs once beforehand, unmeasured, so that neither pays for cold files.
    """
    kit(), other()
    times: tuple[list[float], list[float]] = ([], [])
    began = time.perf_counter()
    for number in range(rounds):
        if number and time.perf_counter() - began > seconds:
            break
        sides = [(kit, times[0]), (other, times[1])]
        for work, into in sides if number % 2 == 0 else reversed(sides):
            into.append(_timed(work))
    return Row(row.name, row.task, row.peer, tuple(times[0]), tuple(times[1]))


def skipped(row: Row, reason: str) -> Row:
    """Return `row` as one that could not be measured here."""
    return Row(row.name, row.task, row.peer, skipped=reason)


def _timed(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _spread(values: tuple[float, ...]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }
