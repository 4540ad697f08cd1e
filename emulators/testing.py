"""The emulators inside a test's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulators.environment import additions
from emulators.registry import services
from emulators.server import Emulators
from emulators.service import Service, World
from emulators.store import Store


@dataclass(frozen=True)
class Running:
    """Running emulators: `environment` is what a command needs to talk to them, `store` is what they remember."""

    port: int
    ca_file: Path
    environment: dict[str, str]
    store: Store
    emulators: Emulators

    @property
    def proxies(self) -> dict[str, str]:
        """The proxies as `requests` takes them."""
        return dict.fromkeys(("http", "https"), f"http://127.0.0.1:{self.port}")


@contextmanager
def running(home: Path, make_services: Callable[[World], list[Service]] = services) -> Iterator[Running]:
    """Run the emulators of `home` (or some of them) on a free port until the block ends."""
    emulators = Emulators(home, 0, make_services)
    emulators.start()
    try:
        yield Running(
            emulators.port,
            emulators.authority.file,
            additions(emulators.home, emulators.port),
            emulators.store,
            emulators,
        )
    finally:
        emulators.stop()
