"""`sfoa toolchain`: get the Pulumi engine and the alicloud plugin, or say where they are."""

from __future__ import annotations

import click

from kit.console import emit, guarded, json_option
from toolchain.checks import checks


@click.group()
def toolchain() -> None:
    """The Pulumi engine and the alicloud plugin."""


@toolchain.command()
@json_option
@guarded
def ensure(as_json: bool) -> None:
    """Find the toolchain, install it the official way, or build it. A second run changes nothing."""
    from toolchain.ensure import ensure as ensure_toolchain  # an HTTP client, which `show` and the help don't need

    ready = ensure_toolchain()
    result = {
        "engine": {"path": str(ready.engine.path), "way": ready.engine.way},
        "plugin": {"path": str(ready.plugin.path), "way": ready.plugin.way},
    }
    text = f"engine: {ready.engine.path} ({ready.engine.way})\nplugin: {ready.plugin.path} ({ready.plugin.way})"
    emit(result, as_json=as_json, text=text)


@toolchain.command()
@json_option
@guarded
def show(as_json: bool) -> None:
    """Say which toolchain is here, without getting any."""
    found = checks()
    lines = (f"{'ok     ' if check.ok else 'missing'}  {check.name}: {check.detail}" for check in found)
    result = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in found]
    emit(result, as_json=as_json, text="\n".join(lines))
