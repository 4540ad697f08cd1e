"""Sessions: no release takes away what guards them, in any edition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding
from flows.gates.reading import children, components_of, place_of, value, xml_of
from kit.yamlfile import read_yaml
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("sessions.yml")
SECURITY = ComponentKey("Settings", "Security")


@cache
def table() -> dict[str, Any]:
    """Return the dated lists of settings."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the session settings of the org, and those of single profiles."""
    settings = bundle.components.get(SECURITY)
    if settings is not None:
        for sessions in children(xml_of(settings), "sessionSettings"):
            for name in table()["guards"]:
                if value(sessions, name) == "false":
                    yield finding("K23.weakened", SECURITY, place_of(settings, f"<{name}>"), setting=name)
            timeout = value(sessions, "sessionTimeout")
            if timeout in table()["long"]:
                texts = {"timeout": timeout, "most": table()["most_hours"]}
                yield finding("K23.long-session", SECURITY, place_of(settings, "<sessionTimeout>"), **texts)
    for component in components_of(bundle, "ProfileSessionSetting"):
        root = xml_of(component)
        if value(root, "requiredSessionLevel") == "LOW":
            place = place_of(component, "<requiredSessionLevel>")
            yield finding("K23.low-level", component.key, place, profile=value(root, "profile") or "-")
