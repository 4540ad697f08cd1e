"""One run at a time changes an org: who holds it, and whether that run still lives.

The lock is the ledger itself. An open entry is the lock, and taking it is the conditional write of the next one, which
only one of two runs can win. So that a run which died doesn't hold an org for ever, the holder rewrites
`locks/<org>.json` every few seconds; nobody else writes it, so it needs no condition. See docs/decisions/006.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from flows.ledger import Entry, actor
from flows.objectstore import Absent, ObjectStore
from kit.problems import Problem, Refused

BEAT_SECONDS = 15.0
"""How often a run says that it lives."""

LEASE_SECONDS = 60.0
"""How long after its last sign a run counts as alive: four signs, so that a slow write or two don't cost it the org."""


class Held(Refused):
    """Another run that lives holds the org."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of a holder: where it is, when it gave it (`at`), and whether it was the last (`over`)."""

    by: str
    at: str
    machine: str = ""
    pid: int = 0
    over: bool = False


@dataclass
class OrgLock:
    """The lock of one org. `store` holds the signs of life."""

    org: str
    store: ObjectStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def refuse_if_held(self, entry: Entry) -> None:
        """Raise `Held` when the run that left `entry` open lives; takes up to two beats when that isn't clear."""
        beat = self._read(entry)
        if beat.over or _died_here(beat):
            return
        age = (self.now() - datetime.fromisoformat(beat.at)).total_seconds()
        if not 0 <= age < LEASE_SECONDS:
            # The clocks of two machines may differ: dead is who is silent, not whose sign looks old.
            self.sleep(2 * BEAT_SECONDS)
            again = self._read(entry)
            if again == beat or again.over:
                return
            beat = again
        raise Held(
            Problem(
                f"{self.org} is held by run {entry.record.run[:8]} of {beat.by}: entry {entry.sequence} "
                f"({entry.record.event}) of {entry.at}, last sign of life {beat.at}",
                "one run at a time changes an org",
                "wait for it to end; if you know that it is dead, take over with the option take_over "
                f"(`-o promote__take_over True`), or wait {LEASE_SECONDS:.0f} seconds and run the command again",
            )
        )

    @contextmanager
    def beating(self) -> Iterator[str]:
        """Give signs of life of a new holder, whose id comes back, as long as the block lasts."""
        holder, done = uuid.uuid4().hex, threading.Event()
        beat = Beat(actor(), "", machine(), os.getpid())
        self._write(holder, beat)

        def beats() -> None:
            while not done.wait(BEAT_SECONDS):
                with suppress(Refused):  # a sign that is lost: the next one makes up for it
                    self._write(holder, beat)

        thread = threading.Thread(target=beats, name=f"lock of {self.org}", daemon=True)
        thread.start()
        try:
            yield holder
        finally:
            done.set()
            thread.join()
            with suppress(Refused):  # without a last sign the lease runs out
                self._write(holder, replace(beat, over=True))

    def _write(self, holder: str, beat: Beat) -> None:
        self.store.put(self._key(holder), json.dumps(asdict(replace(beat, at=self.now().isoformat()))).encode())

    def _read(self, entry: Entry) -> Beat:
        """Return the last sign of who wrote `entry`: the entry itself where there is none."""
        with suppress(Absent, ValueError, TypeError):
            return Beat(**json.loads(self.store.get(self._key(entry.record.holder))))
        return Beat(entry.by, entry.at)

    def _key(self, holder: str) -> str:
        return f"locks/{self.org}/{holder}.json"


@cache
def machine() -> str:
    """Return what tells the processes of this machine from all others, or "" where the system doesn't say.

    Two containers may share a host name, and even a kernel, but not a namespace of process ids.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _died_here(beat: Beat) -> bool:
    if not machine() or beat.machine != machine():
        return False
    try:
        os.kill(beat.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
