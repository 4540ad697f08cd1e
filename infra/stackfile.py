"""A stack's config as its file holds it, for those who look at it without the engine."""

from __future__ import annotations

import json
from pathlib import Path

from infra.settings import stack_file
from kit.problems import Problem, Refused


def project_folder(start: Path) -> Path:
    """Return the folder of Pulumi.yaml at or above `start`. Raises `Refused` when there is none."""
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise Refused(
        Problem("no Pulumi.yaml here or above", "a stack belongs to a Pulumi project", "run this in the project")
    )


def config_values(root: Path, stack: str) -> dict[str, str]:
    """Return the config of a stack as the engine hands it over: structures as JSON text.

    Raises `Refused` when the stack has no file in `root`.
    """
    file = stack_file(root, stack)
    if file is None or not isinstance(file.data, dict):
        names = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
        raise Refused(
            Problem(
                f"there is no Pulumi.{stack}.yaml",
                "a stack's config is its file beside Pulumi.yaml",
                f"use one of {', '.join(names) or 'none yet'}, or copy Pulumi.example-production.yaml",
            )
        )
    values = file.data.get("config") or {}
    return {key: value if isinstance(value, str) else json.dumps(value, default=str) for key, value in values.items()}
