"""Reads `watch.yml`: what Cloud Config checks, and which events contacts are told of."""

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


class Watch(_Frozen):
    """The whole table. `as_of` is the day on which it was last compared with its sources."""

    source: str
    as_of: datetime.date
    rules: tuple[ManagedRule, ...]
    events: tuple[ProductEvents, ...]
    levels: tuple[Literal["CRITICAL", "WARN", "INFO"], ...]


@functools.cache
def watch() -> Watch:
    """Return the table that ships with the kit."""
    return parse_model(Watch, read_yaml(Path(__file__).with_name("watch.yml")))
