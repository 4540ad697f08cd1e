"""Which host names are Salesforce's, in both editions, and what each is for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Purpose = Literal["login", "my_domain", "lightning"]


@dataclass(frozen=True)
class Host:
    """What a host is. `my_domain` is the My Domain host that a Lightning host belongs to, or the host itself."""

    name: str
    edition: str
    purpose: Purpose
    my_domain: str


def classify(name: str) -> Host | None:
    """Return what `name` (lower case, without port) is to Salesforce, or None when it is no host of theirs."""
    for edition, rules in _table().items():
        if name in rules["login"]:
            return Host(name, edition, "login", name)
        my_domain, lightning = str(rules["my_domain"]), str(rules["lightning"])
        if name.endswith(my_domain) and name != my_domain[1:]:
            return Host(name, edition, "my_domain", name)
        if name.endswith(lightning) and name != lightning[1:]:
            return Host(name, edition, "lightning", name.removesuffix(lightning) + my_domain)
    return None


def lightning_host(my_domain_host: str) -> str:
    """Return the Lightning host of a My Domain host. Raises `ValueError` for a host that is no My Domain."""
    for rules in _table().values():
        suffix = str(rules["my_domain"])
        if my_domain_host.endswith(suffix):
            return my_domain_host.removesuffix(suffix) + str(rules["lightning"])
    raise ValueError(f"{my_domain_host} is no My Domain host")


@cache
def _table() -> dict[str, dict[str, str | list[str]]]:
    text = resources.files("emulators.salesforce").joinpath("hosts.json").read_text(encoding="utf-8")
    editions: dict[str, dict[str, str | list[str]]] = json.loads(text)["editions"]
    return editions
