"""Dated tables of the emulated RPC products: host patterns, regions, error texts, limits and delays."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """Return a table by its name, without `.json`. Callers must not change it."""
    text = (files("emulators.alicloud.tables") / f"{name}.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def limit(name: str) -> int:
    """Return the figure of a limit, in the unit that `limits.json` says."""
    return int(table("limits")["limits"][name])


def delay(name: str) -> float:
    """Return how many seconds a kind of resource stays in its pending state."""
    delays: dict[str, float] = table("limits")["pending_seconds"]
    return float(delays.get(name, delays["default"]))
