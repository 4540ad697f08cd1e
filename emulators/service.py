"""What an emulated service is: the hosts it answers for, and how it answers one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from emulators.http import Request, Response
from emulators.store import Store


@dataclass(frozen=True)
class World:
    """What services share. `now` returns seconds since the epoch; tests hand in their own clock.

    `environ` returns the variables that lead a program to these emulators: {} where none are running.
    """

    store: Store
    now: Callable[[], float] = field(default=time.time)
    environ: Callable[[], Mapping[str, str]] = field(default=dict)


class Service(Protocol):
    """An emulated service. `handle` runs inside one store transaction, which is taken back when it raises."""

    name: str

    def owns(self, host: str) -> bool:
        """Return whether this service answers for `host` (lower case, without port)."""
        ...

    def handle(self, request: Request) -> Response:
        """Answer one request. What goes wrong is answered in the service's own error shape, never raised."""
        ...


@runtime_checkable
class Seeded(Protocol):
    """A service that takes its part of a world file: which orgs exist, with which users and connected apps."""

    def seed(self, world: dict[str, Any]) -> None:
        """Make what the world file names exist; keep the content of what exists already."""
        ...


@runtime_checkable
class Waiting(Protocol):
    """A service that waits, while it answers, for programs which ask other services: `handle` is in no transaction."""

    waits: Literal[True]
