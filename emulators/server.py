"""The emulators as one running thing: proxy in front, services behind, state in `<home>/emulators`.

`python -m emulators.server --home DIR --port N` runs them in the foreground until SIGTERM, SIGINT or `POST /stop`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from emulators.admin import ADMIN_HOSTS, Admin
from emulators.ca import Authority
from emulators.coverage import note_host
from emulators.environment import additions
from emulators.faults import FaultKind, Faults, reply
from emulators.http import Request, Response
from emulators.proxy import Proxy
from emulators.registry import services
from emulators.requestlog import RequestLog
from emulators.service import Seeded, Service, Waiting, World
from emulators.store import Store
from emulators.wholefile import write_whole
from kit.problems import Problem, Refused


class Emulators:
    """The emulated services of one home. `port` 0 takes any free one; `port` then says which.

    Raises `Refused` when the home can't be written, is in use by another process, or the port is taken.
    """

    def __init__(self, home: Path, port: int, make_services: Callable[[World], list[Service]] = services) -> None:
        self.home = home.resolve()
        self.folder = self.home / "emulators"
        self._hold = _hold(self.folder)
        try:
            self.authority = Authority(self.folder)
            self.store = Store(self.folder / "world.db")
            # Here, where no request is under way that has put a blob and not yet the document that names it.
            self.store.drop_unused_blobs()
        except (OSError, sqlite3.Error) as error:
            self._hold.close()
            raise Refused(_stateless(self.folder, error)) from error
        try:
            self._proxy = Proxy(port, self.authority, self.answer, self._refusal, self._untrusted)
        except OSError as error:
            self.store.close()
            self._hold.close()
            raise Refused(_portless(port, error)) from error
        self.port = self._proxy.port
        self.log = RequestLog(self.folder / "requests.jsonl")
        self.faults = Faults()
        self.stopping = threading.Event()
        self._seed_file = self.folder / "seed.json"
        self._run_file = self.folder / "server.json"
        self._make_services = make_services
        self._world = World(self.store, environ=lambda: additions(self.home, self.port))
        self._services = make_services(self._world)
        self._admin = Admin(self)

    def start(self) -> None:
        """Begin to answer, and note that in `<home>/emulators/server.json`. Raises `Refused` if that can't be done."""
        self._proxy.start()
        try:
            write_whole(self._run_file, json.dumps({"pid": os.getpid(), "port": self.port}).encode())
        except OSError as error:
            self.stop()
            raise Refused(_stateless(self.folder, error)) from error

    def stop(self) -> None:
        """Answer what is under way, then close everything."""
        self.stopping.set()
        self._proxy.stop()
        self._run_file.unlink(missing_ok=True)
        self.store.close()
        self._hold.close()

    def answer(self, request: Request) -> Response | None:
        """Answer one request, and log it; None when a fault says to drop it."""
        began, clock = time.time(), time.perf_counter()
        fault = None if request.host in ADMIN_HOSTS else self.faults.take(request)
        more: dict[str, str] = {}
        if fault is None:
            response: Response | None
            response, more = self._handle(request)
        elif fault.kind is FaultKind.LATE:
            response, more = self._handle(request)
            more = {**more, "fault": fault.kind}
            self.stopping.wait(fault.seconds)
        else:
            if fault.kind is FaultKind.TIMEOUT:
                self.stopping.wait(fault.seconds)
            response, more = reply(fault, request), {"fault": fault.kind}
        if request.host not in ADMIN_HOSTS or "error" in more:
            status = response.status if response else 0
            self.log.write(request, status, began, time.perf_counter() - clock, **more)
        return response

    def reset(self) -> bool:
        """Forget all state, then seed again from the last world file; return whether there was one."""
        with self.store.transaction():
            self.store.reset()
            self._services = self._make_services(self._world)
            seeded = self._seed_file.exists()
            if seeded:
                self._seed(json.loads(self._seed_file.read_text(encoding="utf-8")))
        return seeded

    def seed(self, world: dict[str, Any]) -> None:
        """Hand a world file to the services that take one, and keep it for `reset`."""
        with self.store.transaction():
            self._seed(world)
            try:
                write_whole(self._seed_file, json.dumps(world, ensure_ascii=False, indent=2).encode())
            except OSError as error:
                raise Refused(_stateless(self.folder, error)) from error

    def _seed(self, world: dict[str, Any]) -> None:
        for service in self._services:
            if isinstance(service, Seeded):
                service.seed(world)

    def _handle(self, request: Request) -> tuple[Response, dict[str, str]]:
        service = self._service(request.host)
        if service is None:
            self._note_refused(request.host)
            return _not_ours(request.host), {"refused": "no emulated service owns this host"}
        try:
            with contextlib.nullcontext() if isinstance(service, Waiting) else self.store.transaction():
                return service.handle(request), {}
        except sqlite3.OperationalError as error:
            problem = _stateless(self.folder, error)
            return Response.of_json({"problems": [problem.as_json()]}, 507), {"error": problem.what}
        except Exception:
            # The client gets the fact, the log gets the traceback: a handler's fault is found there.
            problem = Problem(
                f"the {service.name} emulator failed",
                "a wrong request is refused, never a failure",
                "see the traceback: sfoa emulators requests",
            )
            return Response.of_json({"problems": [problem.as_json()]}, 500), {"error": traceback.format_exc()}

    def _service(self, host: str) -> Service | None:
        everyone: list[Service] = [self._admin, *self._services]
        return next((service for service in everyone if service.owns(host)), None)

    def _refusal(self, host: str) -> Response | None:
        if self._service(host) is not None:
            return None
        request = Request("CONNECT", host, host)
        self.log.write(request, 403, time.time(), 0, refused="no emulated service owns this host")
        self._note_refused(host)
        return _not_ours(host)

    def _note_refused(self, host: str) -> None:
        # A full disk takes no note; the refusal itself matters more.
        with contextlib.suppress(sqlite3.OperationalError), self.store.transaction():
            note_host(self.store, host)

    def _untrusted(self, host: str, reason: str) -> None:
        fix = f"the client must trust {self.authority.file}"
        self.log.write(Request("CONNECT", host, host), 0, time.time(), 0, error=f"TLS: {reason}; {fix}")


def _not_ours(host: str) -> Response:
    text = (
        f"The SFoA kit emulators do not emulate {host!r}, and they never forward a request to the real world.\n"
        "Run this command without the emulators, or put the host into NO_PROXY.\n"
    )
    return Response(403, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def _hold(folder: Path) -> IO[bytes]:
    """Return a lock on the home: two processes on one state would each undo what the other did."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("wb")
    except OSError as error:
        raise Refused(_stateless(folder, error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Refused(
            Problem(
                f"other emulators use {folder}",
                "one process a home",
                "sfoa emulators stop, or set SFOA_HOME to another folder",
            )
        ) from error
    return lock


def _portless(port: int, error: OSError) -> Problem:
    return Problem(
        f"port {port} of 127.0.0.1 cannot be had: {error.strerror}",
        "the emulators need a port of their own",
        "choose another one: sfoa emulators start --port N (0: any free one)",
    )


def _stateless(folder: Path, error: OSError | sqlite3.Error) -> Problem:
    reason = error.strerror if isinstance(error, OSError) else error
    return Problem(
        f"cannot keep state in {folder}: {reason}",
        "the emulators need a writable home with free disk space",
        "free some space, mend the permissions, or set SFOA_HOME to another folder; nothing that was kept is lost",
    )


def main() -> int:
    """Run until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m emulators.server")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    try:
        emulators = Emulators(arguments.home, arguments.port)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: emulators.stopping.set())
        emulators.start()
    except Refused as refused:
        json.dump([problem.as_json() for problem in refused.problems], sys.stdout)
        return int(refused.exit_code)
    emulators.stopping.wait()
    emulators.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
