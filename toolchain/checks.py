"""What `sfoa doctor` asks of the toolchain."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.build import three_ways
from toolchain.find import engine_version, find_engine, find_plugin
from toolchain.pins import pins


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def checks() -> list[Check]:
    """Return whether the engine with its Python host and the plugin are here, and of which version."""
    fix = f"run `sfoa toolchain ensure` (or `make up`); for that, {three_ways()}"
    engine, plugin = find_engine(), find_plugin()
    found = engine_version(engine) if engine else ""
    return [
        Check("Pulumi engine", True, f"{found} ({engine.way})")
        if engine and found
        else Check("Pulumi engine", False, "no `pulumi` with a Python host was found", fix),
        Check("alicloud plugin", True, f"{pins().alicloud} ({plugin.way})")
        if plugin
        else Check("alicloud plugin", False, f"no pulumi-resource-alicloud {pins().alicloud} was found", fix),
    ]
