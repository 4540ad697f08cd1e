"""The JSON Schema of `federation.yml`, for editors: generated from the model, so it can't say anything else."""

from __future__ import annotations

import json
from pathlib import Path

from orgs.model import Federation

SCHEMA_FILE = Path(__file__).with_name("federation.schema.json")


def schema_text() -> str:
    """Return the schema as the text of `federation.schema.json`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Federation.model_json_schema(),
        "title": "The federation of orgs",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
