"""What the commands that convert tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.source.project import Project

_SHOWN = 10


def left_out(project: Project, skipped: Sequence[str]) -> None:
    """Tell people, on stderr, which files are no metadata, and which API version stands in for one that isn't named."""
    if project.api_version_given and not skipped:
        return
    from kit.console import people  # loaded here: most projects leave nothing to say

    console = people()
    if not project.api_version_given:
        console.print(f"The project names no sourceApiVersion: {project.api_version} is used.")
    if skipped:
        names = ", ".join(map(project.shown, skipped[:_SHOWN]))
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        console.print(f"Left out, being no metadata: {names}{more}")


def lines_of_types(types: Mapping[str, int]) -> list[str]:
    """Return how many components there are of each type, a line each."""
    width = max(map(len, types), default=0)
    return [f"  {name:<{width}}  {count:>5}" for name, count in types.items()]
