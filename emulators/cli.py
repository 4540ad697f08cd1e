"""`sfoa emulators`: start, stop and look at the emulators, and run any command against them."""

from __future__ import annotations

import os
import subprocess
from itertools import groupby
from pathlib import Path
from textwrap import fill
from typing import IO, Any

import click

from emulators import lifecycle
from emulators.environment import environment, home
from kit.console import emit, guarded, json_option
from kit.problems import Problem, Refused


@click.group()
def emulators() -> None:
    """Alibaba Cloud and both Salesforce editions on this machine, at their real host names."""


@emulators.command()
@click.option("--port", type=click.IntRange(0, 65535), default=lifecycle.DEFAULT_PORT, show_default=True,
              envvar="SFOA_EMULATORS_PORT",
              help="Port of 127.0.0.1; 0 takes any free one.")  # fmt: skip
@json_option
@guarded
def start(port: int, as_json: bool) -> None:
    """Start them in the background; done when they answer."""
    instance, new = lifecycle.start(home(), port)
    said = "started" if new else "already running"
    result = {"started": new, "port": instance.port, "pid": instance.pid, "home": str(instance.home)}
    emit(result, as_json=as_json, text=f"Emulators {said} on port {instance.port} (process {instance.pid}).")


@emulators.command()
@json_option
@guarded
def stop(as_json: bool) -> None:
    """Stop them; what they remember stays."""
    stopped = lifecycle.stop(home())
    emit({"stopped": stopped}, as_json=as_json, text="Emulators stopped." if stopped else "None were running.")


@emulators.command()
@json_option
@guarded
def status(as_json: bool) -> None:
    """Show where they run and how much they remember. Exit code 1 when they don't run."""
    state = lifecycle.require(home()).ask("GET", "/status")
    emit(state, as_json=as_json, text=_status_text(state))


@emulators.command()
@json_option
@guarded
def coverage(as_json: bool) -> None:
    """Show what was asked for and is not emulated, and what is."""
    answer = lifecycle.require(home()).ask("GET", "/coverage")
    emit(answer, as_json=as_json, text=_coverage_text(answer))


@emulators.command()
@json_option
@guarded
def reset(as_json: bool) -> None:
    """Forget everything but which orgs exist (the world file that was seeded last)."""
    answer = lifecycle.require(home()).ask("POST", "/reset")
    kept = "the orgs of the last world file are back, empty" if answer["seeded"] else "no world file was seeded"
    emit(answer, as_json=as_json, text=f"Emulators are empty; {kept}.")


@emulators.command()
@click.argument("file", type=click.File("rb"))
@json_option
@guarded
def seed(file: IO[bytes], as_json: bool) -> None:
    """Load a world FILE (`sfoa federation world` prints one; - reads stdin)."""
    answer = lifecycle.require(home()).ask("POST", "/seed", file.read())
    emit(answer, as_json=as_json, text=f"Seeded {answer['orgs']} orgs.")


@emulators.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@guarded
def requests(limit: int, as_json: bool) -> None:
    """Show the last requests, oldest first."""
    answer = lifecycle.require(home()).ask("GET", f"/requests?limit={limit}")
    emit(answer, as_json=as_json, text="\n".join(map(_request_text, answer["requests"])))


@emulators.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@guarded
def run(command: tuple[str, ...]) -> None:
    """Run COMMAND in an environment that leads to the emulators; its exit code is returned.

    Write `--` before COMMAND. Nothing but the environment is changed.
    """
    instance = lifecycle.require(home())
    _make(instance.home / "pulumi-state")
    try:
        done = subprocess.run(command, env=environment(instance.home, instance.port, os.environ))
    except OSError as error:
        raise Refused(
            Problem(
                f"cannot run {command[0]}: {error.strerror}",
                "the command is on PATH and executable",
                "install it, or give its path",
            )
        ) from error
    # A command that a signal ended has a negative code here and 128 + signal in every shell.
    raise click.exceptions.Exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            Problem(f"cannot make {folder}: {error.strerror}", "the home is writable", "mend its permissions")
        ) from error


def _status_text(state: dict[str, Any]) -> str:
    lines = [f"Running on port {state['port']} (process {state['pid']}), home {state['home']}"]
    lines += [f"{count:7}  {kind}" for kind, count in state["documents"].items()]
    if state["faults"]:
        lines.append(f"{state['faults']} faults on order")
    if state["log_lines_lost"]:
        lines.append(f"{state['log_lines_lost']} request log lines could not be written")
    asked = [
        f"{words}: {state[key]}"
        for key, words in (("unknown_actions", "unknown actions asked for"), ("refused_hosts", "hosts refused"))
        if state[key]
    ]
    if asked:
        lines.append(f"{', '.join(asked)} (sfoa emulators coverage names them)")
    return "\n".join(lines)


def _coverage_text(answer: dict[str, Any]) -> str:
    lines = ["Asked for and not emulated (calls, product, version, action):"]
    lines += [f"{row['calls']:7}  {_named(row)} {row['action']}" for row in answer["unknown_actions"]] or ["  nothing"]
    lines += ["Hosts asked for and refused:"]
    lines += [f"{row['calls']:7}  {row['host']}" for row in answer["refused_hosts"]] or ["  none"]
    lines += ["Emulated:"]
    for product, rows in groupby(answer["emulated"], _named):
        actions = ", ".join(row["action"] for row in rows)
        lines += [f"  {product}", fill(actions, 100, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join(lines)


def _named(row: dict[str, str]) -> str:
    return f"{row['product']} {row['version']}".strip()


def _request_text(entry: dict[str, Any]) -> str:
    line = (
        f"{entry['time'][11:23]} {entry['status']:3} {entry['ms']:8.1f} ms  "
        f"{entry['method']:7} {entry['host']}{entry['path']}  {entry['action']}"
    )
    notes = [f"\n    {entry[name]}" for name in ("fault", "refused", "error") if name in entry]
    return line.rstrip() + "".join(notes)
