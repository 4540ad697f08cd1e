"""Writes what was built to disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from kit.problems import Place, Problem, Refused


def write_file(data: bytes, path: Path, what: str = "bundle") -> None:
    """Write the bytes of `what` was built, whole or not at all. Raises `Refused` when the disk doesn't take it."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        problem = f"cannot write the {what}: {error.strerror}"
        raise Refused(
            Problem(problem, "the folder can be written", "choose another --out", Place(str(path)))
        ) from error
