"""What the emulated orgs leave out on purpose, and the words in which they say so: the table `refusals.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["operation", "parameter", "header", "path", "tooling", "bulk", "streaming"]

_VERSION = re.compile(r"/v\d{1,3}\.0(?=/|$)")


@dataclass(frozen=True)
class Refusal:
    """Something that is not emulated: its kind and name, and why (or what to use instead)."""

    kind: Kind
    name: str
    why: str

    @property
    def message(self) -> str:
        """The answer to who asks for it."""
        what = {
            "operation": "operation ",
            "parameter": "retrieve parameter ",
            "header": "header ",
            "bulk": "Bulk API 2.0 with ",
        }.get(self.kind, "")
        return f"The emulated org deliberately has no {what}{self.name}: {self.why}"


@cache
def refusals() -> tuple[Refusal, ...]:
    """Return all that is left out on purpose."""
    rows = json.loads((files(__package__) / "refusals.json").read_text("utf-8"))["refused"]
    return tuple(Refusal(**row) for row in rows)


def refused(kind: Kind, name: str) -> Refusal | None:
    """Return why something is refused, None when nothing is said of it."""
    return next((each for each in refusals() if (each.kind, each.name) == (kind, name)), None)


def refused_path(path: str) -> Refusal | None:
    """Return why a path is refused, by the longest of the table that it starts with."""
    plain = _VERSION.sub("/vXX.0", path, count=1)
    found = [each for each in refusals() if each.kind == "path" and _start(each.name).match(f"{plain}/")]
    return max(found, key=lambda each: len(each.name), default=None)


@cache
def _start(name: str) -> re.Pattern[str]:
    """Return what the paths of a row start with: `{object}` stands for any one part."""
    return re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in name.split("/")) + "/")
