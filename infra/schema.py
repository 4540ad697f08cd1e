"""Writes the JSON Schema of `Pulumi.<stack>.yaml`: `python -m infra.schema`."""

from __future__ import annotations

import json
from pathlib import Path

from infra.settings import json_schema

FILE = Path(__file__).with_name("settings.schema.json")


def schema_text() -> str:
    """Return what the file has to hold."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
