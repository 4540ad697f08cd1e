"""What a command prints: data to stdout, words for people to stderr, one JSON envelope for machines."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from kit.problems import Exit, Problem, Refused
from kit.redaction import redact

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")


def people() -> Console:
    """Return the console for people: stderr, without colour or live display when it is no terminal or under CI."""
    from rich.console import Console  # loaded here: most answers to machines need no words for people

    quiet = bool(os.environ.get("CI")) or not sys.stderr.isatty()
    return Console(stderr=True, force_terminal=False if quiet else None, highlight=False, soft_wrap=True)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add `--json` to a click command, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON envelope to stdout.")(function)


def emit(result: object, *, as_json: bool, text: str = "") -> None:
    """Print the result of a command: `{"status": 0, "result": …, "problems": []}` or `text`, to stdout."""
    if as_json:
        click.echo(json.dumps({"status": 0, "result": result, "problems": []}, ensure_ascii=False, indent=2))
    elif text:
        click.echo(text)


def refusal(problems: Iterable[Problem], status: Exit) -> str:
    """Return the envelope of what was refused: `{"status": …, "result": null, "problems": […]}`, without secrets."""
    envelope = {"status": int(status), "result": None, "problems": [problem.as_json() for problem in problems]}
    return redact(json.dumps(envelope, ensure_ascii=False, indent=2))


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Turn the outcome of a click command into the kit's exit codes and its two ways of saying what went wrong."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            function(*args, **kwargs)
        except Refused as refused:
            if as_json:
                click.echo(refusal(refused.problems, refused.exit_code))
            click.echo(redact(f"Error: {refused}"), err=True)
            sys.exit(refused.exit_code)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception:
            import traceback  # loaded here: nothing else needs it

            click.echo(redact(traceback.format_exc()), err=True)
            click.echo("Internal error: this is a fault of the kit; please report it with the lines above.", err=True)
            sys.exit(Exit.INTERNAL)

    return run
