"""Writes docs/outputs.md, the page of the outputs contract: `python -m infra.outputspage`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.outputs import LandingZoneOutputs

FILE = Path(__file__).parents[1] / "docs" / "outputs.md"

COMPONENTS = {"identity_roles": "console"}
"""Keys that another component fills than the one that begins their name."""

OFF = {
    "network_private_zone": "sfoa:network.private_zone",
    "network_tunnels": "sfoa:network.link.ipsec",
    "storage_state_url": "sfoa:storage.state",
    "identity_provider": "sfoa:identity",
    "identity_saml": "sfoa:identity",
    "identity_roles": "sfoa:console",
    "audit_trail": "sfoa:audit",
    "audit_trail_bucket": "sfoa:audit",
    "audit_log_project": "sfoa:audit",
    "integration_origins": "sfoa:integration",
    "integration_endpoints": "sfoa:integration.events",
    "integration_callbacks": "sfoa:integration.callbacks",
    "integration_pages": "sfoa:integration.pages",
    "integration_aliases": "sfoa:integration",
    "integration_event_bus": "sfoa:integration.events",
    "integration_extracts_bucket": "sfoa:integration.events",
}
"""The setting that turns a key off: without it, the key is absent or empty."""

_HEAD = """# The outputs of a landing zone

Generated from `infra/outputs.py` by `python -m infra.outputspage`; a test keeps it current.

What `pulumi stack output --json` hands to the release engine: version 1 of the contract. No secret travels in it.
`absent` names every component that is off.

| Key | Type | Component | Absent or empty without | Meaning |
| --- | --- | --- | --- | --- |
"""

_SAML = """
## A provider in `identity_saml`

| Key | Type | Required | Meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return what the page has to hold: Markdown, one row a key."""
    schema = LandingZoneOutputs.model_json_schema()
    provider = schema["$defs"]["SamlProvider"]
    rows = [(f"`{key}`", type_, component_of(key), _off(key), text) for key, type_, _, text in _fields(schema)]
    inner = [(f"`{key}`", type_, must, text) for key, type_, must, text in _fields(provider)]
    return _HEAD + _lines(rows) + _SAML + _lines(inner)


def component_of(key: str) -> str:
    """Return the component that fills a key; the landing zone fills what is of no component."""
    area = key.partition("_")[0]
    known = ("network", "storage", "audit", "identity", "integration")
    return COMPONENTS.get(key, area if area in known else "landing zone")


def _off(key: str) -> str:
    return f"`{OFF[key]}`" if key in OFF else ""


def _lines(rows: list[Any]) -> str:
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    required = schema["required"]
    return [
        (key, _type(field), "yes" if key in required else "no", field["description"])
        for key, field in schema["properties"].items()
    ]


def _type(field: dict[str, Any]) -> str:
    """Return a field's type in words."""
    if "anyOf" in field:
        return next(_type(kind) for kind in field["anyOf"] if kind.get("type") != "null")
    if "$ref" in field:
        return "provider"
    if "const" in field:
        return f"always {field['const']}"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if field["type"] == "object":
        return f"map to {_type(field['additionalProperties'])}"
    return str(field["type"])


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
