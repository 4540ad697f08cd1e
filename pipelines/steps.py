"""Runs commands one after the other, with a live line for each, and stops at the first that fails."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.status import Status

from kit.console import people
from kit.redaction import redact

TAIL = 60  # lines of a failed command that are shown


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `note` turns a line of its output into what the live line says, or None to leave that as it is."""

    title: str
    command: tuple[str, ...]
    note: Callable[[str], str | None] = field(default=lambda _: None)


class Failed(Exception):
    """A step failed; `code` is its exit code and `said` the end of its output."""

    def __init__(self, step: Step, code: int, said: str) -> None:
        super().__init__(step.title)
        self.step, self.code, self.said = step, code, said


def run(step: Step, log: Path, environ: Mapping[str, str] | None = None) -> None:
    """Run a step; its whole output goes to `log`, redacted. Raises `Failed`."""
    console = people()
    started = time.monotonic()
    said: deque[str] = deque(maxlen=TAIL)
    with log.open("a", encoding="utf-8") as file, Status(step.title, console=console) as status:
        file.write(f"$ {' '.join(step.command)}\n")
        with subprocess.Popen(
            step.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, **(environ or {})},
        ) as process:
            assert process.stdout is not None
            for raw in process.stdout:
                line = redact(raw.rstrip())
                said.append(line)
                file.write(line + "\n")
                if noted := step.note(line):
                    status.update(f"{step.title}: {noted}")
        file.flush()
    seconds = time.monotonic() - started
    if process.returncode:
        console.print(f"[red]✘[/] {step.title} [dim]({seconds:.0f} s)[/]")
        raise Failed(step, process.returncode, "\n".join(said))
    console.print(f"[green]✔[/] {step.title} [dim]({seconds:.0f} s)[/]")
