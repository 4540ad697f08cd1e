"""Every command that a document shows runs, on the stage that `make up` leaves."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Stage, Up

DOCUMENTS = sorted(
    Path(name)
    for name in subprocess.run(["git", "ls-files", "*.md"], capture_output=True, text=True, check=True).stdout.split()
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAMS = ("sfoa", "pulumi", "cci", "make")


def commands_of(document: Path) -> list[str]:
    """The commands of a document's code fences, without their comments."""
    fences = FENCE.findall(document.read_text(encoding="utf-8"))
    lines = "\n".join(text for language, text in fences if language in ("", "sh")).splitlines()
    stripped = (re.sub(r"\s+#.*", "", line).strip() for line in lines)
    return [line for line in stripped if line.split(" ")[0] in PROGRAMS]


COMMANDS = sorted({command for document in DOCUMENTS for command in commands_of(document)})
MADE = [command for command in COMMANDS if command.startswith("make ")]


@pytest.mark.e2e
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in MADE])
def test_a_documented_command_runs(command: str, stage: Stage, up: Up) -> None:
    done = stage.run(*shlex.split(command), inside=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("command", MADE)
def test_a_documented_make_target_exists(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", Path("Makefile").read_text(), re.MULTILINE)


def test_both_readmes_show_the_same_commands() -> None:
    assert commands_of(Path("README.md")) == commands_of(Path("README.zh-CN.md"))
    assert len(commands_of(Path("README.md"))) > 10
