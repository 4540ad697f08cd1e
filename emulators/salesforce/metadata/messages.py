"""What a deploy says of each component."""

from __future__ import annotations

from dataclasses import dataclass

from emulators.salesforce.metadata.components import Key


@dataclass(frozen=True)
class DeployMessage:
    """One line of a deploy's result (the API's DeployMessage). Lines and columns from 1."""

    file_name: str
    full_name: str = ""
    component_type: str = ""
    problem: str = ""
    problem_type: str = ""
    line: int = 0
    column: int = 0
    id: str = ""
    created: bool = False
    changed: bool = False
    deleted: bool = False
    success: bool = True


def error(key: Key, file_name: str, problem: str, line: int = 0, column: int = 0) -> DeployMessage:
    """Return a failure of a component."""
    return DeployMessage(file_name, key.full_name, key.type, problem, "Error", line, column, success=False)


def manifest_error(file_name: str, problem: str, line: int = 0, column: int = 0) -> DeployMessage:
    """Return a failure of a manifest itself, which has no type."""
    return error(Key("", file_name), file_name, problem, line, column)


def warning(key: Key, file_name: str, problem: str, *, ignored: bool) -> DeployMessage:
    """Return a warning, which counts as a success only when warnings are ignored."""
    return DeployMessage(file_name, key.full_name, key.type, problem, "Warning", success=ignored)
