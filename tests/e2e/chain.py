"""How long `pulumi up` takes against the longest chain of its own resources: what no engine could do any faster."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PULSE = 0.02  # seconds between two looks at the log


@dataclass
class Watched:
    """What the engine's log said, and when each of its lines came (seconds, monotonic)."""

    lines: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def start(self) -> float:
        """When the update began."""
        return min(when for when, line in self.lines if "preludeEvent" in line)

    def spans(self) -> dict[str, tuple[float, float]]:
        """Return when the creation of each resource began and ended, by URN. Components have no time of their own."""
        began: dict[str, float] = {}
        spans: dict[str, tuple[float, float]] = {}
        for when, line in self.lines:
            for kind in ("resourcePreEvent", "resOutputsEvent"):
                data = line.get(kind, {}).get("metadata", {})
                if data.get("op") != "create" or not (data.get("new") or {}).get("custom"):
                    continue
                if kind == "resourcePreEvent":
                    began[data["urn"]] = when
                elif data["urn"] in began:
                    spans.setdefault(data["urn"], (began[data["urn"]], when))
        return spans


@dataclass(frozen=True, slots=True)
class Link:
    """One creation of the longest chain: seconds that nothing of the chain was at work before it, and its own."""

    name: str
    idle: float
    took: float


@dataclass(frozen=True, slots=True)
class Landing:
    """One `pulumi up`, in seconds: from the engine's start to the first creation, and from that one to the last."""

    resources: int
    start: float
    building: float
    links: tuple[Link, ...]

    @property
    def chain(self) -> float:
        """How long the longest chain is by itself."""
        return sum(link.took for link in self.links)

    @property
    def ratio(self) -> float:
        """How many times as long as the chain the building took."""
        return self.building / self.chain


def landing_of(watched: Watched, resources: list[dict[str, Any]]) -> Landing:
    """Return what an update took that brought up all of a state's resources."""
    spans = watched.spans()
    seconds = {urn: end - begin for urn, (begin, end) in spans.items()}
    _, path = longest_chain(seconds, needs_of(resources))
    first, last = min(begin for begin, _ in spans.values()), max(end for _, end in spans.values())
    links, free = [], first
    for urn in path:
        links.append(Link(short(urn), spans[urn][0] - free, seconds[urn]))
        free = spans[urn][1]
    return Landing(len(spans), first - watched.start, last - first, tuple(links))


@contextmanager
def watching(log: Path, watched: Watched) -> Iterator[None]:
    """Note when each line is written to the engine's event log, which tells whole seconds only."""
    over = threading.Event()

    def follow() -> None:
        rest = ""
        at = 0
        while True:
            last = over.is_set()
            if log.exists():
                with log.open(encoding="utf-8") as file:
                    file.seek(at)
                    rest += file.read()
                    at = file.tell()
                *whole, rest = rest.split("\n")
                watched.lines += [(time.monotonic(), json.loads(line)) for line in whole if line]
            if last:
                return
            time.sleep(PULSE)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def longest_chain(seconds: Mapping[str, float], needs: Mapping[str, list[str]]) -> tuple[float, list[str]]:
    """Return the longest path through what depends on what: its seconds, and its resources, the first one first."""

    @cache
    def upto(urn: str) -> tuple[float, tuple[str, ...]]:
        before = max(map(upto, needs.get(urn, ())), default=(0.0, ()))
        own = seconds.get(urn, 0.0)
        return before[0] + own, before[1] + ((urn,) if own else ())

    total, path = max(map(upto, seconds), default=(0.0, ()))
    return total, list(path)


def needs_of(resources: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return what each resource of a state waits for: what it reads, and its parent. A component is waited for whole
    only by those who name it, and then the state names its children."""
    needs = {}
    for row in resources:
        parent = [row["parent"]] if row.get("parent") else []
        needs[row["urn"]] = [*row.get("dependencies", []), *parent]
    return needs


def short(urn: str) -> str:
    """Return a URN's type and name, as people say them."""
    kind, name = urn.split("::")[-2:]
    return f"{kind.split('$')[-1].split(':')[-1]} {name}"
