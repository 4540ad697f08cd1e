"""One run's hand in the ledger: writes each entry after the last one that the run knows, and times its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from flows.ledger import Entry, Ledger, Overtaken, Record


@dataclass
class Journal:
    """What one run writes into the ledger of `org`. `holder` is who has the org, as `flows.lock` knows it; `seconds` is
    how long each step took, by `clock`."""

    org: str
    ledger: Ledger
    clock: Callable[[], float]
    holder: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    _sequence: int = 0

    def follow(self, last: Entry | None) -> None:
        """Write after `last` from now on; None for the first entry of all."""
        self._sequence = last.sequence if last else 0

    def append(self, record: Record) -> Entry:
        """Write the entry after the last one that this run knows. Raises `Overtaken`: then another has the org."""
        entry = self.ledger.append(self.org, replace(record, holder=self.holder), after=self._sequence)
        self._sequence = entry.sequence
        return entry

    def refuse_if_overtaken(self) -> None:
        """Raise `Overtaken` when another run took the org while this one slept."""
        last = self.ledger.last(self.org)
        if last and last.sequence != self._sequence:
            raise Overtaken(self.org, last.sequence, f"{last.by} at {last.at}")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what the block takes to the seconds of a step."""
        start = self.clock()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0) + self.clock() - start, 2)
