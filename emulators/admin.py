"""The emulators' own host: status, coverage, reset, seed, stop, the request log and faults on order."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulators import coverage
from emulators.faults import parse_fault
from emulators.http import Request, Response
from emulators.registry import emulated
from kit.problems import Problem, Refused

if TYPE_CHECKING:
    from emulators.server import Emulators

ADMIN_HOST = "emulators.sfoa.internal"
ADMIN_HOSTS = frozenset({ADMIN_HOST, "127.0.0.1", "localhost"})
_MOST_ENTRIES = 10_000


class Admin:
    """Answers `emulators.sfoa.internal` through the proxy, and 127.0.0.1 directly on the port; all in JSON."""

    name = "admin"

    def __init__(self, emulators: Emulators) -> None:
        self._emulators = emulators
        self._actions: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/status"): self._status,
            ("GET", "/coverage"): self._coverage,
            ("POST", "/reset"): lambda _: {"reset": True, "seeded": emulators.reset()},
            ("POST", "/seed"): self._seed,
            ("POST", "/stop"): self._stop,
            ("GET", "/requests"): self._requests,
            ("GET", "/faults"): lambda _: {"faults": emulators.faults.as_json()},
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
        }

    def owns(self, host: str) -> bool:
        """Return whether `host` is the emulators' own."""
        return host in ADMIN_HOSTS

    def handle(self, request: Request) -> Response:
        """Answer one request; what is wrong with it comes back as `{"problems": [...]}` with status 400."""
        if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
            # A web page in this machine's browser could reach the port; it has no business here.
            return _problems(403, Problem("a web page asked", "only tools of this machine may", "use sfoa emulators"))
        action = self._actions.get((request.method, request.path))
        if action is None:
            known = ", ".join(f"{method} {path}" for method, path in self._actions)
            return _problems(
                404,
                Problem(f"{request.method} {request.path} is unknown", f"one of {known}", "use one of them"),
            )
        try:
            return Response.of_json(action(request))
        except Refused as refused:
            return _problems(400, *refused.problems)

    def _status(self, _: Request) -> dict[str, Any]:
        emulators = self._emulators
        kinds = emulators.store.kinds()
        return {
            "home": str(emulators.home),
            "pid": os.getpid(),
            "port": emulators.port,
            "documents": {kind: count for kind, count in kinds.items() if kind not in coverage.KINDS},
            "unknown_actions": len(coverage.unknown_actions(emulators.store)),
            "refused_hosts": len(coverage.refused_hosts(emulators.store)),
            "faults": len(emulators.faults.as_json()),
            "log_lines_lost": emulators.log.lost,
        }

    def _coverage(self, _: Request) -> dict[str, Any]:
        store = self._emulators.store
        return {
            "unknown_actions": coverage.unknown_actions(store),
            "refused_hosts": coverage.refused_hosts(store),
            "emulated": [
                {"product": product, "version": version, "action": action} for product, version, action in emulated()
            ],
        }

    def _seed(self, request: Request) -> dict[str, Any]:
        try:
            world = request.json
        except ValueError as error:
            raise Refused(Problem(f"the world file is not JSON: {error}", "a JSON object", "send one")) from error
        if not isinstance(world, dict) or not isinstance(world.get("orgs"), list):
            raise Refused(
                Problem(
                    "the world file has no list `orgs`",
                    'a JSON object {"orgs": [...]}',
                    "make it with: sfoa federation world",
                )
            )
        self._emulators.seed(world)
        return {"orgs": len(world["orgs"])}

    def _stop(self, _: Request) -> dict[str, Any]:
        self._emulators.stopping.set()
        return {"stopping": True}

    def _requests(self, request: Request) -> dict[str, Any]:
        limit = request.query.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= _MOST_ENTRIES:
            raise Refused(Problem("limit", f"1 to {_MOST_ENTRIES}", "set it so", value=limit))
        return {"requests": self._emulators.log.tail(int(limit))}

    def _add_fault(self, request: Request) -> dict[str, Any]:
        try:
            data = request.json
        except ValueError as error:
            raise Refused(Problem(f"the fault is not JSON: {error}", "a JSON object", "send one")) from error
        self._emulators.faults.add(parse_fault(data))
        return {"faults": self._emulators.faults.as_json()}

    def _clear_faults(self, _: Request) -> dict[str, Any]:
        self._emulators.faults.clear()
        return {"faults": []}


def _problems(status: int, *problems: Problem) -> Response:
    return Response.of_json({"problems": [problem.as_json() for problem in problems]}, status)
