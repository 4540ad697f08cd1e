"""Has the toolchain ready: found, installed the official way, or built. In this order, each piece by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kit.console import people
from toolchain import build, official
from toolchain.find import Found, find_engine, find_plugin
from toolchain.pins import piece_dir, pins
from toolchain.shim import remove_shim, shim_text, write_shim


@dataclass(frozen=True, slots=True)
class Toolchain:
    """An engine with its Python host, and the plugin."""

    engine: Found
    plugin: Found


def ensure() -> Toolchain:
    """Return a complete toolchain, after getting whatever is missing. Raises `Refused` when it can't be had."""
    engine, plugin = find_engine(), find_plugin()
    if engine is None or plugin is None:
        engine, plugin = _install_officially(engine, plugin)
    engine = engine or Found(_built("engine") / "bin" / "pulumi", "built")
    if plugin is None:
        _built("plugin")
        plugin = find_plugin()
        assert plugin is not None
    _put_on_path(engine, plugin)
    return Toolchain(engine, plugin)


def _install_officially(engine: Found | None, plugin: Found | None) -> tuple[Found | None, Found | None]:
    script = official.installer_script()
    if script is None:
        return engine, plugin
    if engine is None and (path := official.install_engine(script)):
        engine = Found(path, "official")
    if plugin is None and engine is not None and (path := official.install_plugin(engine.path)):
        plugin = Found(path, "official")
    return engine, plugin


def _put_on_path(engine: Found, plugin: Found) -> None:
    if engine.way == "yours" and plugin.way == "yours":
        remove_shim()
        return
    # The engine finds a plugin silently only in a PULUMI_HOME of its own; a user's own home is left as it is.
    home = plugin.path.parents[2] if plugin.way != "yours" and engine.way != "yours" else None
    write_shim(shim_text(engine.path, plugin.path, home))


def _built(piece: str) -> Path:
    if piece_dir(piece).is_dir():
        return piece_dir(piece)
    with _progress(piece) as report:
        return build.build(piece, report)


@contextmanager
def _progress(piece: str) -> Iterator[build.Progress]:
    what, usual = pins().what[piece], pins().usual_minutes[piece]
    console = people()
    console.print(f"Building the {what}: usually {usual} minutes on two cores, once for each set of pins.")
    if not console.is_terminal:
        yield _lines(what, time.monotonic())
        console.print(f"Built the {what}.")
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} packages"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(what: str, since: float) -> build.Progress:
    said = since

    def report(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= 60:
            said = time.monotonic()
            people().print(f"  {what}: {done} of at most {total} packages after {(said - since) / 60:.0f} min")

    return report
