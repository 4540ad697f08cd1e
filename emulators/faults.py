"""Faults on order: the next requests that match are throttled, fail, hang, are dropped, are done but answered late,
find their token expired, are denied for want of a right, or find their service not opened (the last two in Alibaba
Cloud's RPC products)."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from emulators.http import Request, Response
from emulators.requestlog import action_of
from kit.problems import Problem, Refused

MOST_TIMES = 1000
MOST_ORDERS = 100


class FaultKind(StrEnum):
    """What happens to a request."""

    THROTTLE = "throttle"
    ERROR_500 = "error500"
    TIMEOUT = "timeout"
    DROP = "drop"
    LATE = "late"
    EXPIRED = "expired"
    DENIED = "denied"
    CLOSED = "closed"


@dataclass(frozen=True)
class Fault:
    """An order for the next `times` requests to a host (glob), with an action (glob) or any; `seconds` is how long
    a timeout holds its connection before it drops it, and by how much a late answer is late."""

    host: str
    kind: FaultKind
    times: int = 1
    action: str | None = None
    seconds: float = 90.0

    def matches(self, request: Request) -> bool:
        """Return whether the order is for this request."""
        return fnmatchcase(request.host, self.host) and (
            self.action is None or fnmatchcase(action_of(request), self.action)
        )


class Faults:
    """The orders that are still open, oldest first. They are forgotten when the process ends."""

    def __init__(self) -> None:
        self._open: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Take an order. Raises `Refused` when too many are open."""
        with self._lock:
            if len(self._open) >= MOST_ORDERS:
                raise Refused(
                    Problem("too many faults are open", f"at most {MOST_ORDERS}", "DELETE /faults, or use some up")
                )
            self._open.append(fault)

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._open.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Return the open orders as plain data."""
        with self._lock:
            return [asdict(fault) for fault in self._open]

    def take(self, request: Request) -> Fault | None:
        """Return the oldest order for `request`, used up by one; None when there is none."""
        with self._lock:
            for place, fault in enumerate(self._open):
                if fault.matches(request):
                    if fault.times > 1:
                        self._open[place] = replace(fault, times=fault.times - 1)
                    else:
                        del self._open[place]
                    return fault
        return None


def parse_fault(data: Any) -> Fault:
    """Return the fault that a JSON document orders. Raises `Refused` with everything that is wrong with it."""
    if not isinstance(data, dict):
        raise Refused(Problem("a fault is a JSON object", "host, kind, times, action", "send an object"))
    kinds = [kind.value for kind in FaultKind]
    host, kind, times, action = (data.get(key) for key in ("host", "kind", "times", "action"))
    seconds = data.get("seconds", Fault.seconds)
    checks = (
        ("host", isinstance(host, str) and host, "a host name or glob"),
        ("kind", kind in kinds, f"one of {', '.join(kinds)}"),
        ("times", times is None or (type(times) is int and 1 <= times <= MOST_TIMES), f"1 to {MOST_TIMES}"),
        ("action", action is None or isinstance(action, str), "an action name or glob, or null"),
        ("seconds", isinstance(seconds, int | float) and 0 <= seconds <= 600, "0 to 600"),
    )
    problems = [
        Problem(f"fault: {key}", rule, f"set {key} to {rule}", value=repr(data.get(key)))
        for key, good, rule in checks
        if not good
    ]
    problems += [
        Problem(f"fault: unknown key {key}", "host, kind, times, action, seconds", f"remove {key}")
        for key in data.keys() - {key for key, *_ in checks}
    ]
    if problems:
        raise Refused(problems)
    return Fault(str(host), FaultKind(str(kind)), int(times or 1), action, float(seconds))


def reply(fault: Fault, request: Request) -> Response | None:
    """Return the service's own error for a fault; None for the kinds that are never answered."""
    for row in _replies():
        if row["kind"] == fault.kind and any(fnmatchcase(request.host, glob) for glob in row["hosts"]):
            body = Template(row["body"]).substitute(host=request.host)
            return Response(row["status"], body.encode(), {"Content-Type": row["type"]})
    return None


@cache
def _replies() -> list[dict[str, Any]]:
    table: dict[str, Any] = json.loads((files("emulators") / "faults.json").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = table["replies"]
    return rows
