"""One call of an RPC action: its parameters, read once, and typed access to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from emulators.alicloud.errors import ApiError
from emulators.alicloud.signature import Caller
from emulators.alicloud.tables import limit
from emulators.service import World
from emulators.store import Store

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Call:
    """A call whose signature is right. `region` is the call's own, else its host's."""

    world: World
    product: str
    version: str
    action: str
    parameters: Mapping[str, str]
    region: str
    caller: Caller

    @property
    def store(self) -> Store:
        """What the emulated cloud remembers."""
        return self.world.store

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.world.now()

    @property
    def stamp(self) -> str:
        """The time of this call as the products print it."""
        return iso(self.now)

    def has(self, name: str) -> bool:
        """Return whether a parameter was sent, even an empty one."""
        return name in self.parameters

    def get(self, name: str, default: str = "") -> str:
        """Return a parameter, or `default` when it was not sent or is empty."""
        return self.parameters.get(name) or default

    def need(self, name: str) -> str:
        """Return a parameter. Raises `ApiError` when it is missing or empty."""
        value = self.get(name)
        if not value:
            raise ApiError("MissingParameter", name=name)
        return value

    def choice(self, name: str, *allowed: str, default: str = "") -> str:
        """Return a parameter that must be one of `allowed`; letter case doesn't count."""
        value = self.get(name, default)
        found = next((known for known in allowed if known.lower() == value.lower()), None)
        if found is None:
            raise ApiError("InvalidParameter", name=name, rule=f"one of {', '.join(allowed)}")
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a parameter that is true or false."""
        value = self.get(name)
        if not value:
            return default
        if value.lower() not in _FLAGS:
            raise ApiError("InvalidParameter", name=name, rule="true or false")
        return _FLAGS[value.lower()]

    def number(self, name: str, default: int, low: int = 0, high: int = 2**31 - 1) -> int:
        """Return a parameter that is a whole number from `low` to `high`."""
        value = self.get(name)
        if not value:
            return default
        if not re.fullmatch(r"-?\d{1,10}", value) or not low <= int(value) <= high:
            raise ApiError("InvalidParameter", name=name, rule=f"a number from {low} to {high}")
        return int(value)

    def network(self, name: str, default: str = "") -> IPv4Network:
        """Return a parameter that is an IPv4 CIDR block. Raises `ApiError` for a malformed one."""
        value = self.get(name, default) or self.need(name)
        try:
            return IPv4Network(value)
        except ValueError:
            raise ApiError("InvalidCidrBlock.Malformed", value=value) from None

    def data(self, name: str) -> Any:
        """Return a parameter that is JSON. Raises `ApiError` when it is none."""
        try:
            return json.loads(self.need(name))
        except ValueError:
            raise ApiError("InvalidParameter", name=name, rule="JSON") from None

    def strings(self, name: str) -> list[str]:
        """Return a list of strings: `Name.1`, `Name.2`, …, or `Name` as a JSON list."""
        if self.get(name).startswith("["):
            return [str(item) for item in self.data(name)]
        places = {}
        for key, value in self.parameters.items():
            if found := re.fullmatch(rf"{re.escape(name)}\.(\d+)", key):
                places[int(found[1])] = value
        return [places[place] for place in sorted(places)]

    def records(self, name: str) -> list[dict[str, str]]:
        """Return a list of records: `Name.1.Key`, `Name.1.Value`, …, or `Name` as a JSON list of objects."""
        if self.get(name).startswith("["):
            data = self.data(name)
            if not all(isinstance(item, dict) for item in data):
                raise ApiError("InvalidParameter", name=name, rule="a list of objects")
            return [{key: str(value) for key, value in item.items()} for item in data]
        places: dict[int, dict[str, str]] = {}
        for key, value in self.parameters.items():
            if found := re.fullmatch(rf"{re.escape(name)}\.(\d+)\.(.+)", key):
                places.setdefault(int(found[1]), {})[found[2]] = value
        return [places[place] for place in sorted(places)]

    def tags(self, name: str = "Tag") -> dict[str, str]:
        """Return tags, however the product spells them (Key/Value or TagKey/TagValue)."""
        tags = {}
        for record in self.records(name):
            key = record.get("Key") or record.get("TagKey", "")
            if not key or len(key) > 128 or key.startswith(("aliyun", "acs:", "http://", "https://")):
                raise ApiError("InvalidTagKey.Malformed", key=key)
            tags[key] = record.get("Value", record.get("TagValue", ""))
        if len(tags) > limit("tags_per_resource"):
            raise ApiError("NumberExceed.Tags")
        return tags


Answer = dict[str, Any]
Handler = Callable[[Call], Answer]


def iso(seconds: float) -> str:
    """Return a time as the products print it: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
