"""`sfoa doctor`: is everything here, and if not, how to get it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.handover import OUTPUTS_FILE, STACK
from kit.console import guarded, json_option, people
from kit.problems import Exit

if TYPE_CHECKING:
    from flows.doctor import Check

LOCAL = "local"
SFOA = str(Path(sys.executable).with_name("sfoa"))


@click.command()
@click.option("--orgs", is_flag=True, help="Ask each org of the federation for a token too.")
@click.option("--stack", metavar="NAME", help="Look at the account instead, before this stack is built in it.")
@json_option
@guarded
def doctor(orgs: bool, stack: str | None, as_json: bool) -> None:
    """Check that everything is here, and say how to get what is missing. Exit code 1 when something is."""
    ours = stack in (None, LOCAL)  # any other stack is one of a real account
    if ours and not {STACK, OUTPUTS_FILE} & os.environ.keys() and _emulators_run():
        flags = [*(["--orgs"] if orgs else []), *(["--stack", stack] if stack else [])]
        again = ["doctor", *flags, *(["--json"] if as_json else [])]
        sys.exit(subprocess.run([SFOA, "emulators", "run", "--", SFOA, *again]).returncode)
    from flows.doctor import examine, of_stack  # what it looks with is loaded only where it looks

    found: list[Check] = []
    console = people()
    for check in of_stack(stack) if stack else examine(orgs=orgs):
        found.append(check)
        if not as_json:
            click.echo(_line(check))
    bad = [check for check in found if not check.ok]
    status = Exit.REFUSED if bad else Exit.DONE
    if as_json:
        rows = [{"name": each.name, "ok": each.ok, "detail": each.detail, "fix": each.fix} for each in found]
        problems = [row for row in rows if not row["ok"]]
        click.echo(json.dumps({"status": status, "result": rows, "problems": problems}, ensure_ascii=False, indent=2))
    if bad:
        console.print(f"{len(bad)} of {len(found)} checks failed")
    sys.exit(status)


def _emulators_run() -> bool:
    """Return whether this folder's emulators run: then it is their landing zone that is asked after."""
    return subprocess.run([SFOA, "emulators", "status", "--json"], capture_output=True).returncode == 0


def _line(check: Check) -> str:
    mark = "✓" if check.ok else "✗"
    line = f"{mark} {check.name}: {check.detail}"
    return line if check.ok or not check.fix else f"{line}\n    fix: {check.fix}"
