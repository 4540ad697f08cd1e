"""Which messages an instance has passed on: the platforms repeat what isn't answered within five seconds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from enum import Enum

KEPT_SECONDS = 900
MOST = 10_000


class State(Enum):
    """What became of a message."""

    NEW = "new"
    PENDING = "pending"
    DONE = "done"


class Seen:
    """The messages of the last quarter of an hour, in this instance.

    Another instance doesn't know them, so the platform event carries the key too, for its subscriber.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, tuple[State, float]] = OrderedDict()

    def begin(self, key: str, now: float) -> State:
        """Return what became of a message; a NEW one is PENDING from now on."""
        with self._lock:
            while self._states and (len(self._states) > MOST or next(iter(self._states.values()))[1] <= now):
                self._states.popitem(last=False)
            if key in self._states:
                return self._states[key][0]
            self._states[key] = (State.PENDING, now + KEPT_SECONDS)
            return State.NEW

    def done(self, key: str) -> None:
        """Say that a message has been passed on."""
        with self._lock:
            if key in self._states:
                self._states[key] = (State.DONE, self._states[key][1])

    def failed(self, key: str) -> None:
        """Let a message be tried again."""
        with self._lock:
            self._states.pop(key, None)
