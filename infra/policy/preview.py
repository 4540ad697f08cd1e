"""Reads what `pulumi preview --json` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.policy.model import Resource, Stack, plain
from kit.problems import Place, Problem, Refused, relative

GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "read-discard"})


@dataclass(frozen=True)
class Step:
    """One step of a preview: the engine's own word for it, and the resource before and after (either may be empty).

    `replaced_by` holds the properties that force a replacement, `changed` all that differ (wire paths).
    """

    op: str
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    changed: tuple[str, ...]
    replaced_by: tuple[str, ...]

    @property
    def state(self) -> Mapping[str, Any]:
        """The resource as it will be, or as it was when it goes."""
        return self.new or self.old


@dataclass(frozen=True)
class Preview:
    """What a preview file holds: its steps, and how many unchanged resources the engine counted and left out."""

    steps: tuple[Step, ...]
    unseen: int = 0


def read_preview(path: Path) -> Preview:
    """Return what a preview file holds. Raises `Refused` when it is no output of `pulumi preview --json`."""
    name = relative(path)
    fix = "write it anew: pulumi preview --json > FILE.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        steps = tuple(_step(step) for step in data["steps"] or ())
        unchanged = int((data.get("changeSummary") or {}).get("same", 0))
        return Preview(steps, max(0, unchanged - sum(step.op == "same" for step in steps)))
    except OSError as error:
        raise Refused(
            Problem(f"cannot read the file: {error.strerror}", "the file exists and is readable", fix, Place(name))
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        rule = "one JSON document with `steps`, as the engine prints it when the preview succeeds"
        raise Refused(Problem("no preview of the engine", rule, fix, Place(name))) from error


def stack_after(steps: tuple[Step, ...]) -> Stack:
    """Return the resources that stand after the update, each once."""
    standing: dict[str, Resource] = {}
    for step in steps:
        if step.op not in GONE and step.new:
            standing[step.urn] = _resource(step.urn, step.new)
    return Stack(tuple(standing.values()))


def _step(step: Mapping[str, Any]) -> Step:
    details = step.get("detailedDiff") or {}
    reasons = list(step.get("replaceReasons") or [])
    reasons += [path for path, change in details.items() if str(change.get("kind", "")).endswith("-replace")]
    changed = [*details, *(step.get("diffReasons") or []), *reasons]
    return Step(
        str(step["op"]),
        str(step["urn"]),
        step.get("oldState") or {},
        step.get("newState") or {},
        tuple(dict.fromkeys(changed)),
        tuple(dict.fromkeys(reasons)),
    )


def _resource(urn: str, state: Mapping[str, Any]) -> Resource:
    references = {key: frozenset(urns or ()) for key, urns in (state.get("propertyDependencies") or {}).items()}
    return Resource(
        str(state["type"]),
        urn.rpartition("::")[2],
        plain(state.get("inputs") or {}),
        urn,
        bool(state.get("protect")),
        references,
    )
