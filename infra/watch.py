"""Reads `watch.yml`: what Cloud Config checks, and which events and which actions contacts are told of."""

from __future__ import annotations

import datetime
import functools
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kit.yamlfile import parse_model, read_yaml


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ManagedRule(_Frozen):
    """A rule of Cloud Config's own. `about` says what it found; `risk` is 1 (high) to 3 (low)."""

    name: str
    identifier: str
    about: str
    types: tuple[str, ...]
    trigger: Literal["ConfigurationItemChangeNotification", "ScheduledNotification"]
    risk: int = Field(ge=1, le=3)


class ProductEvents(_Frozen):
    """The system events of one product, by the product's code in CloudMonitor."""

    product: str
    about: str


class LogAlert(_Frozen):
    """What is looked for in the trail's log store; one find raises it. `severity` is SLS's: 10 is critical, 8 high."""

    name: str
    about: str
    about_zh: str
    query: str
    severity: Literal[10, 8, 6, 4, 2]


class Watch(_Frozen):
    """The whole table. `as_of` is the day on which it was last compared with its sources.

    `every` and `looks_back` are spans of time as SLS writes them, such as "5m".
    """

    source: str
    as_of: datetime.date
    rules: tuple[ManagedRule, ...]
    events: tuple[ProductEvents, ...]
    levels: tuple[Literal["CRITICAL", "WARN", "INFO"], ...]
    alerts: tuple[LogAlert, ...]
    every: str
    looks_back: str


@functools.cache
def watch() -> Watch:
    """Return the table that ships with the kit."""
    return parse_model(Watch, read_yaml(Path(__file__).with_name("watch.yml")))
