"""`sfoa`: one command, whose parts are found through entry points and loaded only when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_GROUP = "sfoa.commands"
_DISTRIBUTION = "sfoa-kit"
_AS_JSON = "sfoa.as_json"
_COMMANDS = Path(__file__).with_name("commands")


class LazyGroup(click.Group):
    """A click group over the entry points "sfoa.commands": listing them imports none, calling one imports it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        as_json = _asks_for_json(args)
        with _told(as_json):
            ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta[_AS_JSON] = as_json
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        with _told(ctx.meta[_AS_JSON]):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        import importlib.metadata

        return sorted(importlib.metadata.entry_points(group=_GROUP).names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if command := _of_this_package(cmd_name):
            return command
        import importlib.metadata

        # The kit's own first: to look through what else is installed takes longer than most commands.
        own = importlib.metadata.distribution(_DISTRIBUTION).entry_points.select(group=_GROUP, name=cmd_name)
        entries = own or importlib.metadata.entry_points(group=_GROUP, name=cmd_name)
        return next((entry.load() for entry in entries), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            import difflib

            near = difflib.get_close_matches(args[0], known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise click.UsageError(f"No command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        import importlib.metadata

        rows = []
        for entry in sorted(importlib.metadata.entry_points(group=_GROUP), key=lambda entry: entry.name):
            try:
                text = click.Command(entry.name, help=_docstring(entry)).get_short_help_str(formatter.width)
            except (ImportError, OSError, SyntaxError) as error:
                # The help is what people turn to when an installation is broken: it must still come.
                text = f"(can't be loaded: {error})"
            rows.append((entry.name, text))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _asks_for_json(args: Sequence[str]) -> bool:
    """Return whether the answer is for a machine. What stands behind `--` is another program's."""
    return "--json" in (args[: args.index("--")] if "--" in args else args)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Print what is wrong with a call as the envelope too, if `as_json`; click says it to people, and ends with 2."""
    try:
        yield
    except click.UsageError as error:
        if as_json:
            from kit.console import refusal
            from kit.problems import Exit, Problem

            path = error.ctx.command_path if error.ctx else "sfoa"
            wrong = Problem(error.format_message(), "a command is called as its help says", f"{path} --help")
            click.echo(refusal([wrong], Exit.USAGE))
        raise


def _of_this_package(name: str) -> click.Command | None:
    """Return the command that its module's name tells, where that is so, else None.

    To read entry points takes longer to load than all else that a short command needs (45 ms, measured 2026-11).
    """
    if not (_COMMANDS / f"{name}.py").is_file() or not name.isidentifier():
        return None
    command = getattr(importlib.import_module(f"flows.commands.{name}"), name, None)
    return command if isinstance(command, click.Command) and command.name == name else None


def _docstring(entry: EntryPoint) -> str:
    """Return the docstring of a command's function, read from its source: loading all commands takes seconds.

    Raises `ImportError` when there is no such function.
    """
    import ast
    import importlib.util

    spec = importlib.util.find_spec(entry.module)
    if spec is None or spec.origin is None:
        raise ImportError(f"no module {entry.module}")
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
            return ast.get_docstring(node) or ""
    raise ImportError(f"no function {entry.attr} in {entry.module}")


def _print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        import importlib.metadata

        click.echo(f"sfoa {importlib.metadata.version(_DISTRIBUTION)}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Look at a federation of Salesforce orgs around Salesforce on Alibaba Cloud, and at its releases."""
