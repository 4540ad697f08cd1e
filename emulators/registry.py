"""Which services there are. The one place that knows them all."""

from __future__ import annotations

import importlib
import importlib.util

from emulators.service import Service, World


def services(world: World) -> list[Service]:
    """Return every emulated service; the first one that owns a host answers for it."""
    found: list[Service] = []
    for module, name in (
        ("emulators.alicloud.oss.api", "ObjectStorage"),
        ("emulators.alicloud.api", "AlibabaCloudApi"),
        ("emulators.salesforce.api", "Salesforce"),
    ):
        try:
            if importlib.util.find_spec(module) is None:
                continue
        except ModuleNotFoundError:
            continue
        found.append(getattr(importlib.import_module(module), name)(world))
    return found
